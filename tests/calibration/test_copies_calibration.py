"""``copies`` on made-up talk: whom it flags that copied nobody, what it finds, and what its ``aligned`` is worth."""

import numpy as np
import pytest
from scipy.stats import binom

from convsim_validators import Copies
from tests.made_up_talk import every_second, one_word, side, small_talk, swapped, talk

N_RUNS = 40
VALIDATOR = Copies(n_resamples=99)


def judged(real, simulated, **tasks):
    found = VALIDATOR.validate(side(real, "r", **tasks), side(simulated, "s", **tasks), seed=1)
    return {finding.metric: finding for finding in found}


def rates(case, *, n_runs: int = N_RUNS):
    """The verdicts of both findings in runs of a case, which maps random numbers to two sides."""
    found = [judged(*case(np.random.default_rng([17, run]))) for run in range(n_runs)]
    return {name: [each[name] for each in found] for name in ("near_copies", "diversity")}


def share(findings, verdict: str) -> float:
    return float(np.mean([finding.verdict == verdict for finding in findings]))


@pytest.mark.parametrize(("n_real", "n_simulated"), [(40, 40), (80, 20), (20, 80)])
def test_who_copied_nobody_is_hardly_ever_flagged(n_real, n_simulated):
    found = rates(lambda rng: (talk(rng, n_real), talk(rng, n_simulated)))
    # Three rules at .005 each.
    flagged = sum(finding.verdict == "copies" for finding in found["near_copies"])
    assert flagged <= binom.ppf(0.999, N_RUNS, 0.015)
    rejected = sum(finding.p_adjusted <= 0.05 for finding in found["diversity"])
    assert rejected <= binom.ppf(0.999, N_RUNS, 0.05)


def test_common_small_talk_is_hardly_ever_flagged():
    found = rates(lambda rng: ([*talk(rng, 20), *small_talk(rng, 20)], small_talk(rng, 40)))
    assert share(found["near_copies"], "copies") <= binom.ppf(0.999, N_RUNS, 0.015) / N_RUNS


@pytest.mark.parametrize("a_task", [1, 2, 4])
def test_talking_of_the_same_tasks_is_hardly_ever_flagged(a_task):
    n_tasks = 40 // a_task

    def case(rng):
        topics = [talk(rng, 1, n_words=20)[0] for _ in range(n_tasks)]
        return tuple(
            [swapped(rng, [topics[n % n_tasks]], every_second)[0] for n in range(40)] for _ in range(2)
        )

    tasks = [f"t{n % n_tasks}" for n in range(40)]
    found = [judged(*case(np.random.default_rng([19, run])), tasks=tasks)["near_copies"] for run in range(20)]
    assert share(found, "copies") == 0


@pytest.mark.parametrize(
    "change", [lambda rng: one_word(rng), lambda rng: every_second], ids=["one", "second"]
)
def test_copies_are_always_found(change):
    def case(rng):
        said = talk(rng, 40)
        return said, swapped(rng, said, change(rng))

    assert share(rates(case, n_runs=20)["near_copies"], "copies") == 1


def test_a_tenth_of_copies_is_mostly_found_and_hardly_ever_called_none():
    def case(rng):
        said = talk(rng, 80)
        return said, [*talk(rng, 72), *swapped(rng, said[:8], one_word(rng))]

    found = rates(case, n_runs=30)["near_copies"]
    assert share(found, "copies") >= 0.9
    assert share(found, "aligned") <= 0.1


def test_repeats_are_found_and_are_hardly_ever_called_diverse():
    def case(rng):
        some = talk(rng, 20)
        return talk(rng, 80), [*talk(rng, 60), *some[:10], *swapped(rng, some[:10], one_word(rng))]

    found = rates(case, n_runs=30)["diversity"]
    assert share(found, "different") >= 0.95
    assert share(found, "aligned") == 0
