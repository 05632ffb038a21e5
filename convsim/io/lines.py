"""Files with a conversation a line: convsim JSONL or plain OpenAI messages, told apart by the first line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from convsim.errors import TranscriptError
from convsim.io.files import FileLines
from convsim.io.formats.openai_messages import openai_conversation_of
from convsim.io.jsonl import conversation_of, parse_json
from convsim.io.problems import MalformedError, shown
from convsim.io.transcripts import Gathering, Transcripts
from convsim.schema.conversation import Conversation

LineFormat = Literal["convsim", "openai"]
NOT_OURS = ("must be text, but is null", "must be text, but is a list")
"""What a plain OpenAI message may be told where it is read as convsim's."""


def read_lines(path: Path, *, reader: LineFormat | None, skip_bad: bool, of_run: bool = False) -> Transcripts:
    """Read a file of lines.

    Args:
        path: The file.
        reader: Its format; told by its first good line where None.
        skip_bad: Skip and count bad lines.
        of_run: The file is a run folder's, whose last line may be cut because the run was killed.

    Raises:
        TranscriptError: file, line, field and what was expected.
    """
    lines = FileLines(path)
    gathering = Gathering(path, skip_bad=skip_bad)
    line_reader = _LineReader(reader)
    warnings: list[str] = []
    for number, line in _without_cut_line(lines, warnings) if of_run else lines:
        gathering.take(number, partial(line_reader.conversation, number, line))
    conversations = gathering.finish()
    return Transcripts(
        path, lines.sha256, conversations, line_reader.format or "convsim", tuple(warnings), gathering.skipped
    )


def knows_line(path: Path) -> bool:
    """Tell whether the first line is a conversation's, or cannot be read at all, so that there is something to say."""
    try:
        _, line = next(iter(FileLines(path)))
        _format_of(parse_json(line.rstrip()))
    except MalformedError:
        return False
    except (StopIteration, TranscriptError):
        return True
    return True


class _LineReader:
    """Makes conversations of lines; the first good line settles a format that was not asked for."""

    def __init__(self, asked: LineFormat | None) -> None:
        self.asked = self.format = asked

    def conversation(self, number: int, line: bytes) -> Conversation:
        document = parse_json(line.rstrip())
        format = self.format or _format_of(document)
        try:
            made = (
                conversation_of(document) if format == "convsim" else openai_conversation_of(document, number)
            )
        except MalformedError as bad:
            if self.asked is None and bad.problem in NOT_OURS and str(bad.field).endswith(".content"):
                hint = f"{bad.problem}; use --reader openai to read null and lists of parts"
                raise MalformedError(hint, field=bad.field) from None
            raise
        self.format = format
        return made


def _format_of(document: JsonValue) -> LineFormat:
    """Tell the format by its first line; raises MalformedError."""
    if not isinstance(document, dict):
        raise MalformedError(f"must be an object, but is {shown(document)}")
    if "id" in document:
        return "convsim"
    if "messages" in document:
        return "openai"
    found = ", ".join(shown(key, limit=20) for key in list(document)[:5]) or "nothing"
    raise MalformedError(f"is not a conversation: expected an object with id and messages, but found {found}")


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
