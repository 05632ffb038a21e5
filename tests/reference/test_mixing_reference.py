"""Mixtures against the same thing written out by hand, and a gain against what was drawn."""

import numpy as np
import pytest

from convsim.stats.contrasts import Contrast
from convsim.stats.ecdf import Cells
from convsim.stats.joint_gain import joint_gain
from convsim.stats.mixing import Mixing, Rows, joint_of, learned_weights


def rows(*groups) -> Rows:
    values = np.concatenate([np.asarray(group, float) for group in groups])
    group_of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return Rows(values, np.arange(len(values)), group_of)


def cells(values, cuts) -> Cells:
    at = np.searchsorted(cuts, values).astype(np.int64)
    return Cells.of(at, np.arange(len(values)), n_cells=len(cuts), n_units=len(values))


def normal(seed: int, n: int, *, shift: float = 0.0) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(shift, 1, (n, 6)), 1)


def test_a_mixture_with_whole_weights_is_what_repeating_conversations_gives():
    people, first, second = normal(1, 40), normal(2, 30), normal(3, 30, shift=1)
    mixing = Mixing(tuple("abcdef"), rows(people), rows(first, second), 2)
    found = mixing.contrasts(np.array([2 / 3, 1 / 3]))
    for k, name in enumerate("abcdef"):
        simulated = np.concatenate([first[:, k], first[:, k], second[:, k]])
        cuts = np.unique(np.concatenate([people[:, k], simulated]))
        repeated = Contrast.of(cells(people[:, k], cuts), cells(simulated, cuts))
        assert found.by_metric[name].estimates == pytest.approx(repeated.estimates)


def test_gaps_at_a_mixture_add_up_to_its_distance():
    people, first, second = normal(1, 40), normal(2, 30), normal(3, 25, shift=1)
    first[:12, 0] = np.nan
    mixing = Mixing(tuple("abcdef"), rows(people), rows(first, second), 2)
    weights, of_metrics = np.array([0.8, 0.2]), np.full(6, 1 / 6)
    scores = mixing.scores(weights, of_metrics)
    gaps = scores.gaps(mixing.simulated.group_of, 2, weights, scores.real)
    joint = joint_of(mixing.contrasts(weights), of_metrics)
    assert gaps @ weights == pytest.approx(joint.estimates * np.sqrt(joint.weights))


def test_weights_of_two_populations_are_found():
    rng = np.random.default_rng(5)
    people = np.where(rng.random((150, 1)) < 0.7, normal(1, 150), normal(2, 150, shift=1.5))
    mixing = Mixing(tuple("abcdef"), rows(people), rows(normal(3, 100), normal(4, 100, shift=1.5)), 2)
    learned = learned_weights(mixing, np.array([0.5, 0.5]), seed=1)
    # Of these people .7 are of the first in expectation, with a standard error of .04 by chance alone.
    assert learned.weights[0] == pytest.approx(0.7, abs=0.1)


def test_many_weights_mostly_stay_where_groups_differ_by_chance_alone():
    base = np.full(60, 1 / 60)
    stayed = []
    for seed in range(9):
        simulated = [normal(1000 * seed + 10 + group, 2) for group in range(60)]
        mixing = Mixing(tuple("abcdef"), rows(normal(1000 * seed + 1, 60)), rows(*simulated), 60)
        stayed.append(np.abs(learned_weights(mixing, base, seed=seed).weights - base).max() < 1e-9)
    free = learned_weights(mixing, base, seed=1, strengths=[0.0003]).weights
    assert np.mean(stayed) > 0.8
    assert free.max() > 3 / 60


def test_nothing_is_gained_from_a_mixture_to_itself_and_signs_mirror():
    mixing = Mixing(tuple("abcdef"), rows(normal(1, 80)), rows(normal(2, 80, shift=1), normal(3, 80)), 2)
    of_metrics = mixing.metric_weights()
    far, near = (mixing.contrasts(each) for each in np.eye(2))
    same = joint_gain(far, far, of_metrics, z=1.96)
    assert (same.estimate, same.is_shown) == (0, False)
    assert same.interval == pytest.approx((0, 0), abs=1e-6)
    gained, lost = joint_gain(far, near, of_metrics, z=1.96), joint_gain(near, far, of_metrics, z=1.96)
    assert gained.is_shown
    assert not lost.is_shown
    assert gained.estimate == -lost.estimate > 0
