"""Typing habits: what careful hands leave alone, and what hurried ones do."""

from __future__ import annotations

from tests.demo_data.draws import Draws
from tests.demo_data.typist import Keys, Typing, Typist

CAREFUL = Typing(
    careful=1,
    drops_apostrophes=0,
    drops_commas=0,
    shortens=0,
    stops=1,
    drops_question_marks=0,
    misspells=0,
    slips=0,
)
HURRIED = CAREFUL.model_copy(update={"careful": 0, "drops_apostrophes": 1, "drops_commas": 1, "stops": 0})


def typist(typing: Typing, number: int = 0) -> Typist:
    return Typist(typing, Keys.read(), Draws(0, "typist", number))


def test_careful_hands_set_capitals_and_stops() -> None:
    text = "hm, i'm not sure. do you have it in black"
    assert typist(CAREFUL).type(text) == "Hm, I'm not sure. Do you have it in black."


def test_hurried_hands_drop_apostrophes_and_commas() -> None:
    assert typist(HURRIED).type("hm, i'm not sure") == "hm im not sure"


def test_a_dropped_question_mark_never_empties_a_message() -> None:
    dropping = HURRIED.model_copy(update={"drops_question_marks": 1})
    assert typist(dropping).type("in black?") == "in black"
    assert typist(dropping).type("??") == "??"


def test_short_forms_are_a_habit_of_a_person() -> None:
    shortening = HURRIED.model_copy(update={"shortens": 1})
    assert {typist(shortening, number).type("please") for number in range(40)} == {"please", "pls"}


def test_slips_change_about_the_asked_share_of_words() -> None:
    slipping = HURRIED.model_copy(update={"slips": 0.1})
    text = " ".join(["waterproof"] * 50)
    words = [word for number in range(40) for word in typist(slipping, number).type(text).split()]
    assert 0.07 < sum(word != "waterproof" for word in words) / len(words) < 0.13
    assert all(9 <= len(word) <= 11 for word in words)


def test_an_empty_message_stays_empty() -> None:
    assert typist(HURRIED).type("") == ""
