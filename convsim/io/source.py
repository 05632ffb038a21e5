"""Whatever the verbs take for conversations: a path, a run folder, what ``read`` returned, or conversations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from convsim._text import one_line
from convsim.errors import InputError
from convsim.io.reading import read
from convsim.io.transcripts import Transcripts
from convsim.schema.conversation import Conversation

Source = str | Path | Transcripts | Iterable[Conversation]
"""A file of conversations, a run folder, what `convsim.read` returned, or conversations."""
EXPECTED = "a path, what convsim.read returned, or conversations"


def read_source(source: Source) -> Transcripts | Sequence[Conversation]:
    """Read what is a path, and check what is not; an iterator is gone through once.

    Raises:
        InputError: It is nothing of the kind, or holds something else than conversations.
    """
    if isinstance(source, str | Path):
        return read(source)
    if isinstance(source, Transcripts):
        return source
    if isinstance(source, Conversation):
        raise InputError(f"expected {EXPECTED}, but got a single conversation; put it in a list")
    if not isinstance(source, Iterable):
        raise InputError(f"expected {EXPECTED}, but got {one_line(repr(source))}")
    found: Sequence[object] = source if isinstance(source, Sequence) else list(source)
    for number, each in enumerate(found):
        if not isinstance(each, Conversation):
            raise InputError(f"expected {EXPECTED}, but item {number} is {one_line(repr(each))}")
    return [each for each in found if isinstance(each, Conversation)]
