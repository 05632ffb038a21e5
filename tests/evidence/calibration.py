"""Size and coverage of every validator, and how much is decided, on stand-in people whose population is known.

Every card is of people drawn for it alone, so that cards are independent: ``python -m tests.demo_data.crowd`` draws any
number. A card has all validators with their common correction, as a user's has. ``convsim calibrate`` asks the same of
people that are given, and of adversaries, whose page is counted for power: there, cards draw from the same people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import convsim
from convsim.evaluation.adversaries import ADVERSARIES, NULL
from convsim.evaluation.calibrating import needed_validators
from convsim.evaluation.scorecard import Scorecard
from convsim.schema import FAILING, Finding
from convsim.schema.conversation import Conversation
from convsim.schema.details.reactions import ShiftDetails
from convsim.seeds import child_seed, generator
from tests.demo_data.crowd import crowd
from tests.evidence.kept import Kept

Asked = dict[str, Any]
NULL_SIZES = {100: 1, 200: 1, 50: 2, 400: 2}
"""People a side, and every which run has a card of them."""
ARM_SIZE = 100
"""People an arm, where one arm's people are held against the other's."""
TRUTH_SIZE = 3_000
"""People an arm, of whom what is estimated counts as the population's."""
CONTROL, TREATMENT = "good", "bad"
MEASURED = ("marginals", "coherence", "consistency", "disclosure", "endings", "transitions")
"""The validators that estimate what the population has; what a classifier reaches depends on its sample."""
ALONE = "no difference is shown once"
"""How the reason of a finding begins that fails until the card's validators are counted."""


def run(_: Path | None, out: Path, runs: int) -> None:
    """Judge ``runs`` cards of people against people, of two arms, and of two groups' reactions."""
    kept = Kept(out / "calibration.jsonl")
    for asked, make in plan(runs):
        kept.row(asked, make)


def plan(runs: int) -> Iterator[tuple[Asked, Callable[[], Asked]]]:
    """Yield what is asked and how it is found out, seed by seed, so that what is stopped is in proportion."""
    for part, judge in (("arms", _arms), ("reactions", _reactions)):
        yield {"part": part, "n": TRUTH_SIZE, "seed": "truth"}, partial(judge, TRUTH_SIZE, "truth")
    for seed in range(runs):
        for n, every in NULL_SIZES.items():
            if seed % every == 0:
                yield {"part": "people", "n": n, "seed": seed}, partial(_card, n, seed)
        for part, judge in (("arms", _arms), ("reactions", _reactions)):
            yield {"part": part, "n": ARM_SIZE, "seed": seed}, partial(judge, ARM_SIZE, seed)


def _card(n: int, seed: int) -> Asked:
    people = crowd(2 * n, seed=child_seed(seed, "people", n))
    order = generator(seed, "halves", n).permutation(len(people))
    judged, others = ([people[i] for i in half] for half in (order[:n], order[n:]))
    made = NULL.simulate(others, seed=child_seed(seed, "made", n))
    card = convsim.validate(
        judged, made, seed=seed, annotator="rules", cache=False,
        validators=needed_validators([*ADVERSARIES.values()]),
    )  # fmt: skip
    return _found(card)


def _found(card: Scorecard) -> Asked:
    return {
        "headlines": {h.name: h.verdict for h in card.headlines},
        "findings": [_stated(f) for f in card.findings if not f.is_control],
    }


def _stated(finding: Finding) -> Asked:
    return {
        "of": [finding.validator, finding.metric],
        "unit": finding.unit,
        "estimate": finding.estimate,
        "interval": finding.interval,
        "p": finding.p_value,
        "verdict": finding.verdict,
        "fails": finding.verdict in FAILING,
        "fails_alone": finding.verdict in FAILING or finding.reason.startswith(ALONE),
    }


def _of_arm(people: list[Conversation], arm: str, n: int) -> list[Conversation]:
    return [c for c in people if c.arm == arm][:n]


def drawn_by_arm(n: int, seed: int | str, of: str, n_sides: int) -> list[list[Conversation]]:
    """Draw so many sides, each of ``n`` people an arm; one in five people of a crowd meets the second arm."""
    people = crowd(6 * n * n_sides, seed=child_seed(0, of, seed))
    people = [people[i] for i in generator(0, "order", of, seed).permutation(len(people))]
    arms = [_of_arm(people, arm, n * n_sides) for arm in (CONTROL, TREATMENT)]
    return [[*arms[0][at::n_sides], *arms[1][at::n_sides]] for at in range(n_sides)]


def _arms(n: int, seed: int | str) -> Asked:
    """Hold people of the second arm against people of the first: a difference that the population has."""
    (people,) = drawn_by_arm(n, seed, "arms", 1)
    card = convsim.validate(
        _of_arm(people, CONTROL, n), _of_arm(people, TREATMENT, n), seed=0, annotator="rules", cache=False,
        validators=MEASURED,
    )  # fmt: skip
    return _found(card)


def _reactions(n: int, seed: int | str) -> Asked:
    """Hold people's reactions against other people's."""
    real, others = drawn_by_arm(n, seed, "reactions", 2)
    card = convsim.counterfactual(
        real, others, control=CONTROL, treatment=TREATMENT, seed=0, annotator="rules", cache=False
    )
    shifts = {
        f.metric: {"estimate": f.details.human_shift.estimate, "interval": f.details.human_shift.interval}
        for f in card.findings
        if isinstance(f.details, ShiftDetails) and f.details.human_shift is not None and not f.is_control
    }
    return {**_found(card), "shifts": shifts}
