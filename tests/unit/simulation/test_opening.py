"""Conversations that the agent opens, with a text or as it is asked to."""

from __future__ import annotations

import json
from math import isnan
from typing import Any

import pytest

from convsim import Study, read
from convsim.agents import LLM, OpenAIChat, Retrieval
from convsim.agents.degraded import degrade
from convsim.errors import AgentError, InputError, StudyError
from convsim.lifting import lift_shopper
from convsim.metrics import measure
from convsim.models.scripted import Asked
from convsim.schema.conversation import Conversation
from convsim.shoppers import ICL, Prompted, Replay, Resample
from convsim.simulation import Arm, Assembly, Planned, hold
from convsim.simulation.config import StudyConfig
from tests.doubles import Obliging, Told, people, say
from tests.unit.agents.shops import Mouth, shop
from tests.unit.shoppers.logs import EMPTY, agent, drawn_from, logged, model, persona, user

GREETING = "Hello! What are you looking for?"
GREETED = EMPTY.but(messages=(agent(GREETING),))


def planned(shopper: Any, talks: Any = None, **changes: Any) -> Planned:
    fields: dict[str, Any] = {
        "study": "s", "shopper": shopper, "model": None, "persona": people(1)[0],
        "arm": Arm("good", talks or Obliging()), "repeat": 0, "seed": 3,
    }  # fmt: skip
    return Planned(**{**fields, **changes})


def test_an_opening_tells_conversations_apart_and_none_leaves_their_ids() -> None:
    bare = planned(Told(lambda turn: say()))
    assert len({bare.id, planned(bare.shopper, opening="hi").id, planned(bare.shopper, opening=True).id}) == 3
    assert planned(bare.shopper, opening=None).id == bare.id


async def test_a_text_opens_the_conversation_and_belongs_to_no_turn() -> None:
    heard: list[Conversation] = []

    def shopper(conversation: Conversation, persona: object) -> str:
        heard.append(conversation)
        return "boots"

    held = await hold(planned(lift_shopper(shopper), opening=GREETING), max_turns=2)
    assert [m.role for m in held.messages] == ["assistant", "user", "assistant", "user", "assistant"]
    assert held.messages[0].content == GREETING
    assert [m.content for m in heard[0].messages] == [GREETING]
    assert (sum(1 for _ in held.turns()), held.ending) == (2, "turn_limit")
    without = held.but(messages=held.messages[1:])
    assert held.first_words == "boots"
    table, bare = (measure([each]).table.iloc[0] for each in (held, without))
    moved = {name for name in table.index if not (table[name] == bare[name] or isnan(table[name]))}
    assert moved == {"conversation_words"}


async def test_an_agent_that_is_asked_opens_with_its_answer_to_a_chat_in_which_nobody_spoke() -> None:
    def greets(messages: list[dict[str, Any]]) -> dict[str, Any]:
        return {"content": f"said so far: {len(messages)}", "offers": [{"sku": "a"}]}

    held = await hold(planned(Told(lambda turn: say("hi")), greets, opening=True), max_turns=1)
    assert [m.content for m in held.messages] == ["said so far: 0", "hi", "said so far: 2"]
    assert held.metadata["unread"] == {"offers: objects with sku": 2}


async def test_an_agent_that_cannot_open_fails_the_conversation() -> None:
    def fail(messages: list[dict[str, Any]]) -> str:
        raise AgentError("no greeting")

    held = await hold(planned(Told(lambda turn: say("hi")), fail, opening=True), max_turns=1)
    assert held.messages == ()
    assert held.failure is not None
    assert (held.failure.actor, held.failure.turn, "no greeting" in held.failure.reason) == ("agent", 0, True)


async def test_every_agent_of_convsim_greets() -> None:
    mouth = Mouth("Hello there!")
    for each in (LLM(model=mouth, catalogue=shop()), OpenAIChat(model=mouth)):
        assert (await each.reply(EMPTY, seed=1)).content == "Hello there!"
        assert mouth.asked[-1].role == "user"
        assert "has not written yet" in mouth.asked[-1].content
    retrieval = Retrieval(catalogue=shop())
    assert (await retrieval.reply(EMPTY, seed=1)).content
    worse = degrade(retrieval, "bad", 1.0, catalogue=shop())
    assert (await worse.reply(EMPTY, seed=1)).faults


@pytest.mark.parametrize("style", ["chat", "transcript"])
async def test_a_prompted_shopper_answers_the_opening_without_a_decision(style: Any) -> None:
    asked: list[Asked] = []
    move = await Prompted(model(["boots pls"], keep=asked), style=style).speak(GREETED, persona(), seed=1)
    assert (move.action, move.text, len(asked)) == ("say", "boots pls", 1)
    assert GREETING in asked[0].words
    assert "Write your first message" not in asked[0].words


async def test_shoppers_of_logs_answer_a_greeting_as_people_opened() -> None:
    logs = [
        logged(f"g{n}", f"rain boots {n}", f"hello what are you looking for {n}", by=f"u{n}")
        for n in range(6)
    ]
    greeted = [log.but(messages=(agent("Hi, I am your shop."), *log.messages)) for log in logs]
    for real in (logs, greeted):
        openings = {f"rain boots {n}" for n in range(6)}
        for seed in range(8):
            move = await Resample(real).speak(GREETED, drawn_from(real[0]), seed=seed)
            assert move.text in openings
        replayed = await Replay(real).speak(GREETED, drawn_from(real[0]), seed=1)
        assert replayed.text == "rain boots 0"
        second = GREETED.but(messages=(*GREETED.messages, user("rain boots 0"), agent("These?")))
        assert (await Replay(real).speak(second, drawn_from(real[0]), seed=1)).text.startswith("hello what")
    asked: list[Asked] = []
    await ICL(model(["red"], keep=asked), greeted, style="chat").speak(GREETED, persona(), seed=1)
    assert GREETING in asked[-1].words


def test_a_study_states_its_opening_and_another_is_another_plan(tmp_path: Any) -> None:
    def study(**more: Any) -> Study:
        return Study(lambda c, p: ("leave", "bye"), lambda c: "ok", people(2), seed=1, n=2, **more)

    study(opening=GREETING).run(tmp_path / "run")
    held = read(tmp_path / "run").conversations
    assert {c.messages[0].content for c in held} == {GREETING}
    assert json.loads((tmp_path / "run/manifest.json").read_text())["plan"]["opening"] == GREETING
    with pytest.raises(StudyError, match="opening"):
        study().run(tmp_path / "run")
    assert "opening" not in study().manifest()["plan"]
    for wrong in ("  ", 7, ["hi"]):
        with pytest.raises(InputError, match=r"agent\.opening must be what the agent says first, or true"):
            study(opening=wrong)


def test_the_setting_of_the_agent_is_the_studys_and_logs_that_begin_with_the_agent_are_told(
    tmp_path: Any,
) -> None:
    real = tmp_path / "real.jsonl"
    logs = [logged(f"g{n}", "boots", by=f"u{n}") for n in range(4)]
    lines = [log.but(messages=(agent("Hi!"), *log.messages)).to_json() for log in logs]
    real.write_text("\n".join(lines), encoding="utf-8")

    def assembled(**settings: Any) -> tuple[Study, Assembly]:
        data = {"real": str(real)}
        config = StudyConfig.model_validate({"data": data, "agent": {"name": "retrieval", **settings}})
        assembly = Assembly(config)
        return assembly.study(), assembly

    made, assembly = assembled(opening="Hi!")
    assert (made.opening, assembly.warnings) == ("Hi!", [])
    made, assembly = assembled(opening=False)
    assert made.opening is None
    assert assembly.warnings == [
        "in 4 of the 4 real conversations the agent speaks first, and here it does not: set agent.opening to what it "
        "says, or to true to ask it"
    ]
