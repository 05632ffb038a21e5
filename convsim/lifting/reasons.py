"""Says in one line what came, so that a reason can name it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from convsim._text import one_line, refusal


def kind_of(value: object) -> str:
    """Say a value with its type."""
    return f"{type(value).__name__} {shown(value)}"


def shown(value: object) -> str:
    """Say a value in one short line."""
    try:
        return f"{one_line(repr(value)[:300]):.80}"
    except Exception:  # somebody's repr may raise anything
        return "that cannot be printed"


def unknown_key(key: str, known: Sequence[str]) -> str:
    """Say a key that is not known, and which one is meant."""
    return f"{one_line(key)!r}: {refusal(key, known)}"


def problem_in(error: ValidationError) -> str:
    """Say the first thing that is wrong in one line."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    found = "" if first["type"] == "missing" else f", but found {shown(first['input'])}"
    return f"{place + ': ' if place else ''}{one_line(first['msg'])}{found}"
