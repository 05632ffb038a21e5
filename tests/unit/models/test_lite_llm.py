"""A model through LiteLLM, on loopback: asked, taught, priced and refused as any other."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from convsim.errors import InputError, ModelError
from convsim.models import LiteLLM
from convsim.schema.chat_model import ChatMessage
from tests.needs import needed
from tests.unit.models.loopback import Reply, Request, answering, chat, failure, hangs, loopback, whole

litellm = needed("litellm")
pytestmark = [
    pytest.mark.models,
    pytest.mark.filterwarnings("ignore:.*Pydantic will not protect items:UserWarning"),
]

CHAT = [ChatMessage(role="system", content="You are a shopper."), ChatMessage(role="user", content="Begin.")]


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convsim.models.retries.FIRST_WAIT_S", 0.01)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def model_at(base_url: str, **settings: Any) -> LiteLLM:
    usual: dict[str, Any] = {"model": "openai/m-1", "base_url": base_url, "max_retries": 1, "timeout_s": 10}
    return LiteLLM(**usual | settings)


async def ask(model: LiteLLM, **more: Any) -> Any:
    try:
        return await model.complete(CHAT, **{"max_tokens": 20, "temperature": 0.5, "seed": 3, **more})
    finally:
        await model.aclose()


async def test_it_is_asked_and_its_reasoning_is_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", "0123456789abcdef")
    async with loopback(chat("<think>He wants boots.</think>boots", reasoning_content="Hm.")) as server:
        said = await ask(model_at(server.base_url, api_key_env="SHOP_KEY"), stop=["\nUser:"])
    assert (said.text, said.finish_reason, said.input_tokens, said.output_tokens) == ("boots", "stop", 11, 7)
    assert said.reasoning_characters == len("He wants boots.") + len("Hm.")
    sent = server.requests[0]
    assert sent.headers["authorization"] == "Bearer 0123456789abcdef"
    assert (sent.body["model"], sent.body["max_tokens"], sent.body["seed"]) == ("m-1", 20, 3)
    assert sent.body["messages"] == [message.model_dump() for message in CHAT]


async def test_what_a_provider_refuses_is_learned_and_what_may_pass_is_tried_again() -> None:
    def reply(request: Request) -> Reply:
        if "seed" in request.body:
            return failure(400, "Unsupported parameter: 'seed' is not supported with this model.")
        if request.body["messages"][0]["role"] == "system":
            return failure(400, "System role not supported")
        return failure(503, "busy") if len(server.requests) == 3 else chat("boots")

    async with answering(reply) as server:
        model = model_at(server.base_url)
        assert (await ask(model)).text == "boots"
    assert {*model.learned} == {"seed", "system"}
    assert len(server.requests) == 4


async def test_it_may_stream() -> None:
    deltas: list[tuple[dict[str, str], str | None]] = [
        ({"content": "bo"}, None),
        ({"content": "ots"}, None),
        ({}, "stop"),
    ]
    usual = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m-1"}
    chunks = [
        {**usual, "choices": [{"index": 0, "delta": said, "finish_reason": finish}]}
        for said, finish in deltas
    ]
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    async with loopback(whole(200, body.encode(), kind="text/event-stream")) as server:
        answer = await ask(model_at(server.base_url, stream=True))
    assert (answer.text, answer.finish_reason) == ("boots", "stop")
    assert server.requests[0].body["stream"] is True


def anthropic(text: str) -> Reply:
    content = [{"type": "text", "text": text}]
    answer = {
        "id": "m", "type": "message", "role": "assistant", "model": "claude", "content": content,
        "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 11, "output_tokens": 7},
    }  # fmt: skip
    return whole(200, json.dumps(answer).encode())


async def test_another_provider_is_asked_in_its_own_form_and_has_a_price(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "0123456789abcdef")
    async with loopback(anthropic("boots")) as server:
        model = model_at(f"http://127.0.0.1:{server.port}", model="anthropic/claude-sonnet-4-5")
        await model.check_ready()
        said = await ask(model)
    assert said.text == "boots"
    assert server.requests[0].path == "/v1/messages"
    assert server.requests[0].headers["x-api-key"] == "0123456789abcdef"
    # Anthropic has no seed: LiteLLM says so before it asks.
    assert "cannot be repeated" in model.learned["seed"]
    listed = litellm.get_model_info("anthropic/claude-sonnet-4-5")
    assert said.cost_usd == pytest.approx(
        11 * listed["input_cost_per_token"] + 7 * listed["output_cost_per_token"]
    )


async def test_failures_are_one_line() -> None:
    async with loopback(failure(429, "slow down", Retry_After="900")) as server:
        with pytest.raises(ModelError, match="asks to wait 900 s, longer than max_wait_s = 120"):
            await ask(model_at(server.base_url))
    async with loopback(hangs) as server:
        with pytest.raises(ModelError, match=r"0\.3 s|timed out") as caught:
            await ask(model_at(server.base_url, timeout_s=0.3, max_retries=0))
    assert "\n" not in str(caught.value)
    async with loopback(failure(401, "Incorrect API key provided")) as server:
        with pytest.raises(ModelError, match=r"refuses the key \(HTTP 401\)"):
            await ask(model_at(server.base_url))


async def test_what_is_missing_is_said_before_anything_is_asked() -> None:
    with pytest.raises(InputError, match="needs a key: set ANTHROPIC_API_KEY, or name the variable"):
        await LiteLLM(model="anthropic/claude-sonnet-4-5").check_ready()
    with pytest.raises(InputError, match="has no provider that LiteLLM knows: write it as provider/model"):
        await LiteLLM(model="nonsense").check_ready()
    with pytest.raises(InputError, match="the variable SHOP_KEY is not set"):
        await LiteLLM(model="openai/m", api_key_env="SHOP_KEY").check_ready()
    with pytest.raises(InputError, match="base_url contains credentials"):
        LiteLLM(model="openai/m", base_url="http://me:secret@shop.example/v1")


def test_importing_it_reaches_nobody_and_tells_nobody() -> None:
    program = (
        "import socket\n"
        "def refuse(*_): raise SystemExit('reached for the network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from convsim.models.lite_llm import _library\n"
        "found = _library()\n"
        "print(found.telemetry, len(found.model_cost) > 100)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.stdout.split() == ["False", "True"], done.stderr
