"""Proportions of user messages: what counts, and what is left out."""

from math import isnan

import pytest

from tests.unit.metrics.conversations import value_of_texts

SHARES = [
    "user_questions", "user_thanks", "user_please", "user_sorry", "user_digits", "user_first_person",
    "user_lowercase_start", "user_no_final_punctuation", "user_repeats", "user_complaints",
    "user_restates",
]  # fmt: skip


@pytest.mark.parametrize("metric", SHARES)
def test_a_user_who_says_nothing_has_no_habit(metric: str) -> None:
    assert isnan(value_of_texts(metric, "", " \n\t\u3000"))


@pytest.mark.parametrize(
    ("metric", "hit", "miss"),
    [
        ("user_questions", "is it red?", "it is red."),
        ("user_questions", "赤いですか？", "赤いです。"),
        ("user_questions", "هل هو أحمر؟", "أحمر"),
        ("user_questions", "really ⁉️", "¿ no"),
        ("user_thanks", "THANKS a lot", "think a lot"),
        ("user_thanks", "thx", "styx"),
        ("user_please", "Please!", "pleased to meet you"),
        ("user_please", "boots pls", "boots"),
        ("user_sorry", "Sorry, red.", "sorrow"),
        ("user_digits", "size 9", "size nine"),
        ("user_digits", "مقاس ٤٢", "½ ② IX"),
        ("user_first_person", "I’m looking", "Im's"),
        ("user_first_person", "show my size", "a US 9, not mineral"),
        ("user_lowercase_start", "red boots", "Red boots"),
        ("user_lowercase_start", "... “ähm", "Ähm"),
        ("user_no_final_punctuation", "red boots", "red boots."),
        ("user_no_final_punctuation", "thanks :)", "Thanks! 😀"),
        ("user_no_final_punctuation", "2.5, or", "“red boots…”  \n"),
        ("user_no_final_punctuation", "靴、", "靴。"),
        ("user_no_final_punctuation", "जूते", "जूते।"),
        ("user_no_final_punctuation", "red boots - (size 9)", "(red boots?)"),
        ("user_complaints", "That’s not what I asked for!", "That's what I asked for, thanks!"),
    ],
)
def test_a_message_counts_or_does_not(metric: str, hit: str, miss: str) -> None:
    assert value_of_texts(metric, hit) == 1
    assert value_of_texts(metric, miss) == 0
    assert value_of_texts(metric, hit, miss, miss, hit, "") == 0.5


@pytest.mark.parametrize("metric", ["user_questions", "user_thanks", "user_digits", "user_first_person"])
def test_punctuation_alone_is_a_message_that_was_said(metric: str) -> None:
    assert value_of_texts(metric, "!!", "👍") == 0


@pytest.mark.parametrize("text", ["?!", "👍", "9 red boots", "赤い靴", "გამარჯობა", "_red_"])
def test_a_message_whose_first_word_has_no_case_starts_in_none(text: str) -> None:
    assert isnan(value_of_texts("user_lowercase_start", text))
    assert value_of_texts("user_lowercase_start", text, "red", "Red") == 0.5


@pytest.mark.parametrize("text", ["...", "?", "👍", ":)"])
def test_a_message_without_a_word_has_no_end_to_mark(text: str) -> None:
    assert isnan(value_of_texts("user_no_final_punctuation", text))
    assert value_of_texts("user_no_final_punctuation", text, "red", "Red.") == 0.5


def test_messages_of_white_space_alone_are_empty() -> None:
    assert value_of_texts("user_empty", "", " \t\n\u00a0\u3000", "a", ".") == 0.5
    assert value_of_texts("user_empty", "a") == 0


def test_a_repetition_is_the_same_but_for_case_and_white_space() -> None:
    assert value_of_texts("user_repeats", "Red boots", " red\n BOOTS ") == 1
    assert value_of_texts("user_repeats", "Straße", "STRASSE") == 1
    assert value_of_texts("user_repeats", "red boots", "red boots!", "red-boots") == 0


def test_empty_messages_repeat_nothing_and_the_first_message_cannot() -> None:
    assert value_of_texts("user_repeats", "", "yes", "", "yes", "no", "yes") == 2 / 3
    assert isnan(value_of_texts("user_repeats", "", "yes", ""))
