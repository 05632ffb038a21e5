"""Several votes of a judge: draws, orders, majorities and ties; and the form that asks by choices."""

import json

import pytest

from convsim.annotation.definitions import OTHER, definitions
from convsim.annotation.judge import Judge
from convsim.annotation.judge.asking import Vote, labels_of
from convsim.errors import ModelError
from convsim.models import Asked, Scripted
from convsim.schema import Annotation
from tests.judges import EXPERIENCE, verdict
from tests.unit.annotation.test_judge import is_of_message, recording, talk


def votes(*acts: set[str], satisfaction: tuple[int, ...] = ()) -> list[Vote]:
    felt = satisfaction or (0,) * len(acts)
    return [
        Vote(acts=frozenset(a), experience={"satisfaction": s}, completions=())
        for a, s in zip(acts, felt, strict=True)
    ]


def test_a_label_is_what_more_than_half_of_the_votes_say() -> None:
    given = labels_of(
        votes({"thank", "close"}, {"thank"}, {"thank", "refine"}, satisfaction=(1, 0, 1)), source="judge:m:1"
    )
    assert given["acts"].value == ["thank"]
    assert given["satisfaction"].value == 1
    assert given["satisfaction"].metadata == {"agreement": pytest.approx(2 / 3)}
    # One act of two, one of one, one of two: the mean overlap with ["thank"] is (1/2 + 1 + 1/2) / 3.
    assert given["acts"].metadata == {"agreement": pytest.approx(2 / 3)}


def test_acts_may_be_carried_together_by_votes_that_each_say_something_else() -> None:
    given = labels_of(votes({"thank", "close"}, {"close", "refine"}, {"thank", "refine"}), source="judge:m:1")
    assert given["acts"].value == ["close", "refine", "thank"]


def test_a_tie_gives_no_label_neither_the_one_nor_the_other() -> None:
    given = labels_of(votes({"thank"}, {"close"}, satisfaction=(1, 0)), source="judge:m:1")
    assert given == {}
    given = labels_of(votes({"thank"}, {"thank", "close"}, satisfaction=(0, 0)), source="judge:m:1")
    assert given["acts"].value == ["thank"]
    assert (given["satisfaction"].value, given["satisfaction"].metadata) == (0, {"agreement": 1.0})


def test_a_label_of_votes_stays_what_it_is_when_written_and_read() -> None:
    given = labels_of(votes({"thank"}, {"thank"}, {"close"}), source="judge:m:1")
    kept = Annotation(messages={0: given})
    assert Annotation.model_validate_json(kept.model_dump_json()) == kept


async def asked_with(seed: int, n_votes: int = 4, text: str = "boots") -> list[Asked]:
    asked: list[Asked] = []
    await Judge(recording(asked), votes=n_votes, temperature=0.8, seed=seed).annotate(talk(text))
    return [a for a in asked if is_of_message(a)]


def order_of(asked: Asked) -> list[str]:
    system = asked.messages[0].content
    names = sorted(definitions().act_names, key=lambda name: system.index(f"- {name}: "))
    assert json.dumps(names) in json.dumps(asked.json_schema)
    return names


async def test_each_vote_has_its_own_draw_and_order_and_the_same_seed_the_same() -> None:
    first, again, other = [await asked_with(seed) for seed in (1, 1, 2)]
    assert len(first) == 4
    assert [a.key for a in first] == [a.key for a in again]
    assert len({a.seed for a in (*first, *other)}) == 8
    assert len({tuple(order_of(a)) for a in (*first, *other)}) == 8
    assert {order_of(a)[-1] for a in first} == {OTHER}
    assert {a.temperature for a in first} == {0.8}


async def test_a_single_vote_lists_acts_in_another_order_for_another_message() -> None:
    orders = {tuple(order_of((await asked_with(0, 1, f"boots {n}"))[0])) for n in range(5)}
    assert len(orders) == 5


async def test_votes_of_a_model_are_counted_for_messages_and_the_conversation() -> None:
    n_asked = {True: 0, False: 0}

    def answer(asked: Asked) -> str:
        n_asked[is_of_message(asked)] += 1
        number = n_asked[is_of_message(asked)]
        acts = ["thank"] if is_of_message(asked) else []
        return verdict(*acts, satisfaction=int(number != 2), purchase_intent=1)

    given = await Judge(recording([], answer), votes=3, temperature=1.0).annotate(talk("ty"))
    assert n_asked == {True: 3, False: 3}
    for labels in (given.messages[0], given.conversation):
        assert (labels["satisfaction"].value, labels["purchase_intent"].value) == (1, 1)
        assert labels["satisfaction"].metadata["agreement"] == pytest.approx(2 / 3)
    assert given.usage.output_tokens == sum(n_asked.values()) * 8 + 3 * 2


async def test_the_choices_form_asks_one_question_a_label_and_needs_no_json() -> None:
    asked: list[Asked] = []
    wanted = {f.question: f.name in ("satisfaction", "confusion") for f in definitions().experience}

    def answer(a: Asked) -> str:
        if set(a.options) == {"yes", "no"}:
            return "yes" if next(yes for question, yes in wanted.items() if question in a.words) else "no"
        return "thank"

    given = await Judge(recording(asked, answer), form="choices").annotate(talk("ty", "Anything else?", "no"))
    assert {a.kind for a in asked} == {"choose"}
    assert len(asked) == 5 + 5 + 4
    assert {tuple(sorted(a.options)) for a in asked} == {
        ("no", "yes"),
        tuple(sorted(definitions().act_names)),
    }
    for labels in (*given.messages.values(), given.conversation):
        assert {n: labels[n].value for n in EXPERIENCE} == {
            "satisfaction": 1, "frustration": 0, "confusion": 1, "purchase_intent": 0
        }  # fmt: skip
    assert [given.messages[place]["acts"].value for place in (0, 2)] == [["thank"], ["thank"]]
    assert "acts" not in given.conversation


async def test_the_choices_form_draws_the_order_of_yes_and_no() -> None:
    asked: list[Asked] = []
    judge = Judge(recording(asked, lambda a: a.options[0]), form="choices")
    for number in range(8):
        await judge.annotate(talk(f"boots {number}"))
    assert {a.options for a in asked if len(a.options) == 2} == {("yes", "no"), ("no", "yes")}


async def test_a_model_that_chooses_none_of_the_options_gives_no_label() -> None:
    with pytest.raises(ModelError, match="must choose among"):
        await Judge(Scripted(answers=lambda _: "perhaps"), form="choices").annotate(talk("boots"))
