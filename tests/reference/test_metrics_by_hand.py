"""Every metric of one conversation counted by hand, and many against scikit-learn and pandas."""

import random

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from convsim.metrics import METRICS, measure
from convsim.metrics.style import moving_average_type_token_ratio
from convsim.schema.conversation import Conversation, Item, Message
from convsim.text.lexicons import read_lexicon, read_phrase_lists

FIRST = (
    Item(id="1", title="Blue denim jacket", attributes={"color": "blue", "material": "100% cotton"}),
    Item(id="2", title="Red wool coat", attributes={"color": "red", "material": "wool"}),
    Item(id="3", title="Navy rain jacket", attributes={"color": "navy blue"}),
)
SECOND = (Item(id="4", title="Wool scarf"), Item(id="5", title="Leather belt"))
WRITTEN = Conversation(
    id="by hand",
    ending="left",
    messages=(
        Message(role="assistant", content="Hello! How can I help?"),
        Message(role="user", content="hi, I need a jacket for work please"),
        Message(role="assistant", content="Here are three.", items=FIRST),
        Message(role="user", content="I like the Navy Blue one, is it 100% cotton?"),
        Message(role="assistant", content="It is. Shall I order it?"),
        Message(role="user", content=""),
        Message(role="assistant", content="Anything else?", items=SECOND),
        Message(role="user", content="Thanks!! 😀"),
        Message(role="user", content="Hi, I need a  jacket for work please"),
    ),
)
# User words: 8, 10, 0, 1 and 8 = 27. Turns: the last two messages are one run, so 4.
# Agent words: 5 before the user speaks, then 3, 6 and 2 = 11.
# Characters: hi I need a jacket for work please 2+1+4+1+6+3+4+6 = 27;
#   I like the navy blue one is it 100 cotton 1+4+3+4+4+3+2+2+3+6 = 32; thanks 6; the first again 27.
# MATTR, 10 words: 27 words make 18 windows. Words less than 10 apart that are the same: "i" at places 1
#   and 8 alone, both in the windows that start at 0 and 1; these two hold 9 types, the other sixteen 10.
# Non-empty messages: 4, none of which complains. After the first: 3, of which the last repeats it.
# Restatements: stop words aside, the later messages hold navy blue 100 cotton, none of it said before; nothing; and
#   jacket work, both said in the first.
# Uptake: of the first three, "blue" is the denim jacket's, "navy" the rain jacket's, nothing the coat's;
#   "100" and "cotton" in a row are the denim jacket's. "Thanks" takes up neither scarf nor belt.
BY_HAND = {
    "turns": 4,
    "accepted": 0,
    "left": 1,
    "user_words_per_turn": 27 / 4,
    "user_words_first_message": 8,
    "conversation_words": 27 + 5 + 11,
    "user_characters_per_word": (27 + 32 + 6 + 27) / 27,
    "user_mattr": (2 * 0.9 + 16 * 1.0) / 18,
    "user_questions": 1 / 4,
    "user_thanks": 1 / 4,
    "user_please": 2 / 4,
    "user_sorry": 0 / 4,
    "user_lowercase_start": 1 / 4,
    "user_no_final_punctuation": 2 / 4,
    "user_digits": 1 / 4,
    "user_first_person": 3 / 4,
    "user_repeats": 1 / 3,
    "user_complaints": 0 / 4,
    "user_restates": 1 / 2,
    "user_empty": 1 / 5,
    "item_uptake": (2 / 3 + 0 / 2) / 2,
    "agent_words_per_turn": 11 / 4,
}
VOCABULARY = [
    "i", "I", "we", "my", "My", "you", "the", "a", "to", "jacket", "coat", "t-shirt", "don't", "isn't",
    "red", "blue", "size", "9", "10", "please", "Please", "pls", "thanks", "THANKS", "thx", "sorry", "ok",
]  # fmt: skip


@pytest.fixture(scope="module")
def chats() -> list[list[str]]:
    """Draw the user's messages of 60 conversations, some said twice; none is empty."""
    rng = random.Random(11)
    drawn = []
    for _ in range(60):
        texts = [" ".join(rng.choices(VOCABULARY, k=rng.randint(1, 6))) for _ in range(rng.randint(1, 8))]
        drawn.append(texts + [text.upper() for text in texts if rng.random() < 0.2])
    return drawn


@pytest.fixture(scope="module")
def table(chats: list[list[str]]) -> pd.DataFrame:
    return measure(
        [
            Conversation(id=str(n), messages=tuple(Message(role="user", content=text) for text in texts))
            for n, texts in enumerate(chats)
        ]
    ).table


def test_the_hand_count_covers_every_metric() -> None:
    assert list(BY_HAND) == list(METRICS)


@pytest.mark.parametrize("metric", BY_HAND)
def test_a_metric_agrees_with_the_hand_count(metric: str) -> None:
    assert measure([WRITTEN]).table.loc["by hand", metric] == pytest.approx(BY_HAND[metric], rel=1e-12)


def test_words_are_scikit_learns_tokens(chats: list[list[str]], table: pd.DataFrame) -> None:
    vectorizer = CountVectorizer(token_pattern=r"\w+(?:['-]\w+)*")
    counts = vectorizer.fit_transform(["\n".join(texts) for texts in chats])
    tokens = np.asarray(counts.sum(axis=1)).ravel()
    np.testing.assert_array_equal(table["conversation_words"], tokens)
    lengths = np.array([len(word) for word in vectorizer.get_feature_names_out()])
    np.testing.assert_allclose(table["user_characters_per_word"], counts @ lengths / tokens, rtol=1e-12)


@pytest.mark.parametrize(
    ("metric", "lexicon"),
    [
        ("user_thanks", "thanks"),
        ("user_please", "please"),
        ("user_sorry", "sorry"),
        ("user_first_person", "first_person"),
    ],
)
def test_lexical_shares_are_scikit_learns_binary_counts(
    metric: str, lexicon: str, chats: list[list[str]], table: pd.DataFrame
) -> None:
    vectorizer = CountVectorizer(token_pattern=r"\w+(?:['-]\w+)*", vocabulary=sorted(read_lexicon(lexicon)))
    shares = [np.mean(np.asarray(vectorizer.transform(texts).sum(axis=1)) > 0) for texts in chats]
    np.testing.assert_allclose(table[metric], shares, rtol=1e-12)
    assert 0 < np.mean(shares) < 1


def test_repeats_are_pandas_duplicates_after_the_first(chats: list[list[str]], table: pd.DataFrame) -> None:
    shares = [pd.Series(texts).str.casefold().duplicated()[1:].mean() for texts in chats]
    np.testing.assert_allclose(table["user_repeats"], shares, rtol=1e-12)
    assert 0 < np.nanmean(shares) < 1
    assert np.isnan(shares).any()


def test_mattr_is_the_mean_of_scikit_learns_type_token_ratios(
    chats: list[list[str]], table: pd.DataFrame
) -> None:
    vectorizer = CountVectorizer(token_pattern=r"\w+(?:['-]\w+)*")
    expected = []
    for texts in chats:
        words = vectorizer.build_analyzer()(" ".join(texts))
        windows = [" ".join(words[start : start + 10]) for start in range(len(words) - 9)]
        counts = vectorizer.fit_transform(windows) if windows else None
        expected.append(np.nan if counts is None else np.mean(np.diff(counts.indptr) / 10))
    np.testing.assert_allclose(table["user_mattr"], expected, rtol=1e-12)


@pytest.mark.parametrize("window", [1, 2, 5, 10, 40])
def test_mattr_is_its_definition_at_every_window(window: int) -> None:
    rng = random.Random(window)
    words = rng.choices("abcdefghijkl", k=60)
    ratios = [len(set(words[start : start + window])) / window for start in range(60 - window + 1)]
    assert moving_average_type_token_ratio(words, window) == pytest.approx(np.mean(ratios), rel=1e-12)


def test_complaints_are_the_n_grams_of_the_lists() -> None:
    phrases = [phrase for phrases in read_phrase_lists("complaints").values() for phrase in phrases]
    fixed = {phrase for phrase in phrases if not phrase.endswith("*")}
    stems = tuple(phrase[:-1] for phrase in phrases if phrase.endswith("*"))
    vectorizer = CountVectorizer(token_pattern=r"[^ ]+", ngram_range=(1, 8))
    rng = random.Random(3)
    pool = [phrase.strip("^$* ").split() for phrase in rng.sample(phrases, 60)]
    shares = []
    for _ in range(300):
        said = [word for words in rng.sample(pool, 3) for word in words if rng.random() < 0.8]
        grams = set(vectorizer.build_analyzer()(f"^ {' '.join(said)} $"))
        ordinary = not grams.isdisjoint(read_lexicon("ordinary_talk"))
        expected = not grams.isdisjoint(fixed) or any(gram.startswith(stems) for gram in grams)
        messages = (Message(role="user", content=" ".join(said)),)
        measured = measure([Conversation(id="c", messages=messages)]).table.loc["c", "user_complaints"]
        if said and not ordinary:
            shares.append(expected)
            assert measured == expected
    assert 0.2 < np.mean(shares) < 0.95
    assert len(shares) > 250
