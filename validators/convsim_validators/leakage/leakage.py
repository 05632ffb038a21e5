"""Do simulated shoppers know how a conversation ends, or which arm they are in, before it has begun?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
from pydantic import Field, JsonValue

from convsim._settings import ErrorRate, ResampleCount, check_settings
from convsim._text import plain
from convsim.schema import Corpus, Finding, Interval
from convsim.schema.arrays import BoolArray, FloatArray
from convsim.seeds import child_seed, generator
from convsim.stats.decision import ALPHA, Decision
from convsim.stats.multiplicity import max_t, permutation_p_value
from convsim.stats.sides import MIN_TO_ALIGN, Sides
from convsim.stats.tasks import in_tasks
from convsim.stats.units import some_units
from convsim_validators.leakage.predictability import Predictability
from convsim_validators.leakage.predictors import arms, controls, first_messages, outcomes

MAX_ROWS = 1_000
"""Conversations of a side that are looked at; of more, whole users at random."""
MIN_UNITS = 20
"""Of a side; a classifier that tells outcomes learns nothing from fewer."""
N_EXAMPLES = 3
Z_TO_LIMIT = 1.6448536269514722
"""Standard errors from an estimate to the limits of a 90 % interval."""
CONTROLS = "outcome_from_controls"
QUESTIONS = {
    "outcome_from_first_message": "Does the first message tell how a conversation ends, more than with people?",
    "arm_from_first_message": "Does the first message tell the arm, before the agent speaks, more than with people?",
    CONTROLS: "Does what the agent does tell how a conversation ends, more than with people?",
}


class _Answer(NamedTuple):
    decision: Decision
    estimate: float | None = None
    interval: Interval | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    details: Mapping[str, JsonValue] = {}


@dataclass(frozen=True, kw_only=True)
class Leakage:
    """Finds simulators that know what they should not know yet: the outcome, or the arm, from the first message on.

    H0 and the statistic are those of ``Predictability``: the simulator's first messages tell its outcomes (arms) as
    far as people's tell theirs. People's tell something too: who wants little buys sooner. Rejected on the one side
    alone, on the same dealings for both questions, corrected by step-down max-T. `aligned`: the AUC of a classifier
    that tells outcomes by first messages is at most ``margin`` above that of the people, by the 95 % limit.

    ``outcome_from_controls`` is shown only: what the agent does (metrics with the role ``control``) is the agent's
    affair, and the two sides may have met different ones.

    Source:
        Zhu et al. (2024), How reliable is your simulator?, arXiv 2403.16416 (data leakage); the test is ours.
    """

    name: ClassVar[str] = "leakage"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = (
        "convsim; after Zhu et al. (2024), How reliable is your simulator?, arXiv 2403.16416"
    )

    margin: Annotated[float, Field(ge=0, le=0.5)] = 0.15
    """How far the AUC may lie above people's for the sides to count as alike."""
    alpha: ErrorRate = ALPHA
    n_resamples: ResampleCount = 999

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return ``outcome_from_first_message``, ``arm_from_first_message`` and ``outcome_from_controls``."""
        from threadpoolctl import threadpool_limits

        n = len(real), len(simulated)
        if not min(n):
            nothing = _Answer(Decision("undecided", "a side has no conversations"))
            return [self._finding(name, nothing, n, (0, 0), seed) for name in QUESTIONS]
        kept = [
            side.take(some_units(side, MAX_ROWS, generator(seed, self.name, "sample", name)))
            for side, name in ((real, "real"), (simulated, "simulated"))
        ]
        sides = Sides.of(kept[0], kept[1])
        n_units = sides.design.real.n_units, sides.design.simulated.n_units
        with threadpool_limits(1):
            answers = self._answers(sides, seed)
        return [self._finding(name, answers[name], n, n_units, seed) for name in QUESTIONS]

    def _answers(self, sides: Sides, seed: int) -> dict[str, _Answer]:
        outcome = outcomes(sides)
        asked: dict[str, Predictability | str] = {
            "outcome_from_first_message": first_messages(sides, outcome, "outcome"),
            "arm_from_first_message": first_messages(sides, arms(sides), "arm"),
            CONTROLS: controls(sides, outcome),
        }
        answers: dict[str, _Answer] = {}
        told: dict[str, Predictability] = {}
        for name, found in asked.items():
            if isinstance(found, str):
                answers[name] = _Answer(Decision("undecided", found))
            elif reason := _too_few(found) or sides.design.too_few_permutations():
                answers[name] = _Answer(Decision("undecided", reason))
            else:
                told[name] = found
        if not told:
            return answers
        dealt = sides.design.dealings(self.n_resamples, generator(seed, self.name, "permutation"))
        n_numbers = max(len(found.rows) for found in told.values()) ** 2
        statistics = in_tasks(_statistic, [*told.values()], shared=dealt > 0, n_numbers=n_numbers)
        tested = dict(zip(told, statistics, strict=True))
        adjusted = max_t({name: statistic for name, statistic in tested.items() if name != CONTROLS})
        for name, found in told.items():
            answers[name] = self._answer(
                name, found, tested[name], adjusted.get(name), sides=sides, seed=seed
            )
        return answers

    def _answer(
        self,
        name: str,
        told: Predictability,
        statistic: FloatArray,
        p_adjusted: float | None,
        *,
        sides: Sides,
        seed: int,
    ) -> _Answer:
        own = child_seed(seed, self.name, name)
        (people, of_people), (simulated, of_simulated) = (
            told.auc(real=real, seed=own) for real in (True, False)
        )
        errors = [(high - low) / 2 / Z_TO_LIMIT for low, high in (of_people, of_simulated)]
        error = hypot(*errors)
        above = simulated - max(people, 0.5)
        upper = above + Z_TO_LIMIT * error
        what = "the arm" if name.startswith("arm") else "the outcome"
        by = "controls" if name == CONTROLS else "first messages"
        said = (
            f"{by} tell {what} with an AUC of {simulated:.2f} ({of_simulated[0]:.2f} to {of_simulated[1]:.2f}), those "
            f"of people with {people:.2f} ({of_people[0]:.2f} to {of_people[1]:.2f})"
        )
        n_real, n_simulated = (told.n_units(real=real) for real in (True, False))
        details: dict[str, JsonValue] = {
            "auc_real": people,
            "auc_simulated": simulated,
            "auc_real_limits": list(of_people),
            "auc_simulated_limits": list(of_simulated),
            "margin": self.margin,
            "equivalence_upper": upper,
            "classes": {kind: {"real": n_real[kind], "simulated": n_simulated[kind]} for kind in told.kinds},
        }
        if p_adjusted is None:
            details["role"] = "control"
            decision = Decision("undecided", f"{said}; shown only: what the agent does is not the shopper's")
        elif p_adjusted <= self.alpha and above > 0:
            giveaway, examples = _telling(told, sides)
            details |= {"giveaway": giveaway, "examples": examples}
            decision = Decision("different", f"{said}: more than chance explains; {giveaway}")
        elif upper <= self.margin and min(told.n) >= MIN_TO_ALIGN:
            decision = Decision(
                "aligned", f"{said}: at most {upper:.2f} above people's (margin {self.margin:g})"
            )
        else:
            decision = Decision(
                "undecided",
                f"{said}: at most {upper:.2f} above people's, which is not within the margin of {self.margin:g}, and "
                f"no leak is shown; more conversations that say {what} would decide",
            )
        return _Answer(
            decision,
            above,
            (above - 1.96 * error, above + 1.96 * error),
            permutation_p_value(float(statistic[0]), statistic[1:]),
            p_adjusted,
            details,
        )

    def _finding(
        self, name: str, answer: _Answer, n: tuple[int, int], n_units: tuple[int, int], seed: int
    ) -> Finding:
        return Finding(
            validator=self.name,
            metric=name,
            question=QUESTIONS[name],
            estimate=answer.estimate,
            unit="difference of AUC",
            interval=answer.interval,
            p_value=answer.p_value,
            p_adjusted=answer.p_adjusted,
            verdict=answer.decision.verdict,
            reason=answer.decision.reason,
            n_real=n[0],
            n_simulated=n[1],
            seed=seed,
            version=self.version,
            source=self.source,
            details={
                **answer.details,
                "n_units_real": n_units[0],
                "n_units_simulated": n_units[1],
                "n_resamples": self.n_resamples,
            }
            if answer.details
            else {},
        )


def _statistic(is_real: BoolArray, told: Predictability) -> FloatArray:
    """Return the statistic of dealings of shape (units, 1 + permutations)."""
    return told.statistic(is_real.astype(np.float32))


def _too_few(told: Predictability) -> str | None:
    if min(told.n) >= MIN_UNITS:
        return None
    return f"{told.n[0]} real and {told.n[1]} simulated users; at least {MIN_UNITS} on each side are needed"


def _telling(told: Predictability, sides: Sides) -> tuple[str, list[JsonValue]]:
    """Say which word tells most, with both sides' proportions, and show simulated conversations with it."""
    column, kind = told.most_telling()
    has, is_kind = told.has(column), told.classes == kind

    def proportion(rows: BoolArray) -> str:
        return f"{is_kind[rows].mean():.0%}" if rows.any() else "none"

    sentence = (
        f"of simulated conversations that have “{plain(told.names[column], limit=40)}” in the first message, "
        f"{proportion(has & ~told.is_real)} are “{plain(kind, limit=40)}”, of the others "
        f"{proportion(~has & ~told.is_real)} (people: {proportion(has & told.is_real)} and "
        f"{proportion(~has & told.is_real)})"
    )
    ids = [c.id for side in (sides.real, sides.simulated) for c in side.conversations]
    shown = told.rows[has & is_kind & ~told.is_real][:N_EXAMPLES]
    return sentence, [
        {"side": "simulated", "conversation": ids[int(row)], "message": None, "value": None} for row in shown
    ]
