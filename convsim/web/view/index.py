"""Where each conversation stands and what it is found by: SQLite in a folder of its own, filled as files grow.

Files are read once, line by line, and what is kept of a conversation is its place in the file, a few columns and an
index of its words. So memory does not grow with the number of conversations; the folder does, by about as much as the
files. A last line that is not whole yet is looked at again later.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from pydantic_core import from_json

from convsim._inputs import open_input
from convsim._logs import MAX_LINE_BYTES
from convsim._text import one_line, readable
from convsim.io.jsonl import conversation_of, parse_json
from convsim.io.problems import MalformedError
from convsim.report.html.giveaways import MAX_SEARCHED, find_words
from convsim.schema.conversation import Conversation, Label
from convsim.web.view.sources import Judged, Source, Sources

BATCH_BYTES = 2 << 20
"""Of a file that are read before what was read can be seen."""
LOOK_EVERY_S = 0.5
MAX_OPENING = 240
MAX_COLUMN = 200
"""Characters of a name or a label that are filtered by."""
IDEOGRAPHS = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff])")
"""Letters of scripts without spaces: each is a word of the index, and a search for several is for a row of them."""
PROMPTS_ID = re.compile(rb'\{"id": ?"((?:[^"\\]|\\.){1,2000})"')


class Place(NamedTuple):
    """A conversation's place."""

    number: int
    key: str
    id: str
    fingerprint: str
    file: Path
    start: int
    length: int
    line: int
    source: int
    score: float | None


class Index:
    """The index over some sources; one thread fills it, any thread reads it."""

    def __init__(self, folder: Path):
        """Make it in a folder of its own, which nobody else may read."""
        self._path = folder / "index.sqlite"
        self.version = 0
        """Grows with every change."""
        self.reading = True
        """Whether there is more to read than has been."""
        self._stop = threading.Event()
        self._judged: dict[int, Judged] = {}
        with self.connected() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            for statement in _schema():
                connection.execute(statement)

    @contextmanager
    def connected(self) -> Iterator[sqlite3.Connection]:
        """Open a connection for one thread."""
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        try:
            # It is made anew at the next start, whatever becomes of it.
            connection.execute("PRAGMA synchronous = OFF")
            yield connection
        finally:
            connection.close()

    def follow(self, sources: Sources) -> None:
        """Read what there is and what comes, until ``stop``."""
        while not self._stop.is_set():
            self.catch_up(sources)
            self._stop.wait(LOOK_EVERY_S)

    def stop(self) -> None:
        """End ``follow``."""
        self._stop.set()

    def catch_up(self, sources: Sources) -> None:
        """Read all that has come since."""
        with self.connected() as connection:
            present = sources.current()
            for source in present:
                self._note(connection, source)
            self._forget(connection, [str(source.path) for source in present])
            for source in present:
                while not self._stop.is_set() and self._read_batch(connection, source):
                    self.version += 1
                self._read_prompts(connection, source)
        self.reading = False

    def judged(self, source: int) -> Judged:
        """Return what a scorecard says of a source."""
        return self._judged.get(source, Judged())

    def place(self, key: str) -> Place | None:
        """Return where a conversation stands; None where there is none of that key."""
        with self.connected() as connection:
            row = connection.execute(
                "SELECT c.number, c.key, c.id, c.fingerprint, s.file, c.start, c.length, c.line, c.source, c.score "
                "FROM conversation c JOIN source s ON s.number = c.source WHERE c.key = ?",
                (key,),
            ).fetchone()
        return None if row is None else Place._make((*row[:4], Path(row[4]), *row[5:]))

    def prompts(self, place: Place) -> bytes | None:
        """Return the line with what models were asked for a conversation; None where that was not recorded."""
        with self.connected() as connection:
            row = connection.execute(
                "SELECT s.prompts, p.start, p.length FROM prompts p JOIN source s ON s.number = p.source "
                "WHERE p.source = ? AND p.id = ?",
                (place.source, place.id),
            ).fetchone()
        return None if row is None else read_at(Path(row[0]), row[1], row[2])

    def _note(self, connection: sqlite3.Connection, source: Source) -> None:
        """Enter a source, or what is new of it; one whose scorecard has changed is read again."""
        known = connection.execute(
            "SELECT number, name, planned FROM source WHERE path = ?", (str(source.path),)
        ).fetchone()
        if known is None:
            made = connection.execute(
                "INSERT INTO source VALUES (NULL, ?, ?, ?, ?, ?, '', 0, 1, 0, 0, '')",
                (
                    str(source.path), source.name, str(source.file),
                    None if source.prompts is None else str(source.prompts), source.planned,
                ),
            )  # fmt: skip
            self._judged[made.lastrowid or 0] = source.judged
            self.version += 1
            return
        number, name, planned = known
        if (name, planned) != (source.name, source.planned):
            connection.execute(
                "UPDATE source SET name = ?, planned = ? WHERE number = ?",
                (source.name, source.planned, number),
            )
            self.version += 1
        if self._judged.get(number) != source.judged:
            self._judged[number] = source.judged
            self._empty(connection, number)

    def _forget(self, connection: sqlite3.Connection, present: Sequence[str]) -> None:
        for number, path in connection.execute("SELECT number, path FROM source").fetchall():
            if path not in present:
                self._empty(connection, number)
                connection.execute("DELETE FROM source WHERE number = ?", (number,))

    def _empty(self, connection: sqlite3.Connection, number: int) -> None:
        """Forget a source's conversations: it is read from its beginning."""
        self.version += 1
        connection.execute("BEGIN")
        of = "conversation IN (SELECT number FROM conversation WHERE source = ?)"
        for table in ("label", "word"):
            connection.execute(f"DELETE FROM {table} WHERE {of}", (number,))
        connection.execute("DELETE FROM conversation WHERE source = ?", (number,))
        connection.execute("DELETE FROM prompts WHERE source = ?", (number,))
        connection.execute(
            "UPDATE source SET identity = '', next_byte = 0, next_line = 1, prompts_byte = 0, n_bad = 0, problem = '' "
            "WHERE number = ?",
            (number,),
        )
        connection.execute("COMMIT")

    def _read_batch(self, connection: sqlite3.Connection, source: Source) -> bool:
        """Read some more of a source's file, and say whether anything was found."""
        number, identity, start, line, n_bad = connection.execute(
            "SELECT number, identity, next_byte, next_line, n_bad FROM source WHERE path = ?",
            (str(source.path),),
        ).fetchone()
        try:
            with open_input(source.file) as file:
                stat = os.fstat(file.fileno())
                now = f"{stat.st_dev}.{stat.st_ino}"
                if identity and (now != identity or stat.st_size < start):
                    self._empty(connection, number)
                    return True
                file.seek(start)
                lines = _whole_lines(file)
        except FileNotFoundError:
            return False  # a run that has not begun
        except OSError as error:
            self._complain(connection, number, f"cannot be read: {error.strerror or error}")
            return False
        if not lines:
            return False
        connection.execute("BEGIN")
        problem = ""
        for raw in lines:
            try:
                if raw.strip():
                    self._enter(connection, (number, source), raw, (start, line))
            except MalformedError as bad:
                n_bad += 1
                problem = problem or f"line {line}: {bad.field + ' ' if bad.field else ''}{bad.problem}"
            start += len(raw)
            line += raw.endswith(b"\n")
        connection.execute(
            "UPDATE source SET identity = ?, next_byte = ?, next_line = ?, n_bad = ?, "
            "problem = CASE problem WHEN '' THEN ? ELSE problem END WHERE number = ?",
            (now, start, line, n_bad, one_line(problem), number),
        )
        connection.execute("COMMIT")
        return True

    def _complain(self, connection: sqlite3.Connection, number: int, problem: str) -> None:
        connection.execute(
            "UPDATE source SET problem = ? WHERE number = ? AND problem = ''", (problem, number)
        )

    def _enter(
        self, connection: sqlite3.Connection, of: tuple[int, Source], raw: bytes, at: tuple[int, int]
    ) -> None:
        """Enter one conversation, which begins at a byte and a line.

        Raises:
            MalformedError: It is none, or its id stands there already.
        """
        (number_of, source), (start, line) = of, at
        conversation = conversation_of(parse_json(raw.strip()))
        key = key_of(source.path, conversation.id)
        judged = source.judged
        persona = conversation.persona.id if conversation.persona else None
        try:
            number = connection.execute(
                "INSERT INTO conversation VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    key, number_of, conversation.id, start, len(raw), line, conversation.fingerprint,
                    _column(conversation.arm), _column(conversation.task), conversation.ending, _column(persona),
                    len(conversation.messages), opening(conversation), judged.scores.get(conversation.id),
                ),
            ).lastrowid  # fmt: skip
        except sqlite3.IntegrityError:
            raise MalformedError("its id stands in the file already", field="id") from None
        connection.executemany(
            "INSERT INTO label VALUES (?, ?, ?)",
            [(number, *each) for each in sorted(labels_of(conversation))],
        )
        if judged.words:
            connection.executemany(
                "INSERT INTO word VALUES (?, ?, ?)",
                [(number, word, judged.words[word]) for word in sorted(words_of(conversation, judged))],
            )
        said = "\n".join(message.content for message in conversation.messages)
        connection.execute("INSERT INTO said (rowid, text) VALUES (?, ?)", (number, spaced(said)))

    def _read_prompts(self, connection: sqlite3.Connection, source: Source) -> None:
        """Note where the prompts of each conversation stand."""
        if source.prompts is None:
            return
        number, start = connection.execute(
            "SELECT number, prompts_byte FROM source WHERE path = ?", (str(source.path),)
        ).fetchone()
        try:
            with open_input(source.prompts) as file:
                file.seek(start)
                while not self._stop.is_set() and (lines := _whole_lines(file, strict=True)):
                    connection.execute("BEGIN")
                    for raw in lines:
                        if found := PROMPTS_ID.match(raw):
                            told = from_json(b'"' + found[1] + b'"')
                            connection.execute(
                                "INSERT OR REPLACE INTO prompts VALUES (?, ?, ?, ?)",
                                (number, told, start, len(raw)),
                            )
                        start += len(raw)
                    connection.execute("UPDATE source SET prompts_byte = ? WHERE number = ?", (start, number))
                    connection.execute("COMMIT")
                    file.seek(start)
                    self.version += 1
        except (OSError, ValueError):
            return


def _schema() -> list[str]:
    return files("convsim.web.view").joinpath("schema.sql").read_text(encoding="utf-8").split(";\n")


def _whole_lines(file: BufferedReader, *, strict: bool = False) -> list[bytes]:
    """Read some lines from where a file stands; a last one without its end only where it is a document all the same."""
    lines: list[bytes] = []
    size = 0
    while size < BATCH_BYTES:
        raw = file.readline(MAX_LINE_BYTES + 1)
        if not raw:
            break
        if not raw.endswith(b"\n") and (strict or not _is_document(raw)):
            if len(raw) > MAX_LINE_BYTES:
                lines.append(raw)  # longer than any line that is read: it is refused as what it is not
            break
        lines.append(raw)
        size += len(raw)
    return lines


def _is_document(raw: bytes) -> bool:
    try:
        parse_json(raw)
    except MalformedError:
        return False
    return True


def read_at(file: Path, start: int, length: int) -> bytes:
    """Read a line by its place; raises OSError."""
    with open_input(file) as opened:
        opened.seek(start)
        return opened.read(length)


def key_of(path: Path, conversation: str) -> str:
    """Return what a conversation of a source is called in addresses: the same at every start."""
    return hashlib.sha256(f"{path}\0{conversation}".encode(errors="surrogatepass")).hexdigest()[:16]


def opening(conversation: Conversation) -> str:
    """Return the user's first words, on one line."""
    return " ".join(readable(conversation.first_words[: 2 * MAX_OPENING]).split())[:MAX_OPENING]


def spaced(text: str) -> str:
    """Part letters of scripts without spaces, so that each is a word."""
    return text if text.isascii() else IDEOGRAPHS.sub(r" \1 ", text)


def labels_of(conversation: Conversation) -> set[tuple[str, str]]:
    """Return names and values of a conversation's labels and of those of its messages, as somebody would type them."""
    every = (conversation.labels, *(message.labels for message in conversation.messages))
    return {
        (name[:MAX_COLUMN], value)
        for labels in every
        for name, given in labels.items()
        for label in given
        for value in _values(label)
    }


def _values(label: Label) -> Iterable[str]:
    value = label.value
    for part in value if isinstance(value, list | dict) else [value]:
        yield (f"{part:g}" if isinstance(part, float) else str(part))[:MAX_COLUMN]


def words_of(conversation: Conversation, judged: Judged) -> set[str]:
    """Return the giveaway words that the user says."""
    return {
        span.feature
        for message in conversation.user_messages
        for span in find_words(message.content[:MAX_SEARCHED], judged.words)
    }


def _column(text: str | None) -> str | None:
    return None if text is None else text[:MAX_COLUMN]
