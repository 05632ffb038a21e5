"""Mentions of one fault: only what is said after the agent has spoken counts."""

from math import isnan

import pytest

from convsim.errors import InputError
from convsim.metrics import MENTIONS, RELATION_METRICS
from convsim.metrics.items import mentions
from convsim.schema import Columns
from convsim.schema.conversation import Message
from tests.unit.metrics.conversations import agent, conversation, user


def mentioned(fault: str, *messages: Message) -> float:
    (measured,) = mentions(fault).measure(Columns.of([conversation(*messages)]))
    return float(measured)


def test_only_messages_after_the_agents_first_and_not_the_empty_ones_count() -> None:
    said = [
        user("wrong size"),
        agent("Hello"),
        user("wrong size"),
        user(""),
        agent("Oh"),
        user("red"),
        user("ok"),
    ]
    assert mentioned("ignored_constraint", *said) == 1 / 3
    assert mentioned("rude_text", *said) == 0


def test_without_a_message_after_the_agent_it_is_undefined() -> None:
    assert isnan(mentioned("rude_text", user("how rude"), user("so rude")))
    assert isnan(mentioned("rude_text", user("how rude"), agent("What?"), user(" ")))
    assert isnan(mentioned("rude_text", Message(role="system", content="be rude"), user("how rude")))
    assert isnan(mentioned("rude_text"))


def test_each_conversation_waits_for_its_own_agent() -> None:
    pair = [
        conversation(agent("hi"), user("how rude")),
        conversation(user("how rude"), agent("hi"), user("ok")),
    ]
    assert mentions("rude_text").measure(Columns.of(pair)).tolist() == [1, 0]


def test_a_fault_is_mentioned_by_its_own_phrases_alone() -> None:
    said = [agent("Here you are"), user("you already showed me these")]
    held = {
        name for name, metric in MENTIONS.items() if metric.measure(Columns.of([conversation(*said)]))[0] == 1
    }
    assert held == {"user_mentions_repeated_items"}


def test_an_unknown_fault_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(InputError, match=r"'rude'; there are some for: partial_query, .*unavailable$"):
        mentions("rude")


def test_relations_find_every_mention_by_its_name() -> None:
    assert len(MENTIONS) == 13
    assert all(RELATION_METRICS[name] is metric and metric.name == name for name, metric in MENTIONS.items())
