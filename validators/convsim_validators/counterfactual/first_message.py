"""Does the first message depend on the arm, although no user has met the agent yet?"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import JsonValue

from convsim.schema import Corpus, Finding, HumanBaseline, Verdict
from convsim.schema.arrays import BoolArray, IntArray
from convsim.seeds import generator
from convsim.stats.decision import ALPHA
from convsim.stats.kernel import MAX_CHARACTERS, discrepancies, embed
from convsim.stats.multiplicity import permutation_p_value
from convsim.stats.permutation import Dealing
from convsim_validators.counterfactual.shifts import MIN_UNITS
from convsim_validators.counterfactual.two_arm import NO_TASK, Arms

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class Openings:
    """First user messages of one side, in the tasks that both arms have."""

    texts: list[str]
    treated: BoolArray
    """Shape (n,)."""
    units: list[str]
    tasks: list[str]
    n_agent_first: int
    """Conversations left out because the agent spoke first."""
    n_without_text: int
    """Conversations left out because the user's first message is empty, or nobody said anything."""
    n_other_tasks: int
    """Conversations left out because the other arm has none of their task."""

    @classmethod
    def of(cls, corpus: Corpus, arms: Arms) -> Openings:
        """Take the first message of each conversation of either arm."""
        rows: list[tuple[str, bool, str, str]] = []
        n_agent_first = n_without_text = 0
        for conversation, unit in zip(corpus.conversations, corpus.units, strict=True):
            if conversation.arm not in arms:
                continue
            first = next((m for m in conversation.messages if m.role in ("user", "assistant")), None)
            if first is not None and first.role == "assistant":
                n_agent_first += 1
            elif first is None or not first.content.strip():
                n_without_text += 1
            else:
                treated = conversation.arm == arms.treatment
                rows.append((first.content, treated, unit, conversation.task or NO_TASK))
        seen: dict[str, set[bool]] = defaultdict(set)
        for _, treated, _, task in rows:
            seen[task].add(treated)
        kept = [row for row in rows if len(seen[row[3]]) == 2]
        return cls(
            [row[0] for row in kept],
            np.asarray([row[1] for row in kept], bool),
            [row[2] for row in kept],
            [row[3] for row in kept],
            n_agent_first,
            n_without_text,
            len(rows) - len(kept),
        )

    @cached_property
    def unit_of(self) -> IntArray:
        """Shape (n,): the number of each conversation's unit."""
        return np.unique(np.asarray(self.units, str), return_inverse=True)[1].astype(np.int64)

    @cached_property
    def task_of(self) -> IntArray:
        """Shape (n,): the number of each conversation's task."""
        return np.unique(np.asarray(self.tasks, str), return_inverse=True)[1].astype(np.int64)

    def n_units(self, *, treated: bool) -> int:
        """Count the units that met an arm."""
        return len(np.unique(self.unit_of[self.treated == treated]))

    @cached_property
    def pairs(self) -> list[bool]:
        """For each unit that met both arms, whether it said the same in both, message by message.

        Repeats stand in no known order, so the arms' messages are compared as heaps; where one arm has fewer, all of
        its messages must stand in the other.
        """
        said: dict[str, tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]] = {}
        for text, treated, unit, task in zip(self.texts, self.treated, self.units, self.tasks, strict=True):
            said.setdefault(unit, (Counter(), Counter()))[int(treated)][task, text] += 1
        return [one <= other or other <= one for one, other in said.values() if one and other]


VERSION = "1"
SOURCE = (
    "Gretton et al. (2012), A kernel two-sample test, JMLR 13; "
    "Controllable User Simulation (2026), arXiv 2605.11519, on look-ahead"
)
SAME_SHARE = 0.95
"""Of the units that met both arms: where so many say the very same in both, nothing depends on the arm."""
N_WORDS = 5
MAX_WORD_CHARACTERS = 80

SideName = Literal["real", "simulated"]
QUESTIONS: dict[SideName, str] = {
    "real": "Does people's first message depend on the arm, although they have not met the agent yet?",
    "simulated": "Does simulated shoppers' first message depend on the arm, although they have not met the agent yet?",
}
MEANINGS: dict[SideName, str] = {
    "real": "so the arms differ in more than the agent (who was assigned to them, the tasks, the time), and people's "
    "shifts are not caused by the agent alone",
    "simulated": "so the simulator knows its arm before it has met the agent (look-ahead), and its shifts are not "
    "reactions to the agent alone",
}


@dataclass(frozen=True)
class _Tested:
    """What the permutation test of one side found."""

    estimate: float
    p_value: float
    baseline: HumanBaseline
    words: list[JsonValue]


def independence_findings(
    real: Corpus, simulated: Corpus, *, arms: Arms, n_resamples: int, seed: int
) -> list[Finding]:
    """Test on each side whether the first user message depends on the arm.

    H0: given the task, the first message is independent of the arm. Rejecting it on the human side says that the arms
    differ for another reason than the agent; on the simulated side, that the simulator looks ahead. Not rejecting it
    does not show independence. Only conversations that the user opens with text count.

    Args:
        real: People's conversations, of which those in either arm are read.
        simulated: Simulated conversations, likewise.
        arms: The two arms.
        n_resamples: Permutations: arms dealt anew among units, within tasks (``Dealing``).
        seed: Of the permutations.

    Returns:
        ``first_message_real``, a control, and ``first_message_simulated``. The estimate is a maximum mean discrepancy:
        0 where the arms' texts have the same words and lengths on average; at most about the root of 2 where they share
        no word. The human baseline is its value when arms are dealt anew. `aligned` only where at least 95 % of the
        units that met both arms, and these are half of all, said the very same in both; `undecided` where no dependence
        is shown, or fewer than 8 units are in an arm or free to change arms.

    Source:
        Gretton et al. (2012), A kernel two-sample test, JMLR 13. The p-value is by permutation that respects units
        and tasks, not their asymptotic one, so it is exact at any size.
    """
    return [
        _finding("real", real, arms=arms, n_resamples=n_resamples, seed=seed),
        _finding("simulated", simulated, arms=arms, n_resamples=n_resamples, seed=seed),
    ]


def _finding(name: SideName, side: Corpus, *, arms: Arms, n_resamples: int, seed: int) -> Finding:
    openings = Openings.of(side, arms)
    dealing = Dealing.of(openings.treated, openings.unit_of, openings.task_of)
    enough = min(openings.n_units(treated=False), openings.n_units(treated=True), dealing.n_movable)
    tested = None
    if enough >= MIN_UNITS:
        tested = _test(openings, dealing, n_resamples=n_resamples, seed=seed, name=name)
    verdict, reason = _judge(openings, tested, name, n_movable=dealing.n_movable)
    n = len(openings.texts)
    return Finding(
        validator="counterfactual",
        metric=f"first_message_{name}",
        question=QUESTIONS[name],
        estimate=tested.estimate if tested else None,
        unit="MMD",
        p_value=tested.p_value if tested else None,
        noise_floor=tested.baseline if tested else None,
        verdict=verdict,
        reason=reason,
        n_real=n if name == "real" else 0,
        n_simulated=n if name == "simulated" else 0,
        seed=seed,
        version=VERSION,
        source=SOURCE,
        details={
            "role": "control" if name == "real" else "metric",
            "control": arms.control,
            "treatment": arms.treatment,
            **_counts(openings),
            "n_units_movable": dealing.n_movable,
            "words": tested.words if tested else [],
            "n_resamples": n_resamples,
        },
    )


def _test(openings: Openings, dealing: Dealing, *, n_resamples: int, seed: int, name: SideName) -> _Tested:
    embedded, vocabulary = embed(openings.texts)
    rng = generator(seed, "counterfactual", "first_message", name)
    observed = float(discrepancies(embedded, openings.treated[None, :], openings.task_of)[0])
    found = np.concatenate(
        [discrepancies(embedded, dealt, openings.task_of) for dealt in dealing.deal(n_resamples, rng)]
    )
    p_value = permutation_p_value(observed, found)
    baseline = HumanBaseline(mean=float(found.mean()), q95=float(np.quantile(found, 0.95)))
    holds = (embedded[:, : len(vocabulary)] > 0).astype(np.int64)
    return _Tested(observed, p_value, baseline, _words(holds, vocabulary, openings.treated))


def _words(holds: csr_matrix, vocabulary: list[str], treated: BoolArray) -> list[JsonValue]:
    """List the words whose proportion of first messages differs most between the arms."""
    counts = [np.asarray(holds[rows].sum(axis=0), np.int64).ravel() for rows in (~treated, treated)]
    gaps = np.abs(counts[1] / treated.sum() - counts[0] / (~treated).sum())
    return [
        {
            "word": vocabulary[i][:MAX_WORD_CHARACTERS],
            "n_control": int(counts[0][i]),
            "n_treatment": int(counts[1][i]),
        }
        for i in np.argsort(-gaps, kind="stable")[:N_WORDS]
        if gaps[i] > 0
    ]


def _judge(
    openings: Openings, tested: _Tested | None, name: SideName, *, n_movable: int
) -> tuple[Verdict, str]:
    if tested is None:
        return "undecided", _too_few(openings, n_movable)
    p = f"p = {tested.p_value:.3g}"
    if tested.p_value <= ALPHA:
        return "different", f"the first message depends on the arm ({p}), {MEANINGS[name]}"
    same, n_units = openings.pairs, len(np.unique(openings.unit_of))
    if len(same) >= max(MIN_UNITS, n_units / 2) and np.mean(same) >= SAME_SHARE:
        return (
            "aligned",
            f"{sum(same)} of the {len(same)} users or personas that met both arms said exactly the same in both",
        )
    if len(set(openings.texts)) == 1:
        return (
            "undecided",
            "every first message is the same text, so a dependence on the arm could not show",
        )
    return "undecided", f"no dependence on the arm was found ({p}), but independence is not shown either"


def _too_few(openings: Openings, n_movable: int) -> str:
    units = openings.n_units(treated=False), openings.n_units(treated=True)
    if min(units) < MIN_UNITS:
        left_out = openings.n_agent_first + openings.n_without_text + openings.n_other_tasks
        also = (
            f" ({left_out} conversations were left out: the agent spoke first in {openings.n_agent_first}, the user "
            f"opened without text in {openings.n_without_text}, and {openings.n_other_tasks} have a task that the "
            "other arm lacks)"
        )
        return (
            f"{units[0]} users or personas opened with text in the control arm and {units[1]} in the treated "
            f"arm{also if left_out else ''}; at least {MIN_UNITS} per arm are needed"
        )
    return (
        f"only {n_movable} users or personas have a counterpart, with as many conversations in each task, in the other "
        f"arm; at least {MIN_UNITS} are needed"
    )


def _counts(openings: Openings) -> dict[str, JsonValue]:
    control, treatment = (openings.treated == arm for arm in (False, True))
    same = openings.pairs
    return {
        "tasks": list[JsonValue](sorted(set(openings.tasks))),
        "n": {"control": int(control.sum()), "treatment": int(treatment.sum())},
        "n_units": {
            "control": openings.n_units(treated=False),
            "treatment": openings.n_units(treated=True),
            "both": len(same),
        },
        "same_share": float(np.mean(same)) if same else None,
        "n_agent_first": openings.n_agent_first,
        "n_without_text": openings.n_without_text,
        "n_other_tasks": openings.n_other_tasks,
        "n_cut": sum(len(text) > MAX_CHARACTERS for text in openings.texts),
        "features": "binary words scaled to length 1; log number of words",
    }
