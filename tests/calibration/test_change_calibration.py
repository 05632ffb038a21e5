"""``Change`` at equality with people, at equal distance in different directions, and where one simulator is nearer."""

import numpy as np
import pytest
from scipy.stats import binom

from convsim.stats.change import change_between
from convsim.stats.multiplicity import across_families
from tests.corpora import corpus

K, N_DRAWS = 12, 200
LOADINGS = np.random.default_rng(0).normal(size=(K, 2)) / 2


def table(rng, n, shift, scale=1.0, personas=None):
    """Correlated habits: four counts, two rare ones, the others continuous, the same design in both halves."""
    values = rng.normal(size=(n, 2)) @ LOADINGS.T + 0.8 * rng.normal(size=(n, K))
    if personas is not None:
        values = (values + personas) / np.sqrt(2)
    values = values / np.sqrt((LOADINGS**2).sum(axis=1) + 0.64) * scale + shift
    values[:, :4] = np.round(3 * np.exp(values[:, :4] / 2))
    values[:, 4:6] = values[:, 4:6] > 1
    return {f"m{k}": values[:, k] for k in range(K)}


def rejections(before, after, *, n=(100, 100), paired=False, seed=1):
    """The shares of draws in which the joint test, and any of the metrics' (Holm), reject at 5 %."""
    joint, metrics = 0, []
    for draw in range(N_DRAWS):
        rng = np.random.default_rng([seed, draw])
        people = corpus(table(rng, n[0], 0.0), prefix="r")
        personas = (
            rng.normal(size=(n[1], 2)) @ LOADINGS.T + 0.8 * rng.normal(size=(n[1], K)) if paired else None
        )
        users = [f"u{k}" for k in range(n[1])] if paired else None
        first, second = (
            corpus(table(rng, n[1], shift, scale, personas), prefix=prefix, users=users)
            for prefix, (shift, scale) in (("a", before), ("b", after))
        )
        change = change_between((people, first), (people, second), list(people.metrics)).change
        joint += change.joint.p_value <= 0.05
        adjusted = across_families({name: [m.p_value] for name, m in change.by_metric.items()})
        metrics.append({name for name, [p] in adjusted.items() if p <= 0.05})
    return joint / N_DRAWS, metrics


EVEN = np.where(np.arange(K) % 2 == 0, 0.5, 0.0)
UP = np.where(np.arange(K) >= 6, 0.5, 0.0)
LIMIT = binom.ppf(0.999, N_DRAWS, 0.05) / N_DRAWS


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((0.0, 1.0), (0.0, 1.0)),
        ((0.6, 1.0), (0.6, 1.0)),
        ((0.0, 1.4), (0.0, 1.4)),
        ((UP, 1.0), (-UP, 1.0)),
    ],
    ids=["like people", "equally far", "equally spread", "the other way"],
)
@pytest.mark.parametrize(("n", "paired"), [((100, 100), False), ((100, 400), False), ((100, 150), True)])
def test_equally_far_simulators_are_rarely_told_apart(before, after, n, paired):
    joint, metrics = rejections(before, after, n=n, paired=paired)
    assert joint <= LIMIT
    assert np.mean([bool(found) for found in metrics]) <= LIMIT


def test_equally_far_in_other_metrics_is_no_change_of_the_whole():
    # Even metrics of one, odd ones of the other: as many counts, rare habits and continuous ones in either.
    joint, _ = rejections((EVEN, 1.0), (0.5 - EVEN, 1.0))
    assert joint <= LIMIT


def test_a_nearer_simulator_is_found():
    joint, _ = rejections((0.6, 1.0), (0.4, 1.0))
    assert joint >= 0.9
    # At a hundred a side the whole is told, and single metrics of half a standard deviation hardly ever are.
    assert rejections((0.5, 1.0), (0.0, 1.0))[0] >= 0.99
    _, metrics = rejections((0.5, 1.0), (0.0, 1.0), n=(250, 500))
    assert np.mean([len(found) for found in metrics]) >= K / 2


def test_one_metric_that_got_much_worse_is_named():
    worse = np.where(np.arange(K) == 8, 1.2, 0.0)
    _, metrics = rejections((0.0, 1.0), (worse, 1.0))
    assert np.mean(["m8" in found for found in metrics]) >= 0.9
    assert np.mean([bool(found - {"m8"}) for found in metrics]) <= LIMIT


def test_the_standard_error_is_that_of_drawing_people_and_personas_anew():
    rng = np.random.default_rng(4)
    n_people, n_shoppers = 60, 80
    people = table(rng, n_people, 0.0)
    personas = rng.normal(size=(n_shoppers, K))
    sides = [table(rng, n_shoppers, shift, 1.1, personas) for shift in (0.8, 0.5)]

    def joint(of_people, of_personas):
        real = corpus({name: values[of_people] for name, values in people.items()}, prefix="r")
        users = [f"u{k}" for k in range(n_shoppers)]
        first, second = (
            corpus({name: values[of_personas] for name, values in each.items()}, prefix=prefix, users=users)
            for prefix, each in zip("ab", sides, strict=True)
        )
        return change_between((real, first), (real, second), list(people)).change.joint

    drawn = [
        joint(rng.integers(0, n_people, n_people), rng.integers(0, n_shoppers, n_shoppers)).estimate
        for _ in range(N_DRAWS)
    ]
    told = joint(np.arange(n_people), np.arange(n_shoppers)).error
    assert told == pytest.approx(np.std(drawn), rel=0.2)
