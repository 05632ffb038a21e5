"""An item's title as it is looked for in what somebody said: its words in a row."""

from __future__ import annotations

from collections.abc import Sequence

from convsim.text.words import words

MAX_WORDS = 40
"""A longer title counts by its first words, so that no file makes the search long."""

Title = tuple[str, ...]


def title_words(title: str) -> Title:
    """Return the words by which a title is looked for, in lower case."""
    return tuple(words(title)[:MAX_WORDS])


def padded(said: Sequence[str]) -> str:
    """Return words in a row with a space around each, so that a row of whole words is found in another as a text."""
    return f" {' '.join(said)} "
