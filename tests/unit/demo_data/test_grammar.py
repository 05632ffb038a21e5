"""The phrase books: enough fragments, no slot that nobody fills, and how a phrase is expanded."""

from __future__ import annotations

import pytest

from tests.demo_data.draws import Draws
from tests.demo_data.grammar import CHOICE, SLOT, PhraseBook

FACETS = {"color", "size", "budget", "occasion", "material", "look"}
OF_THE_NEED = FACETS | {"garment", "garments", "what", "whats", "a_what", "tails", "said", "othercolor"}
PRONOUNS = {"them", "they", "they're", "one", "that"}
OF_AN_OPENING = OF_THE_NEED | PRONOUNS | {"reason", "hope"}
OF_AN_ITEM = {"ordinal", "otherordinal", "brand", "price", "shown"}
OF_THE_AGENT = {
    "title", "second", "price", "low", "high", "colors", "sizes", "material", "occasion", "detail", "count",
    "garment", "Garment", "because", "fragment", "Fragment",
}  # fmt: skip


@pytest.mark.parametrize("name", ["people", "polite", "agent"])
def test_no_phrase_asks_for_a_slot_that_nobody_fills(name: str) -> None:
    for rule, phrases in PhraseBook.read(name).rules.items():
        known = {
            "tail": FACETS, "opening": OF_AN_OPENING, "greeting": OF_AN_OPENING, "reason": OF_THE_NEED,
            "hope": OF_THE_NEED, "good": OF_THE_AGENT, "bad": OF_THE_AGENT,
        }.get(rule.split(".")[0], OF_AN_OPENING | OF_AN_ITEM)  # fmt: skip
        for phrase in phrases:
            assert set(SLOT.findall(phrase)) <= known, (rule, phrase)
            assert phrase.count("[") == phrase.count("]") == len(CHOICE.findall(phrase)), (rule, phrase)


def test_people_have_several_hundred_different_fragments() -> None:
    book = PhraseBook.read("people")
    assert len({phrase for phrases in book.rules.values() for phrase in phrases}) > 600
    assert all(len(phrases) >= 3 for phrases in book.rules.values())


def test_a_phrase_is_expanded_from_choices_and_slots() -> None:
    book = PhraseBook({"ask.terse": ("[got|have] {what}",), "ask": ("do you sell {what}",)})
    draws = Draws(0, "test")
    assert {book.say("ask", {"what": "boots"}, draws, variant="terse") for _ in range(50)} == {
        "got boots",
        "have boots",
    }
    assert book.say("ask", {"what": "boots"}, draws, variant="plain") == "do you sell boots"


def test_a_slot_value_with_brackets_is_not_expanded_again() -> None:
    book = PhraseBook({"ask": ("show {what}",)})
    assert book.say("ask", {"what": "[a|b] {c}"}, Draws(0, "test")) == "show [a|b] {c}"


def test_a_rule_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="bargain"):
        PhraseBook.read("people").say("bargain", {}, Draws(0, "test"))
