"""Lets requests through to endpoints: one gate for each, shared by all that ask it in this process."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from convsim._async import clocks_stopped
from convsim._loggers import logger_of
from convsim.models.pace import MOST, START, Pace

LOG = logger_of(__name__)
BELOW = ("/chat/completions", "/completions", "/responses")
"""What an address may end with that asks the same endpoint as the address before it."""
FEWEST_WAITING = 2
LOOKS_S = 1.0
"""How often one that waits looks by itself whether it is its turn."""


class Taken(NamedTuple):
    """What an endpoint took at a time: in the end, and at most; and how many requests it pushed back."""

    last: int
    highest: int
    pushed_back: int


def together(taken: Iterable[Mapping[str, Taken]]) -> dict[str, Taken]:
    """Add up what endpoints took at a time of several processes, by address."""
    added: dict[str, Taken] = {}
    for address, one in (each for of in taken for each in of.items()):
        before = added.get(address, Taken(0, 0, 0))
        added[address] = Taken(*(a + b for a, b in zip(before, one, strict=True)))
    return added


@dataclass(eq=False)
class Supply:
    """What is done at a time, such as conversations: as much as the endpoints take that are asked for it.

    A few more wait for their turn, so that no place stays free. Where no endpoint is asked, it is ``START``.
    """

    most: int
    on_change: Callable[[], None] = field(default=lambda: None, repr=False)
    """Called from any thread when more may be wanted."""
    _gates: dict[Gate, int] = field(init=False, repr=False, default_factory=dict)
    """The endpoints, and how many requests each had pushed back before."""

    @property
    def wanted(self) -> int:
        """How many are to be under way."""
        taken = sum(gate.pace.limit for gate in tuple(self._gates))
        return min(self.most, max(START, taken + max(FEWEST_WAITING, taken // 4)) if taken else START)

    @property
    def taken(self) -> dict[str, Taken]:
        """What each endpoint took at a time, by its address."""
        return {
            gate.address: Taken(
                last=gate.pace.limit, highest=gate.pace.highest, pushed_back=gate.pace.pushed_back - before
            )
            for gate, before in sorted(self._gates.items(), key=lambda each: each[0].address)
        }

    def join(self, gate: Gate) -> None:
        """Count an endpoint in."""
        if gate not in self._gates:
            self._gates[gate] = gate.pace.pushed_back
            gate.tell(self)
            self.on_change()

    def end(self) -> None:
        """Hear of changes no more."""
        for gate in self._gates:
            gate.tell_no_more(self)


_supply: ContextVar[Supply | None] = ContextVar(
    "who is bound by what endpoints take; None: stated numbers are", default=None
)


@contextmanager
def adapting(supply: Supply) -> Iterator[None]:
    """Bind requests that are made within it by what endpoints take at a time."""
    token = _supply.set(supply)
    try:
        yield
    finally:
        _supply.reset(token)
        supply.end()


def is_adapting() -> bool:
    """Whether requests are bound by what endpoints take."""
    return _supply.get() is not None


@dataclass(eq=False)
class _Waiting:
    """A request that waits; it may be in any thread's loop."""

    loop: asyncio.AbstractEventLoop
    turn: asyncio.Future[None]
    adapts: bool
    is_let_in: bool = False

    def wake(self) -> None:
        """Let it go on; in its own loop."""
        if not self.turn.done():
            self.turn.set_result(None)


class Gate:
    """One endpoint's: requests wait here for its limit and its pauses, in the order in which they came."""

    def __init__(self, address: str, *, workers: int = 1, clock: Callable[[], float] = time.monotonic):
        self.address, self._clock = address, clock
        limit, most = max(1, START // workers), max(1, MOST // workers)
        self.pace = Pace(limit=limit, most=most, on_change=self._changed)
        # Whoever holds it may collect a coroutine that was left behind, and that leaves its place.
        self._lock = threading.RLock()
        self._waiting: deque[_Waiting] = deque()
        self._supplies: set[Supply] = set()
        self._change: tuple[int, str] | None = None
        self.why_pushed_back = ""
        """What it said last when it pushed a request back."""

    @property
    def answered(self) -> int:
        """How many requests the endpoint has answered."""
        return self.pace.answered

    @property
    def barren(self) -> int:
        """How often in a row it has pushed back and answered nobody; requests on their way at once are one."""
        return self.pace.barren

    @property
    def silent_s(self) -> float | None:
        """For how many seconds nobody has been answered who asked; None where whoever came last was."""
        return self.pace.silent_s(self._clock())

    def tell(self, supply: Supply) -> None:
        """Tell a supply of each change of the limit."""
        with self._lock:
            if not self._supplies:
                self.pace.highest = self.pace.limit
            self._supplies.add(supply)

    def tell_no_more(self, supply: Supply) -> None:
        """Tell a supply nothing more."""
        with self._lock:
            self._supplies.discard(supply)

    async def enter(self, gives_up: Callable[[], bool] = lambda: False) -> Place | None:
        """Wait until the endpoint takes another request; the place must be left. None once it ``gives_up`` waiting."""
        supply = _supply.get()
        if supply is not None:
            supply.join(self)
        adapts = supply is not None
        with self._lock:
            now = self._clock()
            if not self._waiting and self._takes(adapts, now):
                self.pace.begin(now)
                return Place(self, now, adapts)
            loop = asyncio.get_running_loop()
            waiting = _Waiting(loop, loop.create_future(), adapts)
            self._waiting.append(waiting)
        with clocks_stopped():
            is_let_in = await self._turn_of(waiting, gives_up)
        if not is_let_in:
            self._let_in()
            return None
        return Place(self, self._clock(), adapts)

    async def _turn_of(self, waiting: _Waiting, gives_up: Callable[[], bool]) -> bool:
        try:
            while not waiting.turn.done():
                # Whoever sets a pause wakes those who wait; a loop that has ended meanwhile wakes nobody.
                left = self.pace.paused_until - self._clock()
                await asyncio.wait({waiting.turn}, timeout=min(left, LOOKS_S) if left > 0 else LOOKS_S)
                self._let_in()
                if gives_up() and self._leaves_queue(waiting):
                    return False
        except BaseException:
            with self._lock:
                if not self._leaves_queue(waiting) and waiting.is_let_in:
                    self.pace.end(self._clock())
            self._let_in()
            raise
        return True

    def _leaves_queue(self, waiting: _Waiting) -> bool:
        """Wait no more; False where it does not wait, since it was let in or its loop has ended."""
        with self._lock:
            if waiting not in self._waiting:
                return False
            self._waiting.remove(waiting)
            return True

    def _takes(self, adapts: bool, now: float) -> bool:
        return now >= self.pace.paused_until and (not adapts or self.pace.in_flight < self.pace.limit)

    def _let_in(self) -> None:
        """Let in from the head of the queue what is taken now."""
        with self._lock:
            now = self._clock()
            while self._waiting and self._takes(self._waiting[0].adapts, now):
                first = self._waiting.popleft()
                try:
                    first.loop.call_soon_threadsafe(first.wake)
                except RuntimeError:  # its loop is closed: nobody waits any more
                    continue
                first.is_let_in = True
                self.pace.begin(now)

    def leave(self, learn: Callable[[float], None] | None = None) -> None:
        """Count a request out, with what is learned of it at that time."""
        with self._lock:
            now, before = self._clock(), self.pace.limit
            try:
                if learn is not None:
                    learn(now)
            finally:
                self.pace.end(now)
            change, self._change = self._change, None
            supplies, paused = tuple(self._supplies), self.pace.paused_until - now
        if self._waiting:
            self._let_in()
            if paused > 0:
                with suppress(RuntimeError):  # its loop has ended: those of others look by themselves
                    asyncio.get_running_loop().call_later(paused, self._let_in)
        if change is not None and supplies:
            self._say(before, *change)
            for supply in supplies:
                supply.on_change()

    def _changed(self, why: str) -> None:
        self._change = self.pace.limit, why

    def _say(self, before: int, limit: int, why: str) -> None:
        LOG.info(
            "%s: %d requests at a time instead of %d: %s", self.address, limit, before, why,
            extra={"fields": {"endpoint": self.address, "limit": limit, "before": before}},
        )  # fmt: skip


class Place:
    """A request's place at an endpoint; ``leave`` it once, by whichever of the four."""

    __slots__ = ("_adapts", "_begun", "_gate")

    def __init__(self, gate: Gate, begun: float, adapts: bool):
        self._gate, self._begun, self._adapts = gate, begun, adapts

    def answered(self, units: float) -> None:
        """Leave with an answer of so many units of output."""
        pace = self._gate.pace
        self._gate.leave(lambda now: pace.has_answered(self._begun, now, units, adapts=self._adapts))

    def pushed_back(self, why: str, *, asked_s: float | None, least_s: float) -> None:
        """Leave because the endpoint has too much to do; all wait for as long as it asks to, in seconds."""
        pace, self._gate.why_pushed_back = self._gate.pace, why
        self._gate.leave(
            lambda now: pace.was_pushed_back(
                self._begun, now, asked_s=asked_s, least_s=least_s, why=why, adapts=self._adapts
            )
        )

    def found_nobody(self) -> None:
        """Leave because nobody was there."""
        self._gate.leave(self._gate.pace.was_silent)

    def failed(self) -> None:
        """Leave with nothing that says how much the endpoint takes."""
        self._gate.leave()


_gates: dict[str, Gate] = {}
_workers = 1


def gate_of(address: str) -> Gate:
    """Return the gate of the endpoint at an address: a ``base_url``, or an address below it that is posted to."""
    known = _known(address)
    return _gates.get(known) or _gates.setdefault(known, Gate(known, workers=_workers))


@lru_cache(1024)
def _known(address: str) -> str:
    """Return what all addresses of an endpoint have in common."""
    parts = urlsplit(address)
    path = parts.path.rstrip("/")
    for below in BELOW:
        path = path.removesuffix(below)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{path}" if parts.netloc else address


def share_among(workers: int) -> None:
    """Say how many processes ask the same endpoints: each takes its part of what one would; before it asks any."""
    global _workers
    _workers = max(1, workers)
    _gates.clear()


def _begin_anew() -> None:
    """Forget, in a process that was forked, who waits in the one it came from."""
    _gates.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
