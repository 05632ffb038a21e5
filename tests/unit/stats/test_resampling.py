"""Strata that are too small are merged, on either side; answers are drawn by rater and by trial."""

from typing import cast

import numpy as np
import pytest

from convsim.schema import Corpus
from convsim.schema.arrays import FloatArray
from convsim.seeds import generator
from convsim.stats import resampling
from convsim.stats.resampling import (
    DRAWN_AT_ONCE,
    REST,
    Design,
    Mark,
    crossed_interval,
    draw,
    permute,
    weighed,
)
from tests.corpora import corpus


def side(prefix: str, *, tops: int, shoes: int) -> Corpus:
    tasks = ["tops"] * tops + ["shoes"] * shoes
    return corpus({"x": np.arange(len(tasks))}, tasks=tasks, prefix=prefix)


@pytest.mark.parametrize(
    ("real", "simulated", "apart"), [((9, 5), (9, 5), True), ((9, 4), (9, 9), False), ((9, 9), (9, 4), False)]
)
def test_a_stratum_of_fewer_than_five_units_on_either_side_is_merged_into_the_rest(real, simulated, apart):
    design = Design.of(
        side("r", tops=real[0], shoes=real[1]), side("s", tops=simulated[0], shoes=simulated[1])
    )
    assert len(design.strata) == 2
    assert (REST not in design.strata) == apart
    # In the order of their names, "all else" last.
    assert np.bincount(design.real.stratum_of).tolist() == [*(real[::-1] if apart else real)]


def marks(n_raters: int, n_trials: int) -> list[Mark]:
    """Every rater answers every trial; those of the second group are right, of the first wrong."""
    return [
        Mark(rater, trial, trial % 2, bool(trial % 2))
        for rater in range(n_raters)
        for trial in range(n_trials)
    ]


def test_two_raters_or_seven_trials_show_no_spread_and_three_and_eight_do():
    assert crossed_interval(marks(2, 8), seed=1) is None
    assert crossed_interval(marks(3, 7), seed=1) is None
    assert crossed_interval(marks(3, 8), seed=1) is not None


def test_the_groups_count_alike_however_many_answers_each_has():
    lopsided = [Mark(m.rater, m.trial, m.group, m.value) for m in marks(5, 20) if m.group or m.trial < 6]
    # All of one group are right and all of the other wrong, whoever and whatever is drawn: a half.
    assert crossed_interval(lopsided, seed=1) == (0.5, 0.5)


@pytest.mark.parametrize(("n_units", "n_replicates"), [(7, 30), (900, 2 * DRAWN_AT_ONCE // 900), (3, 1)])
def test_replicates_that_are_drawn_together_are_those_that_one_draw_after_the_other_gives(
    n_units, n_replicates
):
    strata = np.arange(n_units) % 3
    sizes = [n_units, 0, 4]
    one_by_one = np.zeros((n_units, n_replicates))
    rng = generator(3, "draw")
    for stratum, size in enumerate(sizes):
        members = np.flatnonzero(strata == stratum)
        for replicate in range(n_replicates) if size else ():
            for member in rng.integers(0, len(members), size=size):
                one_by_one[members[member], replicate] += 1
    assert np.array_equal(draw(strata, sizes, n_replicates, generator(3, "draw")), one_by_one)


def test_sides_that_are_dealt_a_part_at_a_time_are_those_that_one_call_deals(monkeypatch):
    monkeypatch.setattr(resampling, "MAX_TURNED", 100)
    strata, is_real = np.arange(60) % 3, np.arange(60) < 25
    dealt = permute(strata, is_real, 40, generator(5, "deal"), observed=True)
    rng, at_once = generator(5, "deal"), np.empty((60, 40))
    for stratum in range(3):
        members = np.flatnonzero(strata == stratum)
        labels = np.tile(is_real[members].astype(np.float32), (40, 1))
        at_once[members] = rng.permuted(labels, axis=1).T
    assert np.array_equal(dealt, np.column_stack([is_real, at_once]))
    assert len({tuple(column) for column in dealt.T}) == 41


def test_a_unit_of_a_thousand_takes_a_byte_a_replicate_and_more_only_where_it_is_drawn_more_often(
    monkeypatch,
):
    often = draw(np.zeros(2, np.int64), [200_000], 30, generator(1, "often"))
    assert (often.sum(axis=0) == 200_000).all()
    assert often.itemsize == 4
    assert draw(np.zeros(1000, np.int64), [1000], 30, generator(1, "seldom")).itemsize == 1
    monkeypatch.setattr(resampling, "MAX_TURNED", 4)
    some = draw(np.zeros(2, np.int64), [200_000], 30, generator(1, "often"))
    assert np.array_equal(often, some)


def test_sums_of_weights_that_wrap_around_as_bytes_do_not():
    weights = np.full((1000, 3), 200, np.uint8)
    ones = np.ones((2, 1000), np.float32)  # as blocks of weights are
    assert weighed(cast(FloatArray, ones), weights).tolist() == [[200_000.0] * 3] * 2
    assert weighed(np.arange(1000) % 2, weights).tolist() == [100_000.0] * 3
