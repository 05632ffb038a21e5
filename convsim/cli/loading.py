"""Reads the files that a command is given, each side as its options say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from convsim.errors import TranscriptError

if TYPE_CHECKING:
    from convsim.io import Transcripts


@dataclass(frozen=True)
class Loading:
    """How a command's files are read; ``reader`` is for both sides, and each side may have its own."""

    reader: str | None = None
    real_reader: str | None = None
    simulated_reader: str | None = None
    skip_bad_lines: bool = False
    survey_map: Path | None = None
    control_tokens: str | None = None
    simulator: str | None = None

    def real(self, path: Path) -> Transcripts:
        """Read the side of people; raises TranscriptError."""
        return self._read(path, self.real_reader)

    def simulated(self, path: Path) -> Transcripts:
        """Read a simulated side, which ``simulator`` names where it does not name one; raises TranscriptError."""
        return self._read(path, self.simulated_reader, self.simulator)

    def _read(self, path: Path, reader: str | None, simulator: str | None = None) -> Transcripts:
        from convsim.io import read

        try:
            return read(
                path,
                reader=reader or self.reader,
                skip_bad_lines=self.skip_bad_lines,
                survey_map=self.survey_map,
                control_tokens=self.control_tokens,
                simulator=simulator,
            )
        except TranscriptError as error:
            if reader or not self.reader:
                raise
            problem = (
                f"{error.problem} (--reader {self.reader} is for both sides; for one of them give --real-reader or "
                "--simulated-reader)"
            )
            raise TranscriptError(error.path, problem, line=error.line, field=error.field) from None
