"""Ctrl-C while modules are imported: one line and exit 130, and no traceback out of an import."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType

INTERRUPTED = 130
LONGEST_IMPORT_S = 3.0
"""A module of somebody that takes longer to import than this is interrupted in its midst."""
AGAIN_AFTER_S = 0.02


class Handled:
    """Within it, Ctrl-C is handled otherwise than Python does, where nobody else handles it."""

    def __enter__(self) -> None:
        self._is_ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        try:
            if self._is_ours:
                signal.signal(signal.SIGINT, self.interrupt)
        except ValueError:  # not in the main thread, which alone is interrupted
            self._is_ours = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Take the signal."""
        raise KeyboardInterrupt


class AtOnce(Handled):
    """Ends the process: while convsim itself is imported, nothing has been begun that would have to be put away."""

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Say it and end."""
        try:
            os.write(2, b"error: interrupted\n")
        except OSError:  # nobody is there to read it
            pass
        finally:
            os._exit(INTERRUPTED)


class AfterImports(Handled):
    """Waits until nothing is being imported: Python may swallow an interrupt in the midst of that, and print it."""

    waited_s = 0.0

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt, now or soon."""
        if not _is_importing(frame) or self.waited_s >= LONGEST_IMPORT_S:
            _say_nothing_of_coroutines()
            raise KeyboardInterrupt
        self.waited_s += AGAIN_AFTER_S
        import threading

        again = threading.Timer(AGAIN_AFTER_S, signal.raise_signal, (signal.SIGINT,))
        again.daemon = True
        again.start()


def _say_nothing_of_coroutines() -> None:
    """Keep Python from warning of coroutines that the interrupt keeps from being awaited: that is what it is for.

    Where nobody reads stderr, the warning would also keep the process from ending.
    """
    import warnings

    warnings.filterwarnings("ignore", message="coroutine .* was never awaited", category=RuntimeWarning)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
