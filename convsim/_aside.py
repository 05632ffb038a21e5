"""Foreign coroutines in an event loop and thread of their own, where they may block or never end and hold up nobody."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import ContextVar
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


class _Call(Generic[T]):
    """One coroutine on its way: asked for in one loop, run in another."""

    def __init__(self, start: Callable[[], Coroutine[Any, Any, T]]):
        self._start = start
        self._context = contextvars.copy_context()
        self._asking = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = self._asking.create_future()
        self.ended: asyncio.Future[T] = self._asking.create_future()
        self.home: _Home | None = None
        self._task: asyncio.Task[None] | None = None
        self._unwanted = self._has_begun = False

    def begin(self, home: _Home) -> None:
        """Start the task; called in the loop of ``home``."""
        if self.home is home and not self._unwanted:
            self._task = home.loop.create_task(self._run(home), context=self._context)
            home.guests.add(self._task)
            self._task.add_done_callback(home.guests.discard)
            self._task.add_done_callback(self._cancelled_before)

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
        self._has_begun = True
        self._tell(self.begun, None, None)
        process = os.getpid()
        value, raised = None, None
        try:
            value = await self._start()
        except BaseException as error:  # there is nobody above it; the caller gets whatever this is
            raised = error
        end_a_fork(process)
        self._tell(self.ended, value, raised)

    def _cancelled_before(self, task: asyncio.Task[None]) -> None:
        _forget(task)
        if task.cancelled() and not self._has_begun:
            self._tell(self.begun, None, None)
            self._tell(self.ended, None, asyncio.CancelledError())

    def _tell(self, future: asyncio.Future[Any], value: object, raised: BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._asking.call_soon_threadsafe(_settle, future, value, raised)


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
        self.guests: set[asyncio.Task[None]] = set()
        """What runs there: a loop alone does not keep its tasks from being collected."""
        self._closing = False
        self._is_left = threading.Event()
        self._winding_up: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._live, name="convsim-async-plugins", daemon=True)
        self._thread.start()

    def tell(self, callback: Callable[[], object]) -> None:
        """Call a function in the loop, soon, if it is still there."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(callback)

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
        self._checking: set[asyncio.Task[None]] = set()

    async def run(self, start: Callable[[], Coroutine[Any, Any, T]], timeout_s: float) -> T:
        """Run a coroutine; raises as ``bounded`` does."""
        call = _Call(start)
        self._calls.add(call)
        try:
            self._send(call)
            await self._begun(call, timeout_s)
            ended, _ = await asyncio.wait({call.ended}, timeout=timeout_s)
        finally:
            self._calls.discard(call)
            if not call.ended.done():
                call.give_up()
        if not ended:
            self._check(call.home)
            raise GivenUpError
        return call.ended.result()

    def close(self) -> None:
        """End the home, within ``GRACE_S`` or so; what does not end by then is left behind."""
        if self._home is not None:
            self._home.close()
            self._home.wait()

    def _send(self, call: _Call[Any]) -> None:
        home = self._home = self._home or _Home()
        call.home = home
        home.tell(lambda: call.begin(home))

    async def _begun(self, call: _Call[Any], timeout_s: float) -> None:
        """Wait until a call has begun; what blocks its home meanwhile has ``timeout_s`` itself."""
        while not call.begun.done():
            done, _ = await asyncio.wait({call.begun}, timeout=timeout_s + GRACE_S)
            if not done:
                await self._answers(call.home)

    def _check(self, home: _Home | None) -> None:
        """See to it that a home that is blocked has no more guests."""
        if home is not None and home is self._home:
            checking = asyncio.ensure_future(self._answers(home))
            self._checking.add(checking)
            checking.add_done_callback(self._checking.discard)

    async def _answers(self, home: _Home | None) -> None:
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
            if call.home is home and not call.begun.done():
                self._send(call)
