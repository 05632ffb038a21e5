"""The published levels of agreement (``published.toml``), and which of them a check may be held against."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pydantic import Field

from convsim.annotation.agreement.document import Part, Published


class _File(Part):
    source: str
    level: tuple[dict[str, object], ...] = Field(min_length=1)


def published_for(label: str, *, source: str, against: str) -> tuple[Published, ...]:
    """Return what was reported of ``label``; ``comparable`` where it is between the same two kinds of source."""
    between = {source_kind(source), source_kind(against)}
    return tuple(
        level.model_copy(update={"comparable": set(level.between) == between})
        for level in _levels()
        if level.label == label
    )


def source_kind(source: str) -> str:
    """Return the kind of a label's source: ``judge`` for ``judge:model:hash``, ``self`` for ``self``."""
    return source.partition(":")[0]


@cache
def _levels() -> tuple[Published, ...]:
    text = Path(__file__).with_name("published.toml").read_text(encoding="utf-8")
    file = _File.model_validate(tomllib.loads(text))
    return tuple(Published.model_validate({**level, "source": file.source}) for level in file.level)
