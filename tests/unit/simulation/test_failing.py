"""A run in which nothing but the same failure happens is stopped, and goes on later."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from convsim import Study
from convsim.errors import AgentError
from convsim.schema.conversation import Conversation, Failure
from convsim.simulation import Limits, Progress, hold_all
from convsim.simulation.failing import (
    EQUAL_FAILURES,
    LONGEST_PAUSE_S,
    OUTAGE_S,
    Watch,
    kind_of_failure,
    remedy,
)
from tests.doubles import people
from tests.hanging import SECONDS


def study(agent: Callable[..., Any], *, n: int = 40, concurrency: int = 1) -> Study:
    return Study(
        lambda c, p: ("leave", "bye") if len(c.messages) > 1 else "boots",
        agent,
        people(4),
        seed=1,
        n=n,
        concurrency=concurrency,
    )


def failing(reason: Callable[[int], str]) -> Callable[..., str]:
    asked: list[int] = []

    def agent(messages: object) -> str:
        asked.append(1)
        if text := reason(len(asked)):
            raise AgentError(text)
        return "ok"

    return agent


def test_a_run_of_equal_failures_is_stopped_and_what_was_held_is_kept(tmp_path: Path) -> None:
    agent = failing(lambda n: f"status 401: no key, request {n}00 of 'id-{n}'")
    outcome = study(agent).run(tmp_path / "run")
    assert (outcome.held, outcome.failed, outcome.missing, outcome.stop) == (5, 5, 35, "failing")
    assert outcome.remedy is not None
    assert "agent.headers" in outcome.remedy
    again = study(failing(lambda n: "")).run(tmp_path / "run")
    assert (again.held, again.failed, again.missing, again.stop) == (35, 0, 0, "finished")
    mended = study(failing(lambda n: "")).run(tmp_path / "run", retry_failed=True)
    assert (mended.held, mended.failed_in_all) == (5, 0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convsim.simulation.failing.FIRST_PAUSE_S", 0.0)


def test_a_run_that_fails_alone_after_successes_is_stopped_once_no_outage_lasts_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convsim.simulation.failing.OUTAGE_S", 0.2)
    outcome = study(failing(lambda n: "" if n <= 10 else "down"), n=400).run(tmp_path / "run")
    assert outcome.stop == "failing"
    assert outcome.held - outcome.failed == 10
    assert EQUAL_FAILURES <= outcome.failed < 10


async def test_in_an_outage_single_conversations_find_out_whether_it_is_over_and_a_success_ends_it() -> None:
    now, began = 0.0, list[float]()
    watch = Watch(lambda: now)
    down = Failure(reason="down", actor="agent")

    async def begins() -> bool:
        """Say whether one begins at this time, rather than waits for a later one."""
        task = asyncio.ensure_future(watch.may_begin(lambda: False))
        await asyncio.sleep(0)
        if not task.done():
            task.cancel()
            return False
        return task.result()

    def ends(failure: Failure | None) -> None:
        watch.count(failure)
        watch.left()

    for failure in (None, *[down] * EQUAL_FAILURES):
        assert await begins()
        ends(failure)
    while now < OUTAGE_S:
        if await begins():
            began.append(now)
            ends(down)
        now += 0.125
    between = [later - sooner for sooner, later in itertools.pairwise([0.0, *began])]
    assert between[:5] == [0.0, 0.25, 0.5, 1.0, 2.0]
    assert max(between) == LONGEST_PAUSE_S
    assert watch.fails
    assert not await begins()
    watch.count(None)
    assert [await begins() for _ in range(20)] == [True] * 20


async def test_a_run_that_waits_in_an_outage_hears_that_it_is_over() -> None:
    watch, is_over = Watch(), False
    down = Failure(reason="down", actor="agent")
    for failure in (None, *[down] * EQUAL_FAILURES):
        watch.count(failure)
    watch._next_at = math.inf
    waiting = asyncio.ensure_future(watch.may_begin(lambda: is_over))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    is_over = True
    async with asyncio.timeout(SECONDS):
        assert not await waiting


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("reason", "failed"),
    [
        (lambda n: "" if n == 1 or n > 20 else "down", 19),  # one has succeeded, and others do later
        (lambda n: f"{'abcdefgh'[n % 8]} is down", 40),  # each reason is another, to begin with
        (lambda n: "down" if n < 5 else "", 4),
    ],
)
def test_a_run_that_fails_otherwise_goes_on(
    tmp_path: Path, reason: Callable[[int], str], failed: int
) -> None:
    outcome = study(failing(reason), n=40).run(tmp_path / "run", fail_fast=failed != 40)
    assert (outcome.held, outcome.failed, outcome.stop) == (40, failed, "finished")


def test_five_failures_of_five_are_a_run_that_has_finished(tmp_path: Path) -> None:
    outcome = study(failing(lambda n: "down"), n=5).run(tmp_path / "run")
    assert (outcome.held, outcome.missing, outcome.stop) == (5, 0, "finished")


def test_it_may_be_told_to_go_on(tmp_path: Path) -> None:
    outcome = study(failing(lambda n: "down"), n=12).run(tmp_path / "run", fail_fast=False)
    assert (outcome.held, outcome.failed, outcome.stop) == (12, 12, "finished")


def test_quick_failures_do_not_stop_a_run_whose_slower_conversations_succeed(tmp_path: Path) -> None:
    asked: list[int] = []

    async def agent(messages: object) -> str:
        asked.append(1)
        if len(asked) <= 6:
            raise AgentError("down")
        await asyncio.sleep(0.05)
        return "ok"

    outcome = study(agent, n=20, concurrency=8).run(tmp_path / "run")
    assert (outcome.held, outcome.failed, outcome.stop) == (20, 6, "finished")


def test_all_that_is_in_flight_has_to_fail_before_the_run_stops(tmp_path: Path) -> None:
    async def agent(messages: object) -> str:
        await asyncio.sleep(0.01)
        raise AgentError("down")

    outcome = study(agent, n=40, concurrency=8).run(tmp_path / "run")
    assert (outcome.stop, outcome.held + outcome.missing) == ("failing", 40)
    assert 8 <= outcome.held <= 12


async def test_what_cannot_be_kept_ends_the_run_while_others_wait() -> None:
    kept: list[Conversation] = []

    async def agent(messages: object) -> str:
        await asyncio.sleep(0.01 * (len(kept) + 1))
        raise AgentError("down")

    def keep(conversation: Conversation, _: bytes | None) -> None:
        kept.append(conversation)
        if len(kept) == 6:
            raise OSError("the disk is full")

    planned = study(agent).planned()
    limits = Limits(max_turns=2, concurrency=8)
    async with asyncio.timeout(SECONDS):
        with pytest.raises(OSError, match="the disk is full"):
            await hold_all(planned, limits=limits, keep=keep, progress=Progress(), own_loop=False)


def test_reasons_are_equal_but_for_numbers_ids_and_quotations() -> None:
    def kind(reason: str, actor: Any = "agent") -> str:
        return kind_of_failure(Failure(reason=reason, actor=actor))

    equal = ["tried 3 times: 'a' at 0xdeadbeef12", "tried 4 times: 'b' at 0xdeadbeef99"]
    assert len({kind(reason) for reason in equal}) == 1
    assert len({kind("down"), kind("up"), kind("down", "shopper")}) == 3
    assert EQUAL_FAILURES == 5


@pytest.mark.parametrize(
    ("reason", "actor", "setting"),
    [
        (
            "the model 'm' at http://a refuses the key (HTTP 401): check OPENAI_API_KEY",
            "shopper",
            "model.api_key_env",
        ),
        ("http: http://a answered with status 422: Field required", "agent", "agent.extra"),
        ("http answered without 'content'; the object has: reply", "agent", "agent.content"),
        ("http returned something invalid: items.0.id: no 'sku'", "agent", "agent.fields"),
        ("the model 'm' cannot be reached: refused", "shopper", "model.base_url"),
        ("http did not answer within 60 s", "agent", "agent.timeout_s"),
        ("m gave an empty answer (finish reason 'length')", "shopper", "model.thinking_tokens"),
        ("the model failed with HTTP 400: seed", "shopper", "model.omit"),
        ("HTTP 400: set stream=true", "shopper", "model.stream"),
        ("HTTP 400: set stream=true; it was asked for a stream, and refuses that, too", "shopper", "neither"),
    ],
)
def test_a_known_reason_has_a_setting_that_helps(reason: str, actor: str, setting: str) -> None:
    assert setting in (remedy(reason, actor) or "")


def test_an_unknown_reason_has_none() -> None:
    assert remedy("a tree fell over", "agent") is None
