"""What may come back from somebody else's agent."""

from __future__ import annotations

import json

import pytest

from convsim.agents.answer import parse_answer
from convsim.errors import AgentError
from convsim.lifting import MAX_ANSWER_BYTES, MAX_TEXT_BYTES, to_reply
from convsim.schema import AgentReply
from convsim.schema.conversation import Usage

BOOT = {"id": "b1", "title": "Boot", "price": 39.0, "attributes": {"colors": ["red"]}}


def reason(answer: object) -> str:
    with pytest.raises(AgentError) as caught:
        to_reply(answer, "mine")
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    assert text.startswith("mine ")
    return text


def test_a_text_is_a_reply_without_items() -> None:
    assert to_reply("boots", "mine") == AgentReply(content="boots")


def test_an_object_has_content_and_items() -> None:
    reply = to_reply({"content": "boots", "items": [BOOT]}, "mine")
    assert reply.items[0].model_dump(exclude={"metadata"}) == BOOT


def test_an_object_may_end_the_conversation_and_state_its_cost() -> None:
    answer = {
        "content": "bye",
        "ends": True,
        "usage": {"input_tokens": 3, "cost_usd": 0.5},
        "trace": object(),
    }
    reply = to_reply(answer, "mine")
    assert reply.ends
    assert reply.usage == Usage(input_tokens=3, cost_usd=0.5)


@pytest.mark.parametrize(
    ("key", "meant"), [("itms", "items"), ("item", "items"), ("end", "ends"), ("usge", "usage")]
)
def test_a_misspelt_key_of_an_object_is_no_business_of_the_agents_own(key: str, meant: str) -> None:
    with pytest.raises(AgentError, match=f"mine answered with '{key}'; did it mean '{meant}'"):
        to_reply({"content": "bye", key: []}, "mine")
    assert to_reply({"content": "bye", "context": 1, "id": 2, "role": "assistant"}, "mine").content == "bye"


def test_items_without_text_are_a_reply() -> None:
    assert to_reply({"content": "", "items": [BOOT]}, "mine").items


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "answered nothing (None)"),
        (7, "must return a string or an object with 'content', but returned int 7"),
        ([], "but returned []"),
        ([7], "the last of its messages has no content, but is int 7"),
        ([7, "a"], "must return a string or an object with 'content', but returned list [7, 'a']"),
        (b"text", "but returned bytes"),
        ("", "answered with neither text nor items"),
        (" \n", "answered with neither text nor items"),
        ({}, "answered without 'content'; the object has: nothing"),
        ({"text": "boots"}, "answered without 'content'; the object has: text"),
        ({"content": None}, "content: must be text, but is None"),
        ({"content": 7}, "content: must be text, but is 7"),
        ({"content": "x", "items": "b1"}, "items: "),
        ({"content": "x", "items": [{"title": "Boot"}]}, "items.0.id: is missing"),
        (
            {"content": "x", "items": [BOOT, {"id": ""}]},
            "items.1.id: must not be empty",
        ),
        (
            {"content": "x", "items": [{"id": True}]},
            "items.0.id: must be text, but is True",
        ),
        (
            {"content": "x", "items": [{"id": 7.5}]},
            "items.0.id: must be text, but is 7.5",
        ),
        ({"content": "x", "items": [{"id": "a", "price": True}]}, "items.0.price: "),
        ({"content": "x", "items": [{"id": "a", "price": float("nan")}]}, "items.0.price: "),
        ({"content": "x", "items": [{"id": "a", "attributes": {"a": float("nan")}}]}, "items.0.attributes.a"),
        ({"content": "x", "items": [{"id": "a", "attributes": {"a": object()}}]}, "items.0.attributes.a"),
        ("half a letter \ud800", "answered with half a character"),
        ("<!DOCTYPE html><p>Sorry", "answered with a web page: <!DOCTYPE html><p>Sorry"),
        ({"content": "\n <HTML>\n<h1>"}, "answered with a web page: <HTML> <h1>"),
        ("a" * (MAX_TEXT_BYTES + 1), "answered with more than 262,144 bytes of text"),
        ("é" * (MAX_TEXT_BYTES // 2 + 1), "answered with more than 262,144 bytes of text"),
        ("a" * 1_000_000, "answered with more than 262,144 bytes of text"),
        ({"content": "x", "items": [{"id": "a", "title": "\ud800"}]}, "answered with half a character"),
        (
            {"content": "x", "items": [{"id": "a", "title": "t" * MAX_ANSWER_BYTES}]},
            "more than 1,048,576 bytes",
        ),
    ],
)
def test_anything_else_is_refused_with_its_reason(answer: object, says: str) -> None:
    assert says in reason(answer)


def test_a_reply_whose_attributes_were_spoiled_later_is_refused() -> None:
    reply = to_reply({"content": "x", "items": [BOOT]}, "mine")
    reply.items[0].attributes["weight"] = float("nan")
    assert "answered with attributes that are not JSON, such as NaN" in reason(reply)


def test_the_longest_text_is_taken() -> None:
    assert len(to_reply("a" * MAX_TEXT_BYTES, "mine").content) == 256 * 1024


def test_what_is_quoted_in_a_reason_has_no_control_characters() -> None:
    assert "\x1b" not in reason({"content": 7, "items": ["\x1b[2J"]})
    assert "\x1b" not in reason({"\x1b[2J": 1})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "must answer with one JSON object, but sent: nothing"),
        (b"hello", "must answer with one JSON object, but sent: hello"),
        (b"\xff\xfe", "must answer with one JSON object"),
        (b"[]", "must return a string or an object with 'content', but returned []"),
        (b"7", "must answer with one JSON object, but sent int 7"),
        (b'"text"', "must answer with one JSON object, but sent str"),
        (b'{"content": "x"', "must answer with one JSON object"),
        (b'{"content": NaN}', "must answer with one JSON object"),
        (b"[" * 200_000, "must answer with one JSON object"),
        (b'{"content": "\\ud800"}', "answered with half a character"),
        (b"<html><body>502", "answered with a web page instead of JSON: <html><body>502"),
        (b" " * (MAX_ANSWER_BYTES + 1), "answered with more than 1,048,576 bytes"),
    ],
)
def test_bytes_that_are_no_answer_are_refused_with_their_reason(body: bytes, says: str) -> None:
    with pytest.raises(AgentError) as caught:
        parse_answer(body, "mine")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_bytes_of_an_answer_are_a_reply() -> None:
    body = json.dumps({"content": "bóots", "items": [BOOT]}).encode()
    assert parse_answer(body, "mine") == to_reply({"content": "bóots", "items": [BOOT]}, "mine")
