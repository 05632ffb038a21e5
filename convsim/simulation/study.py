"""A study: shoppers with personas talk to an agent under one or several arms, and every conversation is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from pydantic import JsonValue

from convsim._async import refuse_in_a_loop
from convsim.errors import InputError
from convsim.io import Manifest, open_run
from convsim.io.provenance import provenance
from convsim.lifting import AgentLike, ShopperLike, lift_agent, lift_shopper
from convsim.schema import Agent, Shopper
from convsim.schema.persona import LOOK_AHEAD, Persona
from convsim.simulation.loop import Arm, Planned
from convsim.simulation.runner import Limits, Progress, hold_all

NOTHING_MORE: Mapping[str, JsonValue] = {}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a call of ``Study.run`` did; ``planned`` counts the whole study, ``held`` this call."""

    folder: Path
    planned: int
    held: int
    failed: int
    missing: int
    cost_usd: float | None
    stop: str
    slips: Mapping[str, int] = field(default_factory=dict)
    """Role slips, empty and truncated answers of this call, by name."""
    commonest_reason: str | None = None
    """Why conversations of this call failed most often."""


@dataclass(frozen=True, init=False)
class Study:
    """``n`` conversations per arm of one shopper with one agent; personas are taken in order, again and again.

    Args:
        shopper: A shopper, or a function of the conversation and the persona; ``lift_shopper`` says what is taken.
        agent: An agent, or a function of the conversation; ``lift_agent`` says what is taken.
        personas: Whom the shopper plays.
        seed: Moves every random draw.
        name: What the study is called.
        n: Conversations per arm.
        arms: Experimental conditions; one that is only named meets ``agent`` as it is.
        max_turns: A guard, not a target.
        concurrency: Conversations at a time.
        budget_usd: Nothing new is started once this is spent.
        model: Name of the model behind the shopper, for ids and records.
        provenance: What else tells this study from others: settings, endpoints, hashes of data.

    Raises:
        InputError: No personas or arms, or a persona has a control that is known only afterwards.
        PluginError: ``shopper`` or ``agent`` is none.
    """

    shopper: Shopper
    agent: Agent
    personas: Sequence[Persona]
    _: KW_ONLY
    seed: int
    name: str
    n: int
    arms: Sequence[str | Arm]
    max_turns: int
    concurrency: int
    budget_usd: float | None
    model: str | None
    provenance: Mapping[str, JsonValue]

    def __init__(
        self,
        shopper: ShopperLike,
        agent: AgentLike,
        personas: Sequence[Persona],
        *,
        seed: int,
        name: str = "study",
        n: int = 20,
        arms: Sequence[str | Arm] = ("good",),
        max_turns: int = 10,
        concurrency: int = 8,
        budget_usd: float | None = None,
        model: str | None = None,
        provenance: Mapping[str, JsonValue] = NOTHING_MORE,
    ):
        if not personas or not arms:
            raise InputError("a study needs at least one persona and one arm")
        for persona in personas:
            if late := persona.known_afterwards():
                raise InputError(f"persona {persona.id}: {late[0]} {LOOK_AHEAD}")
        stated = {
            "shopper": lift_shopper(shopper), "agent": lift_agent(agent), "personas": personas, "seed": seed,
            "name": name, "n": n, "arms": arms, "max_turns": max_turns, "concurrency": concurrency,
            "budget_usd": budget_usd, "model": model, "provenance": provenance,
        }  # fmt: skip
        for part, value in stated.items():
            object.__setattr__(self, part, value)

    @property
    def conditions(self) -> list[Arm]:
        """The arms, each with its agent."""
        return [arm if isinstance(arm, Arm) else Arm(arm, self.agent) for arm in self.arms]

    def planned(self) -> Iterator[Planned]:
        """Yield every conversation of the study; the arms of one persona stand together."""
        arms = self.conditions
        for index in range(self.n):
            persona = self.personas[index % len(self.personas)]
            for arm in arms:
                yield Planned(
                    study=self.name, shopper=self.shopper, model=self.model, persona=persona, arm=arm,
                    repeat=index // len(self.personas), seed=self.seed,
                )  # fmt: skip

    def run(
        self,
        folder: Path | str,
        *,
        retry_failed: bool = False,
        on_change: Callable[[Progress], None] = lambda progress: None,
    ) -> Outcome:
        """Hold what is missing of the study in ``folder``; call it again after an interruption to go on.

        Raises:
            InputError: An event loop is running already, as in a notebook: there it is ``await study.arun(folder)``.
            StudyError: The folder holds another plan.
        """
        refuse_in_a_loop("Study.run", "await study.arun(folder)")
        return asyncio.run(
            self._held(Path(folder), retry_failed=retry_failed, on_change=on_change, own_loop=True)
        )

    async def arun(
        self,
        folder: Path | str,
        *,
        retry_failed: bool = False,
        on_change: Callable[[Progress], None] = lambda progress: None,
    ) -> Outcome:
        """Do as ``run`` does, in the caller's own event loop: in a notebook, a server, or beside other tasks.

        Cancelling it cancels what is in flight, keeps what has ended, and lets go of the folder; the same call goes on.

        Raises:
            StudyError: The folder holds another plan.
        """
        return await self._held(Path(folder), retry_failed=retry_failed, on_change=on_change, own_loop=False)

    async def _held(
        self, path: Path, *, retry_failed: bool, on_change: Callable[[Progress], None], own_loop: bool
    ) -> Outcome:
        progress = Progress(on_change=on_change)
        with open_run(path, self.manifest(), retry_failed=retry_failed) as kept:
            missing = [planned for planned in self.planned() if planned.id not in kept.done]
            limits = Limits(
                max_turns=self.max_turns, concurrency=self.concurrency, budget_usd=self.budget_usd
            )
            await hold_all(missing, limits=limits, keep=kept.append, progress=progress, own_loop=own_loop)
        return Outcome(
            folder=path,
            planned=self.n * len(self.arms),
            held=progress.ended,
            failed=progress.failed,
            missing=len(missing) - progress.ended,
            cost_usd=None if progress.unpriced else progress.cost_usd,
            stop=progress.stop,
            slips=dict(progress.slips),
            commonest_reason=next((reason for reason, _ in progress.reasons.most_common(1)), None),
        )

    def manifest(self) -> Manifest:
        """Return what tells this study from others (``plan``), and where it ran."""
        plan: dict[str, JsonValue] = {
            "study": self.name,
            "shopper": self.shopper.name,
            "model": self.model,
            "agent": self.agent.name,
            "arms": [_stated(arm) for arm in self.conditions],
            "n": self.n,
            "max_turns": self.max_turns,
            "seed": self.seed,
            "prompts": {**getattr(self.shopper, "prompt_hashes", {}), **_agent_prompt(self.agent)},
            "personas": [*(persona.id for persona in self.personas)],
            **self.provenance,
        }
        return {
            "schema": "convsim.run/1",
            "plan": plan,
            **provenance(),
        }


def _stated(arm: Arm) -> JsonValue:
    """Say an arm in a manifest: its name alone, or with what degrades its agent."""
    if arm.fault is None:
        return arm.name
    return {"name": arm.name, "agent": arm.agent.name, "fault": arm.fault, "severity": arm.severity}


def _agent_prompt(agent: Agent) -> dict[str, JsonValue]:
    prompt_hash = getattr(agent, "prompt_hash", None)
    return {} if prompt_hash is None else {"agent": str(prompt_hash)}
