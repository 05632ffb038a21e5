"""Restating: half of the words that count were said before."""

from math import isnan

import pytest

from tests.unit.metrics.conversations import agent, user, value, value_of_texts


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        ("red boots please", 1),
        ("I said RED BOOTS!!", 1),
        ("red sandals", 1),
        ("red flat sandals", 0),
        ("boots boots boots, brown, flat", 0),
        ("cheap brown ones", 0),
        ("yes, that one", float("nan")),
        ("?!", float("nan")),
    ],
)
def test_at_least_half_of_the_different_words_make_a_restatement(again: str, expected: float) -> None:
    assert value_of_texts("user_restates", "I want red boots", again) == pytest.approx(expected, nan_ok=True)


def test_the_first_message_that_says_anything_has_nothing_to_restate() -> None:
    assert isnan(value_of_texts("user_restates", "red boots"))
    assert isnan(value_of_texts("user_restates", "", " ", "red boots"))
    assert value_of_texts("user_restates", "hi", "red boots") == 0
    assert value_of_texts("user_restates", "👍", "red boots") == 0


def test_what_the_agent_said_is_no_restatement_of_the_users() -> None:
    assert value("user_restates", user("shoes"), agent("red boots?"), user("red boots")) == 0


def test_everything_said_before_counts_and_not_the_last_message_alone() -> None:
    assert value_of_texts("user_restates", "red", "boots", "red boots", "ok", "") == 1 / 2


def test_a_second_yes_repeats_and_restates_nothing() -> None:
    assert value_of_texts("user_repeats", "red boots", "yes", "yes") == 1 / 2
    assert isnan(value_of_texts("user_restates", "red boots", "yes", "yes"))
