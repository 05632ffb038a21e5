"""What reading a file of conversations yields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

from convsim.io.survey_report import SurveyReport
from convsim.schema.conversation import Conversation


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
