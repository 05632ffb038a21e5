"""When a metric's distributions are too few to compare, and what else its finding says."""

import numpy as np
import pytest
from scipy.stats import binomtest

from convsim.schema import Finding
from convsim_validators import Marginals
from tests.corpora import corpus


def judged(n_real: int, n_simulated: int, **more: object) -> Finding:
    """Compare numbers far below with numbers far above."""
    [finding] = Marginals(n_resamples=99).validate(
        corpus({"x": np.arange(n_real) / 100}, prefix="r", **more),  # type: ignore[arg-type]
        corpus({"x": 5 + np.arange(n_simulated) / 100}, prefix="s"),
        seed=1,
    )
    return finding


@pytest.mark.parametrize(("n_real", "n_simulated"), [(7, 40), (40, 7), (1, 40)])
def test_fewer_than_eight_on_a_side_decide_nothing_however_far_apart(n_real: int, n_simulated: int) -> None:
    found = judged(n_real, n_simulated)
    assert (found.verdict, found.estimate) == ("undecided", 1)
    assert found.reason.startswith(f"{n_real} real and {n_simulated} simulated users or conversations")
    assert found.reason.endswith("at least 8 on each side are needed")
    assert "n_to_decide" not in found.details  # so few do not tell how much they vary


def test_eight_on_each_side_are_enough() -> None:
    assert judged(8, 8).verdict == "different"


def test_what_counts_is_users_and_not_conversations() -> None:
    found = judged(40, 40, users=[f"u{number % 7}" for number in range(40)])
    assert found.verdict == "undecided"
    assert found.reason.startswith("7 real and 40 simulated users")


def test_each_side_is_described_by_its_mean_median_and_standard_deviation() -> None:
    found = judged(9, 2)
    # Of 0, .01 … .08: the variance of n consecutive whole numbers is n (n + 1) / 12, with n - 1 below the line.
    assert found.details["real"] == pytest.approx({"mean": 0.04, "sd": 7.5**0.5 / 100, "median": 0.04})
    assert found.details["simulated"] == pytest.approx({"mean": 5.005, "sd": 0.01 / 2**0.5, "median": 5.005})
    assert judged(9, 1).details["simulated"] == {"mean": 5, "sd": None, "median": 5}


def test_of_a_metric_with_two_values_the_upper_limit_is_newcombe_s_for_two_proportions() -> None:
    shares, n = (0.3, 0.6), 100
    real, simulated = (np.arange(n) < share * n for share in shares)
    [found] = Marginals(n_resamples=999).validate(
        corpus({"x": real}, prefix="r"), corpus({"x": simulated}, prefix="s"), seed=1
    )
    # Newcombe (1998), method 10: the difference and the Wilson limits of either side, in squares.
    low, high = (binomtest(round(share * n), n).proportion_ci(method="wilson") for share in shares)
    upper = 0.3 + ((0.3 - low.low) ** 2 + (high.high - 0.6) ** 2) ** 0.5
    assert found.estimate == pytest.approx(0.3)
    assert found.interval is not None
    # The number of effective units is taken from resampled variances.
    assert found.interval[1] == pytest.approx(upper, abs=0.01)
