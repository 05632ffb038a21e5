"""An adapter for an agent that is a program: JSON lines on standard input and output."""

from __future__ import annotations

import asyncio
import json
import shlex
import shutil
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import Field

from convsim._async import in_thread, in_time
from convsim._settings import Seconds, check_settings
from convsim._text import one_line
from convsim.agents.answer import Answering, parse_answer
from convsim.agents.program import EndedError, MisbehavedError, Program
from convsim.agents.visibility import as_request
from convsim.errors import AgentError, InputError
from convsim.lifting import seen_by_agent
from convsim.models.metering import Call, used_as_told
from convsim.schema.conversation import Conversation
from convsim.schema.protocols import AgentReply

MAX_PROCESSES = 64


@dataclass(kw_only=True, eq=False)
class Command(Answering):
    """Runs ``command`` and asks it line by line.

    A line in is ``{"messages", "conversation_id", "seed"}``, a line out ``{"content", "items"}``, nothing
    else on standard output, and flushed. Every line holds the whole conversation, so a program need not
    remember any. A program that may be late does well to repeat ``conversation_id`` in its line out: an
    answer to another conversation is then known for one.

    At most ``processes`` of it run, started when needed and kept for the next reply; each answers one line at
    a time, and waiting for a free one does not count against ``timeout_s``. One that is late, ends, answers
    what cannot be used, or has written a line since its last answer is killed, with what it started but for
    what has taken a session of its own, and the next reply starts another. A text is split as a shell would,
    but no shell runs it.

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
        self._form = self.form(self.name)
        self._argv = _split(self.name, self.command)
        weakref.finalize(self, _kill_all, self._programs)

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Ask the program; raises AgentError when it ends, is late, or answers what cannot be used."""
        line = json.dumps(as_request(seen_by_agent(conversation), seed=seed)).encode()
        address = f"the program {Path(self._argv[0]).name}"
        call = Call(self.name, address)
        with call.attempt():
            reply = await self._asked(line, conversation.id, call)
        used_as_told(self.name, address, reply.usage)
        return reply

    async def _asked(self, line: bytes, conversation: str, call: Call) -> AgentReply:
        async with self._turn(), in_time(self.name, self.timeout_s, AgentError):
            call.sent()
            while True:
                program = self._ready()
                try:
                    answer = await in_thread(partial(program.ask, line))
                    reply = parse_answer(answer, self.name, answers=conversation, form=self._form)
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
            if program.running and not program.wrote_unasked:
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
