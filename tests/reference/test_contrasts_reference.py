"""Location, spread and the joint distance against SciPy, definitions by hand, and the bootstrap."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm

from convsim.stats.contrasts import Contrast, Contrasts, centred
from convsim.stats.ecdf import Cells, cut_points
from convsim.stats.equivalence import location_limit
from convsim.stats.joint_equivalence import Joint, metric_weights


def contrast(real, simulated, units=None):
    cuts = cut_points(np.concatenate([real, simulated]))
    of_units = units or tuple(np.arange(len(side)) for side in (real, simulated))
    return Contrast.of(
        *(
            Cells.of(np.searchsorted(cuts, side), unit, n_cells=len(cuts), n_units=int(unit.max()) + 1)
            for side, unit in zip((real, simulated), of_units, strict=True)
        )
    )


def one_stratum(n):
    return np.zeros(n, np.int64)


def variance(found):
    return sum((centred(side, one_stratum(len(side))) ** 2).sum(axis=0) for side in found.influence)


@pytest.mark.parametrize("draw", [lambda r, n: r.normal(size=n), lambda r, n: r.poisson(2, n).astype(float)])
def test_the_location_is_cliffs_delta_as_scipys_u_gives_it(draw):
    rng = np.random.default_rng(1)
    real, simulated = draw(rng, 60), draw(rng, 90)
    u = mannwhitneyu(simulated, real).statistic
    assert contrast(real, simulated).estimates[0] == pytest.approx(2 * u / (60 * 90) - 1)


def test_the_spread_by_hand():
    # People at 1 and 3, the simulator at 2 twice: H is .125, .5 and .875, and (H - 1/2)² .140625, 0, .140625.
    score = np.sqrt(5 / 3) * (6 * np.array([0.125, 0.5, 0.875]) ** 2 - 6 * np.array([0.125, 0.5, 0.875]) + 1)
    found = contrast(np.array([1.0, 3.0]), np.array([2.0, 2.0]))
    assert found.estimates == pytest.approx([0.0, score[1] - (score[0] + score[2]) / 2])
    assert found.estimates[1] < 0  # the simulator's values lie closer together


def test_the_spread_of_normal_distributions_is_what_the_docstring_says():
    grid = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    for ratio, spread in ((1.23, 0.147), (1.44, 0.25)):
        found = contrast(np.round(grid, 2), np.round(ratio * grid, 2))
        assert found.estimates == pytest.approx([0, spread], abs=0.004)


def test_the_standard_errors_are_those_of_drawing_units_anew():
    rng = np.random.default_rng(2)
    real = np.repeat(rng.normal(size=60), 3) + rng.normal(size=180) / 2
    simulated = rng.normal(0.3, 1.5, 150)
    units = (np.repeat(np.arange(60), 3), np.arange(150))
    found = variance(contrast(real, simulated, units)) ** 0.5
    drawn = []
    for _ in range(600):
        people = rng.integers(0, 60, 60)
        rows = (people[:, None] * 3 + np.arange(3)).ravel()
        drawn.append(contrast(real[rows], simulated[rng.integers(0, 150, 150)]).estimates)
    assert found == pytest.approx(np.std(drawn, axis=0), rel=0.12)


def test_swapping_the_sides_turns_both_signs():
    rng = np.random.default_rng(3)
    real, simulated = rng.exponential(size=40), rng.exponential(2, size=70)
    there, back = contrast(real, simulated), contrast(simulated, real)
    assert there.estimates == pytest.approx(-back.estimates)
    assert variance(there) == pytest.approx(variance(back))


def test_two_strata_take_out_what_lies_between_them():
    values = np.array([[0.0], [1.0], [10.0], [11.0]])
    within = centred(values, np.array([0, 0, 1, 1]))
    # In each stratum two values half a unit from their mean; 2 / (2 - 1) makes up for the mean.
    assert (within**2).sum() == pytest.approx(4 * 0.25 * 2)


def joint(deltas, variances):
    k = len(deltas)
    return Joint(np.asarray(deltas), np.diag(variances), np.full(k, 1 / k))


def test_the_joint_distance_takes_the_variances_off():
    found = joint([0.3, 0.4], [0.01, 0.02])
    assert found.square == pytest.approx((0.09 + 0.16 - 0.03) / 2)
    assert found.distance == pytest.approx(0.11**0.5)
    assert found.contributions(("a", "b")) == pytest.approx({"a": 0.04, "b": 0.07})
    assert joint([0.01, 0.01], [0.01, 0.02]).distance == 0


def test_its_limits_are_those_that_a_test_at_that_distance_just_refuses():
    found, z = joint([0.3, 0.4], [0.01, 0.02]), 1.9
    scaled = np.array([0.3, 0.4]) / 2**0.5
    covariance = np.diag([0.005, 0.01])
    along = scaled @ covariance @ scaled / (scaled @ scaled)
    for limit, sign in zip(found.limits(z), (-1, 1), strict=True):
        error = (4 * limit**2 * along + 2 * np.trace(covariance @ covariance)) ** 0.5
        assert found.square + sign * z * error == pytest.approx(limit**2)


def test_a_metric_that_nobody_shows_weighs_nothing_and_a_rare_one_little():
    rng = np.random.default_rng(4)
    sides = [
        {
            "x": rng.normal(size=50),
            "never": np.zeros(50),
            "half": np.arange(50) % 2.0,
            "rare": np.arange(50) == 7,
        }
        for _ in range(2)
    ]
    by_metric = {name: contrast(sides[0][name] * 1.0, sides[1][name] * 1.0) for name in sides[0]}
    found = metric_weights(Contrasts(tuple(by_metric), by_metric, (one_stratum(50), one_stratum(50))))
    # 3 times the variance of ranks is 1 less the sum of the cubed proportions of all values.
    rare = (1 - 0.98**3 - 0.02**3) / (1 - 0.9**3 - 0.1**3)
    assert found == pytest.approx(np.array([1, 0, 1, rare]) / (2 + rare))


def test_a_rare_event_that_nobody_shows_has_newcombes_limit():
    nothing = np.zeros(40)
    found = contrast(nothing, nothing)
    z = 1.645
    limit = location_limit(found, 0.0, largest_atoms=(1.0, 1.0), n_units=(40.0, 40.0), z=z)
    assert limit == pytest.approx(z**2 / (40 + z**2))  # Wilson's upper limit of 0 of 40
