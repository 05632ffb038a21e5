"""How a conversation ended, read from what the user said last, where the record does not say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from convsim.text.lexicons import ALL, Lexicon
from convsim.text.words import words

ReadEnding = Literal["accepted", "left", "unknown"]
N_LAST = 2
"""User messages from the end that are looked at; the last one that tells decides."""
MAX_CHARACTERS = 4_000


def reads_endings(language: str | None, lexicon: Lexicon) -> bool:
    """Tell whether there are phrases of a language to read endings by, ``<language>/endings.toml``."""
    return bool(lexicon.endings(language))


def read_ending(said: Sequence[str], language: str, lexicon: Lexicon) -> ReadEnding:
    """Read how the user left: with an item, without one, or neither can be told.

    A phrase of taking (``endings.toml``) says accepted; one of giving up, or a complaint that comes last, says left,
    and where both stand in a message that one does. Thanks and farewells alone say neither.

    Args:
        said: The user's messages, in order.
        language: ISO 639 code of what they are written in.
        lexicon: Where word lists stand.
    """
    lists, complains = lexicon.endings(language), lexicon.complaints(language).get(ALL)
    last = [text[:MAX_CHARACTERS] for text in said if text.strip()][: -N_LAST - 1 : -1]
    for place, message in enumerate(last):
        of_message = words(message)
        if lists["giving_up"](message, of_message):
            return "left"
        if place == 0 and complains and complains(message, of_message):
            return "left"
        if lists["taking"](message, of_message):
            return "accepted"
    return "unknown"
