"""What every validator keeps to."""

from collections.abc import Callable, Sequence

import pytest

from convsim.annotation import annotate
from convsim.annotation.rules import Rules
from convsim.plugins import installed
from convsim.schema import Validator
from convsim.schema.conversation import Conversation
from convsim.testing import check_validator
from convsim_validators import (
    Counterfactual,
    DoseResponse,
    HumanLikeness,
    Marginals,
    Prevalence,
    Relations,
    Transitions,
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
    any_order = validator.name != "humanlikeness"  # it deals users into folds by their place
    check_validator(validator, real=side(1, "r"), simulated=side(2, "s"), any_order=any_order)


@pytest.mark.parametrize("make", VALIDATORS.values(), ids=VALIDATORS)
def test_it_bears_conversations_with_no_label_and_no_fault(make: Callable[[], Validator]) -> None:
    check_validator(make())
