"""An adapter for an agent that is a program: JSON lines on standard input and output."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from pydantic import Field

from convsim._async import in_thread, in_time
from convsim._settings import Seconds, check_settings
from convsim._text import one_line
from convsim.agents.answer import parse_answer
from convsim.agents.visibility import as_request
from convsim.errors import AgentError, InputError
from convsim.lifting import MAX_ANSWER_BYTES, seen_by_agent
from convsim.schema.conversation import Conversation
from convsim.schema.protocols import AgentReply

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
            raise MisbehavedError("wrote to its standard output before it was asked")
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


MAX_PROCESSES = 64


@dataclass(kw_only=True, eq=False)
class Command:
    """Runs ``command`` and asks it line by line.

    A line in is ``{"messages", "conversation_id", "seed"}``, a line out ``{"content", "items"}``, nothing
    else on standard output, and flushed. Every line holds the whole conversation, so a program need not
    remember any. At most ``processes`` of it run, started when needed and kept for the next reply; each
    answers one line at a time, and waiting for a free one does not count against ``timeout_s``. One that is
    late, ends, or answers what cannot be used is killed, with what it started, and the next reply starts
    another. A text is split as a shell would, but no shell runs it.

    Raises:
        InputError: There is no such program, or another setting cannot be used.
    """

    command: str | Sequence[str]
    processes: Annotated[int, Field(ge=1, le=MAX_PROCESSES)] = 1
    timeout_s: Seconds = 60.0
    name: str = "command"
    _argv: tuple[str, ...] = field(init=False, repr=False)
    _programs: set[Program] = field(init=False, repr=False, default_factory=set)
    _idle: list[Program] = field(init=False, repr=False, default_factory=list)
    _turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = field(
        init=False, repr=False, default_factory=weakref.WeakKeyDictionary
    )

    def __post_init__(self) -> None:
        check_settings(self, self.name)
        self._argv = _split(self.name, self.command)
        weakref.finalize(self, _kill_all, self._programs)

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Ask the program; raises AgentError when it ends, is late, or answers what cannot be used."""
        line = json.dumps(as_request(seen_by_agent(conversation), seed=seed)).encode()
        async with self._turn(), in_time(self.name, self.timeout_s, AgentError):
            while True:
                program = self._ready()
                try:
                    reply = parse_answer(await in_thread(partial(program.ask, line)), self.name)
                except EndedError:
                    # One that answers a single line and ends is started anew each time; it may just have ended.
                    if program.answered == 0:
                        last_words = await in_thread(program.last_words)
                        raise AgentError(f"{self.name}: the program {last_words}") from None
                except MisbehavedError as error:
                    raise AgentError(f"{self.name}: the program {error}") from None
                else:
                    self._idle.append(program)
                    return reply
                finally:
                    if program not in self._idle:
                        program.kill()
                        self._programs.discard(program)

    def close(self) -> None:
        """End the programs; they also end when the agent is no longer used, and with Python."""
        _kill_all(self._programs)
        self._idle.clear()

    def _turn(self) -> asyncio.Semaphore:
        # A semaphore belongs to one event loop, and an agent may be used in several, one after the other.
        return self._turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(self.processes))

    def _ready(self) -> Program:
        while self._idle:
            program = self._idle.pop()
            if program.running:
                return program
            program.kill()
            self._programs.discard(program)
        try:
            program = Program(self._argv)
        except (OSError, ValueError) as error:
            raise AgentError(f"{self.name}: {self._argv[0]} cannot be started: {one_line(error)}") from error
        self._programs.add(program)
        return program


def _split(name: str, command: str | Sequence[str]) -> tuple[str, ...]:
    try:
        argv = tuple(shlex.split(command) if isinstance(command, str) else command)
    except ValueError as error:
        raise InputError(f"{name}: command {command!r:.80} cannot be split: {error}") from None
    if not argv or not all(isinstance(part, str) for part in argv):
        raise InputError(f"{name}: command must be a program and its arguments, but is {command!r:.80}")
    if shutil.which(argv[0]) is None:
        raise InputError(f"{name}: no program {argv[0]!r} was found that can be run")
    return argv


def _kill_all(programs: set[Program]) -> None:
    while programs:
        programs.pop().kill()
