"""Strata that are too small are merged, on either side; answers are drawn by rater and by trial."""

import numpy as np
import pytest

from convsim.schema import Corpus
from convsim.seeds import generator
from convsim.stats.resampling import DRAWN_AT_ONCE, REST, Design, Mark, crossed_interval, draw
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
