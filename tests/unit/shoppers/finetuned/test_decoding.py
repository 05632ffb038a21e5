"""How the words of a trained shopper are drawn: chosen by their number and variety, on the same places."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from convsim.errors import ModelError
from convsim.models import Local
from convsim.schema import ChatMessage, Completion
from convsim.schema.conversation import Conversation, LearnedFrom, Message
from convsim.schema.persona import Persona
from convsim.shoppers.finetuned import Trained, asked
from convsim.shoppers.finetuned.sampling import Decoding, choose_decoding
from tests.unit.models.tiny import make_tiny

SETTINGS = [(1.0, 1.0), (1.0, 0.95), (0.85, 1.0), (1.0, 0.9), (0.85, 0.95), (0.7, 1.0)]
TRAINED = Trained(learned_from=LearnedFrom(), n_items=4, max_prompt_tokens=100_000, max_tokens=50)


@dataclass
class Speaker:
    """A model in this process that says what ``says`` makes of the prompt's last words and the setting."""

    name: ClassVar[str] = "speaker"
    path: ClassVar[str] = "nowhere"
    says: Callable[[str, float, float], str | ModelError]
    heard: list[dict[str, Any]] = field(default_factory=list)
    waiting: int = 0
    most_waiting: int = 0

    async def count_tokens(self, messages: list[ChatMessage]) -> int:
        return sum(len(message.content) for message in messages)

    async def complete_opened(self, messages: list[ChatMessage], opening: str, **how: Any) -> Completion:
        self.heard.append({"messages": list(messages), "opening": opening, **how})
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        await asyncio.sleep(0)
        self.waiting -= 1
        said = self.says(messages[-1].content, how["temperature"], how["top_p"])
        if isinstance(said, ModelError):
            raise said
        return Completion(text=said, finish_reason="length")

    def of(self, setting: tuple[float, float]) -> list[dict[str, Any]]:
        return [one for one in self.heard if (one["temperature"], one["top_p"]) == setting]


async def choose(
    model: Any, held_out: list[Conversation], *, n: int, seed: int = 1, trained: Trained = TRAINED
) -> Decoding:
    return await choose_decoding(model, held_out, trained, n=n, seed=seed)


def chat(name: str, *said: str, ending: str = "turn_limit") -> Conversation:
    """The agent's messages name the turn that they precede, so that a model can know where it is."""
    messages = [
        message
        for place, text in enumerate(said)
        for message in (
            Message(role="user", content=text),
            Message(role="assistant", content=f"{name} {place + 1}"),
        )
    ]
    return Conversation.model_validate({"id": name, "messages": messages, "ending": ending})


def chats(count: int) -> list[Conversation]:
    """Two turns a conversation: one of 3 different words, one of 5."""
    return [
        chat(f"c{i}", f"red{i} boots{i} please{i}", f"no{i} not{i} these{i} cheaper{i} ones{i}")
        for i in range(count)
    ]


def people(place: str, *_: float) -> str:
    """Says what the people of ``chats`` said."""
    name = place.split()[0].removeprefix("c")
    if place.endswith(" 1"):
        return f"no{name} not{name} these{name} cheaper{name} ones{name}"
    return "red1 boots1 please1"


async def test_the_setting_that_talks_as_people_do_is_chosen() -> None:
    def says(place: str, temperature: float, top_p: float) -> str:
        if (temperature, top_p) == (0.85, 0.95):
            return people(place)
        return "well " * (40 if temperature == 1 else 30)

    chosen = await choose(Speaker(says), chats(10), n=20)
    assert (chosen.temperature, chosen.top_p) == (0.85, 0.95)
    assert chosen.reason is None
    assert (chosen.places, chosen.generated) == (20, 120)
    assert [(one.temperature, one.top_p) for one in chosen.tried] == SETTINGS


async def test_the_distances_are_those_of_a_calculation_by_hand() -> None:
    # People: ten turns of 3 and ten of 5 words, all 80 words different. The model: twenty turns of 4 words, two of
    # them different in all. Half of the people's turns are shorter, half longer: KS = 1/2. 80 words of each side:
    # 80 and 2 types, so 1 - 2/80.
    chosen = await choose(Speaker(lambda *_: "a b a b"), chats(10), n=20)
    for one in chosen.tried:
        assert one.length_distance == pytest.approx(0.5)
        assert one.variety_distance == pytest.approx(1 - 2 / 80)


async def test_variety_is_compared_over_equally_many_words() -> None:
    # As long as there are only 20 words of the model's, 20 of the people's count: 20 types against 1.
    chosen = await choose(Speaker(lambda *_: "a"), chats(10), n=20)
    assert chosen.tried[0].variety_distance == pytest.approx(1 - 1 / 20)


async def test_of_equal_settings_the_one_that_truncates_least_is_chosen() -> None:
    chosen = await choose(Speaker(lambda *_: "just so"), chats(10), n=20)
    assert (chosen.temperature, chosen.top_p) == (1.0, 1.0)
    assert chosen.reason is None


async def test_every_setting_is_tried_at_the_same_places_with_the_same_seeds() -> None:
    model = Speaker(lambda *_: "ok")
    await choose(model, chats(30), n=12)
    first, *others = [
        [(one["messages"], one["seed"], one["max_tokens"], one["opening"]) for one in model.of(setting)]
        for setting in SETTINGS
    ]
    assert len(first) == 12
    assert all(other == first for other in others)
    assert len({seed for _, seed, _, _ in first}) == 12
    assert {(max_tokens, opening) for _, _, max_tokens, opening in first} == {(50, "say:")}


async def test_another_seed_draws_other_places() -> None:
    drawn = []
    for seed in (1, 1, 2):
        model = Speaker(lambda *_: "ok")
        await choose(model, chats(30), n=12, seed=seed)
        drawn.append([(one["messages"][-1].content, one["seed"]) for one in model.of((1.0, 1.0))])
    assert drawn[0] == drawn[1] != drawn[2]


async def test_a_place_is_asked_for_as_the_shopper_asks_and_ends_are_left_out() -> None:
    ended = [
        chat(f"c{i}", "snow boots", "in blue", "goodbye then", ending="left").but(
            messages=(
                *chat(f"c{i}", "snow boots", "in blue").messages,
                Message(role="user", content="goodbye"),
            )
        )
        for i in range(6)
    ]
    model = Speaker(lambda *_: "ok")
    chosen = await choose(model, ended, n=40)
    assert chosen.places == 12
    expected = []
    for one in ended:
        persona = Persona(id=one.id, need="snow boots")
        for cut in (0, 2):
            expected.append(asked(one.but(messages=one.messages[:cut]), persona, n_items=4))
    heard = [one["messages"] for one in model.of((1.0, 1.0))]
    assert sorted(map(str, heard)) == sorted(map(str, expected))


async def test_fewer_than_ten_turns_choose_nothing_and_ask_nothing() -> None:
    model = Speaker(lambda *_: "ok")
    chosen = await choose(model, [*chats(4), chat("c9", "one more", "")], n=40)
    assert (chosen.temperature, chosen.top_p, chosen.places, chosen.tried) == (1.0, 1.0, 9, ())
    assert chosen.reason is not None
    assert "at least 10 turns" in chosen.reason
    assert "there are 9" in chosen.reason
    assert model.heard == []


async def test_a_prompt_longer_than_any_learned_from_is_no_place() -> None:
    model = Speaker(lambda *_: "ok")
    long = chat("long", "x " * 450, "tell me more")
    short = TRAINED.but(max_prompt_tokens=800)
    chosen = await choose(model, [long, *chats(10)], n=40, trained=short)
    assert chosen.places == 21  # all but the second of the long one
    assert not any("x x x" in one["messages"][-2].content for one in model.heard)


async def test_a_turn_that_fails_counts_as_no_words_and_one_cut_off_as_those_it_has() -> None:
    def says(place: str, *_: float) -> str | ModelError:
        return people(place) if place.endswith(" 1") else ModelError("no room")

    chosen = await choose(Speaker(says), chats(10), n=20)
    assert chosen.generated == 60
    for one in chosen.tried:
        assert one.generated == 10
        # Ten of 3 and ten of 5 words against ten of none and ten of 5.
        assert one.length_distance == pytest.approx(0.5)


async def test_a_model_that_answers_nothing_chooses_nothing() -> None:
    model = Speaker(lambda *_: ModelError("out of memory"))
    chosen = await choose(model, chats(10), n=20)
    assert (chosen.temperature, chosen.top_p, chosen.generated) == (1.0, 1.0, 0)
    assert chosen.reason == "speaker answered none of 20 turns"


async def test_the_turns_of_a_setting_wait_together_and_settings_one_after_the_other() -> None:
    model = Speaker(lambda *_: "ok")
    await choose(model, chats(10), n=16)
    assert model.most_waiting == 16


async def test_a_model_in_this_process_is_sampled_at_each_setting(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    template = "{% for m in messages %}{{ m['content'] + '<|end|>' }}{% endfor %}"
    model = Local(path=make_tiny(tmp_path, template=template), dtype="float32", max_batch=20)
    short = TRAINED.but(max_prompt_tokens=245, max_tokens=8)
    held_out = [chat(f"c{i}", f"hat {i}") for i in range(12)]
    chosen = await choose(model, held_out, n=12, trained=short)
    assert chosen.places == 12
    assert chosen.generated == 72
    assert len({(one.length_distance, one.variety_distance) for one in chosen.tried}) > 1
    assert chosen == await choose(model, held_out, n=12, trained=short)
