"""``prevalence`` with an annotator whose errors are known: does the corrected interval cover, and at what power?

Each corpus carries many independent acts, so that one call is many experiments. Each conversation has one user message.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from convsim.metrics import measure_both
from convsim.schema import Finding
from convsim_validators.labels.prevalence import Prevalence
from tests.labelled import labelled_messages

N_ACTS = 40
N_CORPORA = 8
N_TESTS = N_ACTS * N_CORPORA
ACTS = np.array([f"act{i:02d}" for i in range(N_ACTS)])
SENSITIVITY, SPECIFICITY = 0.8, 0.9


@dataclass(frozen=True)
class World:
    """The true shares, how the annotator errs, and how much of it is known."""

    real: float
    simulated: float
    sensitivity: float = SENSITIVITY
    specificity: float = SPECIFICITY
    specificity_on_simulated: float | None = None
    n: int = 250
    n_calibration: int = 60
    users_of: int = 1

    @property
    def truth(self) -> float:
        return self.simulated - self.real

    def side(self, rng: np.random.Generator, *, is_simulated: bool):
        share = self.simulated if is_simulated else self.real
        specificity = self.specificity
        if is_simulated and self.specificity_on_simulated is not None:
            specificity = self.specificity_on_simulated
        n_users = -(-self.n // self.users_of)
        habit = rng.beta(4 * share, 4 * (1 - share), (n_users, N_ACTS)) if self.users_of > 1 else share
        of_each = np.repeat(habit, self.users_of, axis=0)[: self.n] if self.users_of > 1 else share
        true = rng.random((self.n, N_ACTS)) < of_each
        chance = rng.random((self.n, N_ACTS))
        said = np.where(true, chance < self.sensitivity, chance >= specificity)
        values = {"rules:1": _sets(said)}
        if not is_simulated:
            values["third_party"] = _sets(true, known=self.n_calibration)
        prefix = "s" if is_simulated else "r"
        made = labelled_messages("acts", values, per_conversation=1, prefix=prefix)
        if self.users_of == 1:
            return made
        return [c.model_copy(update={"user": f"{prefix}{i // self.users_of}"}) for i, c in enumerate(made)]


def _sets(matrix: np.ndarray, known: int | None = None) -> list[list[str] | None]:
    known = len(matrix) if known is None else known
    return [ACTS[row].tolist() if i < known else None for i, row in enumerate(matrix)]


def findings(world: World, n_corpora: int = N_CORPORA) -> list[Finding]:
    results: list[Finding] = []
    for seed in range(n_corpora):
        rng = np.random.default_rng([seed, world.n])
        sides = (world.side(rng, is_simulated=False), world.side(rng, is_simulated=True))
        results += Prevalence(n_resamples=299).validate(*measure_both(*sides), seed=seed)
    assert len(results) == n_corpora * N_ACTS
    return results


def covered(results: list[Finding], truth: float, *keys: str) -> int:
    """Count the findings whose interval below ``keys`` holds the truth."""
    n = 0
    for finding in results:
        found: Any = finding.details
        for key in keys:
            found = found[key]
        n += found["interval"][0] <= truth <= found["interval"][1]
    return n


@pytest.mark.parametrize(
    "world",
    [
        World(0.2, 0.6),
        World(0.2, 0.6, n=240, n_calibration=80, users_of=4),
        World(0.5, 0.2, sensitivity=0.95, specificity=0.7),
    ],
    ids=["independent", "four conversations a user", "an annotator that cries wolf"],
)
def test_the_corrected_interval_covers_the_truth_and_the_counted_one_does_not(world):
    results = [f for f in findings(world) if f.details["adjusted"]]
    assert len(results) >= 0.9 * N_TESTS
    assert covered(results, world.truth, "adjusted") >= binom.ppf(0.001, len(results), 0.95)
    assert covered(results, world.truth, "raw") <= 0.45 * len(results)
    assert np.median([f.estimate for f in results]) == pytest.approx(world.truth, abs=0.02)


def test_the_corrected_shares_of_each_side_cover_theirs():
    world = World(0.2, 0.6)
    results = [f for f in findings(world) if f.details["adjusted"]]
    for side, truth in (("real", world.real), ("simulated", world.simulated)):
        assert covered(results, truth, "adjusted", side) >= binom.ppf(0.001, len(results), 0.95)


@pytest.mark.parametrize("world", [World(0.4, 0.4), World(0.4, 0.4, n=240, n_calibration=80, users_of=4)])
def test_under_the_null_it_rejects_at_alpha(world):
    results = [f for f in findings(world) if f.p_value is not None]
    rejected = sum(f.p_value <= 0.05 for f in results)
    # Ties of whole numbers make a permutation test cautious; nothing may make it bold.
    assert 0.5 * binom.ppf(0.001, len(results), 0.05) <= rejected <= binom.ppf(0.999, len(results), 0.05)
    assert np.mean([f.verdict == "different" for f in results]) <= 0.02
    assert covered(results, 0, "adjusted") >= binom.ppf(0.001, len(results), 0.95)


# All forty differ, and each is corrected for all: that is where the largest of many statistics finds the least.
@pytest.mark.parametrize(("simulated", "power"), [(0.5, 0.50), (0.6, 0.97)])
def test_a_difference_of_shares_is_found(simulated, power):
    results = findings(World(0.3, simulated))
    assert np.mean([f.verdict == "different" for f in results]) >= power


def test_aligned_is_wrong_in_at_most_five_per_cent_where_the_difference_equals_the_margin():
    results = findings(World(0.3, 0.4, sensitivity=0.95, specificity=0.95, n=800, n_calibration=200), 3)
    assert sum(f.verdict == "aligned" for f in results) <= binom.ppf(0.999, len(results), 0.05)


def test_equal_shares_come_out_aligned_where_much_is_known():
    results = findings(World(0.3, 0.3, sensitivity=0.95, specificity=0.95, n=1000, n_calibration=200), 2)
    assert np.mean([f.verdict == "aligned" for f in results]) >= 0.8


@pytest.mark.smoke
def test_an_annotator_that_tells_nothing_is_refused():
    results = findings(World(0.3, 0.6, sensitivity=0.5, specificity=0.5))
    refused = sum(f.details["adjusted"] is None for f in results)
    assert refused >= binom.ppf(0.001, N_TESTS, 0.95)


def test_what_it_cannot_know_misleads_it_an_annotator_that_errs_otherwise_on_simulated_users():
    results = findings(World(0.3, 0.3, specificity_on_simulated=0.6), 2)
    assert np.mean([f.verdict == "different" for f in results]) >= 0.8
