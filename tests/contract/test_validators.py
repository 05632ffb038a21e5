"""What every validator keeps to."""

from collections.abc import Callable, Sequence

import pytest

from convsim.annotation import annotate
from convsim.annotation.rules import Rules
from convsim.metrics import measure_both
from convsim.plugins import installed
from convsim.schema import Validator
from convsim.schema.conversation import Conversation
from convsim.testing import check_validator
from convsim_validators import (
    ByStratum,
    Coherence,
    Consistency,
    Copies,
    Counterfactual,
    Disclosure,
    Diversity,
    DoseResponse,
    Endings,
    HumanLikeness,
    Joint,
    Leakage,
    Marginals,
    Prevalence,
    Relations,
    Transitions,
    Typography,
)
from tests.unit.annotation.labelled import acted

FEW = 99
"""Resamples: here nothing is decided by them."""
VALIDATORS: dict[str, Callable[[], Validator]] = {
    "marginals": lambda: Marginals(n_resamples=FEW),
    "humanlikeness": lambda: HumanLikeness(n_resamples=FEW),
    "counterfactual": lambda: Counterfactual(control="good", treatment="bad", n_resamples=FEW),
    "dose_response": lambda: DoseResponse(fault="rude_text", n_resamples=FEW),
    "relations": lambda: Relations(n_resamples=FEW),
    "prevalence": lambda: Prevalence(n_resamples=FEW),
    "transitions": lambda: Transitions(n_resamples=FEW),
    "copies": lambda: Copies(n_resamples=FEW),
    "typography": lambda: Typography(n_resamples=FEW),
    "diversity": lambda: Diversity(n_resamples=FEW),
    "coherence": lambda: Coherence(n_resamples=FEW),
    "consistency": lambda: Consistency(n_resamples=FEW),
    "disclosure": lambda: Disclosure(n_resamples=FEW),
    "joint": lambda: Joint(n_resamples=FEW),
    "by_stratum": lambda: ByStratum(n_resamples=FEW),
    "endings": lambda: Endings(n_resamples=FEW),
    "leakage": lambda: Leakage(n_resamples=FEW),
}


def side(seed: int, prefix: str) -> Sequence[Conversation]:
    """Conversations labelled by a person and by the rules, of two arms, some under a fault."""
    held = []
    for number, conversation in enumerate(acted(32, seed=seed)):
        fault = {"fault": "rude_text", "severity": (number % 4 + 1) / 4} if number % 2 else {}
        arm = "bad" if number % 2 else "good"
        held.append(conversation.but(id=f"{prefix}{number}", user=f"{prefix}{number // 2}", arm=arm, **fault))
    return annotate(held, Rules()).conversations


def test_every_built_in_one_is_tried() -> None:
    assert set(VALIDATORS) == {
        name
        for name, entry in installed("validators").items()
        if entry.value.startswith("convsim_validators")
    }


@pytest.mark.parametrize("make", VALIDATORS.values(), ids=VALIDATORS)
def test_it_keeps_to_the_contract(make: Callable[[], Validator]) -> None:
    validator = make()
    any_order = validator.name != "humanlikeness"  # see the next test
    check_validator(validator, real=side(1, "r"), simulated=side(2, "s"), any_order=any_order)


def test_what_the_classifiers_say_is_the_same_in_any_order_but_for_texts_cut_to_one_length() -> None:
    sides, turned = ((side(1, "r")[::step], side(2, "s")[::step]) for step in (1, -1))
    straight, back = (
        {f.metric: f for f in HumanLikeness(n_resamples=FEW).validate(*measure_both(*each), seed=1)}
        for each in (sides, turned)
    )
    for metric in ("hls", "hls_behaviour"):
        assert straight[metric].estimate == pytest.approx(back[metric].estimate, rel=1e-4)
    # Which of several copies of a cut text is kept goes by place.
    cut, interval = back["hls_length_matched"].estimate, straight["hls_length_matched"].interval
    assert cut is not None
    assert interval is not None
    assert interval[0] < cut < interval[1]


@pytest.mark.parametrize("make", VALIDATORS.values(), ids=VALIDATORS)
def test_it_bears_conversations_with_no_label_and_no_fault(make: Callable[[], Validator]) -> None:
    check_validator(make())
