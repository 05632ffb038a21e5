"""Text that strangers wrote, made safe to show in a page: emoji and right-to-left scripts stay readable."""

from __future__ import annotations

import unicodedata

from convsim._text import plain

JOINERS = "\u200c\u200d\u200e\u200f"
"""Emoji sequences and Persian need the first two; the others mark a direction and override none."""
MAX_NAME = 80


def readable(text: str) -> str:
    """Replace control characters, bidirectional overrides and half surrogates; a line break stays one."""
    return "".join(
        "�" if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c not in "\n\t" and c not in JOINERS else c
        for c in text.replace("\r\n", "\n")
    )


def name(text: str | None, *, limit: int = MAX_NAME) -> str:
    """Write a name or path on one line; a dash where there is none."""
    return " ".join(readable(text[:limit]).split()) + ("…" if len(text) > limit else "") if text else "–"


def metric_name(metric: str, *, limit: int = 40) -> str:
    """Write a metric's name in words."""
    return " ".join(plain(metric, limit=limit).replace("_", " ").split())
