"""What holds of every degraded agent, whatever is said."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convsim.agents import Retrieval, degrade
from convsim.agents.faults import FAULTS, PRESETS
from convsim.schema import AgentReply
from convsim.schema.conversation import Conversation, Message
from convsim.text.folding import plain_text
from tests.unit.agents.faults.degrading import SHOP, Listener, ask

SHOP_TALK = st.lists(
    st.sampled_from(
        ["boots", "coat", "not", "black", "red", "under $50", "size 9", "no leather", "something else", "cheaper",
         "any color", "or", ",", ".", "max 80", "in M", "for $40", "{title}", "👢", "$", "my", "\n"]
    ),
    max_size=10,
).map(" ".join)  # fmt: skip
SHOWN = st.lists(st.sampled_from(SHOP.items), max_size=3, unique_by=lambda item: item.id).map(
    lambda items: tuple(item.to_shown() for item in items)
)
TEXTS = SHOP_TALK | st.text(max_size=40)
MESSAGES = st.builds(Message, role=st.just("user"), content=TEXTS) | st.builds(
    Message, role=st.sampled_from(["assistant", "system", "tool"]), content=TEXTS, items=SHOWN
)
CONVERSATIONS = st.lists(MESSAGES, max_size=8).map(lambda said: Conversation(id="c", messages=tuple(said)))
SPECS = st.lists(st.sampled_from([*FAULTS, *PRESETS]), min_size=1, max_size=5).map("+".join)
SEVERITIES = st.floats(0, 1)
SEEDS = st.integers(0, 2**62)
AGENT = Retrieval(catalogue=SHOP, n_items=3)


def bare(conversation: Conversation, seed: int) -> AgentReply:
    return asyncio.run(AGENT.reply(conversation, seed=seed))


@pytest.mark.parametrize("fault", FAULTS)
@settings(max_examples=25, deadline=None)
@given(conversation=CONVERSATIONS, seed=SEEDS)
def test_at_severity_zero_every_reply_is_the_agents_own_byte_for_byte(
    fault: str, conversation: Conversation, seed: int
) -> None:
    reply = ask(AGENT, fault, 0.0, conversation, seed=seed)
    assert reply.model_dump_json().encode() == bare(conversation, seed).model_dump_json().encode()
    assert reply.faults == ()


@settings(max_examples=100, deadline=None)
@given(conversation=CONVERSATIONS, spec=SPECS, seed=SEEDS)
def test_at_severity_zero_faults_together_do_nothing_either(
    conversation: Conversation, spec: str, seed: int
) -> None:
    listener = Listener()
    reply = ask(listener, spec, 0.0, conversation, seed=seed)
    assert listener.heard[0].messages == conversation.messages
    assert reply == AgentReply(content="Have a look.")


@settings(max_examples=200, deadline=None)
@given(conversation=CONVERSATIONS, spec=SPECS, severity=SEVERITIES, seed=SEEDS)
def test_items_are_the_catalogues_and_records_complete_and_the_reply_comes_again(
    conversation: Conversation, spec: str, severity: float, seed: int
) -> None:
    before = conversation.to_json()
    agent = degrade(AGENT, spec, severity, catalogue=SHOP)
    reply = asyncio.run(agent.reply(conversation, seed=seed))
    assert reply == asyncio.run(agent.reply(conversation, seed=seed))
    assert AgentReply.model_validate_json(reply.model_dump_json()) == reply
    assert all(item == SHOP.item(item.id).to_shown() for item in reply.items)
    assert len({item.id for item in reply.items}) == len(reply.items)
    assert reply.content.strip() or reply.items
    assert [fault.name for fault in reply.faults] == [name for name, at in agent.faults.items() if at > 0]
    assert all(fault.detail for fault in reply.faults)
    assert conversation.to_json() == before
    if not any(fault.acted for fault in reply.faults):
        assert reply.but(faults=()) == bare(conversation, seed)


@pytest.mark.parametrize("fault", ["partial_query", "ignored_constraint", "stale_context"])
@settings(max_examples=60, deadline=None)
@given(conversation=CONVERSATIONS, severities=st.tuples(SEVERITIES, SEVERITIES), seed=SEEDS)
def test_what_is_not_heard_at_one_severity_is_not_heard_at_any_greater_one(
    fault: str, conversation: Conversation, severities: tuple[float, float], seed: int
) -> None:
    heard: list[Counter[str]] = []
    for severity in sorted(severities):
        listener = Listener()
        ask(listener, fault, severity, conversation, seed=seed)
        texts = plain_text(" ".join(listener.words))
        heard.append(Counter(character for character in texts if character.isalnum()))
    assert heard[1] <= heard[0]


@settings(max_examples=100, deadline=None)
@given(conversation=CONVERSATIONS, severities=st.tuples(SEVERITIES, SEVERITIES), seed=SEEDS)
def test_a_fault_of_whole_replies_that_acts_at_one_severity_acts_so_at_every_greater_one(
    conversation: Conversation, severities: tuple[float, float], seed: int
) -> None:
    spec = "off_topic_text+rude_text+contradiction"
    low, high = (ask(AGENT, spec, severity, conversation, seed=seed) for severity in sorted(severities))
    did = {fault.name for fault in low.faults if fault.acted}
    assert did <= {fault.name for fault in high.faults if fault.acted}
