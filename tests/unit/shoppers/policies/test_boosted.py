"""Trees as arrays say what scikit-learn's say, also of what is missing, and rise where they may not fall."""

from __future__ import annotations

import numpy as np
import pytest

from convsim.shoppers.policies.boosted import MOST_TREES, Trees, _fitted, fit_trees


def drawn(n: int = 600, seed: int = 0, missing: float = 0.2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    x[:, 3] = rng.integers(0, 3, n)
    happened = rng.random(n) < 1 / (1 + np.exp(-(x[:, 0] - 0.8 * x[:, 1] * (x[:, 3] > 1))))
    x[rng.random(x.shape) < missing] = np.nan
    return x, happened, rng.integers(0, 60, n)


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("constraints", [[0, 0, 0, 0], [1, -1, 0, 0]])
def test_exported_trees_say_what_scikit_learns_say(missing: float, constraints: list[int]) -> None:
    x, happened, _ = drawn(missing=missing)
    model = _fitted(x, happened, constraints, 25)
    asked = np.concatenate([x, drawn(seed=1, missing=0.4)[0], np.full((1, 4), np.nan), np.full((1, 4), 1e9)])
    np.testing.assert_allclose(
        Trees.exported(model).probability(asked), model.predict_proba(asked)[:, 1], rtol=0, atol=1e-12
    )


def test_what_only_missing_values_part_goes_the_same_way() -> None:
    x, happened, _ = drawn(missing=0)
    x[:, 0] = np.where(happened, np.nan, 1.0)
    model = _fitted(x, happened, [0] * 4, 5)
    np.testing.assert_allclose(
        Trees.exported(model).probability(x), model.predict_proba(x)[:, 1], rtol=0, atol=1e-12
    )


def test_a_sign_holds_everywhere_and_users_who_were_left_out_choose_how_many_trees() -> None:
    x, happened, units = drawn(300, missing=0)
    trees, _ = fit_trees(x, ~happened, units, np.random.default_rng(1), signs={0: 1})
    line = np.repeat(x[:20], 30, axis=0)
    line[:, 0] = np.tile(np.linspace(-3, 3, 30), 20)
    told = trees.probability(line).reshape(20, 30)
    assert (np.diff(told, axis=1) >= 0).all()
    free, _ = fit_trees(x, happened, units, np.random.default_rng(1))
    assert free.probability(line).std() > 0.05
    noise, _ = fit_trees(
        np.random.default_rng(2).normal(size=x.shape), happened, units, np.random.default_rng(1)
    )
    assert len(noise.roots) < len(free.roots) <= MOST_TREES
