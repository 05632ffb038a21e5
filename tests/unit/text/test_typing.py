"""Words are the same however a program has set what people type; the text of a file stays as it is."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from convsim.stats.neighbours import duplicate_groups
from convsim.text.folding import typed
from convsim.text.words import word_spans, words

SAME = [
    ("I’m sure it‘s fine, donʼt ask", "I'm sure it's fine, don't ask"),
    ("“red” boots", '"red" boots'),
    ("a well‑made coat", "a well-made coat"),
    ("sizes 5–10 please", "sizes 5-10 please"),
    ("boots—nice ones", "boots - nice ones"),
    ("well… no", "well... no"),
    ("50\u00a0euros", "50 euros"),
    ("water\u00adproof", "waterproof"),
    ("zero\u200bwidth", "zerowidth"),
    (unicodedata.normalize("NFD", "café crème für mich"), "café crème für mich"),
    ("l’été", "l'été"),
]


@pytest.mark.parametrize(("set_by_a_program", "by_hand"), SAME)
def test_words_are_those_that_a_keyboard_gives(set_by_a_program: str, by_hand: str) -> None:
    assert words(set_by_a_program) == words(by_hand)
    assert typed(set_by_a_program) == by_hand
    spans = [set_by_a_program[start:end] for start, end in word_spans(set_by_a_program)]
    assert [typed(word).lower() for word in spans] == words(by_hand)


@pytest.mark.parametrize(
    "text", ["it's 5-10 or so...", "naïve", "می\u200cخواهم", "क्\u200dया", "東京", "👨\u200d👩\u200d👧", ""]
)
def test_what_a_keyboard_gives_stays_as_it_is(text: str) -> None:
    assert typed(text) == text


def test_texts_that_differ_in_typography_alone_are_copies() -> None:
    straight = "I'm looking for a well-made coat, don't you have one"
    curly = "I’m looking for a well‑made coat, donʼt you have one"
    assert np.array_equal(duplicate_groups([straight, curly]), [0, 0])
