"""The moving-average type-token ratio."""

from math import isnan, nan

import pytest

from convsim.metrics.style import moving_average_type_token_ratio
from tests.unit.metrics.conversations import agent, user, value, value_of_texts


@pytest.mark.parametrize(
    ("words", "window", "expected"),
    [
        ("a b c", 3, 3 / 3),
        ("a a a a", 2, 1 / 2),
        # ab 2, ba 2, ac 2, cc 1
        ("a b a c c", 2, (2 + 2 + 2 + 1) / (4 * 2)),
        # aba 2, bac 3, acc 2
        ("a b a c c", 3, (2 + 3 + 2) / (3 * 3)),
        ("a b", 3, nan),
        ("", 1, nan),
    ],
)
def test_the_ratio_is_the_mean_over_all_windows(words: str, window: int, expected: float) -> None:
    assert moving_average_type_token_ratio(words.split(), window) == pytest.approx(expected, nan_ok=True)


def test_it_is_undefined_below_ten_words_and_defined_from_ten() -> None:
    assert isnan(value_of_texts("user_mattr", "one two three four five six seven eight nine"))
    assert value_of_texts("user_mattr", "one two three four five six seven eight nine TWO") == 9 / 10


def test_windows_run_across_the_users_messages_and_never_hold_the_agents_words() -> None:
    messages = [
        user("one two three four five"),
        agent("one one one"),
        user(""),
        user("Five six seven eight nine"),
    ]
    assert value("user_mattr", *messages) == 9 / 10
