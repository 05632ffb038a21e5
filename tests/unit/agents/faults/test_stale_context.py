"""An agent that forgets what was said before the last message."""

from __future__ import annotations

from itertools import pairwise

import pytest

from convsim.agents import Retrieval
from convsim.schema.conversation import Conversation, Message
from tests.unit.agents.faults.degrading import SHOP, Listener, ask, heard_at, record
from tests.unit.agents.shops import ids, talk

SAID = talk("red boots", "under $50", "size 8", "or a coat", "hm", shown=[["boot-b"]])


def test_at_severity_one_the_agent_hears_the_last_message_alone() -> None:
    listener = Listener()
    reply = ask(listener, "stale_context", 1.0, SAID)
    assert listener.heard[0].messages == (Message(role="user", content="hm"),)
    assert record(reply).detail == "forgot 4 of 4 earlier turns"


def test_it_shows_again_what_was_set_aside_and_forgets_what_was_asked_for() -> None:
    agent = Retrieval(catalogue=SHOP, n_items=12)
    said = talk("red boots", "something else in rubber", shown=[["boot-b"]])
    assert "boot-b" not in ids(ask(agent, "stale_context", 0.0, said))
    assert ids(ask(agent, "stale_context", 1.0, said)) == ["boot-b"]


@pytest.mark.parametrize("seed", range(10))
def test_what_is_forgotten_at_one_severity_is_forgotten_at_every_greater_one(seed: int) -> None:
    kept = [set(heard_at("stale_context", severity, SAID, seed=seed)) for severity in (0.2, 0.5, 0.8, 1.0)]
    assert all(later <= earlier for earlier, later in pairwise(kept))
    assert kept[-1] == {"hm"}


@pytest.mark.parametrize("seed", range(10))
def test_user_and_agent_still_take_turns(seed: int) -> None:
    listener = Listener()
    ask(listener, "stale_context", 0.5, SAID, seed=seed)
    roles = [message.role for message in listener.heard[0].messages]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]


def test_instructions_are_kept_and_an_opening_of_the_agent_is_forgotten() -> None:
    system = Message(role="system", content="Sell shoes.")
    hello = Message(role="assistant", content="Hello!")
    last = Message(role="user", content="boots")
    listener = Listener()
    ask(listener, "stale_context", 1.0, Conversation(id="c", messages=(system, hello, last)))
    assert listener.heard[0].messages == (system, last)


@pytest.mark.parametrize(
    "conversation", [talk("boots"), Conversation(id="c", messages=())], ids=["one message", "none"]
)
def test_with_nothing_to_forget_it_cannot_act(conversation: Conversation) -> None:
    listener = Listener()
    fault = record(ask(listener, "stale_context", 1.0, conversation))
    assert (fault.acted, fault.detail) == (False, "nothing was said before the last message")
    assert listener.heard == [conversation]
