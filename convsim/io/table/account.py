"""What became of every row of a table: used, or dropped and why; and what is too much to be lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from convsim._text import listed
from convsim.errors import TranscriptError
from convsim.io.problems import shown
from convsim.io.table.refusing import quoted

MOST_EMPTY = 0.05
"""The share of the user's messages that may be empty."""
MOST_LISTED = 8
EMPTY, NO_CONVERSATION, IGNORED = "empty text", "no conversation id", "speaker ignored"
REPEATED, UNREADABLE = "exact repeat", "unreadable"


@dataclass
class Account:
    """Counts of rows, conversations and messages."""

    path: Path
    unit: str = "rows"
    """What is dropped: rows, or messages where a row holds several."""
    rows: int = 0
    used: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """Rows by the reason why."""
    empty_of: Counter[str] = field(default_factory=Counter)
    """Of the rows that are dropped because they are empty, by role."""
    conversations: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    """Messages by role."""
    endings: Counter[str] = field(default_factory=Counter)
    rated: int = 0
    """Ratings that became labels."""
    notes: Counter[str] = field(default_factory=Counter)
    """What else there is to know, with how often; a sentence with ``{n}`` in it."""
    unknown_speakers: Counter[str] = field(default_factory=Counter)

    later_keys: Counter[str] = field(default_factory=Counter)
    """Keys of objects that none of the first ones had: they are no columns."""

    def warnings(self) -> tuple[str, ...]:
        """Return what there is to know, with its numbers."""
        said = [note.replace("{n}", f"{n:,}") for note, n in self.notes.items()]
        if self.later_keys:
            n, example = self.later_keys.total(), shown(next(iter(self.later_keys)))
            said.append(
                f"{n:,} rows have keys that the first rows lack, such as {example}; they were left out"
            )
        return tuple(said)

    def check_speakers(self, column: str) -> None:
        """Check that all who speak are known; raises TranscriptError."""
        if not self.unknown_speakers:
            return
        found = [f"{shown(value)} ({n:,} rows)" for value, n in self.unknown_speakers.most_common()]
        first = next(iter(self.unknown_speakers))
        raise TranscriptError(
            self.path,
            f"it is not known who {listed(found, MOST_LISTED)} is; state it in a file for --map, one line each: "
            f'speakers.{quoted(first)} = "user", "agent", "system", "tool" or "ignore"',
            field=column,
        )

    def check(self) -> None:
        """Check that enough was read; raises TranscriptError."""
        if not self.conversations:
            why = ", ".join(f"{n:,} {reason}" for reason, n in self.dropped.most_common()) or "there are none"
            raise TranscriptError(self.path, f"no row could be used: {why}")
        user, empty = self.messages["user"], self.empty_of["user"]
        if not user:
            raise TranscriptError(self.path, f"has no message of the user; {self._roles()}")
        if not self.messages["assistant"]:
            raise TranscriptError(self.path, f"has no message of the agent; {self._roles()}")
        if empty > MOST_EMPTY * (user + empty):
            raise TranscriptError(
                self.path,
                f"{empty:,} of {user + empty:,} user messages are empty, more than {MOST_EMPTY:.0%}: is the text in "
                "another column? State it in a file for --map, one line: columns.text = …",
            )

    def _roles(self) -> str:
        found = ", ".join(f"{role} {n:,}" for role, n in self.messages.items())
        return f"messages by role: {found}; state who is who under [speakers] in a file for --map"
