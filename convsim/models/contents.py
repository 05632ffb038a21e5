"""What of a message's content was said, what was thought and what was refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from pydantic import BaseModel

from convsim._inputs import read_toml
from convsim._text import shown

MAX_DEPTH = 8
"""Of parts in parts."""


class UnusableError(ValueError):
    """What is no answer, and why, as the end of a line."""


class _Finish(BaseModel):
    stop: tuple[str, ...]
    length: tuple[str, ...]
    content_filter: tuple[str, ...]


class _Parts(BaseModel):
    thought: tuple[str, ...]
    refusal: tuple[str, ...]


class _Fields(BaseModel):
    thought: tuple[str, ...]


class _Words(BaseModel):
    finish: _Finish
    parts: _Parts
    fields: _Fields


@cache
def words() -> _Words:
    """Return the lists of ``answers.toml``."""
    return _Words.model_validate(read_toml(resources.files("convsim.models").joinpath("answers.toml")))


class Gathered(NamedTuple):
    """The text of a content, the characters of thought beside it, and a refusal."""

    text: str
    thought: int
    refusal: str


def gathered(content: object, depth: int = 0) -> Gathered:
    """Join the text of a content: a text, a part, or a list of them; thoughts are counted, other parts dropped."""
    if content is None or depth > MAX_DEPTH:
        return Gathered("", 0, "")
    if isinstance(content, str):
        return Gathered(content, 0, "")
    if isinstance(content, list):
        return joined([gathered(part, depth + 1) for part in content])
    if not isinstance(content, Mapping):
        raise UnusableError(f"the content must be text or parts of it, but is {shown(content)}")
    kind, parts = str(content.get("type", "")).lower(), words().parts
    if kind in parts.thought or content.get("thought") is True:
        return Gathered("", characters({key: value for key, value in content.items() if key != "type"}), "")
    if kind in parts.refusal:
        return Gathered("", 0, str(content.get("refusal", "")))
    text = content.get("text", content.get("content"))
    return gathered(text, depth + 1) if isinstance(text, str | list) else Gathered("", 0, "")


def joined(parts: Sequence[Gathered]) -> Gathered:
    """Put parts together; of several refusals the first."""
    refusal = next((part.refusal for part in parts if part.refusal), "")
    return Gathered("".join(part.text for part in parts), sum(part.thought for part in parts), refusal)


def characters(value: object, depth: int = 0) -> int:
    """Count the characters of all texts in a value, but of those that only name or sign a part."""
    if isinstance(value, str):
        return len(value)
    if depth > MAX_DEPTH:
        return 0
    if isinstance(value, Mapping):
        unread = ("type", "signature", "id", "format", "data", "encrypted_content")
        return sum(characters(part, depth + 1) for key, part in value.items() if key not in unread)
    if isinstance(value, list):
        return sum(characters(part, depth + 1) for part in value)
    return 0
