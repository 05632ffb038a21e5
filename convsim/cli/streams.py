"""Standard output and standard error without the secrets that were read, whoever writes there.

On a terminal, the last line belongs to the progress that is drawn there: it is taken away while others write. With
``--log-json`` each line on standard error is a record, whoever writes it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from convsim._secrets import know_environment, redact
from convsim.cli.talk import TALK, record

CLEARED = "\r\x1b[2K"
"""Goes to the start of the terminal's line and empties it."""
MAX_WAITING = 1 << 16
"""Characters of a line that is not ended yet, after which it is a record all the same."""


class Screen:
    """The last line of a terminal."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._stream: TextIO | None = None
        self._begun_line = False
        self._is_gone = False
        """Whether the terminal takes nothing any more."""

    def draw(self, stream: TextIO, line: str) -> None:
        """Put a line of progress in the place of the one before, unless others have begun a line there."""
        with self.lock:
            if not self._begun_line:
                self._stream = stream
                self._send(f"{CLEARED}{line}")

    def clear(self) -> None:
        """Take the line away, where there is one."""
        with self.lock:
            if self._stream is not None:
                self._send(CLEARED)
                self._stream = None

    def _send(self, text: str) -> None:
        if self._stream is None or self._is_gone:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # nobody is there to see it
            self._is_gone = True

    def written(self, text: str) -> None:
        """Note whether what others wrote ends its line."""
        if text:
            self._begun_line = not text.endswith("\n")


SCREEN = Screen()


class Redacting:
    """A stream that redacts what is written to it, and is the stream behind it in all else."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._on_screen = stream.isatty()

    def write(self, text: str) -> int:
        """Write a text without secrets; returns how many characters of ``text`` were taken, which is all."""
        if self._on_screen:
            with SCREEN.lock:
                SCREEN.clear()
                self._stream.write(redact(text))
                SCREEN.written(text)
        else:
            self._stream.write(redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Messages(Redacting):
    """Standard error: with ``--log-json``, what others write is a record a line."""

    def __init__(self, stream: TextIO):
        super().__init__(stream)
        self._waiting = ""
        self._lock = threading.RLock()  # a finalizer may write in the midst of it

    def write(self, text: str) -> int:
        """Write a text, or records of its lines once they are whole."""
        if not TALK.log_json:
            return super().write(text)
        with self._lock:
            *lines, self._waiting = (self._waiting + text).split("\n")
            if len(self._waiting) > MAX_WAITING:
                lines, self._waiting = [*lines, self._waiting], ""
        for line in filter(str.strip, lines):
            self.write_record(record("info", "stderr", line) + "\n")
        return len(text)

    def write_record(self, line: str) -> int:
        """Write what is a record already."""
        return super().write(line)

    def end(self) -> None:
        """Write what is left of a line that was never ended."""
        if self._waiting:
            self.write("\n")


@contextmanager
def without_secrets() -> Iterator[None]:
    """Redact both streams meanwhile: what plugins, loggers and warnings write there, too."""
    know_environment()
    before = sys.stdout, sys.stderr
    # Either is None in a program without a console.
    stdout, stderr = before
    messages = Messages(stderr) if stderr is not None else None
    streams: Any = (stdout and Redacting(stdout), messages)
    sys.stdout, sys.stderr = streams
    try:
        yield
    finally:
        if messages is not None and sys.stderr is not None:  # None: given up, for nobody reads it
            messages.end()
        sys.stdout, sys.stderr = before
