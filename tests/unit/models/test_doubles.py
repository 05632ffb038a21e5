"""The scripted and the recorded model."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from convsim.errors import InputError, ModelError
from convsim.models import Asked, Recorded, Scripted
from convsim.schema.chat_model import ChatMessage

HELLO = [ChatMessage(role="user", content="Hello there")]


class Fit(BaseModel):
    size: int


async def ask(model: Scripted | Recorded, seed: int = 1, **more: Any) -> str:
    return (await model.complete(HELLO, max_tokens=9, temperature=0.5, seed=seed, **more)).text


async def test_a_script_is_said_in_order_and_then_has_no_more() -> None:
    model = Scripted(answers=["one", ModelError("the server is down"), "three\nfour"])
    assert await ask(model) == "one"
    with pytest.raises(ModelError, match="the server is down"):
        await ask(model)
    said = await model.continue_text("Shopper:", max_tokens=9, temperature=0, seed=1, stop=["\n"])
    assert said.text == "three"
    with pytest.raises(ModelError, match="scripted has no scripted answer left: it was called 4 times"):
        await ask(model)
    assert model.calls == 3


async def test_a_script_may_be_a_function_of_what_was_asked() -> None:
    def answer(asked: Asked) -> str:
        return f"{asked.kind} {asked.words} {asked.seed} {asked.temperature}"

    model = Scripted(answers=answer)
    assert await ask(model, 7) == "complete Hello there 7 0.5"
    assert model.last is not None
    assert model.last.max_tokens == 9
    said = await model.complete(HELLO, max_tokens=9, temperature=0.5, seed=7)
    assert (said.input_tokens, said.output_tokens, said.cost_usd) == (2, 5, None)


async def test_a_script_chooses_word_for_word() -> None:
    model = Scripted(answers=["leave", "Leave"])
    assert (await model.choose(HELLO, ["say", "leave"], temperature=0, seed=1)).index == 1
    with pytest.raises(ModelError, match="must choose among"):
        await model.choose(HELLO, ["say", "leave"], temperature=0, seed=1)


async def test_a_script_is_held_to_a_schema() -> None:
    model = Scripted(answers=['{"size": 9}', "nine"])
    assert await ask(model, schema=Fit) == '{"size": 9}'
    with pytest.raises(ModelError, match="does not fit the schema Fit"):
        await ask(model, schema=Fit)


async def test_a_script_takes_its_time_without_blocking_others() -> None:
    model = Scripted(answers=lambda _: "hi", seconds=0.1)
    calls_seen_at_the_end = []

    async def one(seed: int) -> None:
        await ask(model, seed)
        calls_seen_at_the_end.append(model.calls)

    await asyncio.gather(*(one(seed) for seed in range(50)))
    # All were asked before the first was answered.
    assert calls_seen_at_the_end == [50] * 50


async def test_what_was_recorded_is_replayed_without_the_model(tmp_path: Path) -> None:
    store = tmp_path / "heard.jsonl"
    script = Scripted(answers=["one", " two", "leave"])
    recording = Recorded(store=store, model=script)
    said = await recording.complete(HELLO, max_tokens=9, temperature=0.5, seed=1)
    await recording.continue_text("Shopper:", max_tokens=9, temperature=0.5, seed=1)
    await recording.choose(HELLO, ["say", "leave"], temperature=0.5, seed=1)
    assert await ask(recording) == "one"
    assert script.calls == 3

    replaying = Recorded(store=store)
    assert await replaying.complete(HELLO, max_tokens=9, temperature=0.5, seed=1) == said
    assert (await replaying.continue_text("Shopper:", max_tokens=9, temperature=0.5, seed=1)).text == " two"
    assert (await replaying.choose(HELLO, ["say", "leave"], temperature=0.5, seed=1)).index == 1


async def test_what_was_not_heard_is_refused_by_every_part_of_a_request(tmp_path: Path) -> None:
    store = tmp_path / "heard.jsonl"
    await ask(Recorded(store=store, model=Scripted(answers=["one"])))
    replaying = Recorded(store=store)
    for request in (
        replaying.complete(HELLO, max_tokens=9, temperature=0.5, seed=2),
        replaying.complete(HELLO, max_tokens=8, temperature=0.5, seed=1),
        replaying.complete(HELLO, max_tokens=9, temperature=0.6, seed=1),
        replaying.complete(HELLO, max_tokens=9, temperature=0.5, seed=1, stop=["\n"]),
        replaying.complete(HELLO, max_tokens=9, temperature=0.5, seed=1, schema=Fit),
        replaying.complete(HELLO * 2, max_tokens=9, temperature=0.5, seed=1),
        replaying.choose(HELLO, ["one"], temperature=0.5, seed=1),
        replaying.continue_text("Hello there", max_tokens=9, temperature=0.5, seed=1),
    ):
        with pytest.raises(
            ModelError, match=r"has no recording of this \(.* with seed .*: record it with a real model"
        ):
            await request


async def test_a_failure_is_not_recorded(tmp_path: Path) -> None:
    store = tmp_path / "heard.jsonl"
    model = Recorded(store=store, model=Scripted(answers=[ModelError("down"), "up"]))
    with pytest.raises(ModelError, match="down"):
        await ask(model)
    assert await ask(model) == "up"
    assert len(store.read_text().splitlines()) == 1


async def test_half_a_line_left_by_a_killed_process_is_dropped(tmp_path: Path) -> None:
    store = tmp_path / "heard.jsonl"
    await ask(Recorded(store=store, model=Scripted(answers=["one"])))
    whole = store.read_text()
    store.write_text(whole + whole[: len(whole) // 2])
    assert await ask(Recorded(store=store)) == "one"
    assert await ask(Recorded(store=store, model=Scripted(answers=["two"])), 2) == "two"
    assert store.read_text().startswith(whole)
    assert await ask(Recorded(store=store), 2) == "two"


async def test_a_broken_store_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    store = tmp_path / "heard.jsonl"
    await ask(Recorded(store=store, model=Scripted(answers=["one"])))
    store.write_text(store.read_text() + '{"key": "k"}\n')
    with pytest.raises(InputError, match=r"heard.jsonl:2: asked: is missing"):
        await ask(Recorded(store=store))
    with pytest.raises(InputError, match="cannot be read"):
        await ask(Recorded(store=tmp_path / "absent.jsonl"))
