"""What a study's servers and agent are asked before a run, and what is said of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from convsim import Study
from convsim.agents import HTTP
from convsim.errors import ConvsimError, InputError
from convsim.models import OpenAICompatible, Scripted
from convsim.schema.catalogue import Catalogue
from convsim.shoppers import OSim, Prompted, UserLM
from convsim.simulation.check import Checked, CheckFailedError, Seen, check_before, check_study, permanent
from convsim.simulation.estimate import check_budget, estimated, said_of
from tests.doubles import people
from tests.unit.agents.shops import item, shop
from tests.unit.models.loopback import Reply, Request, answering, chat, failure, hangs, whole

PRICES = '[[price]]\nmodel = "m"\ninput = 2.0\noutput = 10.0\n'


def right(request: Request) -> Reply:
    if "messages" not in request.body or "model" not in request.body:
        return whole(200, b'{"content": "These?", "items": [{"id": "boot-a"}, {"id": "x"}]}')
    return chat('{"choice": "leave"}' if "response_format" in request.body else "hi there")


def refusing(*names: str) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        for name in names:
            if name in request.body:
                return failure(400, f"Unsupported parameter: '{name}' is not supported with this model.")
        return right(request)

    return answer


def alternating(request: Request) -> Reply:
    roles = [message["role"] for message in request.body["messages"]]
    if roles != ["user", "assistant"] * (len(roles) // 2) + ["user"] * (len(roles) % 2):
        return failure(400, "Conversation roles must alternate user/assistant/user/assistant/...")
    return right(request)


def study(url: str, *, agent: Any = None, **more: Any) -> Study:
    model = OpenAICompatible(model="m", base_url=url, max_retries=0, prices=more.pop("prices", None))
    return Study(
        Prompted(model),
        agent or (lambda messages: "ok"),
        people(2),
        seed=1,
        model="m",
        **{"n": 30, "max_turns": 5, **more},
    )


async def checked(made: Study, *, catalogue: Catalogue | None = None, **more: Any) -> list[Checked]:
    return [each async for each in check_study(made, catalogue=catalogue, **more)]


def states(found: list[Checked]) -> dict[str, str]:
    return {each.what: each.state for each in found}


async def test_a_server_that_takes_everything_works_with_one_request_each() -> None:
    seen = Seen()
    async with answering(right) as server:
        found = await checked(study(server.base_url), seen=seen, servers_only=True)
        n = len(server.requests)
    assert states(found) == dict.fromkeys(
        ["chat", "system role", "alternation", "schema", "seed", "limits"], "works"
    )
    assert n == 6
    assert seen.output_tokens == 7  # as the server counts
    assert "equal answers" in next(each.said for each in found if each.what == "seed")


@pytest.mark.parametrize(
    ("names", "setting"),
    [
        (("seed",), '[model] omit = ["seed"]'),
        (("temperature", "seed"), '[model] omit = ["temperature", "seed"]'),
        (("max_tokens",), '[model] rename = { max_tokens = "max_completion_tokens" }'),
        (("response_format",), '[model] omit = ["response_format"]'),
    ],
)
async def test_what_a_server_refuses_is_told_with_the_setting_that_makes_it_permanent(
    names: tuple[str, ...], setting: str
) -> None:
    def answer(request: Request) -> Reply:
        reply = refusing(*names)(request)
        in_words = "response_format" in names and "What does the shopper do now" in str(request.body)
        return chat('{"choice": "leave"}') if in_words and "response_format" not in request.body else reply

    async with answering(answer) as server:
        found = await checked(study(server.base_url), servers_only=True)
    assert {each.what for each in found if each.state == "changed"} == {*names, "settings"}
    assert "fails" not in states(found).values()
    assert found[-1].setting == setting


async def test_a_shopper_that_writes_transcripts_needs_a_server_that_continues_texts() -> None:
    def answer(request: Request) -> Reply:
        return failure(404, "no such path") if request.path.endswith("/v1/completions") else right(request)

    async with answering(answer) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url, max_retries=0)
        made = Study(Prompted(model, style="transcript"), lambda m: "ok", people(1), seed=1, model="m")
        found = await checked(made, servers_only=True)
    assert (found[-1].what, found[-1].state) == ("continuation", "fails")
    assert found[-1].setting == 'the server continues no texts; set shopper.style = "chat"'


@pytest.mark.parametrize("kind", [UserLM, OSim])
async def test_a_trained_user_model_is_asked_for_one_message_in_its_own_form_and_for_no_choice(
    kind: type[UserLM] | type[OSim],
) -> None:
    """It is no assistant: whether it can choose by a schema is nothing that a run needs."""

    def answer(request: Request) -> Reply:
        return failure(400, "no schema") if "response_format" in request.body else chat("got any rain boots")

    seen = Seen()
    async with answering(answer) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url, max_retries=0)
        made = Study(kind(model), lambda m: "ok", people(1), seed=1, model="m")
        found = await checked(made, servers_only=True, seen=seen)
        n = len(server.requests)
    assert [(each.part, each.what, each.state) for each in found] == [
        (f"shopper {kind.name}", "message", "works")
    ]
    assert (n, seen.output_tokens) == (1, 7)


async def test_a_trained_user_model_that_says_nothing_usable_fails_the_check() -> None:
    async with answering(lambda _: chat("How can I help you today?")) as server:
        model = OpenAICompatible(model="m", base_url=server.base_url, max_retries=0)
        made = Study(OSim(model), lambda m: "ok", people(1), seed=1, model="m")
        found = await checked(made, servers_only=True)
    assert [(each.what, each.state) for each in found] == [("message", "fails")]
    assert "broke character" in found[0].said


async def test_roles_that_must_alternate_are_no_failure() -> None:
    async with answering(alternating) as server:
        found = await checked(study(server.base_url), servers_only=True)
    assert "fails" not in states(found).values()
    assert {"system", "roles"} & {each.what for each in found if each.state == "changed"}


async def test_one_empty_answer_is_asked_for_again_as_in_a_run() -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Reply:
        asked.append(request)
        return chat("") if len(asked) == 2 else right(request)

    async with answering(answer) as server:
        found = await checked(study(server.base_url), servers_only=True)
        n = len(server.requests)
    assert ({each.state for each in found}, n) == ({"works"}, 7)
    async with answering(lambda request: chat("")) as server:
        found = await checked(study(server.base_url), servers_only=True)
    assert (found[0].state, found[1].state) == ("fails", "skipped")


async def test_a_model_that_takes_the_agents_part_is_noticed() -> None:
    async with answering(lambda request: chat("How can I help you today?")) as server:
        found = await checked(study(server.base_url), servers_only=True)
    assert (found[0].what, found[0].state) == ("chat", "notice")
    assert "How can I help you today?" in found[0].said
    assert "take a larger model" in (found[0].setting or "")


async def test_after_a_chat_that_fails_nothing_else_is_asked() -> None:
    async with answering(lambda _: failure(401, "no")) as server:
        found = await checked(study(server.base_url), servers_only=True)
        assert len(server.requests) == 1
    assert [each.state for each in found] == ["fails", "skipped"]
    assert found[0].setting is not None
    assert "model.api_key_env" in found[0].setting


async def test_a_server_that_is_silent_is_told_after_the_time_of_one_try() -> None:
    async with answering(lambda _: hangs) as server:
        asked = study(server.base_url)
        model = OpenAICompatible(model="m", base_url=server.base_url, timeout_s=0.2, max_wait_s=0.3)
        agent = HTTP(url=f"{server.base_url}/chat", timeout_s=0.2, max_wait_s=0.3)
        asked = replace(asked, shopper=Prompted(model), agent=agent)
        found = [each async for each in check_study(asked, catalogue=None)]
    chat, rest, answer = found
    assert (chat.state, rest.state, answer.state) == ("fails", "skipped", "fails")
    assert "gave no complete answer within 0.3 s, all tries included" in chat.said
    assert "did not answer within 0.2 s" in answer.said
    assert chat.setting is not None


async def test_what_asks_no_server_is_asked_nothing() -> None:
    asked: list[int] = []

    def agent(messages: object) -> str:
        asked.append(1)
        return "ok"

    scripted = Scripted(answers=lambda asked: "hi")
    made = Study(Prompted(scripted), agent, people(1), seed=1, model="scripted", n=99)
    assert await checked(made, servers_only=True) == []
    assert asked == []
    assert states(await checked(made)) == {"chat": "skipped", "answer": "works", "items": "works"}
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"content": "a", "items": [{"id": "boot-a"}, {"id": "x"}]}, ("works", "2, of which the catalogue knows 1")),
        ({"content": "a", "items": [{"id": 5}]}, ("notice", "1, none of which the catalogue knows, e.g. '5'")),
        ({"content": "a"}, ("works", "none in this answer; only what is shown can be accepted")),
        ({"content": "a", "offers": [{"sku": "b"}]}, ("notice", "not read: offers: objects with sku")),
        ({"content": "<think>b</think>a"}, ("changed", "its reasoning is taken out of its answers")),
        ({"reply": "a"}, ("fails", "answered without 'content'; the object has: reply; if its text is 'reply', set")),
    ],
)  # fmt: skip
async def test_an_agent_is_asked_for_one_answer_and_its_items_are_looked_up(
    answer: dict[str, Any], expected: tuple[str, str]
) -> None:
    made = Study(lambda c, p: ("leave", ""), lambda messages: answer, people(1), seed=1)
    found = [(each.state, each.said) for each in await checked(made, catalogue=shop())]
    assert any(state == expected[0] and expected[1] in said for state, said in found), found


async def test_an_agent_behind_http_is_asked_as_in_the_run_and_never_in_one_of_its_conversations() -> None:
    async with answering(right) as server:
        agent = HTTP(url=f"http://127.0.0.1:{server.port}/reply", extra={"who": "{persona}"})
        made = Study(lambda c, p: ("leave", ""), agent, people(1), seed=1, n=30, opening=True)
        found = await checked(made, catalogue=shop(), servers_only=True)
        bodies = [request.body for request in server.requests]
    assert [each.what for each in found] == ["opening", "answer", "items"]
    assert [[m["role"] for m in body["messages"]] for body in bodies] == [[], ["assistant", "user"]]
    assert {body["who"] for body in bodies} == {people(1)[0].id}
    assert not {body["conversation_id"] for body in bodies} & {planned.id for planned in made.planned()}


async def test_before_a_run_only_problems_are_told_and_a_failure_ends_it() -> None:
    told: list[str] = []
    async with answering(right) as server:
        await check_before(study(server.base_url), catalogue=shop(), tell=told.append)
        assert told == []
        agent = HTTP(url=f"http://127.0.0.1:{server.port}/reply")
        made = Study(lambda c, p: ("leave", ""), agent, people(1), seed=1, n=30)
        await check_before(made, catalogue=Catalogue.of([item("z", "Zori")]), tell=told.append)
    assert len(told) == 1
    assert told[0].startswith(
        "check: agent http, items: 2, none of which the catalogue knows, e.g. 'boot-a'; what helps: "
    )
    async with answering(lambda _: failure(404, "no such model")) as server:
        with pytest.raises(
            CheckFailedError, match=r"^check: model m, chat: .*404.*; what helps: .*--no-check runs"
        ):
            await check_before(study(server.base_url), catalogue=None, tell=told.append)


def test_a_check_changes_nothing_of_what_a_run_holds(tmp_path: Path) -> None:
    def lines(name: str) -> list[dict[str, Any]]:
        found = (tmp_path / name / "conversations.jsonl").read_text().splitlines()
        kept = [{key: value for key, value in json.loads(line).items() if key != "usage"} for line in found]
        return sorted(kept, key=lambda each: str(each["id"]))

    missing: list[int] = []

    async def run(name: str, *, checks: bool) -> None:
        async with answering(right) as server:
            made = study(server.base_url, n=4)

            async def before(n: int) -> None:
                missing.append(n)
                await check_before(made, catalogue=None, tell=lambda said: None)

            await made.arun(tmp_path / name, before=before if checks else None)
            await made.arun(tmp_path / name, before=before if checks else None)

    asyncio.run(run("checked", checks=True))
    asyncio.run(run("bare", checks=False))
    assert lines("checked") == lines("bare")
    assert missing == [4]  # and nothing is asked where nothing is missing


def test_a_check_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    async def before(n: int) -> None:
        raise CheckFailedError("no")

    made = Study(lambda c, p: ("leave", ""), lambda messages: "ok", people(1), seed=1)
    with pytest.raises(ConvsimError, match="no"):
        made.run(tmp_path / "run", before=before)
    assert not (tmp_path / "run").exists()


def test_what_a_run_costs_is_estimated_and_a_budget_needs_a_price(tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(PRICES, encoding="utf-8")
    made = study("http://127.0.0.1:9/v1", prices=prices, budget_usd=1.0)
    plan = estimated(made)
    # 30 conversations of 5 turns: 2 calls of 350 tokens each, and 24 tokens written, a turn
    assert (plan.calls, plan.input_tokens, plan.output_tokens) == (300, 105_000, 3_600)
    assert plan.cost_usd == pytest.approx(105_000 * 2e-6 + 3_600 * 10e-6)
    assert said_of(plan) == "about 105000 tokens in and 3600 out, at the turn limit: $0.25"
    assert estimated(made, output_tokens=100).output_tokens == 30_000
    check_budget(made)
    unknown = study("http://127.0.0.1:9/v1", budget_usd=1.0)
    assert estimated(unknown).cost_usd is None
    with pytest.raises(
        InputError, match=r"--budget-usd: the price of 'm' is not known.*\[\[price\]\] model = \"m\""
    ):
        check_budget(unknown)
    check_budget(study("http://127.0.0.1:9/v1"))
    check_budget(Study(lambda c, p: "", lambda m: "", people(1), seed=1, budget_usd=1.0))


def test_settings_are_those_of_a_studys_file() -> None:
    learned = {
        "seed": "left out: the server refuses it", "max_tokens": "sent as max_completion_tokens: refused",
        "stream": "answers are streamed", "thinking_tokens": "2,048 more for each answer", "roles": "neighbours",
    }  # fmt: skip
    assert permanent(learned) == (
        '[model] omit = ["seed"]; rename = { max_tokens = "max_completion_tokens" }; stream = true; '
        "thinking_tokens = 2048"
    )
    assert permanent({"system": "folded"}) is None
