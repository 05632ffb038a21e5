"""Weights of groups against SciPy's direct minimisation, exact balance, and hand calculations."""

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize

from convsim.stats.balancing import balanced, effective_size


def objective(weights, gaps, base, strength) -> float:
    safe = np.maximum(weights, 1e-300)
    return float(((gaps @ weights) ** 2).sum() + strength * (weights * np.log(safe / base)).sum())


@pytest.mark.parametrize("strength", [1.0, 0.03, 1e-3])
@pytest.mark.parametrize("groups", [2, 5, 30])
def test_the_weights_are_those_of_a_direct_minimisation(groups, strength):
    rng = np.random.default_rng(groups)
    gaps = rng.normal(0, 0.3, (12, groups)) - rng.normal(0, 0.1, (12, 1))
    base = rng.dirichlet(np.full(groups, 4.0))
    found = balanced(gaps, base, strength=strength)

    def aimed_at(weights: np.ndarray) -> float:
        return float(objective(weights, gaps, base, strength))

    direct = minimize(
        aimed_at,
        base,
        method="SLSQP",
        bounds=[(1e-12, 1.0)] * groups,
        constraints=[LinearConstraint(np.ones((1, groups)), 1, 1)],
        tol=1e-14,
    )
    assert found.sum() == pytest.approx(1)
    assert objective(found, gaps, base, strength) <= direct.fun + 1e-9
    assert found == pytest.approx(direct.x, abs=1e-3)


def test_a_target_that_can_be_met_is_met_by_exponentially_tilted_weights_as_in_entropy_balancing():
    # Values 0, 1, 2, 3 with mean 1.5 are to have the mean 2: w is proportional to exp(t x) (Hainmueller 2012).
    values = np.arange(4.0)
    found = balanced(values[None] - 2, np.full(4, 0.25), strength=1e-6)
    steps = np.diff(np.log(found))
    assert float(values @ found) == pytest.approx(2, abs=1e-5)
    assert steps == pytest.approx(np.full(3, steps[0]))
    # By hand: sum x q^x / sum q^x = 2 is q^3 - q - 2 = 0.
    (root,) = [r.real for r in np.roots([1, 0, -1, -2]) if abs(r.imag) < 1e-12]
    assert steps[0] == pytest.approx(np.log(root), abs=1e-5)


def test_a_mixture_of_two_points_has_the_share_that_its_target_says():
    gaps = np.array([[0.0 - 0.7, 1.0 - 0.7]])
    assert balanced(gaps, np.array([0.5, 0.5]), strength=1e-6) == pytest.approx([0.3, 0.7], abs=1e-4)


def test_kish_s_effective_size_by_hand():
    assert effective_size(np.full(40, 0.3)) == pytest.approx(40)
    assert effective_size(np.array([3.0, 1.0])) == pytest.approx(16 / 10)
    assert effective_size(np.zeros(3)) == 0
