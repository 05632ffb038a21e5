"""One running program that is asked line by line, and is ended with what it started."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from convsim._text import one_line
from convsim.lifting import MAX_ANSWER_BYTES

if sys.platform != "win32":
    import fcntl
    import termios

BLOCK_BYTES = 65_536
MAX_STDERR_BYTES = 4_096
"""How much of the end of what it writes to standard error is kept."""
GRACE_S = 1.0
SLICE_S = 0.1
"""How long a thread waits for a pipe before it looks whether the program has been killed meanwhile."""


class EndedError(Exception):
    """The program ended before it answered."""


class MisbehavedError(Exception):
    """The program wrote something else than one line for a question."""


class Program:
    """One running program, in a session of its own so that what it starts is killed with it.

    ``ask`` blocks: it is called in a thread. ``kill`` may be called from another one meanwhile, and ends it. What has
    taken a session of its own lives on, as a daemon does, and may hold the pipes: nothing waits for it.
    """

    def __init__(self, argv: Sequence[str]):
        self._process = subprocess.Popen(
            argv,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        if sys.platform != "win32":  # so that one who does not read holds nobody up
            os.set_blocking(self._input.fileno(), False)
        self.answered = 0
        self._killed = False
        self._asking = threading.Lock()
        self._stderr = b""
        self._listener = threading.Thread(target=self._keep_stderr, name="convsim-stderr", daemon=True)
        self._listener.start()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        if self._process.returncode is not None:
            return False
        if not hasattr(os, "waitid"):
            return self._process.poll() is None
        # It is not reaped before it is killed: while it is not, its number is that of its session, and of no other.
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:  # somebody else has
            return False

    @property
    def wrote_unasked(self) -> bool:
        """Whether it has written something that no question waits for."""
        return _holds_bytes(self._output.fileno())

    def ask(self, line: bytes) -> bytes:
        """Send one line and return the one that comes back.

        Raises:
            EndedError: The program has ended.
            MisbehavedError: It wrote unasked, more than one line, or a longer one than is taken.
        """
        try:
            with self._asking:
                answer = self._exchange(line)
        finally:
            if self._killed:
                self._close()
        self.answered += 1
        return answer

    def _exchange(self, line: bytes) -> bytes:
        if self._killed:
            raise EndedError
        if self.wrote_unasked and self.running:
            raise MisbehavedError("wrote to its standard output before it was asked")
        try:
            left = memoryview(line + b"\n")
            while left:
                self._wait_for(self._input.fileno(), reads=False)
                left = left[os.write(self._input.fileno(), left) :]
        except (OSError, ValueError) as error:  # its input is closed
            raise EndedError from error
        heard = bytearray()
        while b"\n" not in heard:
            self._wait_for(self._output.fileno(), reads=True)
            block = os.read(self._output.fileno(), BLOCK_BYTES)
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
        self._killed = True
        self._signal()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_S)
        self._close()

    def _signal(self) -> None:
        """Send SIGKILL to its whole session, also where it has ended itself and what it started has not."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _close(self) -> None:
        # A pipe that a thread still uses must stay open: its number could be given to another file. It is closed there.
        if self._asking.acquire(blocking=False):
            try:
                for pipe in (self._input, self._output):
                    with contextlib.suppress(OSError):
                        pipe.close()
            finally:
                self._asking.release()

    def last_words(self) -> str:
        """Say how it ended, with the last line that it wrote to standard error; its session ends with it."""
        deadline = time.monotonic() + GRACE_S
        while self.running and time.monotonic() < deadline:
            time.sleep(SLICE_S / 10)
        if self.running:
            how = "closed its standard output"
        else:
            self._signal()
            how = f"ended with status {self._process.wait()}"
        self._listener.join(GRACE_S)
        said = one_line(self._stderr.decode("utf-8", "replace").strip().rpartition("\n")[2])
        return f"{how}: {said}" if said else how

    def _keep_stderr(self) -> None:
        pipe = self._process.stderr
        assert pipe is not None
        with pipe, contextlib.suppress(EndedError):
            while True:
                self._wait_for(pipe.fileno(), reads=True)
                block = os.read(pipe.fileno(), BLOCK_BYTES)
                if not block:
                    return
                self._stderr = (self._stderr + block)[-MAX_STDERR_BYTES:]

    def _wait_for(self, descriptor: int, *, reads: bool) -> None:
        """Wait until a pipe can be read or written; raises EndedError once the program has been killed."""
        if sys.platform == "win32":  # its pipes cannot be asked
            return
        poll = select.poll()
        poll.register(descriptor, select.POLLIN if reads else select.POLLOUT)
        while not poll.poll(SLICE_S * 1000):
            if self._killed:
                raise EndedError
        if self._killed:
            raise EndedError


def _holds_bytes(descriptor: int) -> bool:
    if sys.platform == "win32":
        return False
    # Not `poll`, to which a pipe that was closed without a word may be read too.
    waiting = fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4))
    return int.from_bytes(waiting, sys.byteorder) > 0
