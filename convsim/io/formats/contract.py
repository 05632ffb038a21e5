"""What a format is: it tells by content whether records are its own, and makes conversations of them.

A *container* (``convsim.io.containers``) turns a path into records, whatever it is: lines of JSON, a document, an
array, values one behind another, a folder, a zip, rows of Parquet, standard input, packed or not, in UTF-8 or UTF-16.
A *record* is one parsed JSON value with its place. A *format* is given records, never a path: it opens nothing, and
need not know where its records come from. Both are put together by ``convsim.io.by_content``.

To add a format, write a module of its own here with a ``Format`` or a ``GroupedFormat``, and put it into the table of
``convsim.io.formats.known``, before any other format that would take its records too: the first that recognises wins.

``recognises(value)`` is given any JSON value and never raises. It should look at two or three keys and the kind of
what they hold, cheaply, and not claim what is merely similar. Of a file, the first ``HEAD_RECORDS`` values are asked
about, and where nobody knows them, what lies in them: the elements of an array, the elements of the one list in an
object (``{"data": [...]}``), and texts that hold JSON lists of objects (``{"messages": "[{...}]"}``). So a format is
asked about *one conversation* (or span, row, utterance), and needs no branch for arrays and wrappers around it.

A ``Format`` makes conversations of each record by itself, and is read in bounded memory. A ``GroupedFormat`` is given
all records, one after the other, also those that it does not recognise (it says by ``notes`` how many it left out), and
puts together what belongs together: spans, rows, utterances.

Both yield *made* conversations:

- a mapping as convsim's JSONL has it: ``messages`` (required), and where they are known ``id``, ``task``, ``agent``,
  ``arm``, ``user``, ``simulator``, ``source``, ``labels``, ``ending``, ``failure``, ``usage``, ``metadata``. Its
  ``messages`` may be in any dress that ``convsim.io.formats.messages`` reads: roles such as ``human`` and ``bot``,
  content that is null or a list of parts, ``parts``. Ids may be numbers. Keys that convsim does not know end in
  ``metadata``. Without an ``id`` it is called by its line or number.
- a ``Conversation``, where a format has made one itself.
- a ``MalformedError`` for what cannot be read, made by ``record.bad(problem, field)``, which knows its place. A
  ``Format`` may also raise one. It is an error of one line, or counted where bad lines are skipped.

What is done for every format, and is no concern of its own: unknown roles and contents are refused with their place;
a user's message of which nothing could be read is counted (more than 5 % of them, or no agent message at all, refuse
the file); results of tools and calls of tools under ``user`` become ``tool``; control tokens (``###STOP###``) are cut
out of users' messages; two conversations with one id are refused. Nothing is dropped in silence: what a format leaves
out is counted by ``notes``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import JsonValue

from convsim.io.problems import MalformedError
from convsim.schema.conversation import Conversation

HEAD_RECORDS = 64
"""How many values of a file are looked at to tell its format."""

Made = Mapping[str, Any] | Conversation | MalformedError
"""A conversation as convsim's JSONL has it, one that is made already, or what is wrong with one."""
Recognises = Callable[[JsonValue], bool]


class Record(NamedTuple):
    """A parsed JSON value, and where it stands: a line or row from 1, a place in a document, a file of a folder."""

    value: JsonValue
    line: int | None = None
    field: str | None = None
    file: str | None = None

    @property
    def place(self) -> str | None:
        """Where it stands, but for its line; None for all of a file."""
        return f"{self.file}: {self.field}" if self.file and self.field else self.file or self.field

    def bad(self, problem: str, field: str | None = None) -> MalformedError:
        """Return what is wrong with it, or with the ``field`` of it, as an error with its place."""
        return self.at(MalformedError(problem, field=field))

    def at(self, bad: MalformedError) -> MalformedError:
        """Return an error of its value with the place of the record; one that has its place already stays."""
        if bad.placed:
            return bad
        if self.field is not None:
            bad = bad.inside(self.field)
        if self.file is None:
            return MalformedError(bad.problem, field=bad.field, line=self.line, placed=True)
        file = self.file if self.line is None else f"{self.file}:{self.line}"
        return MalformedError(bad.problem, field=f"{file}: {bad.field}" if bad.field else file, placed=True)


@dataclass
class Notes:
    """What the caller must know of how a file was read; each becomes a warning."""

    counts: Counter[str] = field(default_factory=Counter)
    said: dict[str, None] = field(default_factory=dict)

    def count(self, sentence: str, n: int = 1) -> None:
        """Count what a sentence says with ``{n}`` in it: ``"{n} spans belong to no conversation, left out"``."""
        self.counts[sentence] += n

    def say(self, sentence: str) -> None:
        """Say something once."""
        self.said[sentence] = None

    def warnings(self) -> tuple[str, ...]:
        """Return all of it, in the order in which it was first said."""
        counted = (sentence.replace("{n}", f"{n:,}") for sentence, n in self.counts.items() if n)
        return (*self.said, *counted)


@dataclass(frozen=True)
class Format:
    """A format of which each record is a conversation, or several.

    ``name`` is what ``--reader`` takes, ``title`` what people call it, ``keys`` the keys that its records have: a file
    that nobody recognises is told the format whose keys are nearest. A folder that holds the file ``in_folder`` is
    read by that file alone.
    """

    name: str
    title: str
    keys: tuple[str, ...]
    recognises: Recognises
    conversations: Callable[[Record, Notes], Iterable[Made]]
    in_folder: str | None = None


@dataclass(frozen=True)
class GroupedFormat:
    """A format whose conversations lie in several records: spans, rows, utterances."""

    name: str
    title: str
    keys: tuple[str, ...]
    recognises: Recognises
    conversations: Callable[[Iterable[Record], Notes], Iterable[Made]]
    in_folder: str | None = None


AnyFormat = Format | GroupedFormat
