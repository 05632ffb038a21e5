"""Finds the transcripts that a findings document names, and says where they are not what was judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convsim._text import path_of
from convsim.errors import InputError
from convsim.evaluation import SideSummary
from convsim.io import MIRRORBENCH, MIRRORBENCH_PEOPLE, read
from convsim.report.html.text import name
from convsim.schema.conversation import Conversation


@dataclass(frozen=True)
class FoundTranscripts:
    """A side's conversations, None where there are none to be had, and what the reader is to be warned of."""

    conversations: Sequence[Conversation] | None
    notes: tuple[str, ...] = ()


def find_transcripts(
    summary: SideSummary, side: str, *, near: Path, given: Path | None = None
) -> FoundTranscripts:
    """Read the conversations of a side from the path that its summary names.

    Args:
        summary: The side.
        side: ``real`` or ``simulated``, for the notes.
        near: Folder of the findings document, where a relative path is looked for too.
        given: Read this file instead.

    Raises:
        InputError: ``given`` cannot be read.
    """
    if given is None and summary.path is None:
        return FoundTranscripts(None, (f"the findings name no file of {side} conversations",))
    path = given or located(str(summary.path), near)
    try:
        transcripts = read(path)
        if transcripts.format == MIRRORBENCH.name and side == "real" and summary.simulator is None:
            # A run of MirrorBench holds people beside the simulator: they are whom the findings name no simulator of.
            transcripts = read(path, reader=MIRRORBENCH_PEOPLE)
    except (InputError, OSError) as problem:  # a name that is too long for any file is an OSError
        if given is not None:
            raise
        return FoundTranscripts(None, (f"the {side} conversations cannot be read: {problem}",))
    notes = []
    if transcripts.sha256 != summary.sha256:
        notes.append(
            f"the file {name(str(path), limit=200)} is not the one whose {side} conversations were judged: its "
            f"SHA-256 is {transcripts.sha256[:12]}…, but the findings have {name(summary.sha256, limit=12)}"
        )
    return FoundTranscripts(transcripts.conversations, tuple(notes))


def located(path: str, near: Path | None) -> Path:
    """Return where ``path`` lies, also one that is no UTF-8: as it stands, or else beside the findings document."""
    written = Path(path)
    try:
        places = [Path(folder, each) for each in (written, path_of(path)) for folder in ("", near or "")]
        return next((place for place in places if place.exists()), written)
    except (OSError, ValueError):  # too long, or a null character: no path of any file
        return written
