"""Folding words so that a shopper's compare with a catalogue's."""

import pytest

from convsim.text.folding import fold, phrase_in, words_of


@pytest.mark.parametrize(
    ("one", "other"),
    [("boots", "boot"), ("dresses", "dress"), ("hoodies", "hoodie"), ("men's", "mens"), ("gray", "grey")],
)
def test_two_forms_of_a_word_fold_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("shorts", "short"), ("dress", "dre"), ("flats", "flat")])
def test_words_that_only_look_like_a_plural_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize("spelling", ["T-Shirts", "t shirt", "tshirt", "tee", "TEES"])
def test_every_spelling_of_a_tee_is_one_word(spelling: str) -> None:
    assert words_of(spelling) == ("tee",)


def test_a_half_size_is_one_word_and_a_hyphen_parts_two() -> None:
    assert words_of("cable-knit, 8.5") == ("cable", "knit", "8.5")


def test_a_curly_apostrophe_is_an_apostrophe() -> None:
    assert words_of("women\u2019s") == words_of("women's")


def test_a_phrase_stands_in_one_piece() -> None:
    assert phrase_in(("light", "blue"), ("a", "light", "blue", "coat"))
    assert not phrase_in(("light", "blue"), ("light", "coat", "blue"))
