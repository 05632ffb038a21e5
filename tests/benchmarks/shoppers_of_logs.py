"""Shoppers made of half of a log's people, and the conversations that they hold with what stands in for its agents."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import convsim
from convsim.io import MANIFEST
from convsim.io.growth import planned_n
from convsim.io.manifest import read_manifest
from convsim.schema import Agent, ChatModel, Shopper
from convsim.schema.conversation import Conversation
from convsim.shoppers.hybrid import Hybrid
from convsim.shoppers.policies.model import KINDS
from convsim.shoppers.prompted import Style
from tests.benchmarks.agents_of_logs import AgentOfLogs
from tests.evidence.sets import CRSARENA, GEMINI, GPT, PEOPLE, REDIAL, SIMMC, read

N, N_MODEL = 150, 40
"""Conversations an arm: where no model speaks, and where one does."""
MAX_TURNS = 12


@dataclass(frozen=True)
class Log:
    """People of one log, whom they met, and what is asked."""

    people: Sequence[Conversation]
    agents: Mapping[str, Callable[[Sequence[Conversation]], Agent]]
    """By arm, the control first: made of the half that is learned from."""
    domain: str
    infer_endings: bool = False
    agent_opens: bool = False
    speaks_english: bool = True


def _of_logs(arm: str | None) -> Callable[[Sequence[Conversation]], Agent]:
    return lambda learned: AgentOfLogs([c for c in learned if arm is None or c.arm == arm])


def redial(folder: Path) -> Log:
    """Read people who look for a film; what the log says of items and endings is their own questionnaire."""
    people = _one_arm(read(folder, REDIAL).conversations)
    people = [c for c in people if c.messages[0].role == "assistant"]  # as in a study, in all or in none
    return Log(people, {"good": _of_logs(None)}, "films", agent_opens=True)


def simmc2(folder: Path) -> Log:
    """Read shoppers of a fashion shop; how they ended is read from their words."""
    people = _one_arm(read(folder, SIMMC).conversations)
    return Log(people, {"good": _of_logs(None)}, "clothes", infer_endings=True)


def crsarena(folder: Path) -> Log:
    """Read crowd workers who look for a film, with the recommenders that they liked least, and with the best one.

    The worse arm is the control: three times as many people met it.
    """
    arms = ("bad", "good")
    people = [c for c in read(folder, CRSARENA) if c.arm in arms]
    return Log(people, {arm: _of_logs(arm) for arm in arms}, "films", infer_endings=True)


def recllmsim(folder: Path) -> Log:
    """Read people, in Chinese, who met the assistant that they liked best, and the one they liked least."""
    arms = (GEMINI, GPT)
    people = [c for c in read(folder, PEOPLE) if c.arm in arms]
    agents = {arm: _of_logs(arm) for arm in arms}
    return Log(people, agents, "plans", infer_endings=True, speaks_english=False)


def _one_arm(people: Sequence[Conversation]) -> list[Conversation]:
    return [c.but(arm="good") for c in people]


class Held(NamedTuple):
    """A run, and the processor time that a conversation took; None where it was held before."""

    folder: Path
    cpu_s: float | None


@dataclass(frozen=True)
class Base:
    """A model that speaks for shoppers, and is trained to."""

    name: str
    """Of an installed model, or the path of a folder or file."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    style: Style | None = None

    def make(self) -> ChatModel:
        """Make the model as it is."""
        return convsim.make_model(self.name, **self.settings)


Maker = Callable[[], Shopper]


@dataclass(frozen=True)
class Trial:
    """One log, halved, with a folder for what comes of it."""

    log: Log
    folder: Path
    seed: int
    quick: bool = False

    def halves(self) -> tuple[list[Conversation], list[Conversation]]:
        """Return whom shoppers learn from, and who judges."""
        has_users = any(c.user for c in self.log.people)
        both = convsim.split(
            self.log.people, by="user" if has_users else "conversation", fraction=0.5, seed=self.seed
        )
        return list(both.a), list(both.b)

    def teachers(self, learned: Sequence[Conversation]) -> list[Conversation]:
        """Return whom shoppers learn from in the control arm: the other one is to be reacted to, and not learned."""
        control = next(iter(self.log.agents))
        return [c for c in learned if c.arm == control]

    def makers(self, learned: Sequence[Conversation], base: Base | None, steps: int) -> dict[str, Maker]:
        """Say how each shopper is made, by name."""
        teach = self.teachers(learned)
        made: dict[str, Maker] = {"resample": lambda: convsim.make_shopper("resample", real=teach)}
        for kind in KINDS:
            made[f"hybrid {kind}"] = partial(self.hybrid, teach, kind)
        if base is None or not self.log.speaks_english:
            return made
        model, domain = base.make(), self.log.domain
        style = {} if base.style is None else {"style": base.style}
        made["prompted"] = lambda: convsim.make_shopper("prompted", model=model, domain=domain, **style)
        made["icl"] = lambda: convsim.make_shopper("icl", real=teach, model=model, domain=domain, **style)
        made[f"hybrid {KINDS[0]}, prompted"] = lambda: Hybrid(
            teach, model, domain=domain, policy=self.policy(teach, KINDS[0]), words="prompted"
        )
        if steps:
            made["sft"] = lambda: convsim.make_shopper("sft", model=self.trained(teach, base.name, steps))
            made[f"hybrid {KINDS[0]}, sft"] = lambda: Hybrid(
                teach, self.trained(teach, base.name, steps), policy=self.policy(teach, KINDS[0]), words="sft"
            )
        return made

    def hybrid(self, teach: Sequence[Conversation], kind: str) -> Hybrid:
        """Make a shopper that says people's words."""
        return Hybrid(teach, policy=self.policy(teach, kind))

    def policy(self, teach: Sequence[Conversation], kind: str) -> convsim.Policy:
        """Learn a policy, once."""
        out = self.folder / f"policy-{kind}"
        if (out / "policy.json").is_file():
            return convsim.Policy.load(out)
        return convsim.train_policy(
            teach, out, kind=kind, infer_endings=self.log.infer_endings, seed=self.seed
        )

    def trained(self, teach: Sequence[Conversation], base: str, steps: int) -> ChatModel:
        """Train a model, once."""
        out = self.folder / "trained"
        if not (out / "shopper.json").is_file():
            convsim.train_shopper(
                teach, out, base=base, seed=self.seed, max_steps=steps, batch=4, max_tokens=256,
                learning_rate=1e-4, calibrate=0,
            )  # fmt: skip
        return convsim.make_model(str(out))

    def held(self, called: str, maker: Maker, learned: Sequence[Conversation], n: int | None = None) -> Held:
        """Let a shopper talk to the agents of all arms, ``n`` times to each; goes on with what was held."""
        arms = [convsim.Arm(arm, make(learned)) for arm, make in self.log.agents.items()]
        personas = convsim.draw_personas(self.teachers(learned), N, seed=self.seed)
        usual = (N_MODEL if _speaks_by_model(called) else N) // (10 if self.quick else 1)
        asked, folder = n or usual, self.run_folder(called)
        begun = (planned_n(read_manifest(folder)) if (folder / MANIFEST).is_file() else None) or asked
        started = time.process_time()
        outcome = convsim.Study(
            maker(), arms[0].agent, _with_wishes(personas, learned), seed=self.seed, n=begun,
            arms=arms, max_turns=MAX_TURNS, name=called, opening=True if self.log.agent_opens else None,
        ).run(folder, add=asked - begun if asked > begun else None)  # fmt: skip
        took = time.process_time() - started
        return Held(outcome.folder, took / outcome.held if outcome.held else None)

    def run_folder(self, called: str) -> Path:
        """Return where the conversations of a shopper are kept."""
        return self.folder / called.replace(", ", "-").replace(" ", "-")


def _speaks_by_model(called: str) -> bool:
    """Tell whether a model speaks for a shopper of this name."""
    return called in ("prompted", "icl", "sft") or ", " in called


def _with_wishes(
    personas: Sequence[convsim.Persona], people: Sequence[Conversation]
) -> list[convsim.Persona]:
    """Give personas the wishes of those that they were drawn from, where the log has them."""
    stated = {c.id: c.persona for c in people if c.persona is not None}
    return [
        p.but(constraints=stated[p.id].constraints, budget=stated[p.id].budget) if p.id in stated else p
        for p in personas
    ]
