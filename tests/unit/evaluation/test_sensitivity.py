"""How often a verdict holds if seeds, settings, tasks and metrics are chosen otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

import convsim
from convsim.evaluation.scorecard import Scorecard
from convsim.evaluation.sensitivity import variations, with_sensitivity
from convsim.evaluation.sides import Selection, Side
from convsim.metrics import Metrics, measure_both
from convsim.schema import Finding, Validator
from convsim.schema.conversation import Conversation, Message

TASKS = ("shoes", "coats", "hats")


def crowd(prefix: str, n: int, simulator: str | None = None) -> list[Conversation]:
    return [
        Conversation(
            id=f"{prefix}{i}", task=TASKS[i % 3], simulator=simulator,
            messages=(
                Message(role="user", content=f"{prefix}{i} " + "thing " * (1 + i % 7)),
                Message(role="assistant", content="ok"),
            ),
        )
        for i in range(n)
    ]  # fmt: skip


PEOPLE, SHOPPERS = crowd("r", 30), crowd("s", 30, "made up")


@dataclass(frozen=True, kw_only=True)
class Picky:
    """Finds a difference as long as there are coats, alpha is over 3 % and the margin under a fifth."""

    name: ClassVar[str] = "picky"
    seen: ClassVar[list] = []
    margin: float = 0.2
    alpha: float = 0.05

    def validate(self, real, simulated, *, seed):
        tasks = {c.task for c in real.conversations}
        self.seen.append((seed, len(simulated), round(self.margin, 3), self.alpha, len(real.metrics)))
        found = "coats" in tasks and self.alpha > 0.03 and self.margin < 0.21
        return [
            Finding(
                validator=self.name, metric="coats", question="?", unit="-", reason="coats",
                verdict="different" if found else "undecided", n_real=len(real), n_simulated=len(simulated),
                seed=seed, version="1", source="a test", details={"kept": 1},
            )
        ]  # fmt: skip


def by_picky(
    people: Side, shoppers: Side, validators: Sequence[Validator], seed: int, metrics: Metrics
) -> list[Finding]:
    corpora = measure_both(people.conversations, shoppers.conversations, metrics=metrics)
    return [f for validator in validators for f in validator.validate(*corpora, seed=seed)]


def counts(finding: Finding) -> dict[str, list[int]]:
    """How often it held and of how many, by kind of variation."""
    stated = finding.details.get("sensitivity")
    assert isinstance(stated, dict)
    by: Any = stated["by"]
    return dict(by)


@pytest.fixture
def varied():
    Picky.seen.clear()
    sides = (Side.of(PEOPLE, "real", Selection()), Side.of(SHOPPERS, "simulated", Selection()))
    found = by_picky(*sides, [Picky()], 5, Metrics())
    card = Scorecard(real=sides[0].summary, simulated=sides[1].summary, findings=tuple(found))
    ways = [*variations(sides, [Picky()], card.findings, seed=5, metrics=Metrics())]
    return card, ways


def test_each_finding_says_how_often_it_held_and_what_it_was_otherwise(varied):
    told: list[str] = []
    [finding] = with_sensitivity(
        varied[0], varied[1], by_picky, on_variation=lambda each: told.append(each.name)
    ).findings
    assert finding.verdict == "different"
    # Four seeds hold; of two alphas .1 does, of two factors of the margin .8 does; two of three tasks are not coats.
    expected = {"seed": [4, 4], "settings": [2, 4], "task": [2, 3]}
    assert finding.details["sensitivity"] == {
        "held": 8, "of": 11, "by": expected, "otherwise": {"undecided": 3},
    }  # fmt: skip
    assert finding.reason == ("coats; held in 8 of 11 variations (seed 4 of 4, settings 2 of 4, task 2 of 3)")
    assert finding.details["kept"] == 1
    assert len(told) == 11
    assert "without coats" in told


def test_seeds_differ_settings_change_alone_and_a_task_is_left_out_on_both_sides(varied):
    with_sensitivity(varied[0], varied[1], by_picky)
    seen = Picky.seen
    assert len({seed for seed, *_ in seen[:5]}) == 5
    assert {(margin, alpha) for _, _, margin, alpha, _ in seen[5:9]} == {
        (0.2, 0.025), (0.2, 0.1), (0.16, 0.05), (0.25, 0.05),
    }  # fmt: skip
    assert [n for _, n, *_ in seen[9:12]] == [20, 20, 20]


def test_halves_of_the_habits_are_judged_where_habits_were():
    habits = ["turns", "user_words_per_turn", "user_words_first_message", "conversation_words"]
    card = convsim.validate(
        PEOPLE, SHOPPERS, seed=5, validators=["marginals", Picky()], metrics=habits, sensitivity=True
    )
    of_metrics = {
        f.metric: counts(f).get("metrics", [0, 0])[1]
        for f in card.findings if f.validator == "marginals"
    }  # fmt: skip
    assert sum(of_metrics[name] for name in habits) == 8
    assert of_metrics["all_metrics"] == 4
    [picky] = [f for f in card.findings if f.validator == "picky"]
    assert counts(picky).keys() == {"seed", "task"}  # somebody else's keeps its settings


def test_nothing_is_judged_again_unless_that_is_asked_for():
    [finding] = convsim.validate(PEOPLE, SHOPPERS, seed=5, validators=[Picky()]).findings
    assert "sensitivity" not in finding.details
