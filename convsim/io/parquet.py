"""Reads and writes Parquet: rows, and a row a conversation.

What convsim writes has the string columns ``id``, ``task``, ``agent``, ``arm``, ``user``, ``simulator``,
``source`` and ``ending``, for queries, and ``conversation``, a line of convsim JSONL, which alone is read
back. A file without that column but with ``messages``, a list of structs with ``role`` and ``content``, is
read as plain OpenAI messages; its other columns of texts, numbers and truth values stand beside ``messages``,
empty ones left out. The rows of any other file are objects of all columns that JSON has a value for: texts,
numbers, truth values, times (as text), lists and structs of them. Places in errors are rows, from 1.
"""

from __future__ import annotations

import datetime
import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Literal

from pydantic import JsonValue

from convsim._logs import MAX_LINE_BYTES
from convsim.errors import MissingExtraError, TranscriptError
from convsim.io.files import MAX_FILE_BYTES, check_file, check_unpacked, damage_reported, open_file, size_of
from convsim.io.jsonl import conversation_of, line_of, parse_json
from convsim.io.parquet_footer import chunk_values
from convsim.io.problems import MalformedError, shown
from convsim.io.transcripts import Gathering, Transcripts
from convsim.schema.conversation import Conversation

if TYPE_CHECKING:
    from convsim.schema.arrays import IntArray

COLUMNS = ("id", "task", "agent", "arm", "user", "simulator", "source", "ending")
WHOLE = "conversation"
MESSAGES = "messages"
MAX_BATCH_ROWS = 8192
BATCH_BYTES = 64 << 20
"""What is unpacked at once, as far as the file says how large its rows are."""
BATCH_CONVERSATIONS = 1000
"""Conversations that are written at once."""
SLICE_ROWS = 64
"""Rows of which Python objects are made at once."""
MAX_VALUES = 100_000_000
"""Values of a column in one group of rows: a few bytes may stand for any number of them."""
TOO_LONG = f"is longer than {MAX_LINE_BYTES >> 20} MiB"
NO_TEXT = "has text that is not UTF-8"
TOO_LARGE = f"is larger than {MAX_FILE_BYTES >> 30} GiB unpacked, the most that is read"
VALUE_BYTES = 8
Row = dict[str, Any] | str
"""A row, or why it cannot be read."""


def read_parquet(path: Path, *, skip_bad: bool) -> Transcripts:
    """Read a Parquet file that convsim wrote; raises TranscriptError."""
    gathering = Gathering(path, skip_bad=skip_bad)
    check_file(path)
    with damage_reported(path), open_file(path) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        with _opened(file, path) as parquet:
            _check_column(parquet, WHOLE, path)
            _check_declared(parquet, path, file)
            for number, row in _rows(parquet, [WHOLE], path):
                gathering.take(number, partial(_from_line, row))
    return Transcripts(path, sha256, gathering.finish(), "convsim-parquet", skipped=gathering.skipped)


def columns_of(path: Path) -> dict[str, Literal["text", "list", "other"]]:
    """Return what the columns of a file hold; raises TranscriptError."""
    check_file(path)
    with damage_reported(path), open_file(path) as file, _opened(file, path) as parquet:
        return {field.name: _kind(_undictionaried(field).type) for field in parquet.schema_arrow}


def _kind(kind: Any) -> Literal["text", "list", "other"]:
    from pyarrow import types

    if types.is_string(kind) or types.is_large_string(kind):
        return "text"
    return "list" if types.is_list(kind) or types.is_large_list(kind) else "other"


class ParquetRows:
    """The rows of a file as objects; ``sha256`` is of its bytes."""

    def __init__(self, path: Path, *, of_messages: bool = False) -> None:
        """Take the file at a path; where its rows are plain OpenAI messages, only those and what is no list."""
        self.path, self._of_messages = path, of_messages
        self.sha256 = ""

    def __iter__(self) -> Iterator[tuple[int, dict[str, JsonValue] | str]]:
        """Yield each row with its number, or why it cannot be read, nulls left out; raises TranscriptError."""
        check_file(self.path)
        with damage_reported(self.path), open_file(self.path) as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            with _opened(file, self.path) as parquet:
                if self._of_messages:
                    _check_column(parquet, MESSAGES, self.path)
                columns = (
                    _simple(parquet)
                    if self._of_messages
                    else [field.name for field in parquet.schema_arrow if _has_json(field.type)]
                )
                _check_declared(parquet, self.path, file)
                for number, row in _rows(parquet, columns, self.path):
                    yield number, row if isinstance(row, str) else _plain(row)


def _has_json(kind: Any) -> bool:
    """Tell whether JSON has a value for what a column holds."""
    from pyarrow import types

    if types.is_list(kind) or types.is_large_list(kind) or types.is_dictionary(kind):
        return _has_json(kind.value_type)
    if types.is_struct(kind):
        return all(_has_json(kind.field(at).type) for at in range(kind.num_fields))
    kinds = (
        types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_boolean,
        types.is_temporal, types.is_null,
    )  # fmt: skip
    return any(is_kind(kind) for is_kind in kinds)


def _plain(value: Any) -> Any:
    """Return what pyarrow made as JSON has it: times as texts, and no key for what is null or no number."""
    if isinstance(value, dict):
        found = ((name, _plain(each)) for name, each in value.items())
        return {name: each for name, each in found if each is not None}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return value if isinstance(value, str | int | float | None) else str(value)


def _check_column(parquet: Any, name: str, path: Path) -> None:
    names = parquet.schema_arrow.names
    if name not in names:
        found = ", ".join(shown(each) for each in names[:10])
        raise TranscriptError(path, f"has no column {name!r}; it has {found}")


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
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise TranscriptError(
            path, f"is not a complete Parquet file: {str(error).splitlines()[0][:200]}"
        ) from None


def _check_declared(parquet: Any, path: Path, file: BinaryIO) -> None:
    """Check what a file says that it unpacks to, before anything is unpacked; raises TranscriptError."""
    groups = [parquet.metadata.row_group(number) for number in range(parquet.metadata.num_row_groups)]
    declared = sum(group.total_byte_size for group in groups)
    if declared > MAX_FILE_BYTES:
        raise TranscriptError(path, TOO_LARGE)
    check_unpacked(path, declared, size_of(file))
    try:
        values = chunk_values(file)
    except ValueError as error:
        raise TranscriptError(path, f"is not a complete Parquet file: {error}") from None
    if any(n > MAX_VALUES for n in values):
        raise TranscriptError(path, f"has more than {MAX_VALUES:,} values in a group of rows")


def _rows(parquet: Any, columns: list[str], path: Path) -> Iterator[tuple[int, Row]]:
    """Yield each row with its number, or why it is none; the rows of a batch are measured before any is made.

    Texts are read as places in a dictionary where pyarrow can: one long text that stands in many rows is then
    unpacked once.
    """
    import numpy as np
    import pyarrow
    import pyarrow.parquet

    leaves = [parquet.schema.column(at) for at in range(len(parquet.schema))]
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    plain = pyarrow.schema([_undictionaried(parquet.schema_arrow.field(name)) for name in columns])
    with open_file(path) as file, pyarrow.parquet.ParquetFile(file, read_dictionary=texts) as coded:
        number = total = 0
        for batch in coded.iter_batches(batch_size=_rows_at_once(coded, columns), columns=columns):
            batch = batch.select(columns)
            sizes = sum(map(_sizes, batch.columns), start=np.zeros(len(batch), np.int64))
            total += int(sizes.sum())
            if total > MAX_FILE_BYTES:
                raise TranscriptError(path, TOO_LARGE)
            for row in _python_rows(batch, sizes, plain):
                number += 1
                yield number, row


def _rows_at_once(parquet: Any, columns: Sequence[str]) -> int:
    """Return how many rows are read at once: so few that they take bounded memory, if sizes are as the file says."""
    from pyarrow import types

    groups = [parquet.metadata.row_group(number) for number in range(parquet.metadata.num_row_groups)]
    largest = max((group.total_byte_size for group in groups), default=0) or 1
    if any(types.is_large_string(parquet.schema_arrow.field(name).type) for name in columns):
        # These are unpacked, and may be one text again and again.
        return max(1, min(SLICE_ROWS, BATCH_BYTES // largest))
    rows = max((group.num_rows for group in groups), default=0)
    return max(1, min(MAX_BATCH_ROWS, BATCH_BYTES * rows // largest))


def _undictionaried(field: Any) -> Any:
    """Return a field as it is without dictionaries."""
    import pyarrow
    from pyarrow import types

    kind = field.type
    if types.is_dictionary(kind):
        kind = kind.value_type
    elif types.is_list(kind):
        kind = pyarrow.list_(_undictionaried(kind.value_field))
    elif types.is_large_list(kind):
        kind = pyarrow.large_list(_undictionaried(kind.value_field))
    elif types.is_struct(kind):
        kind = pyarrow.struct([_undictionaried(kind.field(at)) for at in range(kind.num_fields)])
    return field.with_type(kind)


def _sizes(array: Any) -> IntArray:
    """Return how many bytes each element takes once it is unpacked, some 8 for what is no text; shape (n,)."""
    import numpy as np
    import pyarrow
    from pyarrow import compute, types

    kind = array.type
    if types.is_dictionary(kind):
        lengths = _sizes(array.dictionary)
        places = array.indices.fill_null(0).to_numpy(zero_copy_only=False)
        if len(lengths) and not np.all((places >= 0) & (places < len(lengths))):
            raise pyarrow.ArrowInvalid("a text is not in its dictionary")
        return np.take(lengths, places) if len(lengths) else np.zeros(len(array), np.int64)
    if types.is_list(kind) or types.is_large_list(kind):
        before = np.concatenate([[0], np.cumsum(_sizes(array.values))]).astype(np.int64)
        sizes: IntArray = np.diff(before[array.offsets.to_numpy()]) + VALUE_BYTES
        return sizes
    if types.is_struct(kind):
        parts = array.flatten()
        return sum((_sizes(part) for part in parts), start=np.full(len(array), VALUE_BYTES, np.int64))
    if types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind):
        filled = compute.binary_length(array).fill_null(0)
        return np.asarray(filled.to_numpy(zero_copy_only=False), np.int64) + VALUE_BYTES
    return np.full(len(array), VALUE_BYTES, np.int64)


def _python_rows(batch: Any, sizes: IntArray, plain: Any) -> Iterator[Row]:
    """Yield rows as Python objects, a few at a time; of one that is too long or no text, why."""
    start = 0
    while start < batch.num_rows:
        fitting = int((sizes[start : start + SLICE_ROWS].cumsum() <= MAX_LINE_BYTES).sum())
        if not fitting:
            yield TOO_LONG
        else:
            yield from _decoded(batch.slice(start, fitting), plain)
        start += fitting or 1


def _decoded(part: Any, plain: Any) -> list[Row]:
    try:
        rows: list[Row] = part.cast(plain).to_pylist()
    except UnicodeDecodeError:
        if len(part) == 1:
            return [NO_TEXT]
        return [row for at in range(len(part)) for row in _decoded(part.slice(at, 1), plain)]
    return rows


def _simple(parquet: Any) -> list[str]:
    """Name the columns of texts, numbers and truth values, and the messages."""
    from pyarrow import types

    kinds = (types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_boolean)
    fields = parquet.schema_arrow
    return [f.name for f in fields if f.name == MESSAGES or any(is_kind(f.type) for is_kind in kinds)]


def _from_line(row: Row) -> Conversation:
    if isinstance(row, str):
        raise MalformedError(row)
    line = row[WHOLE]
    if not isinstance(line, str):
        raise MalformedError(f"must be a line of convsim JSONL, but is {shown(line)}", field=WHOLE)
    return conversation_of(parse_json(line.encode()))


def write_parquet(file: IO[bytes], conversations: Iterable[Conversation]) -> None:
    """Write conversations to ``file``, a thousand at a time; raises MissingExtraError."""
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
        left = iter(conversations)
        while batch := list(islice(left, BATCH_CONVERSATIONS)):
            rows = [
                {**{name: getattr(c, name) for name in COLUMNS}, WHOLE: line_of(c).decode()} for c in batch
            ]
            writer.write_batch(pyarrow.RecordBatch.from_pylist(rows, schema=schema))
