"""What of a model's raw text is its answer: without thinking, without what follows a stop string."""

from collections.abc import Sequence

OPENING, CLOSING = "<think>", "</think>"


def without_thinking(text: str) -> str:
    """Drop all up to the last closing tag, and all from an opening tag that is never closed.

    A chat template may have opened the thinking already, so a closing tag counts without an opening one.
    """
    return text.rpartition(CLOSING)[2].partition(OPENING)[0]


def cut_at(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """Return ``text`` up to the first of the stop strings, and whether one was there."""
    found = [position for position in (text.find(mark) for mark in stop if mark) if position >= 0]
    return (text[: min(found)], True) if found else (text, False)
