"""The table: one row a conversation, one column a metric."""

import numpy as np

from convsim.metrics import METRICS, measure
from convsim.schema.conversation import Message
from tests.unit.metrics.conversations import agent, conversation, user


def test_the_table_has_a_row_a_conversation_and_a_column_a_metric() -> None:
    conversations = [
        conversation(user("hi"), name="b"),
        conversation(user("hi there"), agent("hello"), name="a"),
    ]
    corpus = measure(conversations)
    assert list(corpus.table.index) == ["b", "a"]
    assert list(corpus.table.columns) == list(METRICS)
    assert set(corpus.table.dtypes) == {np.dtype(np.float64)}
    assert list(corpus.conversations) == conversations
    assert corpus.metrics == METRICS
    assert list(corpus.table["conversation_words"]) == [1.0, 3.0]


def test_no_conversations_make_a_table_without_rows() -> None:
    table = measure([]).table
    assert table.shape == (0, len(METRICS))


def test_a_conversation_without_messages_has_zero_counts_and_no_means() -> None:
    row = measure([conversation()]).table.iloc[0]
    assert dict(row.dropna()) == {"turns": 0.0, "conversation_words": 0.0}


def test_an_undefined_neighbor_changes_no_other_row() -> None:
    spoken = conversation(user("Is it red?"), agent("Yes."), user("thanks"), name="spoken")
    empty = conversation(name="empty")
    alone = measure([spoken]).table.loc["spoken"]
    among = measure([empty, spoken, empty]).table.loc["spoken"]
    np.testing.assert_array_equal(alone, among)


def test_system_developer_and_tool_messages_are_never_counted() -> None:
    said = [user("I want boots"), agent("Which size?"), user("9")]
    aside = [Message(role=role, content="Please mind 3 words?") for role in ("system", "developer", "tool")]
    mixed = [aside[0], said[0], aside[1], said[1], aside[2], said[2]]
    plain, noisy = (measure([conversation(*messages)]).table for messages in (said, mixed))
    np.testing.assert_array_equal(plain, noisy)
