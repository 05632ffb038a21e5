"""What holds of every adversary, on any text."""

import pytest

from convsim.errors import InputError
from convsim.evaluation.adversaries import ADVERSARIES, NULL, Adversary, find_adversaries
from convsim.schema.conversation import Conversation, Label, Message
from convsim.schema.persona import Persona

EACH = pytest.mark.parametrize("adversary", ADVERSARIES.values(), ids=[*ADVERSARIES])
VALIDATORS = {
    "by_stratum", "coherence", "consistency", "copies", "disclosure", "diversity", "endings", "humanlikeness",
    "joint", "leakage", "marginals", "transitions", "typography",
}  # fmt: skip


def talk(*said: str, name: str = "c", task: str | None = None) -> Conversation:
    roles = ("user", "assistant")
    messages = tuple(Message(role=roles[n % 2], content=text) for n, text in enumerate(said))
    return Conversation(id=name, task=task, messages=messages)


HOSTILE = {
    "empty messages": [talk("", "", "  ", "", name=str(n)) for n in range(5)],
    "no messages": [Conversation(id=str(n), messages=()) for n in range(3)],
    "only the agent": [
        Conversation(id=str(n), messages=(Message(role="assistant", content="Hello?"),)) for n in range(3)
    ],
    "one message": [talk(f"shoes {n}", name=str(n)) for n in range(4)],
    "one conversation": [talk("red shoes", "Which size?", "42", "Here.")],
    "emoji": [talk("👍🏽👨‍👩‍👧", "🙂?", "❤️", "🎉", "🙏", name=str(n)) for n in range(6)],
    "Chinese": [talk("我想买一双红色的鞋", "您穿几码？", "42码", "好的，这双怎么样？", "可以")] * 6,
    "marks alone": [talk("???", "!!!", "...", "。。。", "-", name=str(n)) for n in range(4)],
    "the same id": [talk("red shoes", "Which size?", str(n), "Here.") for n in range(4)],
    "nul and marks of direction": [talk("a\x00b", "?", "\u202eab\ufeff", "?", "x" * 3000)] * 3,
    "nobody": [],
}  # fmt: skip


@EACH
def test_hostile_text_breaks_none(adversary: Adversary) -> None:
    for said in HOSTILE.values():
        made = adversary.simulate(said, seed=1)
        assert len(made) <= len(said)
        for conversation in made:
            assert Conversation.model_validate_json(conversation.to_json()) == conversation


@EACH
def test_what_is_made_is_a_simulators_and_changes_enough(
    adversary: Adversary, people: list[Conversation]
) -> None:
    rated = [
        c.but(
            labels={"satisfaction": Label(value=1, source="self")},
            persona=Persona(id="p", need="shoes"),
            messages=tuple(m.but(labels={"act": Label(value="inform", source="self")}) for m in c.messages),
        )
        for c in people
    ]
    made = adversary.simulate(rated, seed=0)
    assert made == adversary.simulate(rated, seed=0)
    assert adversary.unfit(rated, made) is None
    assert len({c.id for c in made}) == len(made)
    assert not {c.id for c in made} & {c.id for c in people}
    for c in made:
        assert c.simulator == f"adversary:{adversary.name}"
        assert (c.user, c.persona, c.labels) == (None, None, {})
        assert not any(m.labels for m in c.messages)


@EACH
def test_it_says_what_it_does_and_who_must_catch_it(adversary: Adversary) -> None:
    assert 15 < len(adversary.line) < 120
    assert set(adversary.caught_by) <= VALIDATORS
    assert bool(adversary.caught_by) == (adversary is not NULL)


def test_text_without_capitals_is_not_lowered() -> None:
    said = HOSTILE["Chinese"]
    lower = ADVERSARIES["lower_case"]
    assert lower.unfit(said, lower.simulate(said, seed=0)) == "it changes 0 of 6 of these conversations"


def test_people_stand_first_whoever_is_named() -> None:
    assert [a.name for a in find_adversaries(["emoji"])] == ["other_people", "emoji"]


def test_a_wrong_name_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match="no adversary is called 'emojis'; did you mean emoji"):
        find_adversaries(["emojis"])
    with pytest.raises(InputError, match="no adversary is named"):
        find_adversaries([])
