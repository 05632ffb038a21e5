"""Joint: false differences of habits with ties and gaps, of people with several conversations; error at the margin."""

import numpy as np
import pytest
from numpy.random import Generator
from scipy.stats import binom

from convsim.schema import Corpus
from convsim_validators import Joint
from tests.corpora import corpus

pytestmark = pytest.mark.calibration
N_HABITS = 14


def side(rng: Generator, prefix: str, n: int, each: int = 1) -> Corpus:
    """Draw counts, two-valued habits and one that some lack, of ``n`` people with ``each`` conversations."""
    of_person = rng.normal(size=(n, N_HABITS)).repeat(each, axis=0) if each > 1 else 0
    hidden = 0.55 * rng.normal(size=(n * each, 1)) + 0.84 * rng.normal(size=(n * each, N_HABITS)) + of_person
    values = np.floor(np.exp(hidden))
    values[:, 0], values[:, 3] = values[:, 0] > 1, values[:, 3] > 2
    values[rng.random(len(values)) < 0.2, 1] = np.nan
    users = [f"{prefix}{i // each}" for i in range(len(values))]
    return corpus({f"x{k}": values[:, k] for k in range(N_HABITS)}, prefix=prefix, users=users)


@pytest.mark.parametrize(("sizes", "each"), [((32, 32), 1), ((100, 100), 1), ((40, 200), 1), ((38, 38), 3)])
def test_people_are_called_different_in_at_most_one_card_of_twenty(sizes, each):
    n_runs, false = 80, 0
    for seed in range(n_runs):
        rng = np.random.default_rng([seed, *sizes, each])
        found = Joint(n_resamples=199).validate(
            side(rng, "r", sizes[0], each), side(rng, "s", sizes[1], each), seed=seed
        )
        false += any(f.verdict == "different" for f in found)
    assert false <= binom.ppf(0.99, n_runs, 0.05)


def test_at_the_margin_the_sides_are_hardly_ever_called_alike_and_at_equality_they_mostly_are():
    """All 66 correlations differ by .1: of normal values .30 and .402 are rank correlations of .288 and .388."""
    alike = {0.30: 0, 0.402: 0}
    for r in alike:
        for seed in range(60):
            rng = np.random.default_rng([seed, 5])
            made = []
            for prefix, rho in (("r", 0.30), ("s", r)):
                values = np.sqrt(rho) * rng.normal(size=(200, 1)) + np.sqrt(1 - rho) * rng.normal(
                    size=(200, 12)
                )
                made.append(corpus({f"x{k}": values[:, k] for k in range(12)}, prefix=prefix))
            alike[r] += Joint(n_resamples=99).validate(*made, seed=seed)[0].verdict == "aligned"
    assert alike[0.402] <= binom.ppf(0.99, 60, 0.06)
    assert alike[0.30] >= 0.4 * 60
