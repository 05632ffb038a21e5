"""A LangChain Runnable as the agent, known by its methods."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from convsim.agents import LangChain
from convsim.errors import AgentError, InputError
from convsim.schema import AgentReply
from tests.unit.agents.shops import talk


@dataclass
class AIMessage:
    content: object


class Runnable:
    def __init__(self, answer: object):
        self.answer = answer
        self.given: object = None

    async def ainvoke(self, given: object) -> object:
        self.given = given
        return self.answer


class Blocking:
    def invoke(self, given: object) -> str:
        return "from a thread"


def ask(runnable: object, input_key: str = "") -> AgentReply:
    agent = LangChain(runnable=runnable, input_key=input_key, timeout_s=5, name="chain")
    return asyncio.run(agent.reply(talk("boots", "red"), seed=1))


@pytest.mark.parametrize(
    "answer",
    [
        "try these",
        AIMessage("try these"),
        AIMessage([{"type": "text", "text": "try "}, "these", {"type": "image", "url": "x"}]),
        {"messages": [AIMessage("before"), {"role": "user", "content": "boots"}, AIMessage("try these")]},
        {"messages": [{"role": "assistant", "content": "try these"}]},
        {"output": "try these"},
        {"content": "try these"},
        AgentReply(content="try these"),
    ],
)
def test_every_form_of_an_answer_is_its_text(answer: object) -> None:
    assert ask(Runnable(answer)).content == "try these"


def test_items_beside_the_text_are_shown() -> None:
    assert ask(Runnable({"output": "x", "items": [{"id": "b1"}]})).items[0].id == "b1"


def test_it_is_given_the_messages() -> None:
    runnable = Runnable("ok")
    ask(runnable)
    expected: object = [
        {"role": "user", "content": "boots"},
        {"role": "assistant", "content": "Have a look."},
        {"role": "user", "content": "red"},
    ]
    assert runnable.given == expected
    ask(runnable, "messages")
    keyed: object = {"messages": expected}
    assert runnable.given == keyed


def test_one_that_only_blocks_runs_in_a_thread() -> None:
    assert ask(Blocking()).content == "from a thread"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, r"answered nothing \(None\)"),
        (AIMessage(None), "content: must be text"),
        (AIMessage(""), "neither text nor items"),
        ({"messages": []}, "answered without 'content'; the object has: messages"),
        ({"messages": [7]}, "the last of its messages has no content, but is int 7"),
        ({"messages": [{}]}, "the last of its messages has no content, but is dict"),
        (7, "but returned int 7"),
    ],
)
def test_an_answer_of_another_form_is_refused(answer: object, says: str) -> None:
    with pytest.raises(AgentError, match=says):
        ask(Runnable(answer))


def test_what_is_no_runnable_is_refused_at_once() -> None:
    with pytest.raises(InputError, match="is not a Runnable: it has neither 'ainvoke' nor 'invoke'"):
        LangChain(runnable=len)
