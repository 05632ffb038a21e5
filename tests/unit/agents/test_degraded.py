"""An agent with faults: what it passes on, what it records, and how faults go together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from convsim.agents import Degraded, degrade
from convsim.agents.faults import FAULTS, PRESETS
from convsim.agents.faults.registry import severities_of
from convsim.errors import AgentError, InputError
from convsim.schema import Agent, AgentReply
from convsim.schema.conversation import Conversation, Fault, Item, Label, Usage
from convsim.schema.persona import Persona
from tests.unit.agents.faults.degrading import SHOP, Listener, ask, demo, demo_agent
from tests.unit.agents.shops import ids, talk

SAID = talk("red rain boots under $50", "in size 8 please", shown=[["boot-b"]])
ALL = "+".join(FAULTS)
ALL_BUT_UNAVAILABLE = "+".join(fault for fault in FAULTS if fault != "unavailable")
NOT_ASKED = "unavailable acted, and the agent was not asked"


@dataclass
class Elaborate:
    """An agent whose replies hold everything that a reply can."""

    name: str = "elaborate"
    raises: Exception | None = None

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        if self.raises:
            raise self.raises
        return AgentReply(
            content="Try the Alder hiking boots.",
            items=(SHOP.item("boot-a").to_shown(),),
            faults=(Fault(name="slow", severity=0.5, acted=True),),
            ends=True,
            usage=Usage(input_tokens=5, output_tokens=2, cost_usd=0.25),
        )


def test_it_is_an_agent_whose_name_says_what_is_wrong_with_it() -> None:
    agent = degrade(Listener(), "bad", 0.5)
    assert isinstance(agent, Agent)
    assert agent.name == "listener+partial_query=0.3+off_topic_text=0.175+confusing_text=0.175"
    assert degrade(Listener(), "rude_text", 0).name == "listener+rude_text=0"
    assert Degraded(agent=Listener(), faults={}).name == "listener"


@pytest.mark.parametrize("spec", [*FAULTS, *PRESETS, ALL])
def test_at_severity_zero_the_reply_is_the_agents_own(spec: str) -> None:
    async def both() -> tuple[AgentReply, AgentReply]:
        wrapped = degrade(Elaborate(), spec, 0.0, catalogue=SHOP)
        return await Elaborate().reply(SAID, seed=4), await wrapped.reply(SAID, seed=4)

    bare, reply = asyncio.run(both())
    assert reply.model_dump_json() == bare.model_dump_json()


def test_at_severity_zero_the_agent_is_handed_the_very_conversation_and_seed() -> None:
    listener = Listener()
    wrapped = Degraded(agent=listener, faults=severities_of(ALL, 0.0), catalogue=SHOP)
    asyncio.run(wrapped.reply(SAID, seed=2**62))
    assert listener.heard[0] is SAID
    assert listener.seeds == [2**62]


@pytest.mark.parametrize("fault", FAULTS)
def test_the_agent_is_handed_the_seed_as_it_is(fault: str) -> None:
    listener = Listener()
    ask(listener, fault, 1.0, SAID, seed=77)
    assert listener.seeds == ([] if fault == "unavailable" else [77])


def test_faults_of_the_answer_leave_what_is_heard_as_it_is() -> None:
    listener = Listener(items=[SHOP.item("boot-a").to_shown()])
    ask(listener, "rude_text+irrelevant_items+empty_carousel", 1.0, SAID)
    assert listener.heard == [SAID]


def test_ends_usage_are_passed_on_and_earlier_records_kept() -> None:
    reply = ask(Elaborate(), ALL_BUT_UNAVAILABLE, 1.0, SAID)
    assert reply.ends
    assert reply.usage == Usage(input_tokens=5, output_tokens=2, cost_usd=0.25)
    assert reply.faults[0] == Fault(name="slow", severity=0.5, acted=True)
    assert len(reply.faults) == len(FAULTS)


def test_what_stands_beside_the_messages_is_neither_added_nor_lost() -> None:
    label = Label(value=2, source="self")
    said = SAID.but(
        persona=Persona(id="p", need="boots"),
        arm="bad",
        labels={"satisfaction": label},
        metadata={"note": "x"},
    )
    listener = Listener()
    faults = severities_of("partial_query+ignored_constraint+wrong_category", 1.0)
    asyncio.run(Degraded(agent=listener, faults=faults, catalogue=SHOP).reply(said, seed=1))
    [heard] = listener.heard
    assert heard != said
    assert heard.model_dump(exclude={"messages"}) == said.model_dump(exclude={"messages"})
    assert [(m.role, m.items) for m in heard.messages] == [(m.role, m.items) for m in said.messages]


def test_every_fault_is_recorded_with_its_own_severity_in_the_order_asked_for() -> None:
    reply = ask(Listener(), "confusing_text+bad", 0.5, SAID)
    assert [(fault.name, fault.severity) for fault in reply.faults] == [
        ("confusing_text", 0.5),
        ("partial_query", 0.5 * PRESETS["bad"]["partial_query"]),
        ("off_topic_text", 0.5 * PRESETS["bad"]["off_topic_text"]),
    ]


def test_a_fault_at_severity_zero_beside_others_is_absent() -> None:
    agent = Degraded(agent=Listener(), faults={"rude_text": 0.0, "contradiction": 1.0})
    reply = asyncio.run(agent.reply(SAID, seed=1))
    assert [fault.name for fault in reply.faults] == ["contradiction"]


def test_a_fault_that_was_not_drawn_says_so() -> None:
    reply = ask(Listener(), "rude_text", 1e-9, SAID)
    assert reply.content == "Have a look."
    assert reply.faults == (
        Fault(name="rude_text", severity=1e-9, acted=False, detail="not drawn for this reply"),
    )


def test_when_the_agent_is_unavailable_no_other_fault_acts_and_all_are_recorded() -> None:
    listener = Listener()
    reply = ask(listener, "rude_text+unavailable+partial_query", 1.0, SAID)
    assert listener.heard == []
    assert [(fault.name, fault.acted, fault.detail) for fault in reply.faults] == [
        ("rude_text", False, NOT_ASKED),
        ("unavailable", True, "the agent was not asked"),
        ("partial_query", False, NOT_ASKED),
    ]


def test_faults_of_what_is_heard_work_on_what_the_earlier_ones_left() -> None:
    listener = Listener()
    said = talk("red boots under $50", "a coat in size 9")
    reply = ask(listener, "stale_context+wrong_category+ignored_constraint", 1.0, said)
    assert len(listener.heard[0].messages) == 1
    assert listener.words in (["a boots in"], ["a sneakers in"])
    assert [fault.detail for fault in reply.faults][::2] == [
        "forgot 1 of 1 earlier turns",
        "not heard: size 9",
    ]


def test_faults_of_the_answer_work_on_what_the_earlier_ones_left() -> None:
    boots = SHOP.item("boot-a").to_shown()
    listener = Listener(content="The Alder hiking boots at $90.", items=[boots])
    reply = ask(listener, "irrelevant_items+rude_text+empty_carousel", 1.0, talk("boots"))
    assert reply.items == ()
    assert reply.content.endswith(("The Ember wool coat at $150.", "The Fallow rain jacket at $60."))
    assert [fault.acted for fault in reply.faults] == [True, True, True]


@pytest.mark.parametrize(
    "other", [fault for fault in FAULTS if fault not in ("unavailable", "stale_context")]
)
def test_adding_a_fault_moves_no_others_draws(other: str) -> None:
    for seed in range(8):
        alone = ask(Listener(), "stale_context+contradiction", 0.5, SAID, seed=seed)
        beside = ask(Listener(), f"{other}+stale_context+contradiction", 0.5, SAID, seed=seed)
        acted = {fault.name: (fault.acted, fault.detail) for fault in beside.faults}
        assert acted["stale_context"] == (alone.faults[0].acted, alone.faults[0].detail)
        assert acted["contradiction"] == (alone.faults[1].acted, alone.faults[1].detail)


def test_words_that_are_lost_are_the_same_whatever_else_is_wrong() -> None:
    for seed in range(8):
        listener, other = Listener(), Listener()
        ask(listener, "partial_query", 0.5, SAID, seed=seed)
        ask(other, "stale_context+partial_query", 0.5, SAID, seed=seed)
        assert other.words == listener.words[-len(other.words) :]


def test_a_degraded_agent_can_be_degraded_again() -> None:
    inner = degrade(Listener(), "rude_text", 1.0)
    reply = ask(inner, "contradiction", 1.0, SAID)
    assert [fault.name for fault in reply.faults] == ["rude_text", "contradiction"]
    assert degrade(inner, "contradiction", 1.0).name == "listener+rude_text=1+contradiction=1"


def test_what_the_agent_raises_passes_through() -> None:
    failure = AgentError("the shop burned down")
    with pytest.raises(AgentError) as caught:
        ask(Elaborate(raises=failure), ALL_BUT_UNAVAILABLE, 1.0, SAID)
    assert caught.value is failure


def test_the_bad_preset_shows_other_items_than_the_agent_does() -> None:
    said = talk("I want black trail running shoes in size 9 under $120")
    bare = ask(demo_agent(), "bad", 0.0, said, catalogue=demo())
    bad = [ask(demo_agent(), "bad", 1.0, said, seed=seed, catalogue=demo()) for seed in range(20)]
    assert sum(ids(reply) != ids(bare) for reply in bad) >= 10
    assert {fault.name for reply in bad for fault in reply.faults if fault.acted} == set(PRESETS["bad"])


@pytest.mark.parametrize(
    ("faults", "problem"),
    [
        ({"rude": 0.5}, "there is no fault 'rude'; did you mean rude_text; available: partial_query, "),
        ({"bad": 0.5}, "there is no fault 'bad'; available: "),
        ({"rude_text": 1.5}, "rude_text: a severity must be a number from 0 to 1, but is 1.5"),
        ({"rude_text": float("nan")}, "rude_text: a severity must be a number from 0 to 1, but is nan"),
    ],
)
def test_wrong_faults_are_refused_when_the_agent_is_made(faults: dict[str, float], problem: str) -> None:
    with pytest.raises(InputError) as caught:
        Degraded(agent=Listener(), faults=faults)
    assert str(caught.value).startswith(problem)
    assert "\n" not in str(caught.value)


def test_items_of_another_shop_are_left_alone_and_the_record_says_why() -> None:
    foreign = Item(id="b1", title="Boot", price=39.0)
    reply = ask(Listener(items=[foreign]), "irrelevant_items", 1.0, SAID)
    assert reply.items == (foreign,)
    assert reply.faults[0].detail == "none of the items shown is in the catalogue"
