"""Whether habits go together as people's do."""

import numpy as np
import pytest

from convsim.schema import Corpus
from convsim_validators import Joint
from tests.corpora import corpus

NAMES = ("wordy", "asks", "thanks", "turns")


def sides(seed: int, n: int = 120, *, shuffled: bool = False, moved: bool = False) -> tuple[Corpus, Corpus]:
    """Draw habits that go together; the simulator's may be shuffled one by one, or all be larger and wider."""
    rng = np.random.default_rng(seed)
    made = []
    for simulated in (False, True):
        values = 0.8 * rng.normal(size=(n, 1)) + 0.6 * rng.normal(size=(n, len(NAMES)))
        if simulated and shuffled:
            values = np.column_stack([rng.permutation(column) for column in values.T])
        if simulated and moved:
            values = 5 + 3 * values
        prefix = "s" if simulated else "r"
        made.append(corpus(dict(zip(NAMES, values.T, strict=True)), prefix=prefix))
    return made[0], made[1]


def found(*of: Corpus, **settings):
    return {f.metric: f for f in Joint(n_resamples=199, **settings).validate(*of, seed=1)}


def test_shuffled_habits_are_found_though_every_single_one_is_right():
    answers = found(*sides(0, shuffled=True))
    first = answers["rank_correlations"]
    assert first.verdict == "different"
    assert answers["energy_distance"].verdict == answers["mmd"].verdict == "different"
    assert first.details["giveaway"].startswith("Habits do not go together as people’s do: ")
    pair = first.details["pairs"][0]
    assert {pair["first"], pair["second"]} <= set(NAMES)
    assert pair["real"] > 0.4 > abs(pair["simulated"])
    shown = [each["side"] for each in first.details["examples"]]
    assert shown == ["simulated"] * 3 + ["people"]
    forest = answers["forest"]
    assert forest.is_control
    assert forest.interval is not None
    assert forest.estimate > 0.6


def test_larger_and_wider_habits_that_go_together_are_alike():
    answers = found(*sides(6, 600, moved=True))
    assert answers["rank_correlations"].verdict == "aligned"
    assert answers["energy_distance"].verdict == answers["mmd"].verdict == "undecided"


def test_the_same_numbers_come_in_any_order_of_lines():
    real, simulated = sides(2)
    turned = simulated.take(np.arange(len(simulated))[::-1])
    first, second = found(real, simulated), found(real, turned)
    assert {name: f.p_value for name, f in first.items()} == {name: f.p_value for name, f in second.items()}
    assert [f.estimate for f in first.values()] == pytest.approx([f.estimate for f in second.values()])


def test_few_people_one_habit_and_constants_decide_nothing_and_say_why():
    few = [side.take(range(10)) for side in sides(3)]
    assert "at least 20" in found(*few)["rank_correlations"].reason
    alone = [
        corpus({"wordy": side.table["wordy"].to_numpy()}, prefix=p)
        for side, p in zip(sides(4), "rs", strict=True)
    ]
    assert "0 habits vary" not in found(*alone)["mmd"].reason
    assert found(*alone)["mmd"].reason.startswith("1 habits vary on both sides")
    still = [corpus({"a": np.ones(40), "b": np.ones(40)}, prefix=p) for p in "rs"]
    assert all(f.verdict == "undecided" for f in found(*still).values())
    assert found(corpus({}), corpus({}))["rank_correlations"].reason == "a side has no conversations"


def test_habits_that_some_lack_are_correlated_over_those_who_have_both():
    real, simulated = sides(5, shuffled=True)
    for side in (real, simulated):
        side.table.loc[side.table.index[::3], "asks"] = np.nan
    answers = found(real, simulated)
    assert answers["rank_correlations"].verdict == "different"
    assert answers["rank_correlations"].details["n_pairs"] == 6
    assert "3 habits" in answers["mmd"].reason
