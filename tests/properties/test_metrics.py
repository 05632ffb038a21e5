"""What no conversation may do to the metrics: raise, leave the range, or touch another's row."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convsim.metrics import METRICS, measure
from convsim.schema.conversation import Conversation, Item, Message
from tests.hanging import ended_if_it_hangs

hostile = st.characters(exclude_categories=()) | st.sampled_from(
    "?？…。.!\u200d\ufe0f\u0301’'- \n\t\0_İßÅ😀👍🏽9٤½iI"
)
texts = st.text(hostile, max_size=30) | st.sampled_from(
    [
        "",
        " ",
        "red boots",
        "Red  BOOTS",
        "thanks!",
        "I'm sorry",
        "size 9?",
        "the blue one please",
        "a b c d e f g h i j k",
    ]
)
attributes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(texts, values, max_size=3),
    max_leaves=6,
)
items = st.builds(
    Item,
    id=st.just("item"),
    title=texts,
    attributes=st.dictionaries(texts, attributes, max_size=3),
)
messages = st.builds(Message, role=st.just("user"), content=texts) | st.builds(
    Message,
    role=st.sampled_from(["assistant", "assistant", "system", "tool"]),
    content=texts,
    items=st.lists(items, max_size=3).map(tuple),
)
conversations = st.lists(messages, max_size=10).map(lambda said: Conversation(id="c", messages=tuple(said)))
corpora = st.lists(conversations, max_size=5)


@settings(max_examples=200, deadline=None)
@given(corpora)
def test_whatever_is_said_every_value_is_undefined_or_in_its_range(corpus: list[Conversation]) -> None:
    table = measure(corpus).table
    assert table.shape == (len(corpus), len(METRICS))
    for name, metric in METRICS.items():
        values = table[name].dropna().to_numpy()
        assert np.isfinite(values).all()
        assert (values >= 0).all()
        if metric.unit.startswith("proportion of") or name == "user_mattr":
            assert (values <= 1).all()


@settings(max_examples=50, deadline=None)
@given(corpora, st.randoms(use_true_random=False))
def test_the_order_of_conversations_changes_no_row(corpus: list[Conversation], rng: Random) -> None:
    order = list(range(len(corpus)))
    rng.shuffle(order)
    straight = measure(corpus).table.iloc[order]
    np.testing.assert_array_equal(measure([corpus[row] for row in order]).table, straight)


@settings(max_examples=50, deadline=None)
@given(corpora)
def test_duplicating_the_corpus_duplicates_the_rows(corpus: list[Conversation]) -> None:
    once = measure(corpus).table.to_numpy()
    np.testing.assert_array_equal(measure([*corpus, *corpus]).table, np.vstack([once, once]))


@settings(max_examples=50, deadline=None)
@given(conversations)
def test_white_space_around_messages_changes_nothing(said: Conversation) -> None:
    padded = said.but(messages=tuple(m.but(content=f" \n{m.content}\t") for m in said.messages))
    np.testing.assert_array_equal(measure([padded]).table, measure([said]).table)


@pytest.mark.parametrize(
    "piece",
    ["a", "a-", "-", "!?", "e\u0301\u0323", "😀", "’", " ", "red ", "İ", "\ud800", "_", "9 "],
    ids=ascii,
)
def test_a_message_of_a_megabyte_is_measured(piece: str) -> None:
    text = piece * (1_000_000 // len(piece)) + "x"
    shown = (Item(id="1", title=text, attributes={"a": text}), Item(id="2", title="red"))
    said = [Message(role="assistant", content=text, items=shown), Message(role="user", content=text)]
    with ended_if_it_hangs():
        measured = measure([Conversation(id="c", messages=tuple(said * 2))])
    assert measured.table["turns"].tolist() == [2]


def test_a_conversation_of_many_turns_is_measured() -> None:
    shown = (Item(id="1", title="red boots"), Item(id="2", title="blue hat"))
    said = [
        message
        for turn in range(20_000)
        for message in (
            Message(role="user", content=f"number {turn}, and {-turn}"),
            Message(role="assistant", content="here", items=shown),
        )
    ]
    with ended_if_it_hangs():
        measured = measure([Conversation(id="c", messages=tuple(said))])
    assert measured.table["turns"].tolist() == [20_000]
