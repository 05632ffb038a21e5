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
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean

import numpy as np

import convsim
from convsim.evaluation.comparison import SimulatorReport
from convsim.schema.conversation import Conversation, Message
from convsim.text.words import words
from tests.benchmarks.agents_of_logs import AgentOfKnown, naming
from tests.benchmarks.rows import Row, report, with_json
from tests.benchmarks.shoppers_of_logs import (
    Base,
    Held,
    Log,
    Trial,
    crsarena,
    recllmsim,
    redial,
    simmc2,
)
from tests.made_up_talk import sentence
from tests.unit.shoppers.policies.known import DEPENDS, FITS, simulated_world

VALIDATORS = ("marginals", "joint", "endings", "humanlikeness")
WORSE = 0.15
"""How likely an item of the worse arm is of the color asked for, and so of the kind."""


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


LOGS = {"redial": redial, "simmc2": simmc2, "crsarena": crsarena, "recllmsim": recllmsim, "known": known}


def compared(
    trial: Trial, name: str, learned: Sequence[Conversation], runs: Mapping[str, Held]
) -> Iterator[Row]:
    """Compare runs with the people who judge, and with one another."""
    _, judges = trial.halves()
    arms = [*trial.log.agents]
    control, treatment = arms if len(arms) > 1 else (None, None)
    found = convsim.compare(
        judges, {called: held.folder for called, held in runs.items()}, seed=trial.seed, validators=list(VALIDATORS),
        learned=[learned], before=False, allow_failures=True, control=control, treatment=treatment,
    )  # fmt: skip
    (trial.folder / "comparison.json").write_text(found.to_json(), encoding="utf-8")
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
            makers = trial.makers(learned, Base(asked.model) if asked.model else None, asked.steps)
            runs = {
                called: trial.held(called, maker, learned)
                for called, maker in makers.items()
                if called in (asked.only or makers)
            }
            found += compared(trial, name, learned, runs)
        report(found, asked.json)


if __name__ == "__main__":
    main()
