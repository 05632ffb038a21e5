"""Runs whose number of conversations follows what their servers take: told by what the servers saw."""

import asyncio
import json
import logging
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from convsim.agents.http import HTTP
from convsim.agents.openai_chat import OpenAIChat
from convsim.annotation import annotate
from convsim.models import OpenAICompatible
from convsim.models.gates import gate_of
from convsim.models.pace import START
from convsim.schema import Annotation, UserMove
from convsim.schema.chat_model import ChatMessage
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.schema.persona import Persona
from convsim.simulation import Outcome, Study, Workers
from tests.doubles import Obliging, people
from tests.end_to_end.busy_servers import Busy, serving
from tests.end_to_end.runs import held


@pytest.fixture(autouse=True)
def quick_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.02)


class Asking:
    """A shopper that says what its model says, to the end."""

    name = "asking"
    learned_from: LearnedFrom | None = None

    def __init__(self, model: OpenAICompatible):
        self.model = model

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        asked = [ChatMessage(role="user", content=persona.need)]
        said = await self.model.complete(asked, seed=seed, max_tokens=20, temperature=1.0)
        return UserMove(action="say", text=said.text)


class Judging:
    """An annotator that asks its model once a conversation."""

    name, source = "judging", "judging"
    languages: tuple[str, ...] = ()

    def __init__(self, model: OpenAICompatible):
        self.model = model

    async def annotate(self, conversation: Conversation) -> Annotation:
        asked = [ChatMessage(role="user", content="good?")]
        await self.model.complete(asked, seed=1, max_tokens=20, temperature=1.0)
        return Annotation()


def answered(conversation: Conversation) -> str:
    return "What size?"


def model_at(server: Busy, **settings: Any) -> OpenAICompatible:
    return OpenAICompatible(model="m-1", base_url=server.base_url, timeout_s=20, **settings)


def study(server: Busy, *, agent: Any = None, n: int = 60, turns: int = 3, **settings: Any) -> Study:
    return Study(
        Asking(model_at(server)), agent or Obliging(), people(n), seed=1, n=n, max_turns=turns, **settings
    )


def chatting(server: Busy, **settings: Any) -> OpenAIChat:
    return OpenAIChat(model=model_at(server, **settings))


async def ran(study: Study, folder: Path) -> Outcome:
    """Run beside the server's loop."""
    return await asyncio.to_thread(study.run, folder)


def nothing_failed(outcome: Outcome) -> bool:
    return (outcome.failed, outcome.missing) == (0, 0)


@pytest.mark.faults
async def test_a_server_that_queues_is_given_about_what_it_serves_at_a_time(tmp_path: Path) -> None:
    server = Busy(places=12, seconds=0.2)
    async with serving(server):
        outcome = await ran(study(server, agent=chatting(server)), tmp_path)
    assert nothing_failed(outcome)
    assert 12 / 2 <= median(server.trace[180:]) <= 2 * 12
    assert server.most_under_way <= 3 * 12


async def test_a_server_that_pushes_back_gets_fewer_few_are_pushed_back_and_none_fails(
    tmp_path: Path,
) -> None:
    server = Busy(places=5, seconds=0.02, pushes_back=True)
    async with serving(server):
        outcome = await ran(study(server, agent=chatting(server), n=40), tmp_path)
    assert nothing_failed(outcome)
    assert 0 < server.pushed_back <= 25
    assert max(server.trace[-100:]) <= 6
    taken = outcome.taken[server.base_url]
    assert taken.pushed_back == server.pushed_back
    assert taken.last <= 5 < START <= taken.highest
    assert json.loads((tmp_path / "manifest.json").read_text())["concurrency"] == {
        server.base_url: taken._asdict()
    }


async def test_a_wait_that_one_request_is_asked_for_is_kept_by_all(tmp_path: Path) -> None:
    server = Busy(places=4, seconds=0.02, pushes_back=True, asks_s=0.3)
    async with serving(server):
        outcome = await ran(study(server, agent=chatting(server), n=20), tmp_path)
    assert nothing_failed(outcome)
    assert server.pushed_back > 0
    # What had been sent before the first of them heard of it.
    assert server.too_early <= server.pushed_back <= 4 * START


@pytest.mark.parametrize("asks_s", [None, pytest.param(0.1, marks=pytest.mark.faults)])
async def test_a_storm_of_push_backs_uses_up_no_retries_of_a_stated_number_of_conversations(
    tmp_path: Path, asks_s: float | None
) -> None:
    server = Busy(places=3, seconds=0.01, pushes_back=True, asks_s=asks_s)
    async with serving(server):
        agent = chatting(server, max_retries=2)
        run = Study(
            Asking(model_at(server, max_retries=2)),
            agent,
            people(16),
            seed=1,
            n=16,
            max_turns=2,
            concurrency=16,
        )
        outcome = await ran(run, tmp_path)
    assert nothing_failed(outcome)
    assert outcome.taken == {}


async def test_a_stated_number_of_conversations_is_held_at_a_time(tmp_path: Path) -> None:
    server = Busy(places=1_000, seconds=0.2)
    async with serving(server):
        outcome = await ran(study(server, n=24, turns=1, concurrency=12), tmp_path)
    assert nothing_failed(outcome)
    assert server.most_under_way == 12


@pytest.mark.faults
async def test_two_endpoints_each_get_what_they_take(tmp_path: Path) -> None:
    small, large = Busy(places=2, seconds=0.02, pushes_back=True), Busy(places=500, seconds=0.05)
    async with serving(small, large):
        outcome = await ran(study(large, agent=chatting(small), n=60, turns=2), tmp_path)
    assert nothing_failed(outcome)
    assert max(small.trace[-60:]) <= 3
    assert outcome.taken[small.base_url].last <= 2
    assert outcome.taken[large.base_url].last >= START, "the other is not held back with it"
    assert large.pushed_back == 0


@pytest.mark.faults
async def test_shopper_agent_and_judge_share_the_limit_of_their_endpoint(tmp_path: Path) -> None:
    server = Busy(places=6, seconds=0.02, pushes_back=True)
    async with serving(server):
        labelled = [
            Conversation.model_validate({"id": f"c{n}", "messages": [{"role": "user", "content": "boots"}]})
            for n in range(60)
        ]
        agent = HTTP(url=f"{server.base_url}/chat/completions")
        outcome, judged = await asyncio.gather(
            ran(study(server, agent=agent), tmp_path),
            asyncio.to_thread(annotate, labelled, Judging(model_at(server))),
        )
    assert nothing_failed(outcome)
    assert judged.n_failed == 0
    assert list(outcome.taken) == [server.base_url], "all that is asked there has one limit"
    assert server.most_under_way <= outcome.taken[server.base_url].highest
    assert max(server.trace[-100:]) <= 7


@pytest.mark.faults
async def test_waiting_for_a_turn_is_no_time_that_an_agent_takes(tmp_path: Path) -> None:
    server = Busy(places=1, seconds=0.02, pushes_back=True, asks_s=1.2)
    async with serving(server):
        agent = replace(chatting(server), timeout_s=1.0)
        outcome = await ran(study(server, agent=agent, n=6, turns=1), tmp_path)
    assert server.pushed_back > 0
    assert nothing_failed(outcome)


@pytest.mark.faults
async def test_waiting_for_one_of_the_connections_of_a_model_is_no_time_that_an_agent_takes(
    tmp_path: Path,
) -> None:
    server = Busy(places=100, seconds=0.25)
    async with serving(server):
        agent = replace(chatting(server, max_connections=1), timeout_s=2.0)
        outcome = await ran(study(server, agent=agent, n=16, turns=1, concurrency=16), tmp_path)
    assert nothing_failed(outcome)


async def test_what_is_said_does_not_depend_on_how_many_are_held_at_a_time(tmp_path: Path) -> None:
    server = Busy(places=20, seconds=0.0)
    async with serving(server):
        await ran(study(server, agent=chatting(server), n=5, concurrency=1), tmp_path / "one")
        await ran(study(server, agent=chatting(server), n=5), tmp_path / "auto")
    one, auto = (
        {c["id"]: [m["content"] for m in c["messages"]] for c in held(tmp_path / name)}
        for name in ("one", "auto")
    )
    assert one == auto


async def test_without_endpoints_a_fixed_number_is_held_at_a_time(tmp_path: Path) -> None:
    now = most = 0

    async def agent(conversation: Conversation) -> str:
        nonlocal now, most
        now += 1
        most = max(now, most)
        await asyncio.sleep(0.01)
        now -= 1
        return "this one?"

    run = Study(lambda conversation, persona: "boots", agent, people(40), seed=1, n=40, max_turns=2)
    outcome = await ran(run, tmp_path)
    assert nothing_failed(outcome)
    assert most == START
    assert outcome.taken == {}


async def test_each_change_of_a_limit_is_logged_with_its_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = Busy(places=3, seconds=0.01, pushes_back=True)
    with caplog.at_level(logging.INFO, "convsim.models.gates"):
        async with serving(server):
            await ran(study(server, n=20), tmp_path)
    assert f"{server.base_url}: 5 requests at a time instead of 8: HTTP 429" in caplog.text


async def test_a_gate_is_the_same_for_every_address_of_an_endpoint() -> None:
    gate = gate_of("http://127.0.0.1:9/v1")
    for address in (
        "http://127.0.0.1:9/v1/",
        "HTTP://127.0.0.1:9/v1",
        "http://127.0.0.1:9/v1/chat/completions",
    ):
        assert gate_of(address) is gate
    assert gate_of("http://127.0.0.1:9/v2") is not gate


@pytest.mark.cluster
async def test_processes_share_what_a_server_takes_and_say_what_it_was(tmp_path: Path) -> None:
    server = Busy(places=5, seconds=0.02, pushes_back=True)
    async with serving(server):
        outcome = await asyncio.to_thread(
            study(server, agent=answered, n=40).run, tmp_path, workers=Workers(processes=2)
        )
    assert nothing_failed(outcome)
    taken = outcome.taken[server.base_url]
    assert taken.pushed_back == server.pushed_back
    assert 2 <= taken.last <= 8
    assert {each["id"] for each in held(tmp_path)} == {
        each.id for each in study(server, agent=answered, n=40).planned()
    }
