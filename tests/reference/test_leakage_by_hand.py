"""How far first messages tell outcomes: the statistic written out, on dense matrices."""

import numpy as np
import pytest

from convsim_validators.leakage.predictability import Predictability


def of_side(features: np.ndarray, has: np.ndarray, units: np.ndarray) -> float:
    """Return the squared norm of the summed products over what each unit's own sum has."""
    products = (features - features.mean(axis=0))[:, :, None] * (has - has.mean(axis=0))[:, None, :]
    sums = np.stack([products[units == unit].sum(axis=0) for unit in np.unique(units)])
    return float((sums.sum(axis=0) ** 2).sum() / (sums**2).sum())


@pytest.mark.parametrize("kinds", [("a", "b"), ("a", "b", "c")])
def test_it_is_the_log_ratio_of_both_sides_covariances(kinds):
    rng = np.random.default_rng(4)
    n = 60
    is_real = np.arange(n) < 25
    classes = rng.choice(np.asarray(kinds, object), n)
    features = rng.normal(size=(n, 5)) + (classes == "a")[:, None]
    unit_of = np.where(is_real, np.arange(n) // 2, 13 + (np.arange(n) - 25) // 3)
    told = Predictability(features, list("vwxyz"), classes, is_real, unit_of, np.arange(n))
    n_units = int(unit_of.max()) + 1
    observed = np.zeros((n_units, 1), np.float32)
    observed[np.unique(unit_of[is_real])] = 1
    has = np.stack([classes == kind for kind in kinds], axis=1).astype(float)
    real, simulated = (of_side(features[side], has[side], unit_of[side]) for side in (is_real, ~is_real))
    assert told.all_together(observed)[0] == pytest.approx(np.log(simulated) - np.log(real))


def test_the_largest_is_of_the_word_that_tells_on_the_simulated_side_alone():
    rng = np.random.default_rng(6)
    n = 80
    is_real, unit_of = np.arange(n) < 40, np.arange(n)
    classes = rng.choice(np.asarray(["a", "b"], object), n)
    features = rng.normal(size=(n, 3))
    features[~is_real, 1] += 2 * (classes[~is_real] == "a")
    told = Predictability(features, list("xyz"), classes, is_real, unit_of, np.arange(n))
    z = []
    for side in (is_real, ~is_real):
        has = (classes[side] == "a").astype(float)
        products = (features[side] - features[side].mean(axis=0)) * (has - has.mean())[:, None]
        z.append(np.abs(products.sum(axis=0)) / np.sqrt((products**2).sum(axis=0)))
    assert told.largest(is_real.astype(np.float32)[:, None])[0] == pytest.approx((z[1] - z[0]).max())
    assert (z[1] - z[0]).argmax() == 1
    assert told.most_telling() == (1, "a")
