"""The change from one simulator to another: by hand, and what must hold of any numbers."""

import numpy as np
import pytest

from convsim.stats.change import Change, Known, change_between
from convsim.stats.contrasts import Contrasts
from tests.corpora import corpus


def test_the_change_of_one_metric_by_hand():
    # x = (-.3, .1 | .5, 0), variances .01, .02 | .03, .04, and one covariance of .005 between both deltas.
    covariance = np.diag([0.01, 0.02, 0.03, 0.04])
    covariance[0, 2] = covariance[2, 0] = 0.005
    change = Change(("m",), np.array([-0.3, 0.1]), np.array([0.5, 0.0]), covariance, np.ones(1))
    before, after = 0.09 + 0.01 - 0.01 - 0.02, 0.25 - 0.03 - 0.04
    # Gradient (.6, -.2 | 1, 0): .36 * .01 + .04 * .02 + 1 * .03 + 2 * .6 * 1 * .005; the covariance enters both times
    # with the sign of before times after, and in the noise 2 (.0001 + .0004 + .0009 + .0016 - 2 * .000025).
    slope = 0.0036 + 0.0008 + 0.03 + 2 * 0.6 * 1 * 0.005
    noise = 2 * (0.0001 + 0.0004 + 0.0009 + 0.0016 - 2 * 0.000025)
    moved = change.joint
    assert [moved.before, moved.after] == pytest.approx([before, after])
    assert moved.estimate == pytest.approx(after - before)
    assert moved.error == pytest.approx((slope + noise) ** 0.5)
    assert change.by_metric["m"].error == pytest.approx(moved.error)


def made(rng, n_people=60, n_shoppers=80, shared=0.7):
    """Two simulators that met the same personas, whose habits they have in part, against the same people."""
    people = {f"m{k}": rng.normal(size=n_people) for k in range(4)}
    personas = rng.normal(size=(4, n_shoppers))
    own = [rng.normal(size=(4, n_shoppers)) for _ in range(2)]
    values = [shared * personas + (1 - shared**2) ** 0.5 * each for each in own]
    first = {f"m{k}": values[0][k] + 0.8 for k in range(4)}
    second = {f"m{k}": values[1][k] * 1.2 + 0.5 for k in range(4)}
    return people, first, second


def compared(people, first, second):
    users = [f"u{k}" for k in range(len(first["m0"]))]
    real = corpus(people, prefix="r")
    sides = [corpus(each, prefix=prefix, users=users) for prefix, each in (("a", first), ("b", second))]
    return change_between((real, sides[0]), (real, sides[1]), list(people))


def test_the_other_order_turns_the_sign():
    people, first, second = made(np.random.default_rng(5))
    there, back = compared(people, first, second).change, compared(people, second, first).change
    assert there.joint.estimate == pytest.approx(-back.joint.estimate)
    assert there.joint.error == pytest.approx(back.joint.error)
    assert there.by_metric["m2"].p_value == pytest.approx(back.by_metric["m2"].p_value)


def test_a_simulator_has_not_changed_from_itself():
    people, first, _ = made(np.random.default_rng(6))
    moved = compared(people, first, first).change.joint
    assert moved.estimate == 0
    assert moved.p_value > 0.999


def test_pairs_make_the_change_of_like_simulators_more_precise():
    people, first, second = made(np.random.default_rng(7), shared=0.95)
    paired = compared(people, first, second).change.joint.error
    real = corpus(people, prefix="r")
    sides = [corpus(each, prefix=prefix) for prefix, each in (("a", first), ("b", second))]
    apart = change_between((real, sides[0]), (real, sides[1]), list(people))
    assert apart.n_paired == 0
    assert paired < 0.8 * apart.change.joint.error


def test_without_the_conversations_the_interval_is_wider_and_the_squares_are_the_same():
    people, first, second = made(np.random.default_rng(8))
    change = compared(people, first, second).change
    sides = []
    for each in (first, second):
        real, shoppers = corpus(people, prefix="r"), corpus(each, prefix="s")
        sides.append(Known.of(contrasts_of(real, shoppers), change.weights))
    joint = sides[0][0].to(sides[1][0])
    assert joint.before == pytest.approx(change.joint.before)
    assert joint.after == pytest.approx(change.joint.after)
    assert joint.error > change.joint.error
    alone = {name: sides[0][1][name].to(sides[1][1][name]) for name in people}
    for name, moved in change.by_metric.items():
        assert alone[name].estimate == pytest.approx(moved.estimate)
        assert alone[name].error > moved.error


def contrasts_of(real, simulated):
    from convsim.stats.contrasts import Contrast
    from convsim.stats.ecdf import cells_of_sides
    from convsim.stats.resampling import Design

    design = Design.of(real, simulated)
    by_metric = {
        name: Contrast.of(*cells_of_sides((real.table[name].to_numpy(), simulated.table[name].to_numpy()), design))
        for name in real.metrics
    }  # fmt: skip
    return Contrasts(tuple(by_metric), by_metric, (design.real.stratum_of, design.simulated.stratum_of))
