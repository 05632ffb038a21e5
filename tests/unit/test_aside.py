"""Coroutines of others beside the loop that asks: they block, never end, cancel and stop, and hold up nobody."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from convsim import _aside
from convsim._aside import GivenUpError, aside, bounded
from tests.hanging import ended_if_it_hangs

SECONDS = 0.2


@pytest.fixture(autouse=True)
def _no_long_grace(monkeypatch):
    monkeypatch.setattr(_aside, "GRACE_S", 0.2)


def beside(body: Callable[[], Awaitable[object]]) -> object:
    async def within() -> object:
        async with aside():
            return await body()

    with ended_if_it_hangs():
        return asyncio.run(within())


async def swallows(stop: threading.Event) -> None:
    while not stop.is_set():
        with contextlib.suppress(BaseException):  # as people write ``except:``
            await asyncio.sleep(0.01)


async def blocks(stop: threading.Event) -> None:
    stop.wait(30)


async def answers() -> str:
    return threading.current_thread().name


@pytest.mark.parametrize("stubborn", [swallows, blocks])
def test_what_swallows_its_end_or_blocks_is_given_up_and_the_next_one_is_answered(stubborn):
    stop = threading.Event()

    async def body() -> object:
        with pytest.raises(GivenUpError):
            await bounded(lambda: stubborn(stop), SECONDS)
        return await bounded(answers, 30)

    assert beside(body) == "convsim-async-plugins"
    assert not stop.is_set()
    stop.set()


def test_those_that_wait_for_one_that_blocks_are_not_charged_and_not_lost():
    stop = threading.Event()

    async def body() -> list[object]:
        return await asyncio.gather(
            bounded(lambda: blocks(stop), SECONDS), *(bounded(answers, SECONDS) for _ in range(3)),
            return_exceptions=True,
        )  # fmt: skip

    answered = beside(body)
    assert isinstance(answered, list)
    assert isinstance(answered[0], GivenUpError)
    assert answered[1:] == ["convsim-async-plugins"] * 3
    stop.set()


async def slow() -> float:
    began = time.monotonic()
    time.sleep(0.15)
    return time.monotonic() - began


def test_many_that_block_for_less_than_their_time_are_all_answered():
    async def body() -> list[float]:
        return await asyncio.gather(*(bounded(slow, 0.4) for _ in range(6)))

    assert len(beside(body)) == 6  # type: ignore[arg-type]  # together they take twice the time of one


async def cancels_itself() -> str:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)
    return "went on"


async def cancels_all() -> str:
    for task in asyncio.all_tasks():
        task.cancel()
    await asyncio.sleep(0)
    return "went on"


@pytest.mark.parametrize("cancelling", [cancels_itself, cancels_all])
def test_one_that_cancels_tasks_reaches_none_of_ours(cancelling):
    async def body() -> str:
        task = asyncio.current_task()
        assert task is not None
        with pytest.raises(asyncio.CancelledError):
            await bounded(cancelling, 30)
        assert not task.cancelling()
        return await bounded(answers, 30)

    assert beside(body) == "convsim-async-plugins"


def test_one_that_never_began_because_another_cancelled_it_is_cancelled():
    async def body() -> list[object]:
        calls = [bounded(cancels_all, 30), *(bounded(answers, 30) for _ in range(3))]
        return await asyncio.gather(*calls, return_exceptions=True)

    assert all(isinstance(each, asyncio.CancelledError | str) for each in beside(body))  # type: ignore[attr-defined]


def test_a_loop_that_somebody_stops_goes_on():
    async def stops() -> str:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0)
        return "still there"

    assert beside(lambda: bounded(stops, 30)) == "still there"


def test_a_callback_that_raises_what_ends_loops_ends_none():
    async def calls() -> str:
        def interrupt() -> None:
            raise KeyboardInterrupt

        asyncio.get_running_loop().call_soon(interrupt)
        await asyncio.sleep(0.01)
        return "still there"

    assert beside(lambda: bounded(calls, 30)) == "still there"


def test_a_cancelled_caller_does_not_wait_for_what_swallows():
    stop = threading.Event()

    async def body() -> None:
        task = asyncio.create_task(bounded(lambda: swallows(stop), 30))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    beside(body)
    stop.set()


def test_in_the_callers_own_loop_what_swallows_is_left_behind():
    stop = threading.Event()

    async def here() -> None:
        with pytest.raises(GivenUpError):
            await bounded(lambda: swallows(stop), SECONDS)
        stop.set()

    with ended_if_it_hangs():
        asyncio.run(here())


def test_a_copy_of_the_process_that_comes_back_is_ended(tmp_path):
    where = tmp_path / "child"

    async def forks() -> str:
        if child := os.fork():
            where.write_text(str(child))
            os.waitpid(child, 0)
            return "parent"
        return "child"

    if not hasattr(os, "fork"):
        pytest.skip("no forks here")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # as of Python 3.12, of forks beside threads
        assert beside(lambda: bounded(forks, 30)) == "parent"
    with pytest.raises(ProcessLookupError):
        os.kill(int(where.read_text()), 0)


def test_calls_of_one_round_begin_by_one_wake_up_of_their_thread(monkeypatch):
    main, woken = threading.get_ident(), []
    wake = asyncio.BaseEventLoop.call_soon_threadsafe

    def counting(loop: asyncio.BaseEventLoop, *call: Any, **settings: Any) -> object:
        if threading.get_ident() == main:
            woken.append(loop)
        return wake(loop, *call, **settings)

    async def body() -> list[str]:
        await bounded(answers, 30)
        monkeypatch.setattr(asyncio.BaseEventLoop, "call_soon_threadsafe", counting)
        return await asyncio.gather(*(bounded(answers, 30) for _ in range(50)))

    assert beside(body) == ["convsim-async-plugins"] * 50
    assert len(woken) <= 2  # once to begin them all, and once to end the thread


def test_an_answer_is_told_though_what_came_after_it_blocks():
    stop = threading.Event()

    async def first() -> str:
        answering = asyncio.ensure_future(bounded(answers, 30))
        await asyncio.sleep(0)  # it goes into its thread before what blocks, in one round with it
        blocking = asyncio.ensure_future(bounded(lambda: blocks(stop), 30))
        said = await answering
        assert not blocking.done()
        stop.set()
        await blocking
        return said

    assert beside(first) == "convsim-async-plugins"


def test_an_answer_costs_the_loop_that_asks_four_rounds():
    async def body() -> int:
        await bounded(answers, 30)
        calling = asyncio.ensure_future(bounded(answers, 30))
        rounds = 0
        while not calling.done():
            rounds += 1
            await asyncio.sleep(0)
            if rounds == 2:
                time.sleep(0.2)  # meanwhile its thread answers
        return rounds

    # In each of them all others that are ready have a turn before this one goes on.
    assert beside(body) == 4
