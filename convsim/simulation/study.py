"""A study: shoppers with personas talk to an agent under one or several arms, and every conversation is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import KW_ONLY, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import JsonValue

from convsim._async import refuse_in_a_loop
from convsim._text import one_line, shown
from convsim._tracing import span
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
from convsim.io.manifest import VARIANT, read_manifest
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
from convsim.models.gates import together
from convsim.models.hearing import heard
from convsim.models.metering import MEASURED, Measured, Measuring, measured_in, measuring
from convsim.models.pace import MOST
from convsim.models.transport import is_loopback
from convsim.schema import Agent, ChatModel, Shopper
from convsim.schema.persona import Persona
from convsim.simulation.config import MOST_CONVERSATIONS
from convsim.simulation.failing import remedy
from convsim.simulation.given import checked_arms, checked_numbers, checked_opening, checked_personas
from convsim.simulation.handles import affordable
from convsim.simulation.loop import Arm, Opening, Planned, opened
from convsim.simulation.measures import measures_kept
from convsim.simulation.mixture import Component, checked_mixture, checked_weights, encounters
from convsim.simulation.outcome import Outcome
from convsim.simulation.pool import Opened, Pool, Workers
from convsim.simulation.runner import Limits, Progress, hold_all
from convsim.simulation.stating import plan_of, told_of, variant_of

T = TypeVar("T")
NOTHING_MORE: Mapping[str, JsonValue] = {}
TAKEN = "concurrency"
"""The key of a manifest under which it stands how many requests endpoints took at a time."""


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
            "shopper": lift_shopper(shopper), "agent": lift_agent(agent), "personas": checked_personas(personas),
            "arms": checked_arms(arms), "model": model, "opening": checked_opening(opening), "provenance": provenance,
            "mixture": checked_mixture(mixture), "persona_weights": checked_weights(persona_weights, personas),
            **checked_numbers(numbers),
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
            json.dumps(plan_of(self), allow_nan=False, ensure_ascii=False).encode()
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

        def so_far() -> Measured:
            energy = Energy.unknown(ELSEWHERE) if watch is None else watch.energy
            parts = [measured.so_far, *([] if pool is None else [pool.measured])]
            return Measured.merged(parts).but(conversations=progress.ended, energy=energy)

        try:
            with (
                span("convsim.study", told_of(self)) as traced,
                heard(models.values() if pool is None else (), record=how.record),
                measuring() as measured,
                machine_energy() if is_here and _runs_here(models.values()) else nullcontext() as watch,
                measures_kept(kept, lambda: earlier.merge(so_far())),
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
            this_call = so_far()
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
        variant = variant_of(self)
        return {
            "schema": "convsim.run/1",
            "plan": plan_of(self),
            **({VARIANT: variant} if variant else {}),
            **provenance(),
        }


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
