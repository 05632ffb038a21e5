"""A program that is asked line by line: a line to its standard input, a line back on its standard output."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

from convsim._text import one_line
from convsim.lifting import MAX_ANSWER_BYTES

BLOCK_BYTES = 65_536
MAX_STDERR_BYTES = 4_096
"""How much of the end of what it writes to standard error is kept."""
GRACE_S = 1.0


class EndedError(Exception):
    """The program ended before it answered."""


class MisbehavedError(Exception):
    """The program wrote something else than one line for a question."""


class Program:
    """One running program, in a session of its own so that what it starts is killed with it.

    ``ask`` blocks: it is called in a thread. ``kill`` may be called from another one meanwhile, and ends it.
    """

    def __init__(self, argv: Sequence[str]):
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.answered = 0
        self._asking = threading.Lock()
        self._stderr = b""
        self._listener = threading.Thread(target=self._keep_stderr, name="convsim-stderr", daemon=True)
        self._listener.start()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def ask(self, line: bytes) -> bytes:
        """Send one line and return the one that comes back.

        Raises:
            EndedError: The program has ended.
            MisbehavedError: It wrote unasked, more than one line, or a longer one than is taken.
        """
        with self._asking:
            answer = self._exchange(line)
        self.answered += 1
        return answer

    def _exchange(self, line: bytes) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        if _readable(output) and self.running:
            raise MisbehavedError("wrote to its standard output without being asked")
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:  # its input is closed
            raise EndedError from error
        heard = bytearray()
        while b"\n" not in heard:
            block = os.read(output, BLOCK_BYTES)
            if not block:
                raise EndedError
            heard += block
            if len(heard) > MAX_ANSWER_BYTES:
                raise MisbehavedError(f"answered with more than {MAX_ANSWER_BYTES:,} bytes")
        answer, _, rest = bytes(heard).partition(b"\n")
        if rest.strip():
            raise MisbehavedError("answered with more than one line")
        return answer

    def kill(self) -> None:
        """End the program and what it started, and wait until it is gone."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if sys.platform == "win32":
                    self._process.kill()
                else:
                    os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._listener.join(GRACE_S)
        # A pipe that a thread still reads must stay open: its number could be given to another file.
        if self._asking.acquire(timeout=GRACE_S):
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()

    def last_words(self) -> str:
        """Say how it ended, with the last line that it wrote to standard error."""
        try:
            how = f"ended with status {self._process.wait(GRACE_S)}"
        except subprocess.TimeoutExpired:
            how = "closed its standard output"
        self._listener.join(GRACE_S)
        said = one_line(self._stderr.decode("utf-8", "replace").strip().rpartition("\n")[2])
        return f"{how}: {said}" if said else how

    def _keep_stderr(self) -> None:
        pipe = self._process.stderr
        assert pipe is not None
        with pipe:
            while block := os.read(pipe.fileno(), BLOCK_BYTES):
                self._stderr = (self._stderr + block)[-MAX_STDERR_BYTES:]


def _readable(descriptor: int) -> bool:
    if sys.platform == "win32":  # its pipes cannot be asked
        return False
    return bool(select.select([descriptor], [], [], 0)[0])
