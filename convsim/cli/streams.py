"""Standard output and standard error without the secrets that were read, whoever writes there."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from convsim._secrets import know_environment, redact


class Redacting:
    """A stream that redacts what is written to it, and is the stream behind it in all else."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text without secrets; returns how many characters of ``text`` were taken, which is all."""
        self._stream.write(redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def without_secrets() -> Iterator[None]:
    """Redact both streams meanwhile: what plugins, loggers and warnings write there, too."""
    know_environment()
    before = sys.stdout, sys.stderr
    # Either is None in a program without a console.
    sys.stdout, sys.stderr = (stream and Redacting(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
