"""What convsim's loggers say, on stderr: warnings always, more with -v, with --log-json as records."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from convsim._loggers import ROOT, SAFE
from convsim._text import described, plain
from convsim.cli.talk import MAX_VERBOSE, TALK, emit

MAX_CHARACTERS = 2_000
"""Of a line."""
MAX_TRACEBACK_CHARACTERS = 20_000


class _ToStderr(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.addFilter(SAFE)  # loggers that others have made below convsim have no filter of ours

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as a line for people, or of JSON; raises nothing into whoever logs."""
        try:
            self._write(record)
        except Exception:
            self.handleError(record)

    def _write(self, record: logging.LogRecord) -> None:
        said, traced = record.getMessage(), ""
        if record.exc_info and record.exc_info[1] is not None:
            said = f"{said}: {described(record.exc_info[1])}"
            traced = record.exc_text or "" if TALK.verbose >= MAX_VERBOSE else ""
        level = record.levelname.lower()
        if TALK.log_json:
            found = getattr(record, "fields", None) or {}
            fields = found if isinstance(found, dict) else {"fields": found}
            emit(
                level, said, logger=record.name, fields={**fields, "traceback": traced} if traced else fields
            )
            return
        if sys.stderr is None:
            return
        line = plain(" ".join(said.split()), limit=MAX_CHARACTERS)
        where = record.name.removeprefix(f"{ROOT}.")
        head = f"{self._clock(record)} {level} {where}" if TALK.verbose else level
        lines = [f"{head}: {line}\n", plain(traced, limit=MAX_TRACEBACK_CHARACTERS)]
        try:
            sys.stderr.write("".join(lines))
            sys.stderr.flush()
        except (OSError, ValueError):  # nobody is there to read it
            return

    @staticmethod
    def _clock(record: logging.LogRecord) -> str:
        import time

        return time.strftime("%H:%M:%S", time.localtime(record.created))


@contextmanager
def logs_shown() -> Iterator[None]:
    """Show what convsim's loggers say meanwhile, as much of it as was asked for."""
    logger, handler = logging.getLogger(ROOT), _ToStderr()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
