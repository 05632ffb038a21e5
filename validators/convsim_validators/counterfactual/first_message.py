"""Does the first message depend on the arm, although no user has met the agent yet?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import JsonValue

from convsim.schema import Corpus, Finding, HumanBaseline, Verdict
from convsim.schema.arrays import BoolArray, FloatArray
from convsim.seeds import generator
from convsim.stats.decision import ALPHA
from convsim.stats.kernel import MAX_CHARACTERS, contrasts, discrepancies, embed
from convsim.stats.multiplicity import permutation_p_value
from convsim.stats.permutation import Dealing
from convsim_validators.counterfactual.openings import SAME_SHARE, Openings
from convsim_validators.counterfactual.shifts import MIN_UNITS
from convsim_validators.counterfactual.two_arm import Arms

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


VERSION = "2"
SOURCE = (
    "Gretton et al. (2012), A kernel two-sample test, JMLR 13; "
    "Controllable User Simulation (2026), arXiv 2605.11519, on look-ahead"
)
LEAN = 0.2
"""Up to this p-value of theirs, people may have been given other needs in each arm, as the simulator may; at it, 5 %
of simulators that were are said to look ahead where people are as many (tests/calibration)."""
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


@dataclass(frozen=True)
class _BesidePeople:
    """Whether the simulator's first words lean to the arms as people's do, or otherwise; three p-values."""

    p_people: float
    """People's first words do not depend on the arm."""
    p_same_way: float
    """People's first words do not lean the way that the simulator's do; one-sided."""
    p_otherwise: float
    """The simulator's first words depend on the arm as people's do."""

    @property
    def explained(self) -> bool:
        """Whether what people were given may be why the simulator's first words depend on the arm."""
        return min(self.p_people, self.p_same_way) <= LEAN and self.p_otherwise > ALPHA


def independence_findings(
    real: Corpus, simulated: Corpus, *, arms: Arms, n_resamples: int, seed: int
) -> list[Finding]:
    """Test on each side whether the first user message depends on the arm.

    H0: given the task, the first message is independent of the arm. Rejecting it on the human side says that the arms
    differ for another reason than the agent; on the simulated side, that the simulator looks ahead, or that it was
    given other needs in each arm, as people may have been. So where people's first words lean to the arms too (LEAN),
    the simulator's must do so otherwise: the two contrasts' difference, under both sides' dealings, at ALPHA. That is
    not asked of a simulator whose personas met both arms. Not rejecting it does not show independence. Only
    conversations that the user opens with text count.

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
        is shown, or the simulator's is not shown to be another than people's, or fewer than 8 units are in an arm or
        free to change arms.

    Source:
        Gretton et al. (2012), A kernel two-sample test, JMLR 13. The p-value is by permutation that respects units
        and tasks, not their asymptotic one, so it is exact at any size.
    """
    people, simulator = _Side.of(real, arms), _Side.of(simulated, arms)
    of_people = people.tested("real", n_resamples=n_resamples, seed=seed)
    of_simulator = simulator.tested("simulated", n_resamples=n_resamples, seed=seed)
    beside = None
    if of_people and of_simulator and of_simulator.p_value <= ALPHA and not simulator.openings.same_needs:
        beside = _beside(people, simulator, of_people.p_value, n_resamples=n_resamples, seed=seed)
    return [
        _finding("real", people, of_people, None, arms=arms, n_resamples=n_resamples, seed=seed),
        _finding("simulated", simulator, of_simulator, beside, arms=arms, n_resamples=n_resamples, seed=seed),
    ]


@dataclass(frozen=True)
class _Side:
    openings: Openings
    dealing: Dealing

    @classmethod
    def of(cls, corpus: Corpus, arms: Arms) -> _Side:
        openings = Openings.of(corpus, arms)
        return cls(openings, Dealing.of(openings.treated, openings.unit_of, openings.task_of))

    def tested(self, name: SideName, *, n_resamples: int, seed: int) -> _Tested | None:
        """Test independence; None where too few units could have come by another arm."""
        n_units = [self.openings.n_units(treated=arm) for arm in (False, True)]
        if min(*n_units, self.dealing.n_movable) < MIN_UNITS:
            return None
        return _test(self.openings, self.dealing, n_resamples=n_resamples, seed=seed, name=name)


def _beside(
    people: _Side, simulator: _Side, p_people: float, *, n_resamples: int, seed: int
) -> _BesidePeople:
    embedded, _ = embed([*people.openings.texts, *simulator.openings.texts])
    n = len(people.openings.texts)
    rows = embedded[:n], embedded[n:]
    observed = [
        contrasts(of, side.openings.treated[None, :], side.openings.task_of)
        for of, side in zip(rows, (people, simulator), strict=True)
    ]
    rngs = [
        generator(seed, "counterfactual", "first_message", "beside", name) for name in ("real", "simulated")
    ]
    alike: list[FloatArray] = []
    apart: list[FloatArray] = []
    for dealt in zip(
        people.dealing.deal(n_resamples, rngs[0]), simulator.dealing.deal(n_resamples, rngs[1]), strict=True
    ):
        found = [
            contrasts(of, arms, side.openings.task_of)
            for of, arms, side in zip(rows, dealt, (people, simulator), strict=True)
        ]
        alike.append((observed[1] * found[0]).sum(axis=0))
        apart.append(((found[1] - found[0]) ** 2).sum(axis=0))
    return _BesidePeople(
        p_people,
        permutation_p_value(float((observed[1] * observed[0]).sum()), np.concatenate(alike)),
        permutation_p_value(float(((observed[1] - observed[0]) ** 2).sum()), np.concatenate(apart)),
    )


def _finding(
    name: SideName,
    side: _Side,
    tested: _Tested | None,
    beside: _BesidePeople | None,
    *,
    arms: Arms,
    n_resamples: int,
    seed: int,
) -> Finding:
    openings, dealing = side.openings, side.dealing
    verdict, reason = _judge(openings, tested, beside, name, n_movable=dealing.n_movable)
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
            "beside_people": asdict(beside) if beside else None,
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
    openings: Openings,
    tested: _Tested | None,
    beside: _BesidePeople | None,
    name: SideName,
    *,
    n_movable: int,
) -> tuple[Verdict, str]:
    if tested is None:
        return "undecided", _too_few(openings, n_movable)
    p = f"p = {tested.p_value:.3g}"
    if beside and beside.explained:
        return "undecided", _as_people(beside, p)
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


def _as_people(beside: _BesidePeople, p: str) -> str:
    return (
        f"the first message depends on the arm ({p}), but people's may, too (p = {beside.p_people:.3g} that it does "
        f"not, {beside.p_same_way:.3g} that it does not lean the same way), and no other dependence than theirs is "
        f"shown (p = {beside.p_otherwise:.3g}): other needs may have been given in each arm; simulate the same "
        "personas in both arms to tell whether it looks ahead"
    )


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
