"""What a finding of ``marginals`` says where something differs, where much is asked, and where the data are odd."""

import json
import warnings

import numpy as np
import pytest

from convsim.stats.resampling import Design
from convsim_validators import Marginals
from convsim_validators.metric_tests.contrast import contrast
from tests.corpora import corpus


def judged(real, simulated, *, n_resamples=199, seed=1, settings=None, **more):
    sides = (corpus(side, prefix=prefix, **more) for side, prefix in ((real, "r"), (simulated, "s")))
    return {
        f.metric: f for f in Marginals(n_resamples=n_resamples, **settings or {}).validate(*sides, seed=seed)
    }


def test_the_only_difference_among_sixty_metrics_is_found():
    rng = np.random.default_rng(1)
    real, simulated = ({f"x{i}": rng.normal(size=60) for i in range(60)} for _ in range(2))
    simulated["x0"] = simulated["x0"] + 100
    found = judged(real, simulated, n_resamples=999)
    assert (found["x0"].estimate, found["x0"].verdict) == (1.0, "different")
    assert found["x0"].p_adjusted == pytest.approx(0.001)
    assert {name for name, f in found.items() if f.verdict == "different"} <= {"x0", "all_metrics"}


def test_many_small_differences_are_found_together_where_hardly_one_stands_out():
    rng = np.random.default_rng(2)
    real = {f"x{i}": rng.normal(0, 1, 60) for i in range(20)}
    simulated = {f"x{i}": rng.normal(0.2, 1, 60) for i in range(20)}
    found = judged(real, simulated)
    together = found.pop("all_metrics")
    assert together.verdict == "different"
    assert "on average over 20 metrics" in together.reason
    assert sum(f.verdict == "different" for f in found.values()) <= 1


def test_a_hundred_conversations_a_side_show_twenty_equal_metrics_to_be_alike_on_average():
    rng = np.random.default_rng(3)
    sides = [{f"x{i}": rng.normal(size=100) for i in range(20)} for _ in range(2)]
    found = judged(*sides, n_resamples=199)
    together = found.pop("all_metrics")
    assert together.verdict == "aligned"
    assert together.details["equivalence_upper"] <= 0.147
    assert together.reason.endswith("; no metric is far off")
    assert sum(f.verdict == "aligned" for f in found.values()) < 20  # each by itself needs more


def test_a_single_metric_is_asked_by_itself_alone():
    rng = np.random.default_rng(3)
    sides = [{"x0": rng.normal(size=50)} for _ in range(2)]
    assert "all_metrics" not in judged(*sides, n_resamples=99)


def test_one_metric_that_is_far_off_is_not_hidden_by_forty_that_are_alike():
    rng = np.random.default_rng(4)
    real, simulated = ({f"x{i}": rng.normal(size=300) for i in range(40)} for _ in range(2))
    simulated["x7"] = simulated["x7"] + 0.9
    together = judged(real, simulated)["all_metrics"]
    assert together.verdict == "different"
    assert together.details["far_off"] == ["x7"]
    assert together.reason.startswith("x7 +0.")
    assert together.details["equivalence_upper"] <= 0.147


def test_twice_the_spread_everywhere_is_not_alike_although_no_rank_differs_on_average():
    rng = np.random.default_rng(6)
    real = {f"x{i}": rng.normal(0, 1, 200) for i in range(10)}
    simulated = {f"x{i}": rng.normal(0, 2, 200) for i in range(10)}
    found = judged(real, simulated)
    assert max(abs(found[f"x{i}"].details["cliffs_delta"]) for i in range(10)) < 0.147
    assert not any(f.verdict == "aligned" for f in found.values())
    assert found["all_metrics"].verdict == "different"


def test_under_thirty_people_the_average_decides_nothing():
    rng = np.random.default_rng(7)
    sides = [{f"x{i}": rng.normal(size=n) for i in range(20)} for n in (29, 500)]
    together = judged(*sides)["all_metrics"]
    assert together.verdict == "undecided"
    assert "judged from 30 on each side" in together.reason
    assert together.details["needs"] == {"side": "people", "more": 1}


def test_what_is_lacking_is_asked_of_the_simulator_first_and_of_people_where_that_cannot_help():
    rng = np.random.default_rng(8)
    for n_real, side in ((200, "simulated"), (60, "people")):
        sides = [{f"x{i}": rng.normal(size=n) for i in range(3)} for n in (n_real, 60)]
        found = judged(*sides)
        assert found["x0"].verdict == "undecided"
        assert found["x0"].details["needs"]["side"] == side
        assert f"more {side}" in found["x0"].reason


def test_a_metric_may_have_margins_of_its_own():
    rng = np.random.default_rng(9)
    sides = [{f"x{i}": rng.normal(size=120) for i in range(2)} for _ in range(2)]
    wide = {"x0": {"cliffs_delta": 0.5, "spread": 0.8, "ks": 0.5}}
    found = judged(*sides, settings={"metric_margins": wide})
    assert found["x0"].verdict == "aligned"
    assert found["x0"].details["margin"] == {"ks": 0.5, "cliffs_delta": 0.5, "spread": 0.8}
    assert found["x1"].details["margin"] == {"ks": 0.2, "cliffs_delta": 0.147, "spread": 0.25}


def test_a_smaller_error_rate_makes_both_verdicts_rarer():
    rng = np.random.default_rng(10)
    sides = [{f"x{i}": rng.normal(size=300) for i in range(20)} for _ in range(2)]
    sides[1] |= {"y": rng.normal(0.28, 1, 300)}
    sides[0] |= {"y": rng.normal(0, 1, 300)}
    usual, strict = (judged(*sides, settings={"alpha": alpha}) for alpha in (0.05, 0.001))
    n_aligned = [sum(f.verdict == "aligned" for f in each.values()) for each in (usual, strict)]
    assert n_aligned[0] > n_aligned[1]
    assert (usual["y"].verdict, strict["y"].verdict) == ("different", "undecided")


def test_metrics_that_are_shown_only_are_no_part_of_it():
    rng = np.random.default_rng(5)
    real, simulated = ({f"x{i}": rng.normal(size=40) for i in range(3)} for _ in range(2))
    simulated["x0"] = simulated["x0"] + 50
    found = judged(real, simulated, controls=["x0"])
    assert found["x0"].p_adjusted is None
    assert [*found["all_metrics"].details["cliffs_delta_by_metric"]] == ["x1", "x2"]
    assert found["all_metrics"].verdict == "undecided"


def test_a_difference_says_in_which_moment():
    rng = np.random.default_rng(6)
    people = rng.normal(5, 1, 400)
    assert "simulated values are larger (means: " in contrast(people, people + 1, 0.5)
    wider = contrast(people, 5 + (people - 5) * 1.6, 0.0)
    assert "neither side's values are larger" in wider
    assert "the simulator's spread is 1.6 times wider" in wider
    assert "2 times narrower" in contrast(people, 5 + (people - 5) / 2, 0.0)
    two_humps = 5 + np.where(np.arange(400) % 2, 1, -1) * people.std()
    assert "but the shapes differ" in contrast(people, two_humps, 0.0)
    assert "those of the simulator do not vary at all" in contrast(people, np.full(9, 5.0), 0.0)


def test_a_difference_says_where_the_sides_lie_furthest_apart():
    # Of the real values 1 of 4 is at most 2, of the simulated ones 3 of 4.
    said = contrast(np.array([1.0, 3, 4, 5]), np.array([1.0, 2, 2, 6]), 0.0)
    assert said.endswith("75% of simulated and 25% of real conversations have at most 2")


def test_a_wider_simulator_of_equal_mean_is_different_by_its_spread():
    rng = np.random.default_rng(7)
    found = judged({"x": rng.normal(0, 1, 300)}, {"x": rng.normal(0, 2, 300)})["x"]
    assert found.verdict == "different"
    assert "times wider" in found.reason


def test_no_reason_states_a_p_value():
    rng = np.random.default_rng(8)
    real = {f"x{i}": rng.normal(size=700) for i in range(3)}
    simulated = {f"x{i}": rng.normal(i / 8, 1, 700) for i in range(3)}
    found = judged(real, simulated)
    assert {f.verdict for f in found.values()} >= {"aligned", "different"}
    assert not any("p =" in f.reason for f in found.values())


def test_where_the_sides_can_be_dealt_in_a_few_ways_alone_there_is_no_p_value(monkeypatch):
    monkeypatch.setattr(Design, "too_few_permutations", lambda design: "too few ways")
    found = judged({"x": np.arange(40.0), "y": np.ones(40)}, {"x": np.arange(40.0) + 50, "y": np.ones(40)})
    for name, few in found.items():
        assert (few.p_value, few.p_adjusted) == (None, None)
        if name != "y":
            assert few.verdict == "undecided", name
            assert "; too few ways" in few.reason
    assert found["x"].details["cliffs_delta_p_value"] is None
    assert found["y"].verdict == "aligned"


ODD = {
    "all equal": (np.full(30, 2.0), np.full(30, 2.0)),  # others are shown to be rare
    "all equal and few": (np.full(12, 2.0), np.full(12, 2.0)),
    "constant and apart": (np.full(30, 2.0), np.full(30, 3.0)),
    "undefined on one side": (np.full(30, np.nan), np.arange(30.0)),
    "undefined on both": (np.full(30, np.nan), np.full(30, np.nan)),
    "defined once": (np.r_[1.0, np.full(29, np.nan)], np.arange(30.0)),
    "huge": (np.arange(30) * 1e300, np.arange(30) * 1e-300),
    "one against many": (np.arange(1.0), np.arange(900.0)),
    "none": (np.arange(0.0), np.arange(30.0)),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_data_give_a_finding_with_a_reason_and_numbers_that_are_numbers(name):
    real, simulated = ODD[name]
    rng = np.random.default_rng(9)
    others = [{f"y{i}": rng.normal(size=len(side)) for i in range(2)} for side in (real, simulated)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = judged({"x": real} | others[0], {"x": simulated} | others[1], n_resamples=99)
    assert found["x"].reason
    for finding in found.values():
        json.dumps(finding.model_dump(mode="json"), allow_nan=False)
        assert finding.p_value is None or 0 < finding.p_value <= 1
    verdicts = {"constant and apart": "different", "huge": "different", "all equal": "aligned"}
    assert found["x"].verdict == verdicts.get(name, "undecided")


def test_one_user_with_all_conversations_decides_nothing():
    real, simulated = {"x": np.arange(60.0)}, {"x": np.arange(60.0) + 99}
    sides = (corpus(real, prefix="r", users=["only"] * 60), corpus(simulated, prefix="s"))
    [found] = Marginals(n_resamples=99).validate(*sides, seed=1)
    assert found.verdict == "undecided"
    assert found.reason.startswith("1 real and 60 simulated users")
