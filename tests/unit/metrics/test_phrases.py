"""Finding phrases: what a sequence of words is, and what careless typing hides."""

from importlib.resources import files

import pytest

from convsim.text.lexicons import read_lexicon, read_phrase_lists, read_spellings
from convsim.text.phrases import Phrases, read_plainly
from convsim.text.words import words

LISTS = read_phrase_lists("complaints")
SPELLINGS = read_spellings()
FAULTS = [
    "partial_query", "wrong_category", "ignored_constraint", "repeated_items", "stale_context", "irrelevant_items",
    "empty_carousel", "off_topic_text", "confusing_text", "rude_text", "overlong_text", "contradiction", "unavailable",
]  # fmt: skip


def holds(phrase: str, text: str, *, ordinary: tuple[str, ...] = ()) -> bool:
    return Phrases([phrase], ordinary=ordinary, spellings=SPELLINGS).in_words(words(text))


@pytest.mark.parametrize(
    ("phrase", "hit", "miss"),
    [
        ("wrong size", "The WRONG size!", "wrong sizes"),
        ("wrong size", "so... wrong, size", "size wrong"),
        ("that is not", "thats not red", "that red is not"),
        ("that is not", "that’s NOT it", "that is red, not blue"),
        ("you are late", "u r late", "you were late"),
        ("off topic", "off-topic", "offtopic"),
        ("long repl*", "long replies", "long rip"),
        ("long repl*", "a long reply", "belong reply"),
        ("^ huh", "Huh? red?", "red, huh?"),
        ("what $", "you what??", "what is it"),
        ("^ wrong $", "wrong!", "wrong size"),
    ],
)
def test_a_phrase_is_words_in_a_row(phrase: str, hit: str, miss: str) -> None:
    assert holds(phrase, hit)
    assert not holds(phrase, miss)


def test_ordinary_talk_is_taken_out_and_what_is_said_beside_it_stays() -> None:
    ordinary = ("not a problem",)
    assert not holds("that is not a", "that's not a problem", ordinary=ordinary)
    assert holds("that is not a", "that's not a problem, but that's not a hat", ordinary=ordinary)
    assert not holds("it is it", "it is not a problem it", ordinary=ordinary)


def test_nothing_holds_no_phrase_and_no_phrases_are_in_nothing() -> None:
    assert not holds("wrong", "")
    assert not Phrases([], spellings=SPELLINGS).in_words(["wrong"])


def test_short_forms_are_written_out_once_and_for_all() -> None:
    for short, plain in SPELLINGS.items():
        assert read_plainly([short], SPELLINGS) == plain.split()
        assert read_plainly(plain.split(), SPELLINGS) == plain.split(), short


@pytest.mark.parametrize("name", [*LISTS, "ordinary_talk"])
def test_every_phrase_is_written_as_messages_are_read_so_that_it_can_be_found(name: str) -> None:
    phrases = LISTS[name] if name in LISTS else sorted(read_lexicon(name))
    for phrase in phrases:
        bare = phrase.removeprefix("^ ").removesuffix(" $").removesuffix("*")
        assert " ".join(read_plainly(words(bare), SPELLINGS)) == bare
        assert [word for word in phrase.split() if len(word) > 1 and not word.endswith("*")] != []


@pytest.mark.parametrize("name", LISTS)
def test_a_list_names_no_phrase_twice_and_holds_more_than_a_few(name: str) -> None:
    assert len(LISTS[name]) == len(set(LISTS[name])) > 40


def test_there_is_a_list_for_each_fault_and_one_for_all() -> None:
    assert list(LISTS) == ["general", *FAULTS]


def test_every_lexicon_starts_with_what_it_is() -> None:
    for file in files("convsim.text").joinpath("lexicon", "en").iterdir():
        assert file.read_text(encoding="utf-8").startswith("# "), file.name
