"""Answers as the APIs of shops and frameworks of agents give them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from convsim.agents import PythonAgent
from convsim.agents.answer import parse_answer
from convsim.errors import AgentError, InputError
from convsim.lifting import Form, to_reply
from convsim.schema import AgentReply
from tests.unit.agents.shops import talk

BOOT = {"id": "5", "title": "Boot", "price": 39.0}


def items(reply: AgentReply) -> list[tuple[str, str, float | None]]:
    return [(item.id, item.title, item.price) for item in reply.items]


def read(answer: object, **paths: Any) -> AgentReply:
    return to_reply(answer, "mine", Form.of("mine", **{"content": "", "items": "", "fields": {}, **paths}))


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"id": 5, "title": "Boot", "price": "$39"}, ("5", "Boot", 39.0)),
        ({"id": 5.0, "title": "Boot", "price": 39}, ("5", "Boot", 39.0)),
        ({"id": "5", "name": "Boot", "price": "1.299,00 EUR"}, ("5", "Boot", 1299.0)),
        ({"sku": "A-5", "name": "Boot", "price": "39,00 €", "colour": "red"}, ("A-5", "Boot", 39.0)),
        ({"product_id": 5, "title": None, "price": None}, ("5", "", None)),
        ({"id": "5", "price": {"amount": "1,299.00", "currency": "USD"}}, ("5", "", 1299.0)),
        ({"id": "5", "price": Decimal("39.90")}, ("5", "", 39.9)),
        ({"id": "5", "price": ""}, ("5", "", None)),
        ({"id": 5, "title": 1984, "attributes": None}, ("5", "1984", None)),
        (SimpleNamespace(id=5, title="Boot", price="39"), ("5", "Boot", 39.0)),
        (7, ("7", "", None)),
        ("B01", ("B01", "", None)),
    ],
)
def test_an_item_is_read_as_shops_write_it(item: object, expected: tuple[str, str, float | None]) -> None:
    reply = to_reply({"content": "x", "items": [item]}, "mine")
    assert items(reply) == [expected]
    assert reply.unread == ()


@pytest.mark.parametrize(
    "answer",
    [
        {"content": "x", "recommendations": [BOOT]},
        {"content": "x", "products": [BOOT]},
        {"content": "x", "results": [BOOT]},
        {"content": "x", "data": {"products": [BOOT], "total": 1}},
        {"content": "x", "products": {"items": [BOOT]}},
        {"data": {"content": "x", "items": [BOOT]}},
        {"message": {"role": "assistant", "content": "x"}, "items": [BOOT]},
        {"content": "x", "items": [BOOT], "products": []},
        {"content": [{"type": "text", "text": "x"}], "items": (BOOT,)},
    ],
)
def test_items_are_found_where_shops_keep_them(answer: object) -> None:
    reply = to_reply(answer, "mine")
    assert (reply.content, items(reply), reply.unread) == ("x", [("5", "Boot", 39.0)], ())


@pytest.mark.parametrize("shown", [None, []])
def test_no_items_may_be_null_or_an_empty_list(shown: object) -> None:
    assert to_reply({"content": "x", "items": shown}, "mine") == AgentReply(content="x")


@pytest.mark.parametrize(
    ("answer", "unread"),
    [
        ({"content": "x", "offers": [{"sku": "a", "name": "b"}]}, ["offers: objects with sku, name"]),
        (
            {"content": "x", "data": {"hits": [{"n": 1}], "n": 1}, "items": [BOOT]},
            ["data.hits: objects with n"],
        ),
        ({"content": "x", "results": [{"text": "no id"}]}, ["results: objects with text"]),
        (
            {"content": "x", "items": [{"id": "a", "price": "on request"}, {"id": "b", "price": "from $3"}]},
            ["price: a text that is no amount"],
        ),
        ({"content": "x", "items": [{"id": "a", "price": {"cents": 5}}]}, ["price: an object with cents"]),
        ({"content": "x", "tags": ["a"], "tool_calls": [{"id": "c"}], "items": []}, []),
    ],
)
def test_what_is_not_read_is_noted(answer: object, unread: list[str]) -> None:
    assert list(to_reply(answer, "mine").unread) == unread


ODD = {
    "reply": {"text": "x"},
    "data": {"offers": [{"sku": 5, "label": "Boot", "cost": {"value": "39,00 €"}, "more": {"hue": "red"}}]},
}
MAPPED: dict[str, Any] = {
    "content": "reply.text",
    "items": "data.offers",
    "fields": {"id": "sku", "title": "label", "price": "cost.value", "attributes": "more"},
}


def test_a_mapping_says_where_the_parts_of_an_answer_stand() -> None:
    reply = read(ODD, **MAPPED)
    assert (reply.content, items(reply), reply.unread) == ("x", [("5", "Boot", 39.0)], ())
    assert reply.items[0].attributes == {"hue": "red"}
    assert read({"reply": {"text": "x"}}, **MAPPED).items == ()
    assert read({"reply": {"text": None}, "data": ODD["data"]}, **MAPPED).content == ""
    missing = read({**ODD, "data": {"offers": [{"sku": "a"}]}}, **MAPPED)
    assert missing.unread == (
        "title: items without 'label'",
        "price: items without 'cost.value'",
        "attributes: items without 'more'",
    )


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"answer": "x"}, "mine answered without 'reply.text', which is its content; the object has: answer"),
        ({**ODD, "data": {"offers": 7}}, "items: must be a list, but is 7"),
        ({**ODD, "data": {"offers": [{"id": "a"}]}}, "items.0.id: no 'sku'; the object has: id"),
    ],
)
def test_a_mapping_that_does_not_fit_is_a_reason(answer: object, says: str) -> None:
    with pytest.raises(AgentError, match=says):
        read(answer, **MAPPED)


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        ({"fields": {"titel": "name"}}, "mine: fields.'titel': no such key; did you mean 'title'?"),
        ({"fields": {"id": 7}}, "mine: fields.id must be a path such as 'sku', but is 7"),
        ({"items": ["a"]}, "mine: items must be a path such as 'data.items', but is"),
        ({"fields": "sku"}, "mine: fields must be a table"),
    ],
)
def test_a_mapping_that_says_nothing_is_refused(paths: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        read({}, **paths)
    assert str(caught.value).startswith(says)


def test_an_unknown_form_names_its_keys_and_the_setting_that_reads_it() -> None:
    with pytest.raises(AgentError) as caught:
        to_reply({"status": 1, "reply": {"text": "x"}}, "mine")
    assert str(caught.value) == (
        "mine answered without 'content'; the object has: status, reply; if its text is 'reply.text', set "
        "agent.content = 'reply.text'"
    )
    with pytest.raises(AgentError, match="mine answered with an error: tool failed"):
        to_reply({"error": {"message": "tool failed"}}, "mine")


@dataclass
class AIMessage:
    content: object
    type: str = "ai"
    tool_calls: list[object] = field(default_factory=list)


@dataclass
class ToolMessage:
    content: str
    artifact: object = None
    type: str = "tool"


@dataclass
class HumanMessage:
    content: str
    type: str = "human"


@pytest.mark.parametrize(
    ("messages", "content", "ids"),
    [
        ([{"content": "a"}, {"content": "b"}], "a\nb", []),
        (["a", "b"], "a\nb", []),
        (
            [
                AIMessage("hello"), HumanMessage("boots"), AIMessage("One moment", tool_calls=[{"id": "c"}]),
                ToolMessage("3 found", artifact=[BOOT]), AIMessage([{"type": "text", "text": "Two that fit"}]),
            ],
            "One moment\nTwo that fit",
            ["5"],
        ),
        (
            [HumanMessage("boots"), AIMessage(""), ToolMessage("", artifact={"products": [BOOT]}), AIMessage("a")],
            "a",
            ["5"],
        ),
        ([{"role": "system", "content": "s"}, {"role": "assistant", "content": "a", "items": [BOOT]}], "a", ["5"]),
        ([HumanMessage("boots"), AIMessage("a"), ToolMessage('{"items": [{"id": 5}]}')], "a", []),
        ([AIMessage(None), AIMessage("a")], "a", []),
    ],
)  # fmt: skip
def test_all_that_was_said_since_the_user_is_the_answer(
    messages: list[object], content: str, ids: list[str]
) -> None:
    for answer in (messages, {"messages": messages}):
        reply = to_reply(answer, "mine")
        assert (reply.content, [item.id for item in reply.items], reply.unread) == (content, ids, ())


RESPONSE = {
    "output": [
        {"type": "reasoning", "summary": []},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
    ]
}
RASA = [{"recipient_id": "c", "text": "a"}, {"recipient_id": "c", "text": "b", "products": [BOOT]}]


@pytest.mark.parametrize(
    ("answer", "path", "content", "n_items"),
    [
        (RESPONSE, "", "a", 0),
        (RASA, "text", "a\nb", 1),
        (RASA, "0.text", "a", 1),
        ([{"a": {"b": "x"}}], "a.b", "x", 0),
    ],
)
def test_lists_of_other_services_are_read_too(answer: object, path: str, content: str, n_items: int) -> None:
    reply = read(answer, content=path)
    assert (reply.content, len(reply.items)) == (content, n_items)


def test_a_state_that_ends_with_the_user_holds_no_answer() -> None:
    with pytest.raises(AgentError, match="the last of its messages has the role 'human'"):
        to_reply({"messages": [AIMessage("a"), HumanMessage("b")]}, "mine")


class Answer(BaseModel):
    content: str = "x"
    recommendations: list[dict[str, Any]] = [BOOT]


class Other(BaseModel):
    reply: str = "x"


def test_a_model_of_pydantic_is_an_object() -> None:
    assert items(to_reply(Answer(), "mine")) == [("5", "Boot", 39.0)]
    with pytest.raises(AgentError, match="the object has: reply; if its text is 'reply'"):
        to_reply(Other(), "mine")
    assert read(Other(), content="reply").content == "x"


def words() -> Iterator[object]:
    yield "Two "
    yield {"content": "that fit", "items": [BOOT]}


async def late_words() -> AsyncIterator[object]:
    for part in words():
        yield part


@pytest.mark.parametrize("generator", [words, late_words])
def test_a_generator_is_joined_and_its_items_are_kept(generator: Any) -> None:
    agent = PythonAgent(target=lambda messages: generator(), timeout_s=5)
    reply = asyncio.run(agent.reply(talk("boots"), seed=1))
    assert (reply.content, items(reply)) == ("Two that fit", [("5", "Boot", 39.0)])


def test_what_was_thought_is_shown_to_nobody_and_counted() -> None:
    reply = to_reply({"content": "<think>secret plan</think>Two that fit:", "items": [BOOT]}, "mine")
    assert (reply.content, reply.reasoning) == ("Two that fit:", 1)
    assert to_reply(AgentReply(content="<thought>x</thought>\nyes"), "mine").content == "yes"
    with pytest.raises(AgentError, match="neither text nor items: all of its text was reasoning"):
        to_reply("<think>and so", "mine")


def test_every_kind_of_agent_has_the_mapping() -> None:
    agent = PythonAgent(target=lambda messages: ODD, timeout_s=5, **MAPPED)
    assert items(asyncio.run(agent.reply(talk("boots"), seed=1))) == [("5", "Boot", 39.0)]
    line = b'{"reply": {"text": "x"}}'
    assert parse_answer(line, "mine", form=Form(content="reply.text")).content == "x"
