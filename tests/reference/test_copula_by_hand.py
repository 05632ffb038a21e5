"""How pairs of columns hang together on two sides: written out row by row, and against distance correlation."""

import numpy as np
import pytest
from scipy.stats import rankdata

from convsim.stats.copula import DISTANCE, GAUSSIAN, N_WAVES, Pairs, _between_columns


def by_hand(values, unit_of, is_real, weights):
    """Return the statistic of one dealing with loops over rows, columns and waves."""
    sides = []
    for side in (is_real, ~is_real):
        own = values[side]
        ranks = np.column_stack([(rankdata(column) - 0.5) / len(own) for column in own.T])
        waves = np.stack([np.cos(np.pi * k * ranks) for k in range(1, N_WAVES + 1)], axis=2)
        centred = (waves - waves.mean(axis=0)) * np.sqrt(weights)
        sides.append(centred / np.sqrt((centred**2).mean(axis=0).sum(axis=1))[None, :, None])
    whole = own = 0.0
    for i in range(values.shape[1]):
        for j in range(i):
            moments = [np.einsum("nk,nl->kl", side[:, i], side[:, j]) / len(side) for side in sides]
            whole += ((moments[0] - moments[1]) ** 2).sum()
    for side, rows in zip(sides, (is_real, ~is_real), strict=True):
        units = unit_of[rows]
        for unit in np.unique(units):
            mine = side[units == unit]
            for a in mine:
                for b in mine:
                    shared = (a * b).sum(axis=1)
                    own += (shared.sum() ** 2 - (shared**2).sum()) / 2 / len(side) ** 2
    return whole / own


@pytest.mark.parametrize("weights", [DISTANCE, GAUSSIAN])
def test_it_is_what_loops_over_rows_and_pairs_say(weights):
    rng = np.random.default_rng(3)
    values = np.floor(2 * rng.normal(size=(40, 3)))
    unit_of = np.repeat(np.arange(20), 2)
    dealt = np.zeros((20, 3), np.float32)
    dealt[:8, 0] = dealt[5:13, 1] = dealt[::2, 2] = 1
    found = Pairs(values, unit_of).distances(dealt, {"kernel": weights})["kernel"]
    for place in range(3):
        expected = by_hand(values, unit_of, dealt[unit_of, place] > 0, weights)
        assert found[place] == pytest.approx(expected, rel=1e-9)


def test_of_one_side_the_waves_add_up_to_distance_correlation():
    rng = np.random.default_rng(5)
    hidden = rng.normal(size=(400, 1))
    values = 0.7 * hidden + 0.7 * rng.normal(size=(400, 2))
    values[:, 1] = values[:, 1] ** 2
    both = np.concatenate([values, values])
    side, _ = Pairs(both, np.arange(800))._sides(np.arange(800) < 400)
    scale = side.scales(DISTANCE).ravel()
    ours = _between_columns((side.covariance * np.outer(scale, scale)) ** 2)
    centre = np.eye(400) - 1 / 400
    apart = [np.abs(np.subtract.outer(ranks, ranks)) for ranks in map(rankdata, values.T)]
    first, second = (centre @ each @ centre for each in apart)
    theirs = (first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum())
    # The kernels' own norms leave out what the waves of one column say of each other.
    assert ours == pytest.approx(theirs * 2 / 5, rel=0.05)


def test_a_habit_with_two_values_that_is_commoner_on_one_side_says_nothing_by_itself():
    rng = np.random.default_rng(8)
    rejected = 0
    for seed in range(40):
        often = np.where(np.arange(120) < 60, 0.35, 0.65)
        values = np.column_stack(
            [rng.random(120) < often, rng.normal(size=120), rng.normal(size=120)]
        ).astype(float)
        first = (np.arange(120) < 60).astype(np.float32)
        orders = np.random.default_rng(seed).permuted(np.tile(first, (99, 1)), axis=1)
        found = Pairs(values, np.arange(120)).distances(np.column_stack([first, *orders]), {"d": DISTANCE})[
            "d"
        ]
        rejected += (found >= found[0]).sum() <= 5
    assert rejected <= 6
