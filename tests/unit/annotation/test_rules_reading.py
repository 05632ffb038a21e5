"""How the rules read words, phrases and negation."""

from __future__ import annotations

import pytest

from convsim.annotation.rules.language import language
from convsim.annotation.rules.phrases import Grammar, Phrases
from convsim.annotation.rules.tokenizer import MAX_CHARACTERS, is_shouted, sentences

SPELLING = language().spelling


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I don’t like it", ("i", "dont", "like", "it")),
        ("thx u", ("thanks", "you")),
        ("i wanna buy", ("i", "want", "to", "buy")),
        ("sooooo goooood", ("so", "good")),
        ("$50, or 7.5", ("$50", ",", "or", "7.5")),
        ("50$", ("$50",)),
        ("see https://shop.example/x?y=1 now", ("see", "http", "now")),
        ("t-shirt", ("t", "shirt")),
        ("nice :) <3 👍", ("nice", ":)", "<3", "👍")),
        ("\x00\x1b[31mred\x07", ("31", "mred")),
    ],
)
def test_words_are_read_however_they_are_typed(text, words):
    (sentence,) = sentences(text, SPELLING)
    assert sentence.words == words


def test_sentences_end_at_stops_and_lines_and_know_how():
    assert [(" ".join(s.words), s.asked, s.exclaimed) for s in sentences("Hi! Is it red?\nok", SPELLING)] == [
        ("hi", False, True),
        ("is it red", True, False),
        ("ok", False, False),
    ]


@pytest.mark.parametrize("text", ["", "   ", "...", "?!", "\u200d\u0301", "\x00"])
def test_a_text_without_words_has_no_sentence(text):
    assert sentences(text, SPELLING) == []


def test_no_more_than_the_first_4000_characters_are_read():
    assert len(sentences("a " * 1_000_000, SPELLING)[0].words) == MAX_CHARACTERS / 2


@pytest.mark.parametrize(
    ("text", "shouted"),
    [("I SAID NO SANDALS", True), ("NFL?", False), ("I said NO SANDALS", False), ("123 456 789", False)],
)
def test_shouting_is_a_message_of_capitals(text, shouted):
    assert is_shouted(text) is shouted


GRAMMAR = Grammar(
    words=frozenset({"the", "it"}),
    negating=frozenset({"not", "dont"}),
    adjacent=frozenset({"no"}),
    reach=3,
    opening=frozenset({",", "oh"}),
)


def cues(patterns: dict[str, list[str]], text: str) -> set[str]:
    phrases = Phrases.of(patterns, grammar=GRAMMAR, negated={"good": "bad"}, steady=frozenset({"firm"}))
    words = text.split()
    return phrases.cues(words, phrases.hits(words))


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("red|blue hat", "a blue hat", True),
        ("red|blue hat", "a green hat", False),
        ("(very) nice hat", "nice hat", True),
        ("(very) nice hat", "very nice hat", True),
        ("the _ hat", "the wool hat", True),
        ("the _ hat", "the it hat", False),
        ("under #", "under $50", True),
        ("under #", "under fifty", False),
        ("# euros", "50 euros", True),
        ("^nice", "oh nice", True),
        ("^nice", "a nice", False),
        ("^nice", "no , nice", True),
        ("i do^", "i do , really", True),
        ("i do^", "i do like", False),
        ("two words", "two , words", False),
    ],
)
def test_a_pattern_finds_what_the_notes_on_the_lists_say(pattern, text, found):
    assert bool(cues({"cue": [pattern]}, text)) is found


def test_the_longest_phrase_wins_and_keeps_its_words():
    patterns = {"trouble": ["problem"], "fine": ["no problem"]}
    assert cues(patterns, "no problem") == {"fine"}
    assert cues(patterns, "a problem") == {"trouble"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("good", {"good"}),
        ("not good", {"bad"}),
        ("not that very good", {"bad"}),
        ("not at all that very good", {"good"}),
        ("not , good", {"good"}),
        ("no good", {"bad"}),
        ("no that good", {"good"}),
        ("not kind", set()),
        ("not firm", {"firm"}),
    ],
)
def test_negation_turns_a_cue_within_its_reach(text, expected):
    assert cues({"good": ["good"], "kind": ["kind"], "firm": ["firm"]}, text) == expected
