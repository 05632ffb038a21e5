"""Any agent made worse on purpose: faults, each at a severity from 0 (exactly the agent) to 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from convsim._text import one_line
from convsim.agents.faults.core import (
    NOT_DRAWN,
    REPLY,
    Answering,
    AnyFault,
    Done,
    Draft,
    Draws,
    Heard,
    Hearing,
    NotDone,
    Scene,
    Silencing,
    Stock,
)
from convsim.agents.faults.registry import (
    FaultLike,
    check_severity,
    find_fault,
    lifted,
    severities_of,
)
from convsim.lifting import AgentLike, lift_agent
from convsim.schema.catalogue import Catalogue
from convsim.schema.conversation import Conversation, Fault
from convsim.schema.protocols import Agent, AgentReply

T = TypeVar("T")


def degrade(
    agent: AgentLike, spec: FaultLike, severity: float, *, catalogue: Catalogue | None = None
) -> Degraded:
    """Wrap ``agent`` in the faults that ``spec`` names, such as "bad" or "partial_query+rude_text", or in your own.

    All are at ``severity``, from 0 to 1, by which a preset's own shares are multiplied.

    Raises:
        InputError: There is no such fault or preset, or the severity is not a number from 0 to 1.
    """
    asked = lift_agent(agent)
    if isinstance(spec, str):
        return Degraded(agent=asked, faults=severities_of(spec, severity), catalogue=catalogue)
    own = lifted(spec)
    return Degraded(agent=asked, faults={own.name: severity}, catalogue=catalogue, own=(own,))


@dataclass(kw_only=True, eq=False)
class Degraded:
    """Answers as ``agent`` does, with ``faults``: the severity of each by name, from 0 to 1.

    A fault of what the agent hears alters the conversation that the agent is handed, and nothing else: what was
    said stays in the record. What is drawn, such as a word or a reply, is drawn from the reply's seed by the fault's
    name, so that faults do not disturb each other, arms with the same seeds share draws, and what is degraded at one
    severity is degraded at every greater one. Faults take hold in their order: first those of what is heard, then
    those of what is answered. Every fault above severity 0 is recorded on the reply, acting or not, and why; at
    severity 0 the reply is the agent's own.

    ``catalogue`` is where other items and the words for kinds, colors and sizes come from; without it the faults
    that need it say so.

    Raises:
        InputError: There is no such fault, or a severity is not a number from 0 to 1.
    """

    agent: Agent
    faults: Mapping[str, float]
    catalogue: Catalogue | None = None
    own: tuple[AnyFault, ...] = ()
    """Faults that stand in no registry, known by their names."""
    name: str = field(init=False)
    _found: Mapping[str, AnyFault] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for fault, severity in self.faults.items():
            check_severity(fault, severity)
        own = {fault.name: fault for fault in self.own}
        self._found = {fault: own.get(fault) or find_fault(fault) for fault in self.faults}
        parts = (f"{fault}={severity:g}" for fault, severity in self.faults.items())
        self.name = "+".join((self.agent.name, *parts))

    @cached_property
    def _stock(self) -> Stock | None:
        return None if self.catalogue is None else Stock(self.catalogue)

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Answer the conversation so far; raises AgentError when the agent does."""
        severities = {fault: severity for fault, severity in self.faults.items() if severity > 0}
        if not severities:
            return await self.agent.reply(conversation, seed=seed)
        scenes = [
            (self._found[fault], Scene(conversation, self._stock, Draws(seed, fault, severity)))
            for fault, severity in severities.items()
        ]
        for fault, scene in scenes:
            if isinstance(fault, Silencing) and scene.draws.hits(REPLY):
                answer, did = fault.answer(scene)
                others = NotDone(f"{fault.name} acted, and the agent was not asked")
                done = [_record(s, Done(None, did) if f is fault else others) for f, s in scenes]
                return answer.model_copy(update={"faults": tuple(done)})
        return await self._reply(conversation, scenes, seed)

    async def _reply(
        self, conversation: Conversation, scenes: list[tuple[AnyFault, Scene]], seed: int
    ) -> AgentReply:
        records = {scene.draws.fault: _record(scene, NotDone(NOT_DRAWN)) for _, scene in scenes}
        drawn = [(fault, scene) for fault, scene in scenes if fault.unit != REPLY or scene.draws.hits(REPLY)]
        heard = Heard.whole(conversation)
        for fault, scene in drawn:
            if isinstance(fault, Hearing):
                altered = fault.alter(heard, scene)
                records[scene.draws.fault] = _record(scene, altered)
                heard = altered.result if isinstance(altered, Done) else heard
        draft = Draft(await self.agent.reply(heard.conversation, seed=seed))
        for fault, scene in drawn:
            if isinstance(fault, Answering):
                changed = fault.alter(draft, scene)
                records[scene.draws.fault] = _record(scene, changed)
                draft = changed.result if isinstance(changed, Done) else draft
        return draft.reply.model_copy(update={"faults": (*draft.reply.faults, *records.values())})


def _record(scene: Scene, outcome: Done[T] | NotDone) -> Fault:
    acted = isinstance(outcome, Done)
    detail = outcome.detail if isinstance(outcome, Done) else outcome.reason
    return Fault(name=scene.draws.fault, severity=scene.draws.severity, acted=acted, detail=one_line(detail))
