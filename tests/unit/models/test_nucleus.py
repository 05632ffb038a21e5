"""Which tokens may be drawn: ``top_p``, for each request by itself, on a model of a few kilobytes."""

import asyncio
from typing import Any

import pytest

from convsim.models import Local
from convsim.models.chat import chat_tokens, text_tokens
from convsim.schema import ChatMessage, Completion
from tests.needs import needed
from tests.unit.models.tiny import make_tiny

torch = needed("torch")
transformers = needed("transformers")

OPENINGS = ["say:", "leave:", "accept 1:"]
HELLO = [ChatMessage(role="user", content="Hello")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Local:
    return Local(path=make_tiny(tmp_path_factory.mktemp("tiny")), dtype="float32")


async def opened(model: Local, **more: Any) -> Completion:
    asked: dict[str, Any] = {"messages": HELLO, "opening": "say:", "max_tokens": 12, "seed": 1, **more}
    return await model.complete_opened(**{"temperature": 1.0, "top_p": 1.0, **asked})


async def test_rows_of_one_batch_keep_to_their_own_nucleus(model: Local) -> None:
    asked: list[dict[str, Any]] = [
        {"top_p": top_p, "seed": seed, "temperature": temperature, "opening": OPENINGS[seed % 3]}
        for seed, (top_p, temperature) in enumerate(
            [(1.0, 1.0), (0.3, 1.0), (0.9, 1.5), (0.3, 0.0), (1e-9, 1.0), (1.0, 1.5), (0.9, 0.7), (0.5, 2.0)]
        )
    ]
    alone_model = Local(path=model.path, dtype="float32", max_batch=1)
    together_model = Local(path=model.path, dtype="float32", max_batch=8)
    alone = [await opened(alone_model, **one) for one in asked]
    together = await asyncio.gather(*(opened(together_model, **one) for one in asked))
    assert [one.text for one in together] == [one.text for one in alone]
    backwards = await asyncio.gather(*(opened(together_model, **one) for one in reversed(asked)))
    assert [one.text for one in reversed(backwards)] == [one.text for one in alone]
    wide = await asyncio.gather(*(opened(together_model, **{**one, "top_p": 1.0}) for one in asked))
    assert sum(one.text != other.text for one, other in zip(wide, alone, strict=True)) >= 3


async def test_a_narrow_nucleus_takes_the_likeliest_word_and_a_request_overrides_the_models_own(
    model: Local,
) -> None:
    narrow = Local(path=model.path, dtype="float32", top_p=1e-9)
    greedy = (await opened(model, temperature=0)).text
    drawn = [(await opened(model, seed=seed, top_p=1e-9)).text for seed in range(10)]
    assert {*drawn} == {greedy}
    assert len({(await opened(narrow, seed=seed)).text for seed in range(10)}) > 1


async def test_what_is_drawn_stays_in_the_nucleus_and_all_of_it_is_drawn(model: Local) -> None:
    many = Local(path=model.path, dtype="float32", max_batch=100)
    checkpoint = many.load()
    tokens = [*chat_tokens(checkpoint, HELLO), *text_tokens(checkpoint, "say:", is_start=False)]
    with torch.inference_mode():
        shares = (checkpoint.model(torch.tensor([tokens])).logits[0, -1] / 1.3).softmax(-1).tolist()
    order = sorted(range(len(shares)), key=lambda token: -shares[token])
    # The nucleus: the likeliest tokens up to the one with which their sum reaches top_p (Holtzman et al., 2020).
    size = next(n for n in range(1, 259) if sum(shares[token] for token in order[:n]) >= 0.4)
    texts = [
        checkpoint.tokenizer.decode([token], skip_special_tokens=True).rstrip("\ufffd").strip()
        for token in order[:size]
    ]
    drawn = await asyncio.gather(
        *(opened(many, seed=seed, max_tokens=1, temperature=1.3, top_p=0.4) for seed in range(300))
    )
    assert 1 < size < 60
    assert {one.text for one in drawn} == {*texts}
