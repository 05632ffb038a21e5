"""Each adversary is caught by the validator that must catch it, at 200 a side, and other people by nobody.

The validators judge stand-in people, each card by one validator and so without the correction for the others. One that
is not installed is told as a skipped test by its name.
"""

from functools import cache

import pytest
from scipy.stats import binom

from convsim.evaluation.adversaries import ADVERSARIES, NULL
from convsim.evaluation.calibrating import calibrate
from convsim.plugins import installed
from convsim.schema.conversation import Conversation
from tests.demo_data.crowd import crowd

N = 200
N_NULL = 10
PAIRS = [(each.name, validator) for each in ADVERSARIES.values() for validator in each.caught_by]
VALIDATORS = sorted({validator for _, validator in PAIRS})


def needs(validator: str) -> None:
    if validator not in installed("validators"):
        pytest.skip(f"no validator {validator!r} is installed")


@cache
def people() -> list[Conversation]:
    return crowd(3 * N, seed=41)


def annotator(validator: str) -> str | None:
    return "rules" if validator in ("transitions", "coherence", "consistency", "endings") else None


@pytest.mark.parametrize(("adversary", "validator"), PAIRS)
def test_it_is_caught_by_its_validator(adversary, validator):
    needs(validator)
    found = calibrate(
        people(), seed=7, sizes=[N], n_runs=1, n_null_runs=1, adversaries=[adversary], validators=validator,
        annotator=annotator(validator),
    )  # fmt: skip
    (trial,) = [each for each in found.trials if each.adversary == adversary]
    assert not found.failed
    assert not trial.left_out
    assert trial.caught == {validator: 1}


@pytest.mark.parametrize("validator", VALIDATORS)
def test_other_people_are_caught_in_no_more_than_one_case_of_twenty(validator):
    needs(validator)
    found = calibrate(
        people(), seed=8, sizes=[N // 2], n_null_runs=N_NULL, adversaries=[NULL.name], validators=validator,
        annotator=annotator(validator),
    )  # fmt: skip
    (null,) = found.trials
    assert null.n_runs == N_NULL
    assert null.caught_by_any <= binom.ppf(0.99, N_NULL, 0.05)
