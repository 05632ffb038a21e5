"""Typography alone: the words stay, and only what is said to change changes."""

import pytest

from convsim.evaluation.adversaries import ADVERSARIES
from convsim.schema.conversation import Conversation, Message
from convsim.text.words import words

NAMES = (
    "lower_case", "title_case", "proper_sentences", "typographic_quotes_and_dashes", "exclaims_after_the_first_word",
    "markdown", "emoji", "unseen_characters", "typing_changes_midway",
)  # fmt: skip


def said(name: str, *texts: str) -> list[str]:
    messages = tuple(Message(role="user", content=text) for text in texts)
    (one,) = ADVERSARIES[name].simulate([Conversation(id="c", messages=messages)], seed=0)
    return [m.content for m in one.user_messages]


@pytest.mark.parametrize("name", NAMES)
def test_the_words_and_the_agent_stay(name, people):
    crowd = ADVERSARIES[name].simulate(people, seed=5)
    for one, person in zip(crowd, people, strict=True):
        for a, b in zip(one.messages, person.messages, strict=True):
            if a.role == "user":
                assert words(a.content) == words(b.content)
            else:
                assert a == b


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("lower_case", "Red SHOES, please", "red shoes, please"),
        ("title_case", "i'd like red shoes", "I'd Like Red Shoes"),
        ("proper_sentences", "red shoes. size 9", "Red shoes. Size 9."),
        ("proper_sentences", "any red ones?", "Any red ones?"),
        ("typographic_quotes_and_dashes", 'i don\'t want "red" - or blue', "i don’t want “red” — or blue"),
        ("exclaims_after_the_first_word", "i don't", "i! don't"),
        ("exclaims_after_the_first_word", "???", "???"),
        ("markdown", "red shoes", "- **red** shoes"),
        ("unseen_characters", "red", "red\u200b"),
    ],
)
def test_each_does_what_it_says(name, text, expected):
    assert said(name, text) == [expected]


def test_an_emoji_stands_first():
    assert said("emoji", "red shoes")[0][1:] == " red shoes"


def test_typing_changes_after_half_of_the_messages():
    assert said("typing_changes_midway", "red Shoes", "Size 9!", "Yes.") == ["Red Shoes.", "Size 9!.", "yes"]
