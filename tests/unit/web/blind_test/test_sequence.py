"""The interval that may be looked at after every answer."""

import numpy as np
import pytest
from scipy.stats import binomtest

from convsim.stats.sequential import answers_until, half_width, sequential_interval


@pytest.mark.parametrize(("right", "n"), [(0, 10), (3, 10), (10, 10), (55, 100), (480, 500)])
def test_the_interval_holds_the_share_and_clopper_and_pearsons_interval(right: int, n: int) -> None:
    low, high = sequential_interval(((right, n),))
    fixed = binomtest(right, n).proportion_ci(method="exact")
    assert low <= fixed.low
    assert fixed.high <= high
    assert low <= right / n <= high


def test_without_answers_everything_is_possible() -> None:
    assert sequential_interval(((0, 0),)) == (0.0, 1.0)
    assert sequential_interval(((0, 0), (0, 0))) == (0.0, 1.0)
    low, high = sequential_interval(((1000, 1000), (0, 0)))
    assert (low, high) == pytest.approx((0.5, 1.0), abs=0.02)


def test_wrong_for_right_mirrors_the_interval() -> None:
    low, high = sequential_interval(((30, 50), (20, 70)))
    mirrored = sequential_interval(((20, 50), (50, 70)))
    assert mirrored == pytest.approx((1 - high, 1 - low))


def test_which_group_is_first_changes_nothing() -> None:
    first = sequential_interval(((30, 50), (20, 70)))
    assert sequential_interval(((20, 70), (30, 50))) == pytest.approx(first, abs=0.001)


def test_the_mean_of_two_groups_is_not_the_share_of_all_answers() -> None:
    low, high = sequential_interval(((900, 1000), (50, 100)))
    assert low < 0.7 < high
    assert high < 0.86  # the proportion of all answers: 950 / 1100


def test_a_tenth_on_either_side_needs_some_three_hundred_answers_at_chance() -> None:
    n = answers_until((0.5, 0.5), 0.1)
    assert n is not None
    # A fixed sample needs 96: (1.96 / (2 * 0.1)) ** 2; looking at any time costs about three times that.
    assert 200 < n < 350
    assert half_width(sequential_interval(((n / 4, n / 2), (n / 4, n / 2)))) <= 0.1


def test_no_number_of_answers_makes_the_interval_a_point() -> None:
    assert answers_until((0.5, 0.5), 0.0) is None


def misses(chances: np.ndarray, groups: np.ndarray, seed: int) -> bool:
    """Tell whether the interval ever leaves out the mean chance of the answers so far."""
    rng = np.random.default_rng(seed)
    right = rng.random(len(chances)) < chances
    ever = False
    for n in (6, 10, 16, 24, 32, 44, 60, 80, 100, 130, 160):
        counts = tuple(
            (float(right[:n][groups[:n] == g].sum()), float((groups[:n] == g).sum())) for g in (0, 1)
        )
        means = [chances[:n][groups[:n] == g].mean() for g in (0, 1) if (groups[:n] == g).any()]
        low, high = sequential_interval(counts)
        if len(means) == 2:
            ever |= not low <= np.mean(means) <= high
    return ever


@pytest.mark.calibration
@pytest.mark.parametrize("kind", ["alike", "raters differ", "raters tire", "one side is easy"])
def test_the_interval_covers_at_all_times_at_once(kind: str) -> None:
    """Of 150 runs that miss at 5 %, more than 14 miss with a chance of 1 % (binomial)."""
    n, runs, missed = 160, 150, 0
    for run in range(runs):
        rng = np.random.default_rng(1000 + run)
        groups = rng.permutation(np.arange(n) % 2)
        chances = {
            "alike": np.full(n, 0.5),
            "raters differ": np.clip(rng.normal(0.6, 0.2, 8), 0.05, 0.95)[rng.integers(0, 8, n)],
            "raters tire": np.linspace(0.95, 0.4, n),
            "one side is easy": np.where(groups == 0, 0.95, 0.3),
        }[kind]
        missed += misses(chances, groups, run)
    assert missed <= 14
