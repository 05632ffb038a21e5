"""Decisions held against people's: who copies their hazard, who always goes on, and who decides at random."""

from dataclasses import replace

import numpy as np
import pytest

from convsim.evaluation.probing.deciding import (
    ALWAYS,
    BASE_RATE,
    DECISION,
    ENDING,
    FAILED,
    UNKNOWN_END,
    ask_about,
)
from tests.deciders import answered, coin, knowing, never, people, true_hazard


def asked(ends, *, n=60, kinds=ENDING, draws=5, seed=1, spread=1.5, met=None, limit=None):
    rng = np.random.default_rng(seed)
    met = people(n, rng, spread=spread) if met is None else met
    places = [each.place for each in met]
    answers = answered(met, ends, rng, draws=draws)
    return ask_about(kinds, places, places[:limit], answers, margin=0.1, rng=rng)


def scores(question, of):
    return next(score for score in question.parts[0].scores if score.of == of)


@pytest.mark.parametrize("draws", [5, None])
def test_who_knows_when_people_end_decides_as_they_do(draws):
    found = asked(knowing, n=150, draws=draws)
    assert found.verdict == "aligned"
    assert found.estimate < found.baseline
    assert found.difference.interval[1] < 0
    assert found.calibration_error.interval[1] < 0.1
    assert "better than the base rate by turn and calibrated" in found.reason


def test_who_copies_the_hazard_is_calibrated_and_not_better_than_it():
    found = asked(true_hazard, n=200, spread=0.0)
    assert found.verdict == "undecided"
    assert found.calibration_error.estimate < 0.05
    assert "not shown to be better than the base rate by turn" in found.reason
    assert "its calibration error is within the margin" in found.reason


def test_who_always_goes_on_has_the_score_of_the_base_rate_and_is_different():
    found = asked(never)
    ended = found.parts[0].people["end"]
    assert found.estimate == pytest.approx(ended)
    assert scores(found, ALWAYS).brier.estimate == pytest.approx(ended)
    assert found.verdict == "different"
    assert scores(found, "shopper").balanced.estimate == 0.5


def test_who_decides_at_random_is_different():
    found = asked(coin)
    assert (found.verdict, found.p_value < 0.001) == ("different", True)
    assert found.parts[0].shopper["end"] == pytest.approx(0.5, abs=0.05)
    assert scores(found, "shopper").accuracy.estimate == pytest.approx(0.5, abs=0.05)


def test_three_kinds_are_told_apart_with_what_the_shopper_would_do_where_people_did_so():
    found = asked(knowing, n=150, kinds=DECISION)
    assert set(found.confusion) == {"go on", "accept", "leave"}
    for would in found.confusion.values():
        assert sum(would.values()) == pytest.approx(1)
    assert found.confusion["leave"]["leave"] > found.confusion["go on"]["leave"]
    assert {b.kind for b in found.bins} == {"go on", "accept", "leave"}
    assert found.verdict == "aligned"


def test_parts_are_told_by_outcome_and_turn_and_add_up():
    found = asked(knowing)
    turns = [part for part in found.parts if part.split == "turn"]
    assert [part.value for part in turns][:3] == ["1", "2", "3"]
    assert sum(part.n for part in turns) == found.n == found.parts[0].n
    assert turns[0].people == {"go on": 1.0, "end": 0.0}
    low, high = scores(found, BASE_RATE).brier.interval
    assert low < found.baseline < high


def test_one_draw_is_undecided_and_says_what_would_decide():
    found = asked(knowing, draws=1)
    assert (found.verdict, found.estimate) == ("undecided", None)
    assert "--samples 5" in found.reason
    assert scores(found, "shopper").accuracy.estimate > 0.5


def test_few_people_are_too_few():
    found = asked(knowing, n=7)
    assert found.verdict == "undecided"
    assert (found.reason, found.more_units) == (
        "7 people with an answer are too few: 8 are needed to tell anything",
        1,
    )


def test_few_places_are_too_few_to_tell_calibration():
    fourth = [each for each in people(60, np.random.default_rng(5)) if each.place.turn == 4]
    found = asked(coin, met=fourth[:16])
    assert found.verdict == "undecided"
    assert found.reason == "16 places are too few to tell whether the shopper is calibrated: 20 are needed"


def test_where_nobody_says_how_it_ended_only_going_on_is_asked():
    met = [
        replace(each, place=replace(each.place, move="stop" if each.place.move != "say" else "say"))
        for each in people(40, np.random.default_rng(2))
    ]
    ending, decision = asked(never, met=met), asked(never, met=met, kinds=DECISION)
    assert ending.verdict == "different"
    over = {each.place.unit for each in met if each.place.move == "stop"}
    assert decision.verdict == "undecided"
    assert decision.left_out == {UNKNOWN_END: sum(each.place.unit in over for each in met)}
    assert decision.n == ending.n - decision.left_out[UNKNOWN_END]


def test_who_always_does_the_same_tells_nothing():
    met = [each for each in people(40, np.random.default_rng(3)) if each.place.turn == 1]
    found = asked(never, met=met)
    assert found.verdict == "undecided"
    assert "people always do the same here (go on)" in found.reason


def test_failed_answers_are_no_moves():
    rng = np.random.default_rng(4)
    met = people(40, rng)
    places = [each.place for each in met]
    answers = answered(met[10:], never, rng)
    found = ask_about(ENDING, places, places, answers, margin=0.1, rng=rng)
    assert found.left_out == {FAILED: 10}
    assert found.n == len(places) - 10
