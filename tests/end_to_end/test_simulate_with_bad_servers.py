"""Runs in which the model's server or the agent goes wrong for some conversations, and the others are kept."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from convsim.agents import HTTP, PythonAgent
from convsim.models import OpenAICompatible
from convsim.schema import Agent
from convsim.schema.conversation import Conversation
from convsim.schema.persona import Persona
from convsim.shoppers import Prompted
from convsim.simulation import Outcome, Study
from tests.doubles import Obliging, Told, people, say
from tests.end_to_end.runs import held
from tests.hanging import SECONDS
from tests.unit.models.loopback import (
    Loopback,
    Reply,
    chat,
    closes_mid_body,
    failure,
    hangs,
    loopback,
    speaks_no_http,
    whole,
)

LEAVES = chat('{"choice": "leave"}')
SPEAKS = chat("red ones please")
DOOMED = Persona(id="doomed", task="footwear", need="the doomed boots")
MEGABYTE = 1 << 20


@pytest.fixture(autouse=True)
def quick_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.01)


def serving(bad: Reply, is_bad: Callable[[dict[str, Any]], bool], good: Callable[[dict[str, Any]], Reply]):
    """Serve ``bad`` to the requests that are to fail, and ``good`` to the others."""
    serving_now: list[Loopback] = []

    async def reply(writer: asyncio.StreamWriter) -> None:
        body = serving_now[0].requests[-1].body
        await (bad if is_bad(body) else good(body))(writer)

    class Served(AbstractAsyncContextManager[Loopback]):
        async def __aenter__(self) -> Loopback:
            self.inner = loopback(reply)
            serving_now.append(await self.inner.__aenter__())
            return serving_now[0]

        async def __aexit__(self, *error: Any) -> bool | None:
            return await self.inner.__aexit__(*error)

    return Served()


def is_doomed(body: dict[str, Any]) -> bool:
    return "doomed" in json.dumps(body)


def is_doomed_choice(body: dict[str, Any]) -> bool:
    return is_doomed(body) and "response_format" in body


def as_shopper(body: dict[str, Any]) -> Reply:
    return LEAVES if "response_format" in body else SPEAKS


def prompted(base_url: str, **settings: Any) -> Prompted:
    fields = {"max_retries": 1, "timeout_s": 5.0, **settings}
    return Prompted(OpenAICompatible(model="m-1", base_url=base_url, **fields))


async def ran(folder, shopper, agent: Agent | None = None, *, someone: list[Persona]) -> Outcome:
    study = Study(shopper, agent or Obliging(), someone, seed=1, n=len(someone), max_turns=3)
    return await asyncio.to_thread(study.run, folder)


BAD_SERVERS: dict[str, tuple[Reply, str]] = {
    "401": (failure(401, "no such key"), r"refuses the key \(HTTP 401\)"),
    "429 for ever": (failure(429, "slow down", Retry_After="0"), r"HTTP 429: slow down \(tried \d+ times\)"),
    "429 for a day": (failure(429, "slow down", Retry_After="86400"), "asks to wait 86400 s"),
    "500s": (failure(500, "oops"), r"HTTP 500: oops \(tried 2 times\)"),
    "a web page": (
        whole(200, b"<html><body>Sign in</body></html>", kind="text/html"),
        "not answer with a completion: Invalid JSON",
    ),
    "empty content": (chat(""), "empty answer"),
    "no content": (chat(None), "empty answer"),
    "10 MB": (whole(200, b" " * (10 * MEGABYTE)), "answered, but"),
    "another protocol": (speaks_no_http, "does not speak HTTP"),
    "a body cut off": (closes_mid_body, "tried 2 times"),
    "a wrong model name": (
        failure(404, "the model m-1 does not exist"),
        "was not found .*m-1 does not exist",
    ),
    "the assistant's talk": (chat("How can I help you today?"), "broke character"),
}


@pytest.mark.parametrize(("bad", "reason"), BAD_SERVERS.values(), ids=BAD_SERVERS)
async def test_a_bad_answer_is_a_failure_record_and_other_conversations_are_kept(tmp_path, bad, reason):
    async with serving(bad, is_doomed, as_shopper) as server:
        outcome = await ran(tmp_path, prompted(server.base_url), someone=[*people(3), DOOMED])
    assert (outcome.held, outcome.failed, outcome.missing) == (4, 1, 0)
    by_persona = {c["persona"]["id"]: c for c in held(tmp_path)}
    broken = by_persona.pop("doomed")
    assert broken["ending"] == "shopper_failed"
    assert broken["failure"]["actor"] == "shopper"
    assert broken["messages"] == []
    assert re.search(reason, broken["failure"]["reason"]), broken["failure"]["reason"]
    assert [c["ending"] for c in by_persona.values()] == ["left"] * 3
    assert all(c["messages"][0]["content"] == "red ones please" for c in by_persona.values())


async def test_a_server_that_hangs_is_given_up_after_the_stated_time_and_the_stated_tries(tmp_path):
    async with serving(hangs, is_doomed, as_shopper) as server, asyncio.timeout(SECONDS):
        shopper = prompted(server.base_url, timeout_s=1.0)
        outcome = await ran(tmp_path, shopper, someone=[*people(3), DOOMED])
    assert (outcome.held, outcome.failed) == (4, 1)
    reason = next(c["failure"]["reason"] for c in held(tmp_path) if "failure" in c)
    assert "no complete answer within 1 s (tried 2 times)" in reason
    assert sum(is_doomed(request.body) for request in server.requests) == 2


@pytest.mark.parametrize("content", ["{}", "maybe", '{"choice": "hesitates"}', "[1, 2"])
async def test_a_choice_that_does_not_fit_the_schema_is_repaired_once_and_then_a_record(tmp_path, content):
    async with serving(chat(content), is_doomed_choice, as_shopper) as server:
        outcome = await ran(tmp_path, prompted(server.base_url), someone=[*people(2), DOOMED])
    assert (outcome.held, outcome.failed) == (3, 1)
    broken = next(c for c in held(tmp_path) if "failure" in c)
    assert "does not fit the schema" in broken["failure"]["reason"]
    assert broken["failure"]["turn"] == 1
    # What was said until then is kept, and so is what it cost: 18 tokens for what it said.
    assert [m["role"] for m in broken["messages"]] == ["user", "assistant"]
    assert broken["usage"]["output_tokens"] >= 7
    assert sum(is_doomed_choice(request.body) for request in server.requests) == 2


async def test_nobody_listening_is_a_record_of_every_conversation_and_they_can_be_held_again(tmp_path):
    async with loopback(SPEAKS) as gone:
        address = gone.base_url
    outcome = await ran(tmp_path, prompted(address), someone=people(3))
    assert (outcome.held, outcome.failed) == (3, 3)
    assert all("cannot be reached" in c["failure"]["reason"] for c in held(tmp_path))


@pytest.mark.parametrize(
    "bad",
    [failure(429, "slow down", Retry_After="0"), failure(503, "busy"), closes_mid_body],
    ids=[429, 503, "cut"],
)
async def test_a_server_that_recovers_costs_no_conversation(tmp_path, bad):
    seen: list[str] = []

    def at_first(body: dict[str, Any]) -> bool:
        request = json.dumps(body)
        seen.append(request)
        return seen.count(request) == 1

    async with serving(bad, at_first, as_shopper) as server:
        outcome = await ran(tmp_path, prompted(server.base_url), someone=people(4))
    assert (outcome.held, outcome.failed) == (4, 0)
    assert {c["ending"] for c in held(tmp_path)} == {"left"}
    assert len(server.requests) == 16  # each conversation asks for a message and a choice, each of them twice


async def test_slips_of_a_server_are_counted_on_the_conversation(tmp_path):
    slipped: list[bool] = []

    def first_time(body: dict[str, Any]) -> bool:
        slipped.append(is_doomed(body) and "response_format" not in body)
        return slipped[-1] and sum(slipped) == 1

    async with serving(chat("How can I help you today?"), first_time, as_shopper) as server:
        outcome = await ran(tmp_path, prompted(server.base_url), someone=[*people(2), DOOMED])
    assert outcome.failed == 0
    counts = {c["persona"]["id"]: c.get("metadata") for c in held(tmp_path)}
    assert outcome.slips == {"role_slips": 1}
    assert counts == {"p0": None, "p1": None, "doomed": {"role_slips": 1}}


def is_odd(name: str) -> bool:
    return int(name, 16) % 2 == 1


Foreign = Callable[[Conversation], object]


def raises(conversation: Conversation) -> object:
    raise RuntimeError("out\nof order")


def never_answers(conversation: Conversation) -> object:
    time.sleep(30)
    return "late"


async def never_answers_async(conversation: Conversation) -> object:
    await asyncio.sleep(3600)
    return "late"


BAD_AGENTS: dict[str, tuple[Foreign, str]] = {
    "raises": (raises, "raised RuntimeError: out of order"),
    "exits": (lambda conversation: exit(1), "raised SystemExit"),
    "returns None": (lambda conversation: None, "None|nothing"),
    "never answers": (never_answers, "did not answer within 0.5 s"),
    "never answers, async": (never_answers_async, "did not answer within 0.5 s"),
    "items without ids": (lambda conversation: {"content": "x", "items": [{"title": "boots"}]}, "id"),
    "1 MB of text": (lambda conversation: "x" * MEGABYTE, "bytes|longer|larger|more than"),
}
BAD_ENDPOINTS: dict[str, tuple[Reply, str]] = {
    "500": (whole(500, b"out of order"), "status 500: out of order"),
    "null": (whole(200, b"null"), "null|nothing|None"),
    "never answers": (hangs, "did not answer within 0.5 s"),
    "items without ids": (whole(200, b'{"content": "x", "items": [{"title": "boots"}]}'), "id"),
    "1 MB of text": (
        whole(200, json.dumps({"content": "x" * MEGABYTE}).encode()),
        "bytes|longer|larger|more",
    ),
    "a web page": (whole(200, b"<html>Sign in</html>", kind="text/html"), "web page|HTML|JSON"),
    "a body cut off": (closes_mid_body, "did not answer"),
}


def check_agent_failures(folder, outcome: Outcome, reason: str) -> None:
    conversations = held(folder)
    bad = [c for c in conversations if is_odd(c["id"])]
    good = [c for c in conversations if not is_odd(c["id"])]
    assert (outcome.held, outcome.failed) == (12, len(bad))
    assert bad
    assert good
    for c in bad:
        assert (c["ending"], c["failure"]["actor"], c["failure"]["turn"]) == ("agent_failed", "agent", 0)
        assert re.search(reason, c["failure"]["reason"]), c["failure"]["reason"]
        assert len(c["failure"]["reason"]) <= 500
        assert "\n" not in c["failure"]["reason"]
        assert [m["content"] for m in c["messages"]] == ["boots please"]
    assert {c["ending"] for c in good} == {"turn_limit"}
    assert all([m["role"] for m in c["messages"]] == ["user", "assistant"] * 3 for c in good)


@pytest.mark.parametrize(("bad", "reason"), BAD_AGENTS.values(), ids=BAD_AGENTS)
async def test_a_python_agent_that_goes_wrong_is_a_record_and_others_are_kept(tmp_path, bad, reason):
    async def target(conversation: Conversation) -> object:
        if not is_odd(conversation.id):
            return "this one?"
        answer = bad(conversation)
        return await answer if isinstance(answer, Awaitable) else answer

    def blocking(conversation: Conversation) -> object:
        return bad(conversation) if is_odd(conversation.id) else "this one?"

    is_async = asyncio.iscoroutinefunction(bad)
    agent = PythonAgent(target=target if is_async else blocking, timeout_s=0.5)
    outcome = await ran(tmp_path, Told(lambda turn: say()), agent, someone=people(12))
    check_agent_failures(tmp_path, outcome, reason)


@pytest.mark.parametrize(("bad", "reason"), BAD_ENDPOINTS.values(), ids=BAD_ENDPOINTS)
async def test_an_http_agent_that_goes_wrong_is_a_record_and_others_are_kept(tmp_path, bad, reason):
    def is_bad(body: dict[str, Any]) -> bool:
        return is_odd(body["conversation_id"])

    good = whole(200, b'{"content": "this one?"}')
    async with serving(bad, is_bad, lambda body: good) as server:
        agent = HTTP(url=f"http://127.0.0.1:{server.port}/reply", timeout_s=0.5)
        outcome = await ran(tmp_path, Told(lambda turn: say()), agent, someone=people(12))
    check_agent_failures(tmp_path, outcome, reason)
