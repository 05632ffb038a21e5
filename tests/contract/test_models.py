"""What every chat model keeps to, behind whatever transport."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import inspect
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import BaseModel

import convsim.models
from convsim.errors import ModelError
from convsim.models import (
    Asked,
    Embedded,
    LiteLLM,
    Local,
    OpenAICompatible,
    Recorded,
    Scripted,
)
from convsim.schema.chat_model import ChatMessage, ChatModel, Choice, Completion
from convsim.testing import check_model
from tests.unit.models.loopback import Reply, Request, answering, chat, whole
from tests.unit.models.tiny import make_tiny

CLASSES = [Embedded, LiteLLM, Local, OpenAICompatible, Recorded, Scripted]
OPTIONS = ["say", "accept", "leave"]
CHAT = [
    ChatMessage(role="user", content="Hello"),
    ChatMessage(role="assistant", content="Hi. What do you need?"),
]


class Fit(BaseModel):
    size: int


def answer(asked: Asked) -> str:
    if asked.kind == "choose":
        return asked.options[asked.seed % len(asked.options)]
    return f"answer {asked.seed}\nand more" if asked.json_schema is None else '{"size": 9}'


def serve(request: Request) -> Reply:
    said = f"answer {request.body['seed']}\nand more"
    if form := request.body.get("response_format"):
        properties = form["json_schema"]["schema"]["properties"]
        said = json.dumps(
            {"choice": properties["choice"]["enum"][0]} if "choice" in properties else {"size": 9}
        )
    if request.path.endswith("/chat/completions"):
        return chat(said)
    return whole(200, json.dumps({"choices": [{"text": said, "finish_reason": "stop"}]}).encode())


LOCAL = pytest.param("local", marks=pytest.mark.models)


@pytest.fixture(params=["openai_compatible", LOCAL, "scripted", "recording", "replaying"])
async def model(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ChatModel]:
    if request.param == "openai_compatible":
        async with answering(serve) as server:
            served = OpenAICompatible(model="m-1", base_url=server.base_url)
            yield served
            await served.aclose()
    elif request.param == "local":
        if importlib.util.find_spec("torch") is None or importlib.util.find_spec("transformers") is None:
            pytest.skip("the extra local is not installed")
        yield Local(path=make_tiny(tmp_path), dtype="float32")
    elif request.param == "scripted":
        yield Scripted(answers=answer)
    else:
        recording = Recorded(store=tmp_path / "heard.jsonl", model=Scripted(answers=answer))
        if request.param == "replaying":
            for seed in range(4):
                await use(recording, seed)
        yield recording if request.param == "recording" else Recorded(store=tmp_path / "heard.jsonl")


async def use(model: ChatModel, seed: int) -> tuple[Completion, Completion, Choice]:
    """Ask for one of each."""
    return (
        await model.complete(CHAT, max_tokens=30, temperature=0.7, seed=seed),
        await model.continue_text("Shopper:", max_tokens=30, temperature=0.7, seed=seed, stop=["\n"]),
        await model.choose(CHAT, OPTIONS, temperature=0.7, seed=seed),
    )


async def test_it_is_a_chat_model_with_a_name(model: ChatModel) -> None:
    assert isinstance(model, ChatModel)
    assert model.name


async def test_it_answers_and_counts_what_it_cost(model: ChatModel) -> None:
    for completion in (said := await use(model, 1))[:2]:
        assert isinstance(completion, Completion)
        assert completion.finish_reason in ("stop", "length")
        assert completion.cost_usd is None
    assert said[0].input_tokens > 0
    assert said[0].output_tokens > 0
    assert said[2].completion.input_tokens > 0


async def test_a_stop_string_is_no_part_of_the_text(model: ChatModel) -> None:
    assert "\n" not in (await use(model, 2))[1].text


async def test_the_same_request_has_the_same_answer(model: ChatModel) -> None:
    first, again = await use(model, 3), await use(model, 3)
    assert [one.text for one in first[:2]] == [one.text for one in again[:2]]
    assert first[2].index == again[2].index


async def test_a_choice_is_one_of_the_options(model: ChatModel) -> None:
    for seed in range(4):
        choice = (await use(model, seed))[2]
        assert 0 <= choice.index < len(OPTIONS)


async def test_requests_may_be_under_way_together(model: ChatModel) -> None:
    together = await asyncio.gather(*(use(model, seed) for seed in range(4)))
    alone = [await use(model, seed) for seed in range(4)]
    assert [said[0].text for said in together] == [said[0].text for said in alone]


async def test_with_a_schema_the_text_is_json_that_fits_or_it_is_an_error(model: ChatModel) -> None:
    asked = model.complete(CHAT, max_tokens=9, temperature=0.7, seed=1, schema=Fit)
    (said,) = await asyncio.gather(asked, return_exceptions=True)
    if isinstance(said, Completion):
        assert Fit.model_validate_json(said.text).size == 9
    else:
        assert isinstance(said, ModelError)
        assert "\n" not in str(said)


async def test_it_keeps_the_contract_by_the_public_check(
    request: pytest.FixtureRequest, model: ChatModel, tmp_path: Path
) -> None:
    if "replaying" in request.node.name:
        await asyncio.to_thread(
            check_model, Recorded(store=tmp_path / "new.jsonl", model=Scripted(answers=answer))
        )
        model = Recorded(store=tmp_path / "new.jsonl")
    await asyncio.to_thread(check_model, model)


@pytest.mark.parametrize("kind", CLASSES)
def test_its_settings_are_keyword_fields(kind: type) -> None:
    assert dataclasses.is_dataclass(kind)
    parameters = list(inspect.signature(kind).parameters.values())
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters)
    assert not any("key" in parameter.name and parameter.name != "api_key_env" for parameter in parameters)


@pytest.mark.parametrize("method", ["complete", "continue_text", "choose"])
@pytest.mark.parametrize("kind", CLASSES)
def test_its_methods_have_the_contracts_parameters(kind: type, method: str) -> None:
    """What a model takes beyond them is by keyword, and may be left out."""
    stated = inspect.signature(getattr(ChatModel, method)).parameters
    found = [*inspect.signature(getattr(kind, method)).parameters.values()]
    assert [(p.name, p.kind, p.default) for p in stated.values()] == [
        (p.name, p.kind, p.default) for p in found[: len(stated)]
    ]
    assert all(p.kind is p.KEYWORD_ONLY and p.default is None for p in found[len(stated) :])


def test_importing_the_models_loads_no_heavy_library() -> None:
    heavy = ["torch", "transformers", "openai", "httpx2", "aiohttp", "numpy", "filelock", "pooch"]
    program = f"import sys, convsim.models\nprint([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
    assert convsim.models.__all__
