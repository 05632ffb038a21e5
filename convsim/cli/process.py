"""The process around a command: every exception ends in one line on stderr and an exit code."""

from __future__ import annotations

import codecs
import io
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, TextIO

from convsim.cli.crash import first_of, named, save_traceback, say
from convsim.cli.interrupts import INTERRUPTED, AfterImports
from convsim.cli.logs import logs_shown
from convsim.cli.streams import without_secrets
from convsim.errors import ConvsimError, InputError

if TYPE_CHECKING:
    from convsim.cli.progress import Shown

FAILED = ConvsimError.exit_code
USED_WRONGLY = InputError.exit_code
ESCAPED = "convsim.escaped"
LEFT_BEHIND_S = 5.0
"""How long the process waits at its end for threads of others."""


@dataclass
class Asked:
    """What the options before the command asked for, and whether anything failed beside the command."""

    traceback: bool = False
    shown: Shown | None = None
    """What shows the progress of the command."""
    failed_beside: list[str] = field(default_factory=list)


def main() -> NoReturn:
    """Run the command line.

    Exit 0 done, 1 a gate failed, 2 used wrongly or bad input, 3 something else failed, 130 interrupted.
    """
    asked = Asked()
    _make_printable()
    with without_secrets():
        code = _ended(asked)
    if asked.shown is not None and asked.shown.is_stuck:
        # Python would flush stderr at its end, which it cannot while the thread writes there: it would abort.
        _forget(sys.stdout)
        os._exit(code)
    _forget(sys.stderr)
    _leave_threads_behind(code)
    sys.exit(code)


def _leave_threads_behind(code: int) -> None:
    """Let threads that plugins have started, and that do not end, keep the process from ending for a while only."""

    def leave() -> None:
        threading.main_thread().join()
        deadline = time.monotonic() + LEFT_BEHIND_S
        for thread in _others():
            thread.join(max(deadline - time.monotonic(), 0.0))
        if _others():
            os._exit(code)

    if _others():
        threading.Thread(target=leave, name="convsim-end", daemon=True).start()


def _others() -> list[threading.Thread]:
    """Return the threads that Python waits for when it ends."""
    return [each for each in threading.enumerate() if not each.daemon and each is not threading.main_thread()]


def _ended(asked: Asked) -> int:
    """Run the command, say how it ended, and return the exit code."""
    try:
        with _watched(asked), logs_shown(), AfterImports():
            code = _run(asked)
        if code == INTERRUPTED:
            say("interrupted")
        if sys.stdout is not None:
            sys.stdout.flush()
    except BaseException as error:  # nothing that is raised may look like a gate that failed
        code = _ended_by(error, asked)
    return FAILED if not code and asked.failed_beside else code


def _run(asked: Asked) -> int:
    # Here and not above: what cannot be imported must end in a line, too.
    from convsim.cli.app import run
    from convsim.cli.progress import progress_shown

    with progress_shown() as shown:
        asked.shown = shown
        return run(asked)


def _ended_by(error: BaseException, asked: Asked) -> int:
    """Say what has ended the command, and return its exit code."""
    leaf = first_of(error)
    if isinstance(leaf, KeyboardInterrupt):
        say("interrupted")
        return INTERRUPTED
    if isinstance(leaf, BrokenPipeError):
        # Whoever read our output has gone; Python would complain again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    if isinstance(leaf, ConvsimError):
        if asked.traceback:
            save_traceback(error, shown=True)
        say(str(leaf))
        return leaf.exit_code if leaf.exit_code in (USED_WRONGLY, FAILED) else FAILED
    if isinstance(leaf, MemoryError):
        said = "out of memory; compare fewer conversations at a time"
    elif isinstance(leaf, OSError):
        said = f"{leaf.filename or 'the output'}: {leaf.strerror or leaf}"
    elif isinstance(leaf, SystemExit):
        said = f"a plugin tried to end convsim ({named(leaf)})"
    else:
        said = f"convsim stopped because of an unexpected {named(leaf)}"
    say(f"{_short(said)}; {save_traceback(error, shown=asked.traceback)}")
    if isinstance(leaf, OSError):
        _forget(sys.stdout)
    return FAILED


def _short(said: str, limit: int = 1000) -> str:
    """Cut what was said, so that the place of the traceback stands on the line, too."""
    return said if len(said) <= limit else f"{said[:limit]}…"


def _forget(stream: TextIO | None) -> None:
    """Drop what a stream cannot take any more: Python would fail on it again at its end, with another exit code."""
    if stream is None:
        return
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):  # it is closed, or no file
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def _watched(asked: Asked) -> Iterator[None]:
    """Say in a line, too, what is raised in threads and tasks that nobody waits for; the command then fails."""

    def note(error: BaseException, where: str) -> None:
        asked.failed_beside.append(where)
        say(
            f"an unexpected {_short(named(error))} in {where}; {save_traceback(error, shown=asked.traceback)}"
        )

    class Tasks(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            error = record.exc_info[1] if record.exc_info else None
            if error is None:
                say(_short(record.getMessage()), kind="warning")
            else:
                note(error, "a task that nobody waited for")

    def in_thread(raised: threading.ExceptHookArgs) -> None:
        if raised.exc_value is not None and not isinstance(raised.exc_value, SystemExit):
            note(raised.exc_value, f"the thread {raised.thread.name if raised.thread else 'that has ended'}")

    handler, before = Tasks(logging.WARNING), threading.excepthook
    threading.excepthook = in_thread
    logger = logging.getLogger("asyncio")
    logger.addHandler(handler)
    try:
        yield
    finally:
        threading.excepthook = before
        logger.removeHandler(handler)


def _make_printable() -> None:
    """Let stdout take every character: what its encoding lacks is written as in JSON, which so remains JSON."""
    codecs.register_error(ESCAPED, _escaped)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors=ESCAPED)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in pairs), error.end
