"""How near to people shoppers come whose decisions are learned, and what a conversation of theirs costs.

    python -m tests.benchmarks.decided_shoppers --data FOLDER [--set NAME …] [--model NAME] [--quick] [--runs FOLDER]

Compares ``resample``, ``hybrid`` with each kind of policy and, where ``--model`` is given, ``prompted``, ``icl``,
``sft`` (with ``--steps``) and ``hybrid`` in a model's words, on logs of the given folder and on people whose policy is
known. Half of the users teach, the other half judge. Where a log has two arms, reactions are asked for. The agent of a
log cannot be run: ``agents_of_logs`` says what stands in for it. Run folders are kept where ``--runs`` is given, and
the same command goes on with them. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import numpy as np

import convsim
from convsim.evaluation.comparison import SimulatorReport
from convsim.schema import Agent, ChatModel, Shopper
from convsim.schema.conversation import Conversation, Message
from convsim.shoppers.hybrid import Hybrid
from convsim.shoppers.policies.model import KINDS
from convsim.text.words import words
from tests.benchmarks.agents_of_logs import AgentOfKnown, AgentOfLogs, naming
from tests.benchmarks.rows import Row, report, with_json
from tests.made_up_talk import sentence
from tests.unit.shoppers.policies.known import DEPENDS, FITS, simulated_world

VALIDATORS = ("marginals", "joint", "endings", "humanlikeness")
N, N_MODEL = 150, 40
"""Conversations an arm: where no model speaks, and where one does."""
MAX_TURNS = 12
WORSE = 0.15
"""How likely an item of the worse arm is of the color asked for, and so of the kind."""


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
    people = _one_arm(convsim.read(folder / "redial_odd.jsonl.gz").conversations)
    people = [c for c in people if c.messages[0].role == "assistant"]  # as in a study, in all or in none
    return Log(people, {"good": _of_logs(None)}, "films", agent_opens=True)


def simmc2(folder: Path) -> Log:
    """Read shoppers of a fashion shop; how they ended is read from their words."""
    people = _one_arm(convsim.read(folder / "simmc2_fashion.jsonl").conversations)
    return Log(people, {"good": _of_logs(None)}, "clothes", infer_endings=True)


def recllmsim(folder: Path) -> Log:
    """Read people, in Chinese, who met the assistant that they liked best, and the one they liked least."""
    arms = ("gemini-2.0-pro-exp-02-05", "gpt-4-turbo-preview")
    people = [c for c in convsim.read(folder / "recllmsim_people_zh.jsonl.gz") if c.arm in arms]
    agents = {arm: _of_logs(arm) for arm in arms}
    return Log(people, agents, "plans", infer_endings=True, speaks_english=False)


def known(_: Path) -> Log:
    """Make people whose policy is known, with an agent as it is and with a worse one."""
    arms, rng = {"good": FITS, "bad": WORSE}, np.random.default_rng(13)
    people = [
        c.but(
            id=f"{arm}-{c.id}",
            user=f"{arm}-{c.user}",
            arm=arm,
            messages=[_varied(m, rng) for m in c.messages],
        )
        for number, (arm, fits) in enumerate(arms.items())
        for c in simulated_world(DEPENDS, n_users=300, seed=11 + number, fits=fits).conversations
    ]
    agents = {arm: (lambda _, fits=fits: AgentOfKnown(fits)) for arm, fits in arms.items()}
    return Log(people, agents, "shoes")


def _varied(message: Message, rng: np.random.Generator) -> Message:
    """Let the agent name what it shows, and people say more: all would have heard and said the very same.

    What people open with stays: by it, somebody who wants the same is found.
    """
    if message.role == "assistant":
        return message.but(content=naming(message.items))
    if message.content.startswith("I am looking for"):
        return message
    return message.but(content=f"{message.content} {sentence(rng, int(rng.integers(2, 9)))}")


LOGS = {"redial": redial, "simmc2": simmc2, "recllmsim": recllmsim, "known": known}


def _one_arm(people: Sequence[Conversation]) -> list[Conversation]:
    return [c.but(arm="good") for c in people]


class Held(NamedTuple):
    """A run, and the processor time that a conversation took; None where it was held before."""

    folder: Path
    cpu_s: float | None


Maker = Callable[[], Shopper]


@dataclass(frozen=True)
class Trial:
    """One log, halved, with a folder for what comes of it."""

    log: Log
    folder: Path
    seed: int
    quick: bool

    def halves(self) -> tuple[list[Conversation], list[Conversation]]:
        """Return whom shoppers learn from, and who judges."""
        has_users = any(c.user for c in self.log.people)
        both = convsim.split(
            self.log.people, by="user" if has_users else "conversation", fraction=0.5, seed=self.seed
        )
        return list(both.a), list(both.b)

    def makers(self, learned: Sequence[Conversation], model: str | None, steps: int) -> dict[str, Maker]:
        """Say how each shopper is made, by name."""
        control = next(iter(self.log.agents))
        teach = [c for c in learned if c.arm == control]
        made: dict[str, Maker] = {"resample": lambda: convsim.make_shopper("resample", real=teach)}
        for kind in KINDS:
            made[f"hybrid {kind}"] = partial(self.hybrid, teach, kind)
        if model is None or not self.log.speaks_english:
            return made
        base = convsim.make_model(model)
        domain = self.log.domain
        made["prompted"] = lambda: convsim.make_shopper("prompted", model=base, domain=domain)
        made["icl"] = lambda: convsim.make_shopper("icl", real=teach, model=base, domain=domain)
        made[f"hybrid {KINDS[0]}, prompted"] = lambda: Hybrid(
            teach, base, domain=domain, policy=self.policy(teach, KINDS[0]), words="prompted"
        )
        if steps:
            made["sft"] = lambda: convsim.make_shopper("sft", model=self.trained(teach, model, steps))
            made[f"hybrid {KINDS[0]}, sft"] = lambda: Hybrid(
                teach, self.trained(teach, model, steps), policy=self.policy(teach, KINDS[0]), words="sft"
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
                teach, out, base=base, seed=self.seed, max_steps=steps, batch=4, max_tokens=256, learning_rate=1e-4,
                calibrate=0,
            )  # fmt: skip
        return convsim.make_model(str(out))

    def rows(self, name: str, learned: Sequence[Conversation], runs: Mapping[str, Held]) -> Iterator[Row]:
        """Compare runs with the people who judge, and with one another."""
        _, judges = self.halves()
        arms = [*self.log.agents]
        control, treatment = arms if len(arms) > 1 else (None, None)
        found = convsim.compare(
            judges, {called: held.folder for called, held in runs.items()}, seed=self.seed, validators=list(VALIDATORS),
            learned=[learned], before=False, allow_failures=True, control=control, treatment=treatment,
        )  # fmt: skip
        (self.folder / "comparison.json").write_text(found.to_json(), encoding="utf-8")
        people = [c for c in judges if c.arm == arms[0]]
        yield from _facts(f"{name}: people", people, found.people.endings)
        for each in found.simulators:
            case, held = f"{name}: {each.name}", runs[each.name]
            said = [c for c in convsim.read(held.folder) if c.arm == arms[0] and c.failure is None]
            yield from _measures(case, each)
            yield from _facts(case, said, each.endings)
            if held.cpu_s is not None:
                measure = "processor time a conversation, start included"
                yield Row(case=case, measure=measure, unit="s", value=held.cpu_s)

    def held(self, called: str, maker: Maker, learned: Sequence[Conversation]) -> Held:
        """Let a shopper talk to the agents of all arms."""
        arms = [convsim.Arm(arm, make(learned)) for arm, make in self.log.agents.items()]
        personas = convsim.draw_personas([c for c in learned if c.arm == arms[0].name], N, seed=self.seed)
        n = N_MODEL if _speaks_by_model(called) else N
        started = time.process_time()
        outcome = convsim.Study(
            maker(), arms[0].agent, _with_wishes(personas, learned), seed=self.seed, n=n // 10 if self.quick else n,
            arms=arms, max_turns=MAX_TURNS, name=called, opening=True if self.log.agent_opens else None,
        ).run(self.folder / called.replace(", ", "-").replace(" ", "-"))  # fmt: skip
        took = time.process_time() - started
        return Held(outcome.folder, took / outcome.held if outcome.held else None)


def _speaks_by_model(called: str) -> bool:
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


def _measures(case: str, each: SimulatorReport) -> Iterator[Row]:
    cards = [card for card in (each.validation, each.counterfactual) if card is not None]
    for finding in (finding for card in cards for finding in card.findings):
        is_whole = finding.validator in ("joint", "endings") or finding.metric in ("hls", "auc", "accuracy")
        if is_whole and finding.estimate is not None:
            low, high = finding.interval or (float("nan"), float("nan"))
            yield Row(
                case=case, measure=f"{finding.validator} {finding.metric} [{low:.2f}, {high:.2f}] {finding.verdict}",
                unit="", value=finding.estimate,
            )  # fmt: skip
    for measure, found in (
        ("mean distance", each.mean_distance),
        ("human-likeness", each.hls),
        ("reaction ratio", each.reactions.ratio),
    ):
        if found is not None and found.estimate is not None:
            low, high = found.interval or (float("nan"), float("nan"))
            yield Row(
                case=case, measure=f"{measure} [{low:.2f}, {high:.2f}] {found.verdict or ''}".strip(), unit="",
                value=found.estimate,
            )  # fmt: skip
    cost = each.cost
    for measure, unit, value in (
        ("requests a conversation", "", cost.requests),
        ("input tokens a conversation", "", cost.input_tokens),
        ("output tokens a conversation", "", cost.output_tokens),
        ("a conversation", "s", cost.seconds),
    ):
        if value is not None:
            yield Row(case=case, measure=measure, unit=unit, value=value)
    yield Row(case=case, measure="failed conversations", unit="", value=each.failures)
    yield Row(
        case=case, measure=f"Pareto front: {each.front.place}", unit="", value=float(each.front.place == "on")
    )


def _facts(case: str, held: Sequence[Conversation], endings: Mapping[str, int]) -> Iterator[Row]:
    yield Row(case=case, measure="conversations", unit="", value=len(held))
    yield Row(case=case, measure="user messages", unit="", value=mean(len(c.user_messages) for c in held))
    spoken = [len(words(m.content)) for c in held for m in c.user_messages]
    yield Row(case=case, measure="words a message", unit="", value=mean(spoken))
    for ending, n in Counter(endings).items():
        yield Row(case=case, measure=f"ended: {ending}", unit="%", value=100 * n / sum(endings.values()))


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="where the logs lie")
    parser.add_argument("--set", action="append", choices=[*LOGS], help="only this log; may be repeated")
    parser.add_argument("--model", metavar="NAME", help="also shoppers that this model speaks for")
    parser.add_argument("--steps", type=int, default=0, help="of training sft; 0 leaves it out")
    parser.add_argument("--only", action="append", metavar="SHOPPER", help="only this one; may be repeated")
    parser.add_argument(
        "--runs", type=Path, metavar="FOLDER", help="keep run folders there, and go on with them"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a tenth of the conversations")
    with_json(parser)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        found: list[Row] = []
        for name in asked.set or LOGS:
            folder = (asked.runs or Path(made)) / name
            folder.mkdir(parents=True, exist_ok=True)
            trial = Trial(LOGS[name](asked.data), folder, asked.seed, asked.quick)
            learned, _ = trial.halves()
            makers = trial.makers(learned, asked.model, asked.steps)
            runs = {
                called: trial.held(called, maker, learned)
                for called, maker in makers.items()
                if called in (asked.only or makers)
            }
            found += trial.rows(name, learned, runs)
        report(found, asked.json)


if __name__ == "__main__":
    main()
