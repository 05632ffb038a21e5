"""Which sizes a message names."""

import pytest

from convsim.text.constraints import one_spelling, sizes_in

KNOWN = frozenset({"7", "8", "8.5", "9", "33", "s", "m", "xl", "xxl"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size 8.5 please", ("8.5",)),
        ("SIZE s or m", ("s", "m")),
        ("do any come in 33?", ("33",)),
        ("in a medium", ("m",)),
        ("I usually wear an XL", ("xl",)),
        ("a medium-sized hoodie", ("m",)),
        ("a 2xl hoodie", ("xxl",)),
        ("M", ("m",)),
        ("9.", ("9",)),
        ("in M/XL", ("m", "xl")),
        ("size 45", ("45",)),
    ],
)
def test_a_size_is_heard(text: str, expected: tuple[str, ...]) -> None:
    assert sizes_in(text, KNOWN) == expected


@pytest.mark.parametrize(
    "text",
    [
        "in 8 days",
        "in 8 colors",
        "i'm in s mood",
        "in 45",
        "what sizes do you have",
        "a small logo",
        "I'm 7 feet",
    ],
)
def test_other_words_are_no_size(text: str) -> None:
    assert sizes_in(text, KNOWN) == ()


def test_a_catalogue_without_sizes_hears_none() -> None:
    assert sizes_in("size 9", frozenset()) == ()


def test_a_word_and_its_letter_are_one_size() -> None:
    assert one_spelling("Medium") == one_spelling("M")
