"""Weights that move as far as they are let."""

import numpy as np
import pytest

from convsim.stats.balancing import balanced

GAPS = np.array([[0.4, -0.1, 0.2], [0.1, 0.3, -0.2]])
BASE = np.array([0.2, 0.3, 0.5])


def distance(weights) -> float:
    return float(((GAPS @ weights) ** 2).sum())


def test_the_less_divergence_costs_the_nearer_the_mixture_comes():
    distances = [distance(balanced(GAPS, BASE, strength=strength)) for strength in (10, 1, 0.1, 0.01, 0.001)]
    assert distances == sorted(distances, reverse=True)
    assert distances[0] < distance(BASE)


def test_an_infinite_strength_moves_nothing():
    assert balanced(GAPS, BASE, strength=np.inf).tolist() == BASE.tolist()


def test_weights_are_a_distribution_even_where_one_group_alone_is_near():
    weights = balanced(np.array([[0.0, 5.0, 5.0]]), BASE, strength=1e-4)
    assert weights.sum() == pytest.approx(1)
    assert weights.min() >= 0
    assert weights[0] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("base", "strength"), [(BASE, 0.0), (np.array([1.0, 0.0, 0.0]), 1.0)])
def test_what_is_not_above_0_is_refused(base, strength):
    with pytest.raises(ValueError, match="above 0"):
        balanced(GAPS, base, strength=strength)
