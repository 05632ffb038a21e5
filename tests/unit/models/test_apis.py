"""The other APIs: OpenAI's Responses, and Azure's paths, versions and keys."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from convsim.errors import InputError, ModelError
from convsim.models import OpenAICompatible
from convsim.models.transport import Endpoint
from convsim.schema.chat_model import ChatMessage
from tests.unit.models.loopback import Reply, Request, answering, chat, failure, loopback, whole

CHAT = [
    ChatMessage(role="system", content="You are a shopper."),
    ChatMessage(role="user", content="Begin."),
    ChatMessage(role="assistant", content="hi"),
    ChatMessage(role="user", content="What size?"),
]


class Size(BaseModel):
    size: int


def responded(text: str, *before: object, **more: object) -> Reply:
    message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    usage = {"input_tokens": 11, "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 3}}
    said = {"status": "completed", "error": None, "output": [*before, message], "usage": usage, **more}
    return whole(200, json.dumps(said).encode())


async def test_the_responses_api_is_asked_and_read(monkeypatch: pytest.MonkeyPatch) -> None:
    reasoning = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "He wants boots."}]}
    async with loopback(responded("size 9\nUser: x", reasoning)) as server:
        model = OpenAICompatible(model="m-1", base_url=server.base_url, api="responses")
        said = await model.complete(CHAT, max_tokens=20, temperature=0.5, seed=3, stop=["\nUser:"])
        await model.aclose()
    assert (said.text, said.finish_reason, said.input_tokens, said.output_tokens) == ("size 9", "stop", 11, 7)
    assert said.reasoning_characters == len("He wants boots.")
    assert server.requests[0].path == "/v1/responses"
    assert server.requests[0].body == {
        "model": "m-1",
        "instructions": "You are a shopper.",
        "input": [
            {"role": "user", "content": "Begin."},
            {"role": "assistant", "content": "hi"},
            {"role": "user", "content": "What size?"},
        ],
        "store": False,
        "max_output_tokens": 20,
        "temperature": 0.5,
    }
    assert "cannot be repeated" in model.learned["seed"]


async def test_a_schema_of_the_responses_api_is_its_text_format_and_may_be_refused() -> None:
    def reply(request: Request) -> Reply:
        if "text" in request.body:
            return failure(400, "Unsupported parameter: 'text.format' is not supported with this model.")
        return responded('{"size": 9}')

    async with answering(reply) as server:
        model = OpenAICompatible(model="m-1", base_url=server.base_url, api="responses")
        for _ in range(2):
            said = await model.complete(CHAT, max_tokens=20, temperature=0.5, seed=3, schema=Size)
        await model.aclose()
    assert said.text == '{"size": 9}'
    sent = server.requests[0].body["text"]["format"]
    assert (sent["type"], sent["name"], sent["strict"]) == ("json_schema", "Size", True)
    assert len(server.requests) == 3
    assert "text" in model.learned


async def test_a_response_that_only_thought_gets_room_and_one_that_failed_is_an_error() -> None:
    def reply(request: Request) -> Reply:
        if request.body["max_output_tokens"] < 1_000:
            thought = {"type": "reasoning", "summary": []}
            cut = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
            return responded("", thought, **cut)
        return responded("boots")

    async with answering(reply) as server:
        model = OpenAICompatible(model="m-1", base_url=server.base_url, api="responses")
        assert (await model.complete(CHAT, max_tokens=20, temperature=0.5, seed=3)).text == "boots"
        with pytest.raises(ModelError, match=r"continues no text over the Responses API: set shopper\.style"):
            await model.continue_text("x", max_tokens=9, temperature=0, seed=1)
        await model.aclose()
    assert [request.body["max_output_tokens"] for request in server.requests] == [20, 2_068]


JWT = "eyJhbGciOi.eyJhdWQiOi.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("below", "settings", "path"),
    [
        ("", {}, "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21"),
        ("", {"api_version": "2026-01-01"}, "/openai/deployments/my%20gpt/chat/completions?api-version=2026-01-01"),
        ("/openai/v1", {}, "/openai/v1/chat/completions"),
        ("/openai/v1/", {"api_version": "preview"}, "/openai/v1/chat/completions?api-version=preview"),
        ("/openai/deployments/x", {}, "/openai/deployments/x/chat/completions?api-version=2024-10-21"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["0123456789abcdef", JWT])
async def test_azure_has_its_own_paths_versions_and_keys(
    below: str, settings: dict[str, Any], path: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_KEY", key)
    async with loopback(chat("boots")) as server:
        model = OpenAICompatible(
            model="my gpt",
            base_url=f"http://127.0.0.1:{server.port}{below}",
            api="azure",
            api_key_env="SHOP_KEY",
            **settings,
        )
        assert (await model.complete(CHAT, max_tokens=20, temperature=0.5, seed=3)).text == "boots"
        await model.aclose()
    asked = server.requests[0]
    assert asked.path == path
    found = (asked.headers.get("api-key"), asked.headers.get("authorization"))
    assert found == ((None, f"Bearer {JWT}") if key == JWT else (key, None))


def test_azure_is_known_by_its_hosts_and_names_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"timeout_s": 5, "max_retries": 0, "max_connections": 1}
    for host in ("x.openai.azure.com", "x.services.ai.azure.com", "x.cognitiveservices.azure.com"):
        endpoint = Endpoint(base_url=f"https://{host}", api_key_env="", **kept)  # type: ignore[arg-type]
        assert (endpoint.azure, endpoint.api_key_env) == (True, "AZURE_OPENAI_API_KEY")
    other = Endpoint(base_url="https://openai.azure.com.evil.example/v1", api_key_env="", **kept)  # type: ignore[arg-type]
    assert (other.azure, other.api_key_env) == (False, "")


def test_a_version_in_the_address_is_told_where_it_belongs() -> None:
    with pytest.raises(
        InputError, match="contains a query: leave it out, and give the version as api_version"
    ):
        OpenAICompatible(model="m", base_url="https://x.openai.azure.com/openai?api-version=2024-10-21")
