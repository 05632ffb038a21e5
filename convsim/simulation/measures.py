"""Writes what a run has measured into its manifest as it goes on, so that one that is killed has not lost it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from convsim._loggers import logger_of
from convsim._text import one_line
from convsim.errors import ConvsimError
from convsim.io import MANIFEST, Run
from convsim.models.metering import MEASURED, Measured

LOG = logger_of(__name__)
FIRST_S, LONGEST_S = 1.0, 5.0
"""Seconds until measures are first written, and between two writes later on."""
LEAST_REST = 20
"""How many times longer than a write the time between two is: a manifest of very many personas takes its time."""


@contextmanager
def measures_kept(run: Run, so_far: Callable[[], Measured]) -> Iterator[None]:
    """Write what is measured within it into the run's manifest, every few seconds and in a thread of its own.

    A run that is killed loses at most what it has measured since the last write. Where the manifest cannot be written
    then, the run goes on.
    """
    ended = threading.Event()

    def follow() -> None:
        rest, last = FIRST_S, Measured()
        while not ended.wait(rest):
            begun, found = time.monotonic(), so_far()
            if found != last:
                try:
                    run.note({MEASURED: found.model_dump(mode="json")})
                except (OSError, ConvsimError) as error:
                    LOG.debug("%s of %s could not be written: %s", MANIFEST, run.folder, one_line(error))
                last = found
            rest = max(min(2 * rest, LONGEST_S), LEAST_REST * (time.monotonic() - begun))

    thread = threading.Thread(target=follow, name="convsim-measures", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
