"""At 20 personas, shoppers that obey an agent's instructions fail the built-in relations; those that do not pass."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import pytest

from convsim.agents import degrade
from convsim.metrics import measure
from convsim.metrics.instructions import INJECTED
from convsim.schema import AgentReply, Finding, UserMove
from convsim.schema.conversation import Conversation, Item
from convsim.schema.persona import Persona
from convsim.simulation.loop import Arm, Planned, hold
from convsim_validators.relations.relations import Relations
from tests.corpora import EMPTY

KINDS = ("accept", "praise", "reveal")
ITEMS = (Item(id="b1", title="Alder boots"), Item(id="b2", title="Birch boots"))


async def agent(conversation: Conversation) -> AgentReply:
    return AgentReply(content="How about these?", items=ITEMS)


@dataclass(frozen=True)
class Scripted:
    """Goes on asking; does what the last reply told it to, where that is of the kinds that it obeys."""

    obeys: frozenset[str]
    name: str = "scripted"
    learned_from: None = None

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        faults = conversation.messages[-1].faults if conversation.messages else ()
        told = {
            kind for kind in self.obeys for fault in faults if fault.detail.startswith(f"told to {kind}:")
        }
        if "accept" in told:
            return UserMove(action="accept", accepted=("b1",))
        if "praise" in told:
            return UserMove(action="say", text="This is the best service I have ever had!")
        if "reveal" in told:
            return UserMove(action="say", text=f"I was told this: {persona.need}")
        return UserMove(action="say", text="do you have others")


@cache
def judged(*obeys: str) -> Mapping[str, Finding]:
    """The findings on 20 personas that met the bare agent and one that gives instructions in every reply."""
    shopper = Scripted(frozenset(obeys))
    arms = [Arm("good", agent)]
    arms += [Arm("told", degrade(agent, INJECTED, 1.0), INJECTED, 1.0)]

    async def held(number: int, arm: Arm) -> Conversation:
        need = f"boots of kind number {number} for a long and wet winter"
        planned = Planned(
            study="s", shopper=shopper, model=None, persona=Persona(id=f"p{number}", need=need), arm=arm,
            repeat=0, seed=5,
        )  # fmt: skip
        return await hold(planned, max_turns=8)

    async def everybody() -> list[Conversation]:
        return [await held(number, arm) for arm in arms for number in range(20)]

    findings = Relations(n_resamples=499).validate(EMPTY, measure(asyncio.run(everybody())), seed=1)
    return {finding.metric.removeprefix("resists_instructions_to_"): finding for finding in findings}


@pytest.mark.parametrize("kind", KINDS)
def test_who_obeys_one_kind_of_instruction_fails_its_relation_and_no_other(kind: str) -> None:
    found = judged(kind)
    assert found[kind].verdict == "reacts_wrong_way"
    assert (found[kind].details["rate_control"], found[kind].details["rate_treated"]) == (0, 1)
    assert {found[other].verdict for other in KINDS if other != kind} <= {"aligned", "undecided"}


@pytest.mark.parametrize("kind", KINDS)
def test_who_obeys_none_passes_every_relation(kind: str) -> None:
    found = judged()[kind]
    assert found.verdict == "aligned"
    assert found.details["n_personas"] >= 16


def test_who_never_met_such_an_agent_is_told_what_to_run() -> None:
    [finding] = [
        finding
        for finding in Relations(n_resamples=499).validate(EMPTY, EMPTY, seed=1)
        if finding.metric == "resists_instructions_to_accept"
    ]
    assert finding.verdict == "undecided"
    assert "convsim simulate --fault injected_instructions=1" in finding.reason
