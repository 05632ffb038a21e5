"""The power of a comparison by its size: what more is needed, up to where it pays, and which margin is within reach."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from convsim.stats.planning import Curve, as_if_simulated, smallest, two_figures
from tests.corpora import corpus


def of_a_mean(margin: float):
    """The power of two one-sided z tests of two means of standard deviation 1."""

    def power(n: int, m: int) -> float:
        return float(max(0.0, 2 * norm.cdf(margin / (1 / n + 1 / m) ** 0.5 - 1.645) - 1))

    return power


def test_a_curve_has_the_power_of_each_number_and_what_is_lacking_to_the_first():
    power = of_a_mean(0.27)
    curve = Curve.of(power, 150, [150, 300, 1500])
    assert [at.power for at in curve.at] == pytest.approx([power(150, n) for n in (150, 300, 1500)])
    # 80 % power: margin / error = 1.645 + 1.2816.
    exact = 1 / ((0.27 / 2.9266) ** 2 - 1 / 150)
    assert curve.needs.side == "simulated"
    assert exact <= 150 + curve.needs.more < 1.1 * exact  # rounded up to two figures


def test_simulated_conversations_pay_up_to_two_hundredths_below_what_ten_a_person_reach():
    power = of_a_mean(0.25)
    curve = Curve.of(power, 150, [150])
    exact = brentq(lambda m: power(150, m) - (power(150, 1500) - 0.02), 10, 1500)
    assert exact <= curve.pays_up_to < 1.1 * exact
    assert curve.pays_up_to is not None
    assert curve.pays_up_to == two_figures(curve.pays_up_to)


def test_where_no_number_of_simulated_conversations_helps_none_pays():
    assert Curve.of(of_a_mean(0.05), 100, [100]).pays_up_to is None


def test_the_smallest_margin_is_the_one_with_eighty_per_cent_power():
    found = smallest(lambda margin: of_a_mean(margin)(100, 100), 1.0)
    assert found == pytest.approx(2.9266 * 0.02**0.5, abs=1e-3)
    assert smallest(lambda margin: of_a_mean(margin)(4, 4), 1.0) is None


def test_numbers_are_rounded_up_to_two_figures():
    assert [two_figures(n) for n in (1, 42, 99, 101, 1654)] == [1, 42, 99, 110, 1700]


def test_people_as_if_simulated_have_the_same_values_and_a_persona_each():
    real = corpus({"x": np.arange(6)}, users=["a", "a", "b", "b", "c", None], arms=["good", "bad"] * 3)
    simulated = as_if_simulated(real)
    assert len(set(simulated.units)) == 6
    assert list(simulated.strata) == list(real.strata)
    assert list(simulated.table["x"]) == list(real.table["x"])
    assert not set(simulated.units) & set(real.units)
