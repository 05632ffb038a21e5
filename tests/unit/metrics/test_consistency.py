"""Whether one user stays one person, from the first message to the last."""

import pytest

from convsim.metrics import CONSISTENCY_METRICS, measure
from convsim.metrics.consistency import numbers_in
from convsim.schema.conversation import Conversation, Message
from convsim.text.lexicons import SHIPPED, Lexicon
from convsim.text.words import words


def talk(*said: str, id: str = "c") -> Conversation:
    """Say these in turn; a message that starts with ``>`` is the agent's."""
    messages = tuple(
        Message(role="assistant" if text.startswith(">") else "user", content=text.removeprefix(">").lstrip())
        for text in said
    )
    return Conversation(id=id, messages=messages)


def value(metric: str, *said: str) -> float | None:
    return CONSISTENCY_METRICS[metric](talk(*said))


def test_numbers_are_the_same_however_they_are_written():
    assert numbers_in("$1,000 or 20.50, size 08, 五 and ٣٤") == {"1000", "20.5", "8", "34"}
    assert numbers_in("no number") == set()


def test_a_number_is_kept_if_anybody_has_said_it_before():
    said = ["boots under 50", "> these cost 45", "45 is fine, or 60", "> ok", "50 at most"]
    assert value("numbers_kept", *said) == pytest.approx(2 / 3)
    assert value("numbers_kept", "boots under 50", "> ok", "thanks") is None


def test_a_number_is_answered_if_the_next_reply_says_it_again():
    assert value("numbers_answered", "boots under 50, size 8", "> Under 50, yes.") == pytest.approx(1 / 2)
    assert value("numbers_answered", "boots under 50", "> Here you are.") is None
    assert value("numbers_answered", "boots", "> From 30 on.") is None


@pytest.mark.parametrize(
    ("second", "contradicts"),
    [("under $80", 1), ("under $50", 0), ("actually, under $80", 0), ("blue ones, under $50", 0)],
)
def test_a_wish_that_is_stated_again_otherwise_without_a_word_contradicts(second, contradicts):
    assert value("contradictions", "boots under $50", "> ok", second) == contradicts


def test_kinds_of_wishes_are_counted_together_and_nothing_restated_is_none():
    assert value("contradictions", "red boots in size M", "> ok", "blue, size M") == pytest.approx(1 / 2)
    assert value("contradictions", "red boots", "> ok", "size M") is None


def test_a_need_is_kept_by_whoever_speaks_of_it_in_the_second_half():
    kept = value("need_kept", "suede boots", "> What size?", "eight", "> suede boots then", "fine")
    other = value("need_kept", "suede boots", "> What size?", "eight", "> a silk scarf then", "fine")
    assert kept is not None
    assert other == 0
    assert kept > 0.5
    assert value("need_kept", "suede boots", "> yes") is None


def test_style_drifts_where_the_second_half_is_typed_otherwise():
    even = value("style_drift", "red boots", "> ok", "blue boots")
    other = value("style_drift", "red boots", "> ok", "Could I see blue boots?")
    assert even == 0
    # A capital, a mark at the end, a question mark, and 5 / 13 against 2 / 10 of length: over four traits.
    assert other == pytest.approx((1 + 1 + 1 + 5 / 13 - 2 / 10) / 4)
    assert value("style_drift", "red boots", "> ok", " ") is None


def test_who_agrees_refuses_nothing():
    assert value("assent", "hi", "> These?", "yes please") == 1
    assert value("assent", "hi", "> These?", "yes, but not in red") == 0
    assert value("assent", "hi", "> These?", "show me red ones", "> ok?", "sure") == pytest.approx(1 / 2)
    assert value("assent", "yes") is None


def test_who_tells_the_assistant_how_to_work_coaches_it():
    assert value("coaching", "boots please", "> ok", "could you check the reviews first") == pytest.approx(
        1 / 2
    )
    assert value("coaching", " ") is None


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        (["hi", "> Shall I order them?"], 1),
        (["hi", "> Shall I order them?", " "], 1),
        (["hi", "> Shall I order them?", "no thanks"], 0),
        (["hi", "> Done."], 0),
        (["hi"], None),
        ([], None),
    ],
)
def test_a_question_that_is_the_last_word_is_left_unanswered(said, stands):
    assert value("leaves_unanswered", *said) == stands


@pytest.mark.parametrize("language", ["de", "en", "es", "fr", "ja", "pt", "zh"])
def test_every_language_has_the_lists_and_finds_their_entries(language):
    lists = Lexicon().conduct(language)
    assert set(lists) == {"assent", "refusal", "coaching", "hedges"}
    assert (SHIPPED / language / "conduct.toml").is_file()
    yes = {"de": "ja", "en": "yes", "es": "sí", "fr": "oui", "ja": "はい", "pt": "sim", "zh": "好的"}[
        language
    ]
    assert lists["assent"](yes, words(yes))
    assert not lists["coaching"](yes, words(yes))


def test_contradictions_are_read_in_english_alone():
    found = measure(
        [
            talk("Ich suche rote Schuhe unter 50 Euro", "> gut", "und blau unter 80 Euro bitte")
            for _ in range(4)
        ],
        metrics=["contradictions"],
    )
    assert "English" in found.undefined["contradictions"]
