"""The conversations of a run folder: convsim JSONL, whose last line may be cut because the run was killed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from convsim.io.files import FileLines
from convsim.io.jsonl import conversation_of, parse_json
from convsim.io.problems import MalformedError
from convsim.io.transcripts import Gathering, Transcripts
from convsim.schema.conversation import Conversation


def read_run(path: Path, *, skip_bad: bool) -> Transcripts:
    """Read a run's file of conversations.

    Args:
        path: The file.
        skip_bad: Skip and count bad lines.

    Raises:
        TranscriptError: file, line, field and what was expected.
    """
    lines = FileLines(path)
    gathering = Gathering(path, skip_bad=skip_bad)
    warnings: list[str] = []
    for number, line in _without_cut_line(lines, warnings):
        gathering.take(number, partial(_conversation, line))
    conversations = gathering.finish()
    return Transcripts(path, lines.sha256, conversations, "convsim", tuple(warnings), gathering.skipped)


def _conversation(line: bytes) -> Conversation:
    return conversation_of(parse_json(line.rstrip()))


def _without_cut_line(lines: FileLines, warnings: list[str]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines but for a last one that was never finished, and warn of it."""
    for number, line in lines:
        if not line.endswith(b"\n"):
            try:
                parse_json(line)
            except MalformedError:
                warnings.append(
                    f"line {number}, the last one, is incomplete and was dropped: the run was interrupted"
                )
                continue
        yield number, line
