"""What a word and a turn are."""

from math import isnan

import pytest

from convsim.text.words import word_spans, words
from tests.unit.metrics.conversations import agent, user, value, value_of_texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I don't like T-shirts, really!", ["i", "don't", "like", "t-shirts", "really"]),
        ("Don’t", ["don't"]),
        ("size 9.5 -- or 10?", ["size", "9", "5", "or", "10"]),
        ("- ... ?! 👍🏽 'quoted'", ["quoted"]),
        ("cafe\u0301 ÉTÉ", ["café", "été"]),
        ("हिन्दी में जूते", ["हिन्दी", "में", "जूते"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("赤い靴。", ["赤い", "靴"]),
        ("iPhone手机壳有42码的吗？谢谢", ["iphone", "手机", "壳", "有", "42", "码", "的", "吗", "谢谢"]),
        ("อยากได้รองเท้าสีแดง nike", ["อยาก", "ได้", "รอง", "เท้า", "สี", "แดง", "nike"]),
        ("ខ្ញុំ", ["ខ្", "ញុំ"]),
        ("", []),
    ],
)
def test_words_are_read_in_any_script(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I don’t like T-shirts!",
        "iPhone手机壳有42码的吗？谢谢",
        "อยากได้รองเท้าสีแดง nike",
        "ខ្ញុំ",
        "防水ですか？ hi",
        "",
    ],
)
def test_where_words_stand_is_where_they_were_written(text: str) -> None:
    assert [text[start:end].lower().replace("’", "'") for start, end in word_spans(text)] == words(text)


def test_a_run_of_user_messages_is_one_turn_even_when_some_are_empty() -> None:
    messages = [agent("Hi"), user("a"), user(""), agent("b"), agent("c"), user(""), agent("d"), user("e")]
    assert value("turns", *messages) == 3


def test_the_agents_greeting_is_in_the_conversation_but_in_no_turn() -> None:
    messages = [agent("Hello and welcome"), user("boots"), agent("Which size?"), user("9"), agent("Here")]
    assert value("agent_words_per_turn", *messages) == (2 + 1) / 2
    assert value("conversation_words", *messages) == 3 + 1 + 2 + 1 + 1


def test_an_empty_first_message_has_no_words_and_is_still_the_first() -> None:
    assert value_of_texts("user_words_first_message", "", "three more words") == 0
    assert value_of_texts("user_words_per_turn", "", "three more words") == 3


def test_without_a_user_there_is_no_first_message_and_no_mean() -> None:
    for metric in ("user_words_first_message", "user_words_per_turn", "agent_words_per_turn", "user_empty"):
        assert isnan(value(metric, agent("Hello?")))
    assert value("turns", agent("Hello?")) == 0


def test_marks_lengthen_no_word_and_without_words_there_is_no_length() -> None:
    assert value_of_texts("user_characters_per_word", "cafe\u0301", "été it's") == (4 + 3 + 4) / 3
    assert isnan(value_of_texts("user_characters_per_word", "", "?!", "👍"))
