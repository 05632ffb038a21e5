"""Says in one line what came, so that a reason can name it."""

from __future__ import annotations

from collections.abc import Sequence

from convsim._text import one_line, refusal, shown


def kind_of(value: object) -> str:
    """Say a value with its type."""
    return f"{type(value).__name__} {shown(value)}"


def unknown_key(key: str, known: Sequence[str]) -> str:
    """Say a key that is not known, and which one is meant."""
    return f"{one_line(key)!r}: {refusal(key, known)}"
