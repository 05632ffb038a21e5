"""Names that strangers gave, made short and safe to show in a page."""

from __future__ import annotations

from convsim._text import plain, readable

MAX_NAME = 80


def name(text: str | None, *, limit: int = MAX_NAME) -> str:
    """Write a name or path on one line; a dash where there is none."""
    return " ".join(readable(text[:limit]).split()) + ("…" if len(text) > limit else "") if text else "–"


def metric_name(metric: str, *, limit: int = 40) -> str:
    """Write a metric's name in words."""
    return " ".join(plain(metric, limit=limit).replace("_", " ").split())
