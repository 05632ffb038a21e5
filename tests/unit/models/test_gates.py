"""Gates of endpoints: no place is lost or given twice, and an endpoint has one gate, wherever it is asked from."""

import asyncio
import gc
import os
from collections.abc import Iterator
from contextlib import suppress

import pytest

from convsim.errors import ModelError
from convsim.models import OpenAICompatible
from convsim.models.failures import PassingError
from convsim.models.gates import Gate, Supply, adapting, gate_of, share_among
from convsim.models.pace import MOST, START, Pace
from convsim.models.retries import with_retries
from convsim.schema.chat_model import ChatMessage
from tests.unit.models.loopback import chat, failure, loopback

ASKED = [ChatMessage(role="user", content="boots?")]


@pytest.fixture
def alone() -> Iterator[None]:
    """Leave no gates behind."""
    yield
    share_among(1)


async def said(model: OpenAICompatible) -> str:
    return (await model.complete(ASKED, max_tokens=5, temperature=0.0, seed=1)).text


async def test_a_model_that_was_made_before_processes_share_its_server_takes_its_part_all_the_same(alone):
    async with loopback(chat("hi")) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url)
        share_among(4)
        await said(model)
        await model.aclose()
    gate = gate_of(server.base_url)
    assert gate.answered == 1
    assert (gate.pace.limit, gate.pace.most) == (START // 4, MOST // 4)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_process_that_was_forked_waits_for_nobody_of_the_one_it_came_from(alone):
    async def ask(url: str) -> None:
        model = made.setdefault(url, OpenAICompatible(model="m", base_url=url, max_retries=0))
        with adapting(Supply(MOST)), suppress(ModelError):
            await said(model)

    made: dict[str, OpenAICompatible] = {}
    url = "http://127.0.0.1:9/v1"
    asyncio.run(ask(url))
    gate = gate_of(url)
    gate.pace.in_flight = gate.pace.limit  # all places are taken, by requests of this process
    child = os.fork()
    if child == 0:
        code = 1
        try:
            asyncio.run(asyncio.wait_for(ask(url), 20))
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


async def test_cancelled_at_any_moment_no_place_is_lost():
    gate = Gate("http://a/v1")
    gate.pace.limit = 2

    async def hold_a_place(number: int) -> None:
        place = await gate.enter()
        assert place is not None
        try:
            await asyncio.sleep(0)
        finally:
            place.failed()

    with adapting(Supply(MOST)):
        for cancelled_at in range(12):
            tasks = [asyncio.ensure_future(hold_a_place(n)) for n in range(12)]
            for _ in range(cancelled_at):
                await asyncio.sleep(0)
            for task in tasks[cancelled_at % 3 :: 3]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert gate.pace.in_flight == 0
            assert not gate._waiting


def test_whoever_waits_in_a_loop_that_was_left_behind_does_not_hold_up_the_next():
    gate = Gate("http://a/v1")
    gate.pace.limit = 1

    async def enter() -> bool:
        return await gate.enter() is not None

    with adapting(Supply(MOST)):
        left = asyncio.new_event_loop()
        assert left.run_until_complete(enter())
        waiting = left.create_task(enter())
        left.run_until_complete(asyncio.sleep(0.01))
        waiting._log_destroy_pending = False  # type: ignore[attr-defined]
        left.close()
        gate.leave()
        assert asyncio.run(asyncio.wait_for(enter(), 10))
    del waiting
    gc.collect()
    gate.leave()
    assert gate.pace.in_flight == 0


async def test_what_is_learned_wrongly_costs_no_place(monkeypatch):
    gate = Gate("http://a/v1")
    place = await gate.enter()
    assert place is not None
    monkeypatch.setattr(Pace, "has_answered", lambda *args, **more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        place.answered(1.0)
    assert gate.pace.in_flight == 0


def test_a_clock_that_stands_still_teaches_nothing():
    pace = Pace()
    for _ in range(10 * START):
        pace.begin(1.0)
        pace.has_answered(1.0, 1.0, 32.0)
        pace.end(1.0)
    assert pace.limit == START


@pytest.mark.parametrize("asks", [{}, {"Retry_After": "0"}, {"Retry_After": "-5"}])
async def test_an_endpoint_that_never_answered_is_given_up_by_all_at_once_not_by_one_after_the_other(
    asks, monkeypatch, alone
):
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.02)
    async with loopback(failure(429, "slow down", **asks)) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url)
        with adapting(Supply(MOST)):
            results = await asyncio.gather(*(said(model) for _ in range(40)), return_exceptions=True)
        await model.aclose()
    assert all(isinstance(result, ModelError) for result in results)
    # Alone, each would have tried five times.
    assert len(server.requests) <= 40
    assert any("HTTP 429: slow down (tried" in str(result) for result in results)
    unasked = {str(result) for result in results if "tried" not in str(result)}
    assert all("has answered nobody" in each and each.endswith("HTTP 429") for each in unasked)
    assert gate_of(server.base_url).pace.in_flight == 0


async def test_an_endpoint_that_has_answered_is_waited_for(monkeypatch, alone):
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.01)
    busy = failure(503, "busy")
    async with loopback(chat("hi"), *[busy] * 12, chat("hi")) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url)
        with adapting(Supply(MOST)):
            await said(model)
            results = await asyncio.gather(*(said(model) for _ in range(6)))
        await model.aclose()
    assert results == ["hi"] * 6


@pytest.mark.parametrize("status", [429, 503])
async def test_an_endpoint_that_answers_nobody_any_more_is_given_up_by_all_that_wait(
    status, monkeypatch, alone
):
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.02)
    monkeypatch.setattr("convsim.models.pace.LONGEST_PAUSE_S", 0.05)
    monkeypatch.setattr("convsim.models.retries.OUTAGE_S", 0.5)
    async with loopback(chat("hi"), failure(status, "gone")) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url)
        with adapting(Supply(MOST)):
            assert await said(model) == "hi"
            results = await asyncio.gather(*(said(model) for _ in range(200)), return_exceptions=True)
        await model.aclose()
    assert all(isinstance(result, ModelError) for result in results)
    assert any("has answered nobody for" in str(result) for result in results)
    # Each by itself would have tried five times.
    assert len(server.requests) < 200
    assert gate_of(server.base_url).pace.in_flight == 0


def test_for_how_long_nobody_has_been_answered():
    pace = Pace()
    assert pace.silent_s(5.0) is None
    pace.was_silent(5.0)
    pace.was_pushed_back(4.0, 6.0, why="503")
    assert pace.silent_s(9.0) == 4.0
    pace.has_answered(7.0, 10.0, 32.0)
    assert pace.silent_s(11.0) is None
    pace.was_pushed_back(8.0, 12.0, why="503")
    assert pace.silent_s(12.5) == 0.5


async def test_at_once_is_not_at_once(monkeypatch):
    """A server that asks for no wait at all is not asked eighty times in a moment."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def call() -> str:
        raise PassingError("busy", wait_s=0.0, kind="HTTP 500")

    monkeypatch.setattr("convsim.models.retries.asyncio.sleep", sleep)
    with pytest.raises(ModelError, match=r"busy \(tried 3 times\)"):
        await with_retries(call, gate=Gate("http://a"), max_retries=2, seed=1)
    assert len(waited) == 2
    assert min(waited) > 0.2


def test_an_endpoint_has_one_gate_however_its_address_is_written(alone):
    same = [
        "http://Example.org/v1", "http://example.org/v1/", "HTTP://example.org/v1/chat/completions",
        "http://example.org/v1/responses",
    ]  # fmt: skip
    assert len({id(gate_of(address)) for address in same}) == 1
    others = [
        "http://example.org/V1",
        "http://example.org:81/v1",
        "https://example.org/v1",
        "http://example.org",
    ]
    assert len({id(gate_of(address)) for address in [same[0], *others]}) == 5
