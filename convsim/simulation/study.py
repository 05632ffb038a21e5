"""A study: shoppers with personas talk to an agent under one or several arms, and every conversation is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import KW_ONLY, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import JsonValue, ValidationError

from convsim._async import refuse_in_a_loop
from convsim._text import complaint, one_line, shown
from convsim._tracing import Value, span
from convsim.errors import InputError
from convsim.io import (
    MANIFEST,
    Growth,
    MalformedError,
    Manifest,
    Run,
    current_n,
    growth_of,
    open_run,
    readable_line,
)
from convsim.io.manifest import read_manifest
from convsim.io.provenance import provenance
from convsim.lifting import (
    AgentLike,
    ShopperLike,
    check_ready,
    learned_by,
    lift_agent,
    lift_shopper,
    with_parts_of,
)
from convsim.models.crowd import AUTO, Concurrency
from convsim.models.energy import ELSEWHERE, Energy, EnergyWatch, machine_energy
from convsim.models.fallback import Fallback
from convsim.models.gates import Taken, together
from convsim.models.hearing import heard
from convsim.models.metering import MEASURED, Measured, Measuring, measured_in, measuring
from convsim.models.pace import MOST
from convsim.models.transport import is_loopback
from convsim.schema import Agent, ChatModel, Shopper
from convsim.schema.conversation import MAX_FAILURE_SHARE, LearnedFrom
from convsim.schema.persona import LEARNED_FROM, LOOK_AHEAD, Persona
from convsim.simulation.config import MOST_CONVERSATIONS, StudySection
from convsim.simulation.failing import remedy
from convsim.simulation.handles import affordable
from convsim.simulation.loop import Arm, Opening, Planned, opened
from convsim.simulation.mixture import Component, checked_mixture, checked_weights, encounters
from convsim.simulation.pool import Opened, Pool, Workers
from convsim.simulation.runner import Limits, Progress, hold_all

T = TypeVar("T")
NOTHING_MORE: Mapping[str, JsonValue] = {}
TAKEN = "concurrency"
"""The key of a manifest under which it stands how many requests endpoints took at a time."""
MIXTURE = "mixture"
"""Stands for the shopper in the plan of a study that has several."""


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
    unread: Mapping[str, int] = field(default_factory=dict)
    """What agents' answers of this call held that was not read, and in how many answers."""
    agent_reasoning: int = 0
    """Agents' answers of this call out of which thinking was taken."""
    fallbacks: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Messages of this call for which another model than the first answered, by shopper or agent and the model."""
    measured: Measured = field(default_factory=Measured, repr=False)
    """What this call asked of its models."""
    remedy: str | None = None
    """The setting that helps against the commonest reason, where one is known."""
    uncounted: int = 0
    """Conversations of this call in which a server did not count its tokens."""
    failed_in_all: int = 0
    """Failed conversations in the folder, those of earlier calls included."""
    taken: Mapping[str, Taken] = field(default_factory=dict)
    """How many requests each endpoint took at a time in this call, by its address: in the end (``last``), at most
    (``highest``), and how many it pushed back. Nothing where a number of conversations was stated."""

    def __str__(self) -> str:
        earlier = self.planned - self.held - self.missing
        kept = f" ({earlier} more were there)" if earlier else ""
        why = f"; most often: {self.commonest_reason}" if self.commonest_reason else ""
        return f"{self.held} conversations held in {self.folder}{kept}; {self.failed} failed{why}"

    @property
    def too_many_failed(self) -> bool:
        """Whether more of the folder's conversations have failed than what compares them takes."""
        return self.failed_in_all > MAX_FAILURE_SHARE * (self.planned - self.missing)


@dataclass(frozen=True, init=False)
class Study:
    """``n`` conversations per arm of one shopper with one agent; personas are taken in order, again and again.

    Args:
        shopper: A shopper, or a function of the conversation and the persona; ``lift_shopper`` says what is taken.
        agent: An agent, or a function of the conversation; ``lift_agent`` says what is taken.
        personas: Whom the shopper plays.
        seed: Random seed.
        name: What the study is called.
        n: Conversations per arm.
        arms: Experimental conditions; one that is only named meets ``agent`` as it is.
        max_turns: Hard limit of turns; most conversations end earlier.
        concurrency: Conversations at a time; fewer where the process may not open files enough for them. With "auto" as
            many as the endpoints of models and agents take, and 8 where none is asked.
        budget_usd: Nothing new is started once this is spent.
        model: Name of the model behind the shopper, for ids and records.
        opening: What the agent says before the shopper first speaks: a text, or True for what it answers to a chat in
            which nobody has spoken.
        provenance: What else tells this study from others: settings, endpoints, hashes of data.
        mixture: Shoppers that hold the conversations in stated proportions, in place of ``shopper``, which is then the
            first of them.
        persona_weights: How often personas are taken, by id; all alike where it is None.

    Raises:
        InputError: No personas or arms, one that stands twice, a number that is none or out of bounds, or a persona
            with a control that is known only afterwards.
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
    concurrency: Concurrency
    budget_usd: float | None
    model: str | None
    opening: Opening
    provenance: Mapping[str, JsonValue]
    mixture: Sequence[Component]
    persona_weights: Mapping[str, float] | None

    def __init__(  # noqa: PLR0913  (what can be said of a study)
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
        concurrency: Concurrency = AUTO,
        budget_usd: float | None = None,
        model: str | None = None,
        opening: Opening = None,
        provenance: Mapping[str, JsonValue] = NOTHING_MORE,
        mixture: Sequence[Component] = (),
        persona_weights: Mapping[str, float] | None = None,
    ):
        numbers = {
            "name": name, "seed": seed, "n": n, "max_turns": max_turns, "concurrency": concurrency,
            "budget_usd": budget_usd,
        }  # fmt: skip
        stated = {
            "shopper": lift_shopper(shopper), "agent": lift_agent(agent), "personas": _checked_personas(personas),
            "arms": _checked_arms(arms), "model": model, "opening": checked_opening(opening), "provenance": provenance,
            "mixture": checked_mixture(mixture), "persona_weights": checked_weights(persona_weights, personas),
            **_checked(numbers),
        }  # fmt: skip
        for part, value in stated.items():
            object.__setattr__(self, part, value)
        if self.n * len(self.arms) > MOST_CONVERSATIONS:
            raise InputError(
                f"the study: {self.n:,} conversations in each of {len(self.arms)} arms are more than "
                f"{MOST_CONVERSATIONS:,}, the most that one study holds"
            )
        self._check_what_is_written()

    def _check_what_is_written(self) -> None:
        """Check that what the manifest and the conversations begin with can be read back, and no id stands twice."""
        seen: set[str] = set()
        try:
            json.dumps(self._plan(), allow_nan=False, ensure_ascii=False).encode()
            for planned in self.planned(repeats=1):
                readable_line(opened(planned))
                if planned.id in seen:
                    raise InputError(f"personas: {shown(planned.persona.id)} is given twice; give each once")
                seen.add(planned.id)
        except MalformedError as error:
            raise InputError(
                f"persona {planned.persona.id!r:.80}, arm {planned.arm.name!r:.80}: {error}"
            ) from None
        except (ValueError, TypeError, RecursionError) as error:
            raise InputError(f"the study cannot be written down as JSON: {one_line(error)}") from error

    @property
    def conditions(self) -> list[Arm]:
        """The arms, each with its agent."""
        return [arm if isinstance(arm, Arm) else Arm(arm, self.agent) for arm in self.arms]

    def planned(self, *, repeats: int | None = None) -> Iterator[Planned]:
        """Yield every conversation of the study; the arms of one persona stand together.

        With ``repeats`` a persona meets each arm so often at most, of each component of a mixture.
        """
        arms = self.conditions
        n = (
            self.n
            if repeats is None
            else min(self.n, repeats * len(self.personas) * (len(self.mixture) or 1))
        )
        met = encounters(
            self.personas, mixture=self.mixture, persona_weights=self.persona_weights, seed=self.seed
        )
        for each in islice(met, n):
            of = each.component
            if repeats is not None and each.repeat >= repeats:
                continue
            for arm in arms:
                yield Planned(
                    study=self.name, shopper=of.shopper if of else self.shopper, persona=each.persona, arm=arm,
                    model=of.model if of else self.model, repeat=each.repeat, seed=self.seed,
                    opening=self.opening, component=of.name if of else None,
                )  # fmt: skip

    def run(
        self,
        folder: Path | str,
        *,
        add: int | Growth | None = None,
        retry_failed: bool = False,
        fail_fast: bool = True,
        record: bool = False,
        before: Callable[[int], Awaitable[None]] | None = None,
        on_change: Callable[[Progress], None] = lambda progress: None,
        workers: Workers | None = None,
    ) -> Outcome:
        """Hold what is missing of the study in ``folder``; call it again after an interruption to go on.

        With ``add`` a run that is there is made larger by so many conversations an arm: in the end it is as it would be
        if the study's ``n`` had been as large from the start. A study with the ``n`` that the run had before goes on
        with the larger run. Where the last such call was not finished, the same one finishes it and adds nothing more.

        It stops where the same failure has happened five times and no conversation has succeeded, unless ``fail_fast``
        is false. With ``record`` the prompt and the raw answer of each call of a model are kept in ``prompts.jsonl`` of
        the folder; the models are those that shoppers and agents have as ``model``. ``before`` is awaited with the
        number of conversations that are missing, before the first of them. With ``workers`` other processes, here or on
        a cluster, hold the conversations; what comes of them is the same.

        Raises:
            InputError: An event loop is running already, as in a notebook: there it is ``await study.arun(folder)``.
                Or a key is missing, or a model cannot be loaded: nothing has been held then.
            StudyError: The folder holds another plan, or ``add`` is given and there is no run.
        """
        refuse_in_a_loop("Study.run", "await study.arun(folder)")
        return asyncio.run(
            self._held(
                Path(folder),
                add=add,
                retry_failed=retry_failed,
                fail_fast=fail_fast,
                record=record,
                before=before,
                on_change=on_change,
                own_loop=True,
                workers=workers,
            )
        )

    async def arun(
        self,
        folder: Path | str,
        *,
        add: int | Growth | None = None,
        retry_failed: bool = False,
        fail_fast: bool = True,
        record: bool = False,
        before: Callable[[int], Awaitable[None]] | None = None,
        on_change: Callable[[Progress], None] = lambda progress: None,
        workers: Workers | None = None,
    ) -> Outcome:
        """Do as ``run`` does, in the caller's own event loop: in a notebook, a server, or beside other tasks.

        Cancelling it cancels what is in flight, keeps what has ended, and lets go of the folder; the same call goes on.

        Raises:
            StudyError: The folder holds another plan.
        """
        return await self._held(
            Path(folder), add=add, retry_failed=retry_failed, fail_fast=fail_fast, record=record, before=before,
            on_change=on_change, own_loop=False, workers=workers,
        )  # fmt: skip

    async def _held(
        self,
        path: Path,
        *,
        add: int | Growth | None,
        retry_failed: bool,
        fail_fast: bool,
        record: bool,
        before: Callable[[int], Awaitable[None]] | None,
        on_change: Callable[[Progress], None],
        own_loop: bool,
        workers: Workers | None,
    ) -> Outcome:
        growth = add if isinstance(add, Growth) or add is None else growth_of(path, add)
        n = current_n(path, self.n) if growth is None else growth.n
        if n != self.n:
            return await replace(self, n=n)._held(
                path, add=growth, retry_failed=retry_failed, fail_fast=fail_fast, record=record, before=before,
                on_change=on_change, own_loop=own_loop, workers=workers,
            )  # fmt: skip
        progress = Progress(on_change=on_change)
        is_new = not (path / MANIFEST).exists()
        async with AsyncExitStack() as stack:

            async def ready(missing: int) -> Pool | None:
                most, pool = self._most(missing), None
                if workers is None or workers.are_here:
                    await self._check_ready()
                else:
                    pool = await stack.enter_async_context(Opened(self, workers, most=most, record=record))
                if before is not None:
                    await before(missing)
                return pool

            # So that no folder is made for what cannot be held.
            pool = await ready(self.n * len(self.arms)) if is_new else None
            with open_run(path, self.manifest(), retry_failed=retry_failed, growth=growth) as kept:
                missing = [each for each in self.planned() if not kept.done or each.id not in kept.done]
                if missing and not is_new:
                    pool = await ready(len(missing))
                most = self._most(len(missing))
                most = affordable(most) if pool is None else most
                limits = Limits(
                    max_turns=self.max_turns,
                    concurrency=AUTO if self.concurrency == AUTO else most,
                    most=most,
                    budget_usd=self.budget_usd,
                    fail_fast=fail_fast,
                )
                measured = await self._hold(missing, kept, limits, progress, _How(record, own_loop, pool))
        commonest = next((reason for reason, _ in progress.reasons.most_common(1)), None)
        return Outcome(
            folder=path,
            planned=self.n * len(self.arms),
            held=progress.ended,
            failed=progress.failed,
            missing=len(missing) - progress.ended,
            cost_usd=None if progress.unpriced else progress.cost_usd,
            stop=progress.stop,
            slips=dict(progress.slips),
            uncounted=progress.uncounted,
            unread=dict(progress.unread),
            agent_reasoning=progress.agent_reasoning,
            fallbacks=dict(progress.fallbacks),
            measured=measured,
            commonest_reason=commonest,
            remedy=None if commonest is None else remedy(commonest, progress.actors[commonest]),
            failed_in_all=kept.n_failed,
            taken=progress.taken,
        )

    def _most(self, missing: int) -> int:
        """Return how many conversations may be held at a time."""
        return min(MOST if self.concurrency == AUTO else self.concurrency, max(missing, 1))

    async def _hold(
        self, missing: Sequence[Planned], kept: Run, limits: Limits, progress: Progress, how: _How
    ) -> Measured:
        """Hold what is missing, and return what that asked of models."""
        models = {
            id(part): part
            for part in with_parts_of(self._parts)
            if isinstance(part, ChatModel) and not isinstance(part, Fallback)
        }
        earlier, measured = measured_in(read_manifest(kept.folder)) or Measured(), Measuring()
        pool = how.pool
        is_here = pool is None or pool.is_here
        watch: EnergyWatch | None = None
        try:
            with (
                span("convsim.study", self._told()) as traced,
                heard(models.values() if pool is None else (), record=how.record),
                measuring() as measured,
                machine_energy() if is_here and _runs_here(models.values()) else nullcontext() as watch,
            ):
                await hold_all(
                    missing, limits=limits, keep=kept.append, progress=progress, own_loop=how.own_loop,
                    record=kept.append_calls if how.record else None, total=len(missing),
                    pool=pool,
                )  # fmt: skip
                if pool is not None:
                    await pool.end()
                    progress.taken = together(each.taken for each in pool.known)
                traced.set(
                    {
                        "convsim.conversations": progress.ended,
                        "convsim.failed": progress.failed,
                        "convsim.stop": progress.stop,
                    }
                )
        finally:
            known = [] if pool is None else pool.known
            learned = learned_by(self._parts)
            for each in known:
                for model, notes in each.learned.items():
                    learned.setdefault(model, {}).update(notes)
            kept.learned = learned
            energy = Energy.unknown(ELSEWHERE) if watch is None else watch.energy
            all_measured = Measured.merged([measured.so_far, *(each.measured for each in known)])
            this_call = all_measured.but(conversations=progress.ended, energy=energy)
            kept.more = {MEASURED: earlier.merge(this_call).model_dump(mode="json")}
            if progress.taken:
                kept.more[TAKEN] = {address: taken._asdict() for address, taken in progress.taken.items()}
        return this_call

    @property
    def shoppers(self) -> list[Shopper]:
        """Those of the mixture, or the one that there is."""
        return [component.shopper for component in self.mixture] or [self.shopper]

    @property
    def _parts(self) -> Sequence[object]:
        return [*self.shoppers, *(arm.agent for arm in self.conditions)]

    async def _check_ready(self) -> None:
        await check_ready(self._parts)

    def manifest(self) -> Manifest:
        """Return what tells this study from others (``plan``), and where it ran."""
        return {"schema": "convsim.run/1", "plan": self._plan(), **provenance()}

    def _plan(self) -> dict[str, JsonValue]:
        return {
            "study": self.name,
            **self._of_shoppers(),
            "agent": self.agent.name,
            "arms": [_stated(arm) for arm in self.conditions],
            "n": self.n,
            "max_turns": self.max_turns,
            "seed": self.seed,
            **_domain_of(self.shopper, self.agent),
            "prompts": {**self._prompts(), **_agent_prompt(self.agent)},
            "personas": [*(persona.id for persona in self.personas)],
            **({} if self.opening is None else {"opening": self.opening}),
            **self.provenance,
        }

    def _told(self) -> dict[str, Value]:
        """Return what a trace says of the study."""
        return {
            "convsim.study.name": self.name,
            "convsim.shopper": MIXTURE if self.mixture else self.shopper.name,
            "convsim.model": self.model,
            "gen_ai.agent.name": self.agent.name,
            "convsim.arms": [arm.name for arm in self.conditions],
            "convsim.n": self.n,
            "convsim.seed": self.seed,
        }

    def _of_shoppers(self) -> dict[str, JsonValue]:
        """Say who speaks, in what proportions, and how often as whom."""
        weights = self.persona_weights
        weighted: dict[str, JsonValue] = {} if weights is None else {"persona_weights": dict(weights)}
        if not self.mixture:
            return {"shopper": self.shopper.name, "model": self.model, **weighted}
        return {"shopper": MIXTURE, "mixture": [each.stated() for each in self.mixture], **weighted}

    def _prompts(self) -> Mapping[str, str]:
        """Return the hashes of the one shopper's prompts; those of a mixture stand with its components."""
        return {} if self.mixture else getattr(self.shopper, "prompt_hashes", {})


def _runs_here(models: Iterable[ChatModel]) -> bool:
    """Tell whether one of the models uses the energy of this machine, as far as it can be told from its address."""
    addresses = [getattr(model, "base_url", None) for model in models]
    return any(
        not isinstance(address, str) or is_loopback(urlsplit(address).hostname or "") for address in addresses
    )


@dataclass(frozen=True)
class _How:
    """How a call holds what is missing."""

    record: bool
    own_loop: bool
    pool: Pool | None


def _checked(numbers: Mapping[str, object]) -> Mapping[str, object]:
    """Check a study's name and numbers as those of a study file are."""
    try:
        return dict(StudySection.model_validate(numbers))
    except ValidationError as error:
        raise InputError(f"the study: {complaint(error, with_value=True)}") from None


def checked_opening(opening: object) -> Opening:
    """Check what the agent opens with; False and None are nothing.

    Raises:
        InputError: It is no text and not true.
    """
    if opening is None or opening is False:
        return None
    if opening is True or (isinstance(opening, str) and opening.strip()):
        return opening
    raise InputError(
        f"agent.opening must be what the agent says first, or true to ask it, but is {shown(opening)}"
    )


def _checked_personas(personas: Sequence[Persona]) -> tuple[Persona, ...]:
    """Check that there are personas, and that none knows the future."""
    given = _several(personas, "personas", "Persona(…)")
    for persona in given:
        if not isinstance(persona, Persona):
            raise InputError(f"personas: expected personas, but one is {shown(persona)}")
        if late := persona.known_afterwards():
            raise InputError(f"persona {persona.id}: {late[0]} {LOOK_AHEAD}")
        try:
            LearnedFrom.model_validate(persona.metadata.get(LEARNED_FROM) or {})
        except ValidationError as error:
            raise InputError(f"persona {persona.id}: metadata.{LEARNED_FROM}: {complaint(error)}") from None
    return given


def _checked_arms(arms: Sequence[str | Arm]) -> tuple[str | Arm, ...]:
    """Check that there are arms, and that each has a name of its own."""
    given = _several(arms, "arms", '"good"')
    seen: set[str] = set()
    for arm in given:
        name = arm.name if isinstance(arm, Arm) else arm
        if not isinstance(name, str) or not name:
            raise InputError(f"arms: expected names or arms, but one is {shown(arm)}")
        if name in seen:
            raise InputError(f"arms: {shown(name)} is given twice; give each arm its own name")
        seen.add(name)
    return given


def _several(given: Sequence[T], what: str, example: str) -> tuple[T, ...]:
    if isinstance(given, str | bytes | Mapping | Persona) or not isinstance(given, Iterable):
        raise InputError(f"{what}: expected a list such as [{example}], but got {shown(given)}")
    if not (several := tuple(given)):
        raise InputError("a study needs at least one persona and one arm")
    return several


def _stated(arm: Arm) -> JsonValue:
    """Say an arm in a manifest: its name alone, or with what degrades its agent."""
    if arm.fault is None:
        return arm.name
    return {"name": arm.name, "agent": arm.agent.name, "fault": arm.fault, "severity": arm.severity}


def _domain_of(shopper: Shopper, agent: Agent) -> dict[str, JsonValue]:
    """Say what the prompts speak of, where a prompt says it."""
    stated = [getattr(part, "domain", None) for part in (shopper, agent)]
    domain = next((each for each in stated if isinstance(each, str)), None)
    return {} if domain is None else {"domain": domain}


def _agent_prompt(agent: Agent) -> dict[str, JsonValue]:
    prompt_hash = getattr(agent, "prompt_hash", None)
    return {} if prompt_hash is None else {"agent": str(prompt_hash)}
