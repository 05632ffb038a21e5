"""What a worker does: makes the study that it is sent, and holds the conversations that it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import math
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from convsim._aside import aside
from convsim._secrets import know_environment
from convsim._text import described
from convsim.errors import ConvsimError, InputError
from convsim.io import MalformedError, readable_line
from convsim.lifting import check_ready, learned_by, with_parts_of
from convsim.models.crowd import AUTO
from convsim.models.fallback import Fallback
from convsim.models.gates import Supply, Taken, adapting, share_among
from convsim.models.hearing import Calls, heard, hearing
from convsim.models.metering import Measured, Measuring, measuring
from convsim.schema import ChatModel
from convsim.schema.conversation import Conversation
from convsim.simulation.handles import affordable
from convsim.simulation.loop import hold
from convsim.simulation.runner import rarely_collecting
from convsim.simulation.sending import Order, planned_by, received

T = TypeVar("T")


class LostError(ConvsimError):
    """A worker, or its machine, has gone."""


@dataclass(frozen=True)
class Refused:
    """A worker's answer where it lacks what every conversation needs."""

    why: str


@dataclass(frozen=True)
class Broken:
    """A worker's answer where convsim itself has failed in it."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """What a worker knows in the end: of its models' servers, and how these answered."""

    learned: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    measured: Measured = field(default_factory=Measured)
    taken: Mapping[str, Taken] = field(default_factory=dict)


class Held(NamedTuple):
    """One conversation, held to its end."""

    conversation: Conversation
    """As a whole where there is no line of it; else without what only the line is for: ``LEFT_OUT``."""
    calls: Calls | None
    """What models were asked for it, where that is recorded."""
    wanted: int | None = None
    """How many conversations the worker takes at a time from now on, where endpoints say how many."""
    measured: Measured | None = None
    """All that the worker has measured so far, with how many conversations it has held; not with every answer."""
    line: bytes | None = None
    """Its ``readable_line``, the making of which is not left to the one process that writes; None where it has none."""
    n_messages: int = 0
    """Of the conversation."""


LEFT_OUT: Mapping[str, object] = {"messages": (), "persona": None, "learned_from": None, "labels": {}}
"""Of a conversation whose line is sent along: to build it anew takes longer than to write it."""
TELL_EVERY_S = 1.0
"""How often a worker tells what it has measured: what it has not told is lost with it."""


class Holder:
    """Holds conversations of one study, many at a time, in a process of its own."""

    def __init__(self) -> None:
        self._ending = asyncio.Event()
        self._measuring = Measuring()
        self._n_held, self._told_at = 0, -math.inf
        self._within: contextvars.Context
        self._living: asyncio.Task[None]

    async def begin(self, whole: bytes) -> Refused | Broken | None:
        """Make the study, and what all its conversations have in common."""
        try:
            know_environment()
            self._study, self._said = received(whole)
            await check_ready(self._study._parts)
        except InputError as error:
            return Refused(str(error))
        except Exception as error:  # a plugin that can be loaded there, and not here
            return Refused(f"the study cannot be made in a worker: {described(error)}")
        share_among(self._said.workers)
        most = affordable(self._said.share)
        self._slots = asyncio.Semaphore(most)
        self._supply = Supply(most) if self._study.concurrency == AUTO else None
        begun = asyncio.Event()
        self._living = asyncio.create_task(self._live(begun))
        await begun.wait()
        return None

    async def hold(self, order: Order) -> Held | Refused | Broken:
        """Hold one conversation to its end."""
        return await self._as_begun(self._held(order))

    async def end(self, nothing: None = None) -> Learnt:
        """End; what is still being held is given up."""
        taken = self._supply.taken if self._supply else {}
        known = Learnt(
            learned=learned_by(self._study._parts),
            measured=self._measuring.so_far.but(conversations=self._n_held),
            taken=taken,
        )
        self._ending.set()
        return known

    async def _held(self, order: Order) -> Held | Refused | Broken:
        try:
            async with self._slots:
                with hearing() if self._said.record else contextlib.nullcontext() as noted:
                    conversation = await hold(planned_by(self._study, order), max_turns=self._study.max_turns)
        except InputError as error:
            return Refused(str(error))
        except Exception as error:
            return Broken(described(error))
        calls = None if noted is None else Calls(id=conversation.id, calls=tuple(noted.calls))
        self._n_held += 1
        line = _line_of(conversation)
        return Held(
            conversation if line is None else conversation.model_copy(update=LEFT_OUT),
            calls,
            wanted=None if self._supply is None else self._supply.wanted,
            measured=self._to_tell(),
            line=line,
            n_messages=len(conversation.messages),
        )

    def _to_tell(self) -> Measured | None:
        """Return what has been measured so far where it is time to tell it."""
        if time.monotonic() - self._told_at < TELL_EVERY_S:
            return None
        self._told_at = time.monotonic()
        return self._measuring.so_far.but(conversations=self._n_held)

    async def _live(self, begun: asyncio.Event) -> None:
        models = {
            id(part): part
            for part in with_parts_of(self._study._parts)
            if isinstance(part, ChatModel) and not isinstance(part, Fallback)
        }
        async with aside():
            with (
                rarely_collecting(self._said.share),
                heard(models.values(), record=self._said.record),
                measuring() as self._measuring,
                adapting(self._supply) if self._supply else contextlib.nullcontext(),
            ):
                self._within = contextvars.copy_context()
                begun.set()
                await self._ending.wait()

    async def _as_begun(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something within what was begun, whichever task asks for it."""
        return await asyncio.get_running_loop().create_task(work, context=self._within.copy())


def _line_of(conversation: Conversation) -> bytes | None:
    try:
        return readable_line(conversation)
    except MalformedError:  # what is kept in its place is for the process that writes to say
        return None
