"""What validators plan with people alone, against powers worked out by hand."""

import numpy as np
import pytest
from scipy.stats import norm

from convsim.schema import Planner
from convsim_validators import Counterfactual, HumanLikeness, Marginals
from tests.corpora import corpus
from tests.two_arms import shifted

RNG = np.random.default_rng(5)


def by_metric(real, n_simulated, **settings):
    found = Marginals(**settings).plan(real, n_simulated=n_simulated, seed=1)
    return {each.metric: each for each in found}


def test_the_power_of_a_continuous_metric_is_that_of_mean_ranks():
    n, m = 150, 600
    found = by_metric(corpus({"x": RNG.normal(size=n), "y": RNG.normal(size=n)}), [m])["x"]
    # Ranks from -1 to 1 are uniform and have the variance 1/3; the spread score has 1/3 too (rules: 5/3 * 36/180).
    error = ((1 / n + 1 / m) / 3) ** 0.5
    expected = np.prod([2 * norm.cdf(margin / error - 1.645) - 1 for margin in (0.147, 0.25)])
    assert found.at[0].power == pytest.approx(expected, abs=0.02)
    assert found.margin == 0.147
    assert found.verdicts == ("aligned",)
    smallest = found.at[0].smallest_margin
    assert smallest == pytest.approx((1.645 + 1.2816) * error, rel=0.03)  # spread has room there


def test_conversations_of_one_user_count_as_one_where_they_are_all_alike():
    values = RNG.normal(size=50)
    people = {
        name: by_metric(corpus(columns, users=users), [10_000])["x"].at[0]
        for name, columns, users in (
            ("alone", {"x": values}, [f"u{i}" for i in range(50)]),
            ("four each", {"x": np.repeat(values, 4)}, [f"u{i // 4}" for i in range(200)]),
        )
    }
    assert people["four each"].smallest_margin == pytest.approx(people["alone"].smallest_margin, rel=0.02)


def test_all_metrics_together_are_decided_where_none_is_by_itself():
    real = corpus({f"x{i}": RNG.normal(size=100) for i in range(20)})
    found = by_metric(real, [100, 1000])
    assert max(found[f"x{i}"].at[0].power for i in range(20)) < 0.2
    together = found["all_metrics"]
    assert together.at[0].power > 0.9
    assert together.at[0].smallest_margin < 0.147
    assert together.needs is None


def test_what_agents_do_is_not_planned_and_what_nobody_did_has_a_reason():
    real = corpus(
        {"x": RNG.normal(size=40), "y": [np.nan] * 40, "agent": RNG.normal(size=40)}, controls=["agent"]
    )
    found = by_metric(real, [40])
    assert {*found} == {"x", "y", "all_metrics"}
    assert (found["y"].at, found["y"].needs) == ((), None)
    assert found["y"].reason == "not recorded in these conversations"
    assert found["all_metrics"].reason == "1 metrics are too few to tell how habits vary together"


def test_a_rare_event_that_nobody_was_seen_to_do_may_still_be_there():
    # Wilson's upper limit of 0 of n is 2.71 / (n + 2.71): .184 of 12, .119 of 20; Newcombe's adds nothing below 0.
    real = corpus({"x": np.zeros(12), "y": RNG.normal(size=12)})
    assert by_metric(real, [12])["x"].at[0].power == 0
    real = corpus({"x": np.zeros(20), "y": RNG.normal(size=20)})
    found = by_metric(real, [20])["x"].at[0]
    assert (found.power, found.smallest_margin) == (1, pytest.approx(2.706 / 22.706, abs=1e-3))


@pytest.mark.parametrize("n", [5, 12, 29])
def test_fewer_than_thirty_people_decide_nothing_together_whatever_is_simulated(n):
    found = by_metric(corpus({f"x{i}": RNG.normal(size=n) for i in range(5)}), [n, 10_000])
    together = found["all_metrics"]
    assert all(at.power == 0 for at in together.at)
    assert together.needs.side == "people"
    assert together.needs.more >= 30 - n


def test_a_wider_margin_is_met_sooner():
    real = corpus({f"x{i}": RNG.normal(size=60) for i in range(4)})
    narrow, wide = (by_metric(real, [60], joint_margin=m, cliffs_delta_margin=m) for m in (0.147, 0.3))
    for name in narrow:
        assert wide[name].at[0].power > narrow[name].at[0].power


def test_words_are_decided_by_how_many_people_there_are():
    texts = [f"boots number {i} in size {i % 9} and a word {i * i}" for i in range(160)]
    [found] = HumanLikeness().plan(corpus({}, texts=texts), n_simulated=[160, 1600], seed=1)
    # The AUC of 160 and 1,600 scores: Mann and Whitney's variance, and 1.33 times its standard error.
    error = 1.33 * ((1 / 160 + 1 / 1600) / 12) ** 0.5
    expected = norm.cdf(0.1 / error - 1.645) - 0.025  # below .5 beyond chance is no pass
    assert found.at[1].power == pytest.approx(expected, abs=1e-3)
    assert found.at[0].power < found.at[1].power
    assert found.n_units_real == 160


def test_words_of_a_user_count_as_far_as_they_hang_together():
    """Sixty users with two conversations each: of words of their own, or of anybody's."""
    own, anybody = [], []
    for _ in range(60):
        words = RNG.choice(60, 12)
        for _ in range(2):
            own.append(" ".join(f"w{word}" for word in RNG.permutation(words)))
            anybody.append(" ".join(f"w{word}" for word in RNG.choice(60, 12)))
    users = [f"u{row // 2}" for row in range(120)]
    margins = [
        HumanLikeness()
        .plan(corpus({}, texts=texts, users=users), n_simulated=[1000], seed=1)[0]
        .at[0]
        .smallest_margin
        for texts in (own, anybody)
    ]
    # 1.6449 errors to the limit and .9346 to 82.5 %: 80 % and the 2.5 % that lie below .5 by chance.
    alone = [0.5 + 2.5794 * 1.33 * ((1 / n + 1 / 1000) / 12) ** 0.5 for n in (60, 120)]
    assert alone[1] <= margins[1] + 1e-6
    assert margins[1] < margins[0] < 1.05 * alone[0]


def test_words_of_a_handful_or_of_one_user_decide_nothing():
    few = HumanLikeness().plan(corpus({}, texts=["a b", "c d"]), n_simulated=[100], seed=1)[0]
    assert (few.at, few.needs.more) == ((), 8)
    one = corpus({}, texts=[f"boots {i}" for i in range(40)], users=["u"] * 20 + [f"v{i}" for i in range(20)])
    [found] = HumanLikeness().plan(one, n_simulated=[100], seed=1)
    assert found.at == ()
    assert "20 of 40 real conversations hang together" in found.reason


def reactions(shift: float, n: int, **settings):
    real = shifted({f"x{i}": shift for i in range(6)}, n=n, prefix="r")
    validator = Counterfactual(control="good", treatment="bad", **settings)
    found = validator.plan(real, n_simulated=[2 * n, 20 * n], seed=1)
    return {each.truth: each for each in found}


def test_strong_shifts_tell_simulators_apart_and_weak_ones_need_more_people():
    strong, weak = reactions(0.8, 150), reactions(0.25, 80)
    for found in strong.values():
        assert found.at[1].power > 0.9
        assert found.n_arms == 2
    assert weak["like_people"].at[0].power < 0.3
    assert weak["like_people"].needs.side == "people"
    assert strong["like_people"].at[1].smallest_margin < 0.5


def test_under_forty_an_arm_there_is_no_verdict_of_reactions():
    found = reactions(0.8, 30)["like_people"]
    assert [at.power for at in found.at] == [0, 0]
    assert found.needs.side == "people"
    assert found.needs.more >= 20
    nobody = reactions(0.8, 4)["like_people"]
    assert (nobody.at, nobody.needs.more) == ((), 72)


def test_all_three_are_planners():
    assert all(
        isinstance(each, Planner)
        for each in (Marginals(), HumanLikeness(), Counterfactual(control="a", treatment="b"))
    )
