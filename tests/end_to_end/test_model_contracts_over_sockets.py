"""Schemas, choices, connections and keys of ``openai_compatible``, over real sockets."""

import asyncio
import json
import socket
from typing import Literal

import pytest
from pydantic import BaseModel

from convsim.errors import InputError, ModelError
from convsim.models import OpenAICompatible
from convsim.models.transport import Endpoint
from tests.end_to_end.asking import HELLO, ask
from tests.unit.models.loopback import chat, failure, hangs, loopback, slow


class Fit(BaseModel):
    size: int
    width: Literal["narrow", "wide"]


@pytest.fixture(autouse=True)
def quick_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.01)


async def test_json_of_a_schema_is_asked_for_and_checked() -> None:
    async with loopback(chat('```json\n{"size": 9, "width": "wide"}\n```')) as server:
        said = await ask(OpenAICompatible(model="m-1", base_url=server.base_url), schema=Fit)
    assert json.loads(said.text) == {"size": 9, "width": "wide"}
    sent = server.requests[0].body
    form = sent["response_format"]["json_schema"]
    assert form["strict"] is True
    assert form["schema"]["additionalProperties"] is False
    assert sorted(form["schema"]["required"]) == ["size", "width"]
    assert sent["messages"][0]["content"].startswith("Hello\n\nAnswer with one JSON object")


async def test_json_that_the_schema_refuses_is_repaired_once() -> None:
    async with loopback(
        chat('{"size": "big", "width": "wide"}'), chat('{"size": 9, "width": "wide"}')
    ) as server:
        said = await ask(OpenAICompatible(model="m-1", base_url=server.base_url), schema=Fit)
    assert json.loads(said.text)["size"] == 9
    assert (said.input_tokens, said.output_tokens) == (22, 14)
    shown, told = server.requests[1].body["messages"][-2:]
    assert shown == {"role": "assistant", "content": '{"size": "big", "width": "wide"}'}
    assert "size: must be a whole number" in told["content"]
    assert server.requests[0].body["seed"] != server.requests[1].body["seed"]


async def test_two_answers_that_the_schema_refuses_are_a_failure() -> None:
    async with loopback(chat("I would rather talk about the weather.")) as server:
        with pytest.raises(
            ModelError, match=r"^the model 'm-1' at .* does not fit the schema Fit: .* the weather"
        ):
            await ask(OpenAICompatible(model="m-1", base_url=server.base_url), schema=Fit)
    assert len(server.requests) == 2


async def test_a_server_that_refuses_schemas_is_asked_in_words_alone() -> None:
    async with loopback(
        failure(400, "response_format is not available"), chat('{"size": 9, "width": "wide"}')
    ) as server:
        said = await ask(OpenAICompatible(model="m-1", base_url=server.base_url), schema=Fit)
    assert json.loads(said.text)["width"] == "wide"
    assert "response_format" not in server.requests[1].body


@pytest.mark.parametrize(
    "answer", ['{"choice": "leave"}', "leave", '"leave"\n', 'Sure: {"choice": "leave"}.']
)
async def test_a_choice_is_an_index_even_where_schemas_are_ignored(answer: str) -> None:
    async with loopback(chat(answer)) as server:
        model = OpenAICompatible(model="m-1", base_url=server.base_url)
        choice = await model.choose(HELLO, ["say", "accept", "leave"], temperature=0, seed=1)
        await model.aclose()
    assert choice.index == 2
    sent = server.requests[0].body
    assert sent["response_format"]["json_schema"]["schema"]["properties"]["choice"]["enum"] == [
        "say",
        "accept",
        "leave",
    ]


@pytest.mark.parametrize("answer", ["I would leave.", '{"choice": "run"}', '{"choice": ["leave"]}', "Leave"])
async def test_an_answer_that_only_contains_an_option_chooses_nothing(answer: str) -> None:
    async with loopback(chat(answer), chat('{"choice": "say"}')) as server:
        model = OpenAICompatible(model="m-1", base_url=server.base_url)
        choice = await model.choose(HELLO, ["say", "leave"], temperature=0.7, seed=1)
        await model.aclose()
    assert choice.index == 0
    assert [request.body["temperature"] for request in server.requests] == [0.7, 0]


async def test_no_more_requests_are_under_way_than_connections_allowed() -> None:
    async with loopback(slow(chat("boots"), 0.05)) as server:
        model = OpenAICompatible(model="m-1", base_url=server.base_url, max_connections=3, timeout_s=0.5)
        said = await asyncio.gather(
            *(model.complete(HELLO, max_tokens=9, temperature=0, seed=seed) for seed in range(40))
        )
        await model.aclose()
    assert len(said) == 40
    assert server.most_busy == 3


async def test_a_cancelled_request_gives_its_place_back() -> None:
    async with loopback(hangs, chat("boots")) as server:
        model = OpenAICompatible(model="m-1", base_url=server.base_url, max_connections=1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(model.complete(HELLO, max_tokens=9, temperature=0, seed=1), 0.2)
        assert (await ask(model)).text == "boots"


def test_a_loop_that_ends_closes_its_connections_and_another_loop_opens_its_own() -> None:
    model: OpenAICompatible | None = None

    async def session() -> str:
        nonlocal model
        async with loopback(chat("boots")) as server:
            model = model or OpenAICompatible(model="m-1", base_url=server.base_url)
            assert isinstance(model._endpoint, Endpoint)
            model._endpoint.base_url = server.base_url
            return (await model.complete(HELLO, max_tokens=9, temperature=0, seed=1)).text

    assert [asyncio.run(session()), asyncio.run(session())] == ["boots", "boots"]
    assert model is not None
    assert isinstance(model._endpoint, Endpoint)
    assert not model._endpoint._open


async def test_a_server_elsewhere_needs_a_key_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("SOME_KEY", raising=False)
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it went out"))
    with pytest.raises(InputError, match="OPENAI_API_KEY is not set"):
        await ask(OpenAICompatible(model="gpt-4.1"))
    with pytest.raises(InputError, match="SOME_KEY is not set"):
        await ask(OpenAICompatible(model="m-1", base_url="https://shop.example/v1", api_key_env="SOME_KEY"))
    with pytest.raises(InputError, match="set api_key_env"):
        await ask(OpenAICompatible(model="m-1", base_url="https://shop.example/v1"))


async def test_the_key_is_read_for_each_call_and_kept_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    async with loopback(chat("boots")) as server:
        model = OpenAICompatible(model="m-1", base_url=server.base_url, api_key_env="SOME_KEY")
        for key in ("first-key", "second-key"):
            monkeypatch.setenv("SOME_KEY", key)
            await model.complete(HELLO, max_tokens=9, temperature=0, seed=1)
        shown = repr(model) + repr(vars(model))
        await model.aclose()
    assert [request.headers["authorization"] for request in server.requests] == [
        "Bearer first-key",
        "Bearer second-key",
    ]
    assert "-key" not in shown
