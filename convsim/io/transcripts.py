"""What reading a file of conversations yields, and how it is gathered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, overload

from convsim._progress import innermost
from convsim._text import listed, one_line
from convsim.errors import TranscriptError
from convsim.io.problems import MalformedError, shown
from convsim.io.survey import SurveyReport
from convsim.schema.conversation import Conversation, Item

if TYPE_CHECKING:
    import pandas as pd


COLUMNS = (
    "conversation", "place", "role", "content", "action", "items", "task", "arm", "agent", "user", "simulator",
    "ending",
)  # fmt: skip
"""Of the frame of messages."""


@dataclass(frozen=True)
class Transcripts(Sequence[Conversation]):
    """Conversations of one file or run folder, in its order, and what is to be known about how they were read."""

    path: Path
    sha256: str
    """Hexadecimal, of the file's bytes on disk; of ``conversations.jsonl`` for a run folder; of all that was
    read, by name, for a folder of MirrorBench's."""
    conversations: tuple[Conversation, ...] = field(repr=False)
    format: str
    """The reader's name; ``convsim-parquet`` and ``openai-parquet`` for files of rows."""
    warnings: tuple[str, ...] = ()
    skipped: int = 0
    """Bad lines (rows, conversations) that were skipped because the caller asked for it."""
    survey: SurveyReport | None = None
    instructions: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What a ConvApparel archive told its participants, by task id."""

    def __len__(self) -> int:
        return len(self.conversations)

    @overload
    def __getitem__(self, place: int) -> Conversation: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Conversation, ...]: ...

    def __getitem__(self, place: int | slice) -> Conversation | tuple[Conversation, ...]:
        return self.conversations[place]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a message, in their order: conversation, place from 0, role, what was said, and where.

        ``items`` counts what the agent shows; what a conversation does not state is None.
        """
        import pandas as pd

        rows = [
            (
                each.id, place, message.role, message.content, message.action, len(message.items), each.task, each.arm,
                each.agent, each.user, each.simulator, each.ending,
            )
            for each in self.conversations
            for place, message in enumerate(each.messages)
        ]  # fmt: skip
        frame = pd.DataFrame(rows, columns=[*COLUMNS], dtype="object")
        return frame.astype({"place": "int64", "items": "int64"})

    def _repr_html_(self) -> str:
        from convsim.report.notebook import transcripts_html

        return transcripts_html(self)


def joined(parts: Sequence[Transcripts], whole: Held, skipped: int = 0) -> Transcripts:
    """Put together what was read of the documents of one file or folder; ``skipped`` ones are counted beside theirs.

    Raises:
        TranscriptError: There is none, an id is in two, or ConvApparel V1 and V2 are pooled.
    """
    if not parts:
        raise TranscriptError(whole.path, "is empty: it contains no conversation")
    if len(parts) == 1:
        return replace(parts[0], path=whole.path, skipped=parts[0].skipped + skipped)
    gathering = Gathering(whole.path, skip_bad=False)
    for part in parts:
        for conversation in part:
            gathering.take_whole(conversation, part.path)
    warnings = dict.fromkeys(warning for part in parts for warning in part.warnings)
    total = skipped + sum(part.skipped for part in parts)
    return Transcripts(whole.path, whole.sha256, gathering.finish(), parts[0].format, tuple(warnings), total)


class Held(Protocol):
    """What holds documents, such as a folder."""

    path: Path

    @property
    def sha256(self) -> str:
        """Hexadecimal."""
        ...


SHOWN_EVERY = 500
"""Conversations, after which it is said how many have been read."""
NEVER_POOLED = frozenset({"convapparel-v1", "convapparel-v2"})


class Gathering:
    """What was gathered so far from the file at ``path``."""

    def __init__(self, path: Path, *, skip_bad: bool) -> None:
        self.path, self.skip_bad = path, skip_bad
        self.conversations: list[Conversation] = []
        self.skipped = 0
        self._items: dict[bytes, Item] = {}
        self._line_of: dict[str, int | None] = {}
        self._first_bad: TranscriptError | None = None
        self._at = innermost()

    @property
    def n_taken(self) -> int:
        """How many were good or bad so far."""
        return len(self.conversations) + self.skipped

    def take(self, line: int | None, make: Callable[[], Conversation]) -> None:
        """Add what ``make`` returns.

        Args:
            line: Its line or row, from 1; None where places are told by field alone and ids cannot clash.
            make: Returns the conversation, or raises MalformedError.

        Raises:
            TranscriptError: It is malformed and ``skip_bad`` is false.
        """
        try:
            conversation = make()
            first = self._line_of.setdefault(conversation.id, line)
            if first != line:
                raise MalformedError(
                    f"must be unique, but {shown(conversation.id)} is also on line {first}", field="id"
                )
        except MalformedError as bad:
            line = line if bad.line is None else bad.line
            error = TranscriptError(self.path, bad.problem, line=line, field=bad.field)
            if not self.skip_bad:
                raise error from None
            self.skipped += 1
            self._first_bad = self._first_bad or error
        else:
            self.conversations.append(conversation.compact(self._items))
            if self._at is not None and not len(self.conversations) % SHOWN_EVERY:
                self._at.at(self.n_taken)

    def take_whole(self, conversation: Conversation, path: Path) -> None:
        """Add a conversation that a reader has made of a document; raises TranscriptError where its id is known."""
        if conversation.id in self._line_of:
            raise TranscriptError(
                path, f"must be unique, but {shown(conversation.id)} is in two files", field="id"
            )
        self._line_of[conversation.id] = None
        self.conversations.append(conversation)

    def finish(self) -> tuple[Conversation, ...]:
        """Return all conversations.

        Raises:
            TranscriptError: There is none, no user speaks in any, or ConvApparel V1 and V2 are pooled.
        """
        if not self.conversations:
            if self._first_bad:
                raise TranscriptError(
                    self.path,
                    f"all {self.skipped} conversations are malformed; the first one: {self._first_bad}",
                )
            raise TranscriptError(self.path, "is empty: it contains no conversation")
        if not any(message.role == "user" for c in self.conversations for message in c.messages):
            raise TranscriptError(self.path, _no_user(self.conversations))
        if {c.source for c in self.conversations} >= NEVER_POOLED:
            raise TranscriptError(
                self.path,
                "contains ConvApparel V1 and V2, which must never be pooled; give each its own file",
            )
        return tuple(self.conversations)


MAX_REASONS = 3


def _no_user(conversations: Sequence[Conversation]) -> str:
    """Say that no user speaks, and why where conversations have failed."""
    reasons = Counter(c.failure.reason for c in conversations if c.failure)
    if not reasons:
        return "contains no user message in any conversation"
    named = listed(
        [f"{one_line(reason)} ({n:,})" for reason, n in reasons.most_common()], MAX_REASONS, separator="; "
    )
    which = f"all {len(conversations):,}" if reasons.total() == len(conversations) else f"{reasons.total():,}"
    return f"contains no user message in any conversation: {which} failed: {named}"
