"""Reads and writes Parquet: a row a conversation.

What convsim writes has the string columns ``id``, ``task``, ``agent``, ``arm``, ``user``, ``simulator``,
``source`` and ``ending``, for queries, and ``conversation``, a line of convsim JSONL, which alone is read
back. A file without that column but with ``messages``, a list of structs with ``role`` and ``content``, is
read as plain OpenAI messages; its other columns of texts, numbers and truth values stand beside ``messages``,
empty ones left out. Places in errors are rows, from 1.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from pydantic import JsonValue

from convsim._logs import MAX_LINE_BYTES
from convsim.errors import MissingExtraError, TranscriptError
from convsim.io.files import MAX_FILE_BYTES, check_file, damage_reported
from convsim.io.formats.openai_messages import openai_conversation_of
from convsim.io.jsonl import conversation_of, line_of, parse_json
from convsim.io.problems import MalformedError, shown
from convsim.io.transcripts import Gathering, Transcripts
from convsim.schema.conversation import Conversation

if TYPE_CHECKING:
    from convsim.io.lines import LineFormat

COLUMNS = ("id", "task", "agent", "arm", "user", "simulator", "source", "ending")
WHOLE = "conversation"
MESSAGES = "messages"
BATCH_ROWS = 64
"""Rows that are held at once."""


def read_parquet(path: Path, *, reader: LineFormat | None, skip_bad: bool) -> Transcripts:
    """Read a Parquet file; ``reader`` decides where it has both kinds of columns. Raises TranscriptError."""
    gathering = Gathering(path, skip_bad=skip_bad)
    check_file(path)
    with damage_reported(path), path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        with _opened(file, path) as parquet:
            is_ours = _is_ours(parquet.schema_arrow.names, reader, path)
            columns, make = ([WHOLE], _from_line) if is_ours else (_simple(parquet), _from_row)
            for number, row in _rows(parquet, columns, path):
                gathering.take(number, partial(make, row, number))
    format = "convsim-parquet" if is_ours else "openai-parquet"
    return Transcripts(path, sha256, gathering.finish(), format, skipped=gathering.skipped)


def _is_ours(names: list[str], reader: LineFormat | None, path: Path) -> bool:
    """Tell convsim's columns from OpenAI's; raises TranscriptError where what is asked is not there."""
    is_ours = reader == "convsim" or (reader is None and WHOLE in names)
    if (WHOLE if is_ours else MESSAGES) not in names:
        wanted = {None: f"{WHOLE!r} or {MESSAGES!r}", "convsim": repr(WHOLE), "openai": repr(MESSAGES)}[
            reader
        ]
        found = ", ".join(shown(name) for name in names[:10])
        raise TranscriptError(path, f"has no column {wanted}; it has {found}")
    return is_ours


@contextmanager
def _opened(file: BinaryIO, path: Path) -> Iterator[Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError(f"{path}: Parquet", "parquet") from None
    try:
        with pyarrow.parquet.ParquetFile(file) as parquet:
            yield parquet
    except pyarrow.ArrowException as error:
        raise TranscriptError(
            path, f"is not a complete Parquet file: {str(error).splitlines()[0][:200]}"
        ) from None


def _rows(parquet: Any, columns: list[str], path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    groups = range(parquet.metadata.num_row_groups)
    declared = sum(parquet.metadata.row_group(group).total_byte_size for group in groups)
    number = total = 0
    for batch in parquet.iter_batches(batch_size=BATCH_ROWS, columns=columns):
        total += batch.nbytes
        if max(total, declared) > MAX_FILE_BYTES:
            raise TranscriptError(
                path, f"is larger than {MAX_FILE_BYTES >> 30} GiB unpacked, the most that is read"
            )
        for row in batch.to_pylist():
            number += 1
            yield number, row


def _simple(parquet: Any) -> list[str]:
    """Name the columns of texts, numbers and truth values, and the messages."""
    from pyarrow import types

    kinds = (types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_boolean)
    fields = parquet.schema_arrow
    return [f.name for f in fields if f.name == MESSAGES or any(is_kind(f.type) for is_kind in kinds)]


def _from_line(row: dict[str, Any], _: int) -> Conversation:
    line = row[WHOLE]
    if not isinstance(line, str):
        raise MalformedError(f"must be a line of convsim JSONL, but is {shown(line)}", field=WHOLE)
    data = line.encode()
    if len(data) > MAX_LINE_BYTES:
        raise MalformedError(f"is longer than {MAX_LINE_BYTES >> 20} MiB", field=WHOLE)
    return conversation_of(parse_json(data))


def _from_row(row: dict[str, Any], number: int) -> Conversation:
    document: dict[str, JsonValue] = {
        name: value
        for name, value in row.items()
        if value is not None and name != MESSAGES and not (isinstance(value, float) and math.isnan(value))
    }
    messages = row[MESSAGES]
    if isinstance(messages, list):
        document[MESSAGES] = [_message(message) for message in messages]
    return openai_conversation_of(document, number)


def _message(message: Any) -> Any:
    """Leave out the empty fields that a struct has because some other message fills them."""
    if not isinstance(message, dict):
        return message
    return {name: value for name, value in message.items() if value is not None}


def write_parquet(file: IO[bytes], conversations: Sequence[Conversation]) -> None:
    """Write conversations to ``file``; raises MissingExtraError."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("Parquet", "parquet") from None
    # A batch of long lines may pass the 2 GiB that a plain string column can address.
    schema = pyarrow.schema(
        [*((name, pyarrow.string()) for name in COLUMNS), (WHOLE, pyarrow.large_string())]
    )
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        for start in range(0, len(conversations), 1000):
            rows = [
                {**{name: getattr(c, name) for name in COLUMNS}, WHOLE: line_of(c).decode()}
                for c in conversations[start : start + 1000]
            ]
            writer.write_batch(pyarrow.RecordBatch.from_pylist(rows, schema=schema))
