"""Calls somebody else's code: in time, off the event loop where it blocks, and what it raises in one line."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import threading
from collections.abc import AsyncIterator, Callable
from typing import TypeVar, cast

from convsim.errors import AgentError
from convsim.one_line import one_line
from convsim.records import described

Answer = TypeVar("Answer")


@contextlib.asynccontextmanager
async def in_time(agent: str, timeout_s: float) -> AsyncIterator[None]:
    """Run the body for at most ``timeout_s`` seconds; raises AgentError when they are over."""
    clock = asyncio.timeout(timeout_s)
    try:
        async with clock:
            yield
    except TimeoutError:
        if not clock.expired():
            raise
        raise AgentError(f"{agent} did not answer within {timeout_s:g} s") from None


async def call(function: Callable[..., object], *args: object, **keywords: object) -> object:
    """Call ``function``, in a thread of its own unless it is async, and return what it comes to.

    A thread that never ends is left behind: Python cannot stop it. It does not keep the program from ending.
    """
    if _is_async(function):
        value = function(*args, **keywords)
    else:
        value = await in_thread(lambda: function(*args, **keywords))
    return await value if inspect.isawaitable(value) else value


async def in_thread(function: Callable[[], Answer]) -> Answer:
    """Run a blocking function in a thread of its own.

    Not in the loop's executor: its threads are few, and are waited for when the loop ends.
    """
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[tuple[Answer | None, BaseException | None]] = loop.create_future()

    def settle(answer: Answer | None, error: BaseException | None) -> None:
        if not waiting.done():
            waiting.set_result((answer, error))

    def work() -> None:
        answer, raised = None, None
        try:
            answer = function()
        except BaseException as error:  # the thread has nobody above it; the caller gets whatever this is
            raised = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, answer, raised)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), name="convsim-agent", daemon=True).start()
    answer, raised = await waiting
    if isinstance(raised, StopIteration):  # a coroutine may not raise it
        raise RuntimeError("StopIteration") from raised
    if raised is not None:
        raise raised
    return cast("Answer", answer)


async def answer_of(
    agent: str, timeout_s: float, function: Callable[..., object], *args: object, **keywords: object
) -> object:
    """Return what foreign code answers; raises AgentError when it raises anything or takes too long."""
    async with in_time(agent, timeout_s):
        try:
            return await call(function, *args, **keywords)
        except AgentError:
            raise
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise AgentError(f"{agent} cancelled itself") from None
        except (Exception, SystemExit) as error:  # it may raise anything, and may not end the run
            raise AgentError(f"{agent} raised {one_line(described(error))}") from error


def _is_async(function: Callable[..., object]) -> bool:
    return any(map(inspect.iscoroutinefunction, (function, type(function).__call__)))
