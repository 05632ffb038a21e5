"""What ``compare`` says of several simulators, against SciPy's distances and limits."""

import numpy as np
import pytest
from scipy import stats

from convsim.stats.proportions import wilson_limits
from convsim_validators import Marginals
from tests.corpora import corpus

METRICS = ("length", "words", "share")


def table(seed: int, n: int, shift: float = 0.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    share = rng.uniform(0, 1, n) ** (1 + shift)
    share[rng.uniform(size=n) < 0.2] = np.nan
    return {
        "length": rng.poisson(4 + shift, n).astype(float),
        "words": rng.normal(shift, 1, n),
        "share": share,
    }


def ks(real: np.ndarray, simulated: np.ndarray) -> float:
    return float(stats.ks_2samp(real[~np.isnan(real)], simulated[~np.isnan(simulated)]).statistic)


def compare(real, simulated):
    sides = {name: corpus(columns, prefix=name) for name, columns in simulated.items()}
    standings = Marginals(n_resamples=99).compare(corpus(real, prefix="r"), sides, seed=2)
    return {(s.metric, s.simulator, s.against): s for s in standings}


def test_the_mean_distance_is_the_mean_of_scipys_distances_on_the_pooled_rows():
    real, simulated = table(1, 90), {"a": table(2, 60, 0.5), "b": table(3, 35)}
    said = compare(real, simulated)
    for name, columns in simulated.items():
        expected = np.mean([ks(real[metric], columns[metric]) for metric in METRICS])
        assert said["mean_distance", name, None].estimate == pytest.approx(expected)


def test_at_equal_sizes_the_difference_is_that_of_scipys_distances():
    real, simulated = table(1, 90), {"a": table(2, 50, 0.5), "b": table(3, 50)}
    for columns in simulated.values():
        columns["share"] = np.nan_to_num(columns["share"])
    gaps = [ks(real[m], simulated["a"][m]) - ks(real[m], simulated["b"][m]) for m in METRICS]
    assert compare(real, simulated)["mean_distance_difference", "a", "b"].estimate == pytest.approx(
        np.mean(gaps)
    )


def test_at_unequal_sizes_the_larger_is_read_in_subsets_as_large_as_the_smaller():
    real, simulated = table(1, 90), {"a": table(2, 30), "b": table(3, 80)}
    rng = np.random.default_rng(8)
    gaps, errors = [], []
    for metric in METRICS:
        small, large = (values[~np.isnan(values)] for values in (simulated[n][metric] for n in "ab"))
        subsets = [ks(real[metric], rng.choice(large, len(small), replace=False)) for _ in range(200)]
        gaps.append(ks(real[metric], small) - np.mean(subsets))
        errors.append(np.std(subsets) * np.sqrt(2 / 200))
    standing = compare(real, simulated)["mean_distance_difference", "a", "b"]
    error = float(np.linalg.norm(errors)) / len(METRICS)
    assert standing.estimate == pytest.approx(np.mean(gaps), abs=4 * error)
    # The reading matters: at their own sizes the smaller one looks much further from people.
    assert standing.details["at_own_sizes"] > standing.estimate + 8 * error


@pytest.mark.parametrize(("k", "n"), [(0, 12), (5, 12), (12, 12), (181, 200)])
def test_wilsons_limits_are_scipys(k, n):
    expected = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    low, high = wilson_limits(np.array([k / n]), np.array([float(n)]), float(stats.norm.ppf(0.975)))
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high))
