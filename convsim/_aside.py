"""Foreign coroutines in an event loop and thread of their own, where they may block or never end and hold up nobody."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import ContextVar
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")

GRACE_S = 1.0
"""How long a coroutine that has been cancelled may tidy up, and a loop that is asked may take to answer."""

_beside: ContextVar[Aside | None] = ContextVar(
    "where foreign coroutines run; None: in the caller's loop", default=None
)


class GivenUpError(Exception):
    """A coroutine has not ended in time."""


@contextlib.asynccontextmanager
async def aside() -> AsyncIterator[None]:
    """Let ``bounded`` run coroutines beside the loop of the body, in a thread that starts when one is first run."""
    beside = Aside()
    token = _beside.set(beside)
    try:
        yield
    finally:
        _beside.reset(token)
        beside.close()


def in_the_callers_loop() -> bool:
    """Whether ``bounded`` would run a coroutine here, in the loop and thread that ask for it."""
    return _beside.get() is None


async def bounded(start: Callable[[], Coroutine[Any, Any, T]], timeout_s: float) -> T:
    """Run a coroutine of somebody else, and return what it returns.

    Inside ``aside`` it runs in another thread; elsewhere as a task of the caller's loop, which it can block. It may
    cancel itself, or swallow that it is cancelled: after ``GRACE_S`` it is left to itself. Its seconds are counted from
    when it begins.

    Raises:
        GivenUpError: It has not ended after ``timeout_s`` seconds.
        asyncio.CancelledError: The caller was cancelled, or the coroutine was by itself.
    """
    beside = _beside.get()
    return await (_in_this_loop(start, timeout_s) if beside is None else beside.run(start, timeout_s))


async def _in_this_loop(start: Callable[[], Coroutine[Any, Any, T]], timeout_s: float) -> T:
    task = asyncio.ensure_future(start())
    try:
        ended, _ = await asyncio.wait({task}, timeout=timeout_s)
    except asyncio.CancelledError:
        await _let_go(task)
        raise
    if not ended:
        await _let_go(task)
        raise GivenUpError
    return task.result()


async def _let_go(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait({task}, timeout=GRACE_S)
    _forget(task)


def _forget(task: asyncio.Task[Any]) -> None:
    """Let nobody be told what becomes of a task that is not waited for."""
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # as asyncio.gather does
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())


class _Calls:
    """Functions to be called soon in a loop of another thread; all that have come meanwhile by one wake-up of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self._loop = loop
        self._waiting: deque[Callable[[], object]] = deque()
        self._is_woken = False

    def add(self, *functions: Callable[[], object]) -> None:
        """Have functions called, if the loop is still there; from any thread."""
        self._waiting.extend(functions)
        if not self._is_woken:
            self._is_woken = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._call)

    def _call(self) -> None:
        # First: whoever still finds it woken has put its function where it is seen below.
        self._is_woken = False
        while self._waiting:
            self._waiting.popleft()()


class _Call(Generic[T]):
    """One coroutine on its way: asked for in one loop, run in another."""

    def __init__(self, start: Callable[[], Coroutine[Any, Any, T]], asking: _Asking, timeout_s: float):
        self._start = start
        self.timeout_s = timeout_s
        self._context = contextvars.copy_context()
        self.ended: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.asking = asking
        self.home: _Home | None = None
        self.looked_at: asyncio.TimerHandle
        self.begun_at: float | None = None
        """When it began, by ``time.monotonic``; None: it has not yet."""
        self._task: asyncio.Task[None] | None = None
        self._unwanted = False

    def begin(self, home: _Home) -> None:
        """Start the task; called in the loop of ``home``."""
        if self.home is home and not self._unwanted:
            self._task = home.loop.create_task(self._run(home), context=self._context)
            home.guests.add(self._task)
            self._task.add_done_callback(partial(self._has_ended, home))

    def give_up(self) -> None:
        """Cancel it, and do not wait; called in the loop that asked."""
        self._unwanted = True
        if self.home is not None:
            self.home.tell(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self, home: _Home) -> None:
        if self._unwanted or self.home is not home:
            return
        self.begun_at = time.monotonic()
        process = os.getpid()
        value, raised = None, None
        try:
            value = await self._start()
        except BaseException as error:  # there is nobody above it; the caller gets whatever this is
            raised = error
        end_a_fork(process)
        self._tell(value, raised)

    def _has_ended(self, home: _Home, task: asyncio.Task[None]) -> None:
        home.guests.discard(task)
        if not task.cancelled():
            task.exception()  # nobody else looks
        elif self.begun_at is None and self.home is home:  # else it has been asked anew elsewhere
            self._tell(None, asyncio.CancelledError())

    def _tell(self, value: object, raised: BaseException | None) -> None:
        self.asking.answers.add(lambda: _settle(self.ended, value, raised))


class _Asking:
    """A loop that asks: what it wants begun goes to a home once for each of its rounds, and answers come together."""

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self.answers = _Calls(loop)
        self._wanted: list[tuple[_Call[Any], _Home]] = []

    def begin_soon(self, call: _Call[Any], home: _Home) -> None:
        """Have a call begin in a home; called in the loop that asks."""
        if not self._wanted:
            asyncio.get_running_loop().call_soon(self._begin)
        self._wanted.append((call, home))

    def _begin(self) -> None:
        wanted, self._wanted = self._wanted, []
        for home in dict.fromkeys(home for _, home in wanted):
            home.tell(*(partial(call.begin, home) for call, at in wanted if at is home))


def _settle(future: asyncio.Future[Any], value: object, raised: BaseException | None) -> None:
    if future.done():
        return
    if isinstance(raised, asyncio.CancelledError):
        future.cancel()
    elif isinstance(raised, StopIteration):  # a future may not have it
        future.set_exception(RuntimeError("StopIteration"))
    elif raised is not None:
        future.set_exception(raised)
        future.exception()  # it may be that nobody waits
    else:
        future.set_result(value)


def end_a_fork(process: int) -> None:
    """End a copy of ``process`` that somebody's code has made by a fork, and that comes back into ours."""
    if os.getpid() != process:
        os._exit(0)


class _Home:
    """An event loop in a thread of its own, which goes on whatever a callback raises or stops."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._calls = _Calls(self.loop)
        self.guests: set[asyncio.Task[None]] = set()
        """What runs there: a loop alone does not keep its tasks from being collected."""
        self._closing = False
        self._is_left = threading.Event()
        self._winding_up: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._live, name="convsim-async-plugins", daemon=True)
        self._thread.start()

    def tell(self, *callbacks: Callable[[], object]) -> None:
        """Call functions in the loop, soon, if it is still there."""
        self._calls.add(*callbacks)

    def close(self) -> None:
        """Cancel what runs there and end, as soon as nothing blocks it."""

        def wind_up() -> None:
            self._winding_up = self.loop.create_task(self._wind_up())

        self.tell(wind_up)

    def wait(self) -> None:
        """Wait until it has ended, or is left to what will not end, but not for ever."""
        self._is_left.wait(1.5 * GRACE_S)

    async def _wind_up(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            _, stubborn = await asyncio.wait(left, timeout=GRACE_S)
            if stubborn:
                # They swallow what would end them, and would swallow what ends a coroutine that is thrown away, too,
                # in whoever throws it away: in this thread, which ends with the process, they hold up nobody.
                self._is_left.set()
                return
        with contextlib.suppress(Exception):  # generators of others
            await asyncio.wait_for(self.loop.shutdown_asyncgens(), GRACE_S)
        self._closing = True
        self.loop.stop()

    def _live(self) -> None:
        asyncio.set_event_loop(self.loop)
        while not self._closing and not self.loop.is_closed():
            with contextlib.suppress(BaseException):  # a callback of somebody's may raise anything
                self.loop.run_forever()
        with contextlib.suppress(Exception):
            self.loop.close()
        self._is_left.set()


class Aside:
    """Runs coroutines of others in a home; where one of them blocks it for too long, the next ones have another."""

    def __init__(self) -> None:
        self._home: _Home | None = None
        self._calls: set[_Call[Any]] = set()
        self._asking: dict[asyncio.AbstractEventLoop, _Asking] = {}
        self._checking: set[asyncio.Task[None]] = set()

    async def run(self, start: Callable[[], Coroutine[Any, Any, T]], timeout_s: float) -> T:
        """Run a coroutine; raises as ``bounded`` does."""
        loop = asyncio.get_running_loop()
        asking = self._asking.get(loop) or self._asking.setdefault(loop, _Asking(loop))
        call = _Call(start, asking, timeout_s)
        self._calls.add(call)
        self._look_in(timeout_s, call, time.monotonic() + timeout_s + GRACE_S)
        try:
            self._send(call)
            return await call.ended
        except BaseException:
            call.give_up()  # which is nothing to one that has ended by itself
            raise
        finally:
            call.looked_at.cancel()
            self._calls.discard(call)

    def close(self) -> None:
        """End the home, within ``GRACE_S`` or so; what does not end by then is left behind."""
        if self._home is not None:
            self._home.close()
            self._home.wait()

    def _send(self, call: _Call[Any]) -> None:
        home = self._home = self._home or _Home()
        call.home = home
        call.asking.begin_soon(call, home)

    def _look_in(self, wait_s: float, call: _Call[Any], blocked_at: float) -> None:
        loop = asyncio.get_running_loop()
        call.looked_at = loop.call_later(wait_s, self._look_at, call, blocked_at)

    def _look_at(self, call: _Call[Any], blocked_at: float) -> None:
        """Give up a call that has had its seconds since it began; what blocks its home before that has as many.

        That it has begun is looked up, not told: a call that ends in time wakes this loop once.
        """
        now = time.monotonic()
        if call.begun_at is not None:
            left = call.begun_at + call.timeout_s - now
            if left > 0:
                self._look_in(left, call, blocked_at)
            else:
                self._check(call.home)
                _settle(call.ended, None, GivenUpError())
        elif now < blocked_at:
            self._look_in(min(call.timeout_s, blocked_at - now), call, blocked_at)
        else:
            self._check(call.home)
            self._look_in(call.timeout_s, call, now + call.timeout_s + GRACE_S)

    def _check(self, home: _Home | None) -> None:
        """See to it that a home that is blocked has no more guests."""
        if home is not None and home is self._home:
            checking = asyncio.ensure_future(self._look_after(home))
            self._checking.add(checking)
            checking.add_done_callback(self._checking.discard)

    async def _look_after(self, home: _Home | None) -> None:
        """Leave a home that does not answer, and ask anew what has not begun there."""
        if home is None or home is not self._home:
            return
        answered = asyncio.get_running_loop().create_future()
        asking = asyncio.get_running_loop()

        def answer() -> None:
            with contextlib.suppress(RuntimeError):
                asking.call_soon_threadsafe(_settle, answered, None, None)

        home.tell(answer)
        await asyncio.wait({answered}, timeout=GRACE_S)
        if answered.done() or home is not self._home:
            return
        self._home = None
        home.close()
        for call in self._calls:
            if call.home is home and call.begun_at is None:
                self._send(call)
