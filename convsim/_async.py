"""Calls code that may block or never end, and runs coroutines from ordinary code."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

from convsim._aside import GivenUpError, aside, bounded, end_a_fork, in_the_callers_loop
from convsim._text import described, one_line
from convsim._tracing import span
from convsim.errors import TIMED_OUT, ConvsimError, InputError

P = ParamSpec("P")
T = TypeVar("T")

_clocks: ContextVar[tuple[tuple[asyncio.AbstractEventLoop, asyncio.Timeout], ...]] = ContextVar(
    "what times the body of in_time, outermost first", default=()
)
_left: ContextVar[threading.Event | None] = ContextVar("set once nobody waits for this thread", default=None)


def refuse_in_a_loop(called: str, instead: str) -> None:
    """Refuse to block a loop that is running already: what it has to do meanwhile would stand still.

    Raises:
        InputError: A loop is running; it says what to call instead.
    """
    if _in_a_loop():
        raise InputError(
            f"{called} cannot be called inside a running event loop, such as a notebook or an async function; "
            f"write {instead}"
        )


def outside_loops(verb: Callable[P, T]) -> Callable[P, T]:
    """Make a verb that computes for long refuse to run inside a running loop, and name its twin (``in_a_thread``).

    Where there is a trace, the verb is a span of it.
    """

    @functools.wraps(verb)
    def refusing(*args: P.args, **kwargs: P.kwargs) -> T:
        name = f"convsim.{verb.__name__}"
        refuse_in_a_loop(name, f"await convsim.a{verb.__name__}(…)")
        with span(name):
            return verb(*args, **kwargs)

    return refusing


def in_a_thread(verb: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Make the async twin of a verb: it runs in a thread, so that the caller's event loop goes on meanwhile.

    Cancelling it returns at once; the thread ends where it next asks ``stop_if_left``.
    """

    @functools.wraps(verb)
    async def twin(*args: P.args, **kwargs: P.kwargs) -> T:
        left = threading.Event()
        token = _left.set(left)
        try:
            return await asyncio.to_thread(verb, *args, **kwargs)
        finally:
            left.set()
            _left.reset(token)

    name = verb.__name__
    twin.__name__ = twin.__qualname__ = f"a{name}"
    twin.__doc__ = (
        f"Do as ``{name}`` does, in a thread, so that the caller's event loop goes on meanwhile.\n\n"
        "Cancelling it returns at once; the thread ends before it would ask the next validator."
    )
    return twin


def stop_if_left() -> None:
    """End the work of ``in_a_thread`` where its caller was cancelled; raises CancelledError."""
    left = _left.get()
    if left is not None and left.is_set():
        raise asyncio.CancelledError


def run_to_its_end(start: Callable[[], Coroutine[None, None, T]]) -> T:
    """Run what ``start`` begins, and return its result; in a thread of its own where a loop is running already.

    The coroutines of others that it asks run beside its loop: one that never ends does not keep it from ending.
    """

    async def beside() -> T:
        async with aside():
            return await start()

    if not _in_a_loop():
        return asyncio.run(beside())
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(contextvars.copy_context().run, lambda: asyncio.run(beside())).result()


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


Answer = TypeVar("Answer")

MAX_PARTS = 100_000
"""As many parts of a generator are taken."""
MAX_CHARACTERS = 4 * 1024 * 1024
"""As long a text is taken from a generator."""


class Parts(list[object]):
    """What a generator, sync or async, has yielded."""


@contextlib.asynccontextmanager
async def in_time(owner: str, timeout_s: float, failure: type[ConvsimError]) -> AsyncIterator[None]:
    """Run the body for at most ``timeout_s`` seconds; raises ``failure`` when they are over.

    Seconds within ``clocks_stopped`` do not count.
    """
    clock = asyncio.timeout(timeout_s)
    token = _clocks.set((*_clocks.get(), (asyncio.get_running_loop(), clock)))
    try:
        async with clock:
            yield
    except TimeoutError:
        if not clock.expired():
            raise
        raise _late(owner, timeout_s, failure) from None
    finally:
        with contextlib.suppress(ValueError):  # left behind, and closed by somebody else
            _clocks.reset(token)


def _late(owner: str, timeout_s: float, failure: type[ConvsimError]) -> ConvsimError:
    late = failure(f"{owner} did not answer within {timeout_s:g} s")
    late.kind = TIMED_OUT
    return late


@contextlib.contextmanager
def clocks_stopped() -> Iterator[None]:
    """Let no time pass for ``in_time`` around it: nobody is asked yet, and whoever asks waits for its turn."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    stopped = [
        (clock, when)
        for home, clock in _clocks.get()
        if home is loop and (when := clock.when()) is not None and not clock.expired()
    ]
    for clock, _ in stopped:
        with contextlib.suppress(RuntimeError):  # its body has ended, and this task goes on
            clock.reschedule(None)
    try:
        yield
    finally:
        for clock, when in stopped:
            with contextlib.suppress(RuntimeError):
                clock.reschedule(when + loop.time() - began)


async def in_thread(function: Callable[[], Answer]) -> Answer:
    """Run a blocking function in a thread of its own.

    Not in the loop's executor: its threads are few, and are waited for when the loop ends. A thread that never ends
    is left behind: Python cannot stop it. It does not keep the program from ending.
    """
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[tuple[Answer | None, BaseException | None]] = loop.create_future()

    def settle(answer: Answer | None, error: BaseException | None) -> None:
        if not waiting.done():
            waiting.set_result((answer, error))

    def work() -> None:
        process = os.getpid()
        answer, raised = None, None
        try:
            answer = function()
        except BaseException as error:  # the thread has nobody above it; the caller gets whatever this is
            raised = error
        end_a_fork(process)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, answer, raised)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), name="convsim-plugin", daemon=True).start()
    answer, raised = await waiting
    if isinstance(raised, StopIteration):  # a coroutine may not raise it
        raise RuntimeError("StopIteration") from raised
    if raised is not None:
        raise raised
    return cast("Answer", answer)


async def answer_of(
    owner: str,
    timeout_s: float,
    failure: type[ConvsimError],
    read: Callable[[object], Answer],
    function: Callable[..., object],
    *args: object,
    **keywords: object,
) -> Answer:
    """Return what ``read`` makes of what foreign code answers, a generator's answer as ``Parts``.

    What is not async runs in a thread of its own, and so does the body of a generator; coroutines run beside the
    caller's loop where ``aside`` says so. The answer is read where it comes from: that may run foreign code, too.

    Raises:
        ConvsimError: Of the kind ``failure``, when the code raises anything or takes too long.
    """
    ends = asyncio.get_running_loop().time() + timeout_s

    async def settled(value: object) -> Answer:
        with _as_failure(owner, failure, passing=in_the_callers_loop()):
            return read(await _settled(value))

    def called_here() -> Answer | _Unsettled:
        with _as_failure(owner, failure):
            value = _drained(function(*args, **keywords))
            if inspect.isawaitable(value) or isinstance(value, AsyncIterator):
                return _Unsettled(value)
            return read(value)

    async def called_async() -> Answer:
        with _as_failure(owner, failure, passing=in_the_callers_loop()):
            value = function(*args, **keywords)
        return await settled(value)

    try:
        if _is_async(function):
            return await bounded(called_async, timeout_s)
        async with asyncio.timeout(timeout_s) as clock:
            answer = await in_thread(called_here)
        if not isinstance(answer, _Unsettled):
            return answer
        value = answer.value
        return await bounded(lambda: settled(value), ends - asyncio.get_running_loop().time())
    except GivenUpError:
        raise _late(owner, timeout_s, failure) from None
    except TimeoutError:
        if not clock.expired():
            raise
        raise _late(owner, timeout_s, failure) from None
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise failure(f"{owner} cancelled itself") from None


@dataclass(frozen=True)
class _Unsettled:
    """What a function has returned that is still to be awaited."""

    value: object


@contextlib.contextmanager
def _as_failure(owner: str, failure: type[ConvsimError], *, passing: bool = False) -> Iterator[None]:
    """Turn whatever foreign code raises into ``failure``, but for what may be the user's interrupt if ``passing``."""
    try:
        yield
    except failure:
        raise
    except asyncio.CancelledError:
        raise failure(f"{owner} cancelled itself") from None
    except BaseException as error:  # it may raise anything, and may not end the run
        if passing and isinstance(error, KeyboardInterrupt):
            raise
        raise failure(f"{owner} raised {said_of(error)}") from error


def said_of(error: BaseException) -> str:
    """Say in one line what was raised; even an error whose own text cannot be had is said."""
    try:
        return one_line(described(error))
    except BaseException:  # its text is somebody's code, too
        return type(error).__name__


def called(function: Callable[..., object], *args: object, **keywords: object) -> object:
    """Call a function, sync or async, from ordinary code, and return its answer, a generator's as ``Parts``."""
    value = _drained(function(*args, **keywords))
    if inspect.isawaitable(value) or isinstance(value, AsyncIterator):
        return run_to_its_end(lambda: _settled(value))
    return value


async def _settled(value: object) -> object:
    """Await what is to be awaited, and gather what comes in parts."""
    if inspect.isawaitable(value):
        value = await value
    if isinstance(value, AsyncIterator):
        parts = _Gathering()
        async for part in value:
            parts.add(part)
        return parts.found
    return await in_thread(lambda: _drained(value)) if isinstance(value, Iterator) else value


def _drained(value: object) -> object:
    """Return ``value``, and what a generator yields in its place."""
    if not isinstance(value, Iterator) or inspect.isawaitable(value):
        return value
    parts = _Gathering()
    for part in value:
        parts.add(part)
    return parts.found


class _Gathering:
    """The parts of a stream, of which there may be no end."""

    def __init__(self) -> None:
        self.found = Parts()
        self._characters = 0

    def add(self, part: object) -> None:
        self.found.append(part)
        self._characters += len(part) if isinstance(part, str) else 0
        if len(self.found) > MAX_PARTS:
            raise ValueError(f"its generator yields more than {MAX_PARTS:,} parts")
        if self._characters > MAX_CHARACTERS:
            raise ValueError(f"its generator yields more than {MAX_CHARACTERS:,} characters")


def _is_async(function: Callable[..., object]) -> bool:
    return any(
        test(part)
        for part in (function, type(function).__call__)
        for test in (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    )
