"""What is logged in a worker, logged where its work was asked for: once, as if it had been done there."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from convsim._loggers import ROOT

MOST = 1_000
"""Records of one piece of work; of further ones it is told how many there were."""


@dataclass(frozen=True)
class Said:
    """One record of a log, without what only its process can have."""

    name: str
    level: int
    message: str
    fields: Mapping[str, Any] | None
    traceback: str | None
    created: float


class _Noting(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[Said] = []
        self.n_further = 0

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.said) >= MOST:
            self.n_further += 1
            return
        fields, traceback = getattr(record, "fields", None), record.exc_text
        self.said.append(
            Said(record.name, record.levelno, record.getMessage(), fields, traceback, record.created)
        )


def level_here() -> int:
    """Return from which level on convsim's loggers are heard in this process."""
    return logging.getLogger(ROOT).getEffectiveLevel()


@contextmanager
def noted(level: int) -> Iterator[list[Said]]:
    """Note what convsim's loggers say within from a level on; it is all there once this is left."""
    logger, noting = logging.getLogger(ROOT), _Noting()
    before = logger.level
    logger.addHandler(noting)
    logger.setLevel(level)
    try:
        yield noting.said
    finally:
        logger.removeHandler(noting)
        logger.setLevel(before)
        if noting.n_further:
            last = noting.said[-1]
            more = f"{noting.n_further:,} more lines were logged by this worker"
            noting.said.append(Said(last.name, last.level, more, None, None, last.created))


def say_again(said: Iterable[Said]) -> None:
    """Log here what was said in a worker."""
    for each in said:
        logger = logging.getLogger(each.name)
        if logger.isEnabledFor(each.level):
            record = logger.makeRecord(each.name, each.level, "", 0, each.message, (), None)
            record.created, record.exc_text = each.created, each.traceback
            if each.fields is not None:
                record.fields = dict(each.fields)
            logger.handle(record)
