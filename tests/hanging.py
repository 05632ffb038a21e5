"""A guard against a test that hangs: how fast the code is belongs to no test, but none may wait for ever."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SECONDS = 60.0
"""Hundreds of times what a guarded test takes, and far below what a pattern that explodes would take."""


@contextmanager
def ended_if_it_hangs(seconds: float = SECONDS) -> Iterator[None]:
    """Fail what runs within, in the main thread, where it has not ended after ``seconds``."""

    def give_up(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"still running after {seconds:g} s: does it hang, or is it quadratic?")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
