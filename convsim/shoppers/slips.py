"""Whether a shopper's message is one: no assistant's talk, no label, no token, no JSON."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    text = files("convsim.shoppers").joinpath("slips.txt").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(re.compile(line, re.IGNORECASE) for line in lines)


def slip(text: str) -> str | None:
    """Return the passage by which ``text`` slips out of the shopper's role, or None."""
    for pattern in _patterns():
        if found := pattern.search(text):
            return found.group().strip()
    return None
