"""Do simulated shoppers stop when and how people do?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, JsonValue

from convsim._settings import ErrorRate, ResampleCount, check_settings
from convsim.schema import Corpus, Finding, HumanBaseline, Needs
from convsim.schema.arrays import FloatArray
from convsim.schema.conversation import MAX_FAILURE_SHARE
from convsim.seeds import generator
from convsim.stats.decision import ALPHA, MIN_UNITS, Decision
from convsim.stats.equivalence import needed, normal_power, stated
from convsim.stats.multiplicity import max_t, permutation_p_value
from convsim.stats.sample_size import one_sided_errors
from convsim_validators.endings.compared import Compared, Measured
from convsim_validators.endings.followed import BY_USER, HOW, MAX_TURNS, Followed
from convsim_validators.endings.inference import Reading, reading_of
from convsim_validators.endings.telling import examples, giveaway

MIN_TO_ALIGN = 30
"""Units of either side from which likeness is judged."""
MOST_CUT_OFF = 0.5
"""Of people, who may still be there where the follow-up ends: with more, their endings are mostly not seen."""
N_PAIRS = 200
QUESTIONS = {
    "survival": "Do simulated shoppers stay as long as people?",
    "hazard": "Do simulated shoppers end the conversation in the same turns as people?",
    "mix_of_endings": "Do simulated conversations end in the same ways as people's?",
    "accepting": "Do simulated shoppers take an item as often, and as early, as people who are still there?",
    "leaving": "Do simulated shoppers leave without an item as often, and as early, as people who are still there?",
}
UNITS = {"hazard": "difference of hazards", "mix_of_endings": "total variation"}
BY_WAY = ("mix_of_endings", "accepting", "leaving")


@dataclass(frozen=True, kw_only=True)
class Endings:
    """Finds shoppers who stop too early, too late, in the wrong turn or in the wrong way.

    H0: units of a stratum are exchangeable between the sides in the turns in which both can be watched. A limit of
    turns cuts both sides off in the turn before it; who was cut off otherwise was followed no further. Of ways to end,
    hazards are compared with everybody at risk, so that people who buy early do not make those who leave look late.
    All questions are tested on the same dealings of units and corrected by step-down max-T. `aligned` needs
    the difference inside ``margin`` in every turn, each at the error rate of one side.

    Source:
        Mantel (1966), log-rank; Gill (1980), its supremum; Prentice et al. (1978), The analysis of failure times in the
        presence of competing risks; Neuhaus (1993), permutation under unequal censoring; Westfall and Young (1993).
    """

    name: ClassVar[str] = "endings"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = (
        "Mantel (1966), log-rank test; Prentice et al. (1978), cause-specific hazards; permutations of whole units"
    )

    margin: Annotated[float, Field(ge=0, le=1)] = 0.15
    """Proportion of conversations by which endings may differ, by any turn, and still count as alike."""
    alpha: ErrorRate = ALPHA
    n_resamples: ResampleCount = 999

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return ``survival``, ``hazard``, ``mix_of_endings``, ``accepting`` and ``leaving``; none of an empty side."""
        from threadpoolctl import threadpool_limits

        if not len(real) or not len(simulated):
            return []
        with threadpool_limits(1):
            return self._judge(Followed.of(real, simulated), seed)

    def _judge(self, followed: Followed, seed: int) -> list[Finding]:
        readings = _readings(followed)
        why_not = {name: _unmeasurable(name, followed, readings) for name in QUESTIONS}
        found: dict[str, Measured] = {}
        untested = followed.sides.design.too_few_permutations()
        if not all(why_not.values()):
            dealt = followed.sides.design.dealings(
                self.n_resamples, generator(seed, self.name, "permutation")
            )
            compared = Compared.of(
                followed, dealt, n_pairs=N_PAIRS, z=one_sided_errors(self.alpha),
                rng=generator(seed, self.name, "baseline"),
            )  # fmt: skip
            found = {
                name: each for name in QUESTIONS if not why_not[name] and (each := _measured(name, compared))
            }
        tested = {
            f"{name} {part}": values for name, each in found.items() for part, values in each.tested.items()
        }
        adjusted = {} if untested else max_t(tested)
        findings = []
        for name in QUESTIONS:
            measured = found.get(name)
            if measured is None:
                decision = Decision("undecided", why_not[name] or _FEW_ENDINGS)
                findings.append(
                    self._finding(name, decision, followed, self._about(name, followed, readings), seed=seed)
                )
                continue
            p_adjusted = min(
                (p for part, p in adjusted.items() if part.partition(" ")[0] == name), default=None
            )
            decision = self._decide(measured, p_adjusted, followed, untested)
            details = {
                **self._about(name, followed, readings),
                **self._describe(measured, followed, decision),
            }
            findings.append(
                self._finding(
                    name, decision, followed, details, seed=seed, measured=measured, p_adjusted=p_adjusted
                )
            )
        return findings

    def _decide(
        self, measured: Measured, p_adjusted: float | None, followed: Followed, untested: str | None
    ) -> Decision:
        said = giveaway(measured, followed)
        otherwise = "in other ways" if measured.name == "mix_of_endings" else "otherwise by any turn"
        limit = f"at most {measured.upper:.2f} of conversations end {otherwise}"
        read = followed.source == "inferred" and measured.name in BY_WAY
        if measured.upper > self.margin:
            kept_open = f", not within the margin of {self.margin:g}, and no difference is shown"
        else:
            kept_open = self._not_alike(followed, read=read)
        if not kept_open:
            return Decision("aligned", f"{limit}, within the margin of {self.margin:g}; {said}")
        if p_adjusted is not None and p_adjusted <= self.alpha:
            return Decision("different", said + (" (endings read from the text)" if read else ""))
        return Decision(
            "undecided", f"{limit}{kept_open}" + (f" ({untested})" if untested else "") + f"; {said}"
        )

    def _not_alike(self, followed: Followed, *, read: bool) -> str:
        """Say why sides within the margin do not count as alike, and what would decide it; empty if they do."""
        within = f", within the margin of {self.margin:g}, but "
        cut = float((followed.turns > followed.follow_up)[followed.is_real].mean())
        if read:
            return (
                within
                + "endings read from the text never show that sides are alike: record how conversations end"
            )
        if cut > MOST_CUT_OFF:
            return (
                within
                + f"{cut:.0%} of people are still there after turn {followed.follow_up}, the last in which both "
                "sides are watched; a higher limit of turns is needed"
            )
        if min(followed.n_units) < MIN_TO_ALIGN:
            return within + f"likeness is judged from {MIN_TO_ALIGN} users a side"
        return ""

    def _about(
        self, name: str, followed: Followed, readings: Mapping[str, Reading | str]
    ) -> dict[str, JsonValue]:
        """Return what every finding says: how far both sides are watched, and where endings come from."""
        about: dict[str, JsonValue] = {
            "follow_up_turns": followed.follow_up,
            "source_of_endings": followed.source,
            "margin": self.margin,
            "n_cut_off": {
                side: int(((followed.stayed < followed.turns) & rows).sum())
                for side, rows in (("real", followed.is_real), ("simulated", ~followed.is_real))
            },
            "n_units_real": followed.n_units[0],
            "n_units_simulated": followed.n_units[1],
            "n_resamples": self.n_resamples,
        }
        if name in BY_WAY and readings:
            about["reading"] = [
                each.describe() if isinstance(each, Reading) else {"way": way, "reason": each}
                for way, each in readings.items()
            ]
        return about

    def _describe(self, measured: Measured, followed: Followed, decision: Decision) -> dict[str, JsonValue]:
        details: dict[str, JsonValue] = {**measured.details, "equivalence_upper": measured.upper}
        if measured.at:
            details["turn"] = measured.at
        if decision.verdict == "different":
            details |= {"giveaway": giveaway(measured, followed), "examples": examples(measured, followed)}
        if decision.verdict == "undecided":
            details |= stated(self._needs(measured, followed), followed.n)
        return details

    def _needs(self, measured: Measured, followed: Followed) -> Needs | None:
        """Return how much more shows in four of five cases that the sides are alike, if they are."""
        n, z = followed.n, one_sided_errors(self.alpha)
        variance = measured.error**2 / (1 / n[0] + 1 / n[1])

        def power(n_real: int, n_simulated: int) -> float:
            units = (followed.n_units[0] * n_real / n[0], followed.n_units[1] * n_simulated / n[1])
            if min(units) < MIN_TO_ALIGN:
                return 0.0
            return normal_power(self.margin, sqrt(variance * (1 / n_real + 1 / n_simulated)), z=z)

        return needed(power, n)

    def _finding(
        self, name: str, decision: Decision, followed: Followed, details: dict[str, JsonValue], *, seed: int,
        measured: Measured | None = None, p_adjusted: float | None = None,
    ) -> Finding:  # fmt: skip
        return Finding(
            validator=self.name,
            metric=name,
            question=QUESTIONS[name],
            estimate=measured.estimate if measured else None,
            unit=UNITS.get(name, "proportion of conversations"),
            interval=measured.interval if measured else None,
            p_value=None if measured is None or p_adjusted is None else _p_value(measured.tested),
            p_adjusted=p_adjusted,
            noise_floor=HumanBaseline(mean=measured.baseline[0], q95=measured.baseline[1])
            if measured
            else None,
            verdict=decision.verdict,
            reason=decision.reason,
            n_real=followed.n[0],
            n_simulated=followed.n[1],
            seed=seed,
            version=self.version,
            source=self.source,
            details=details,
        )


_FEW_ENDINGS = (
    "too few users end a conversation while both sides are watched; longer logs, or more, are needed"
)


def _measured(name: str, compared: Compared) -> Measured | None:
    if name == "survival":
        return compared.survival()
    if name == "hazard":
        return compared.hazard()
    if name == "mix_of_endings":
        return compared.mix_of_endings()
    return compared.ending_so(name, "accepted" if name == "accepting" else "left")


def _p_value(tested: Mapping[str, FloatArray]) -> float:
    """Return the smallest p-value of a question's statistics, corrected for their number."""
    if len(tested) == 1:
        (values,) = tested.values()
        return permutation_p_value(float(values[0]), values[1:])
    return min(max_t(tested).values())


def _readings(followed: Followed) -> dict[str, Reading | str]:
    """Return how well each way of ending is read, where endings are read."""
    if followed.source == "recorded":
        return {}
    return {way: reading_of(followed, way) for way in ("accepted", "left")}


def _unmeasurable(name: str, followed: Followed, readings: Mapping[str, Reading | str]) -> str | None:
    """Say why a question has no answer here, and what would give it one."""
    n_units, follow_up = followed.n_units, followed.follow_up
    if min(n_units) < MIN_UNITS:
        return (
            f"{n_units[0]} real and {n_units[1]} simulated users, personas or conversations with a message; at least "
            f"{MIN_UNITS} on each side are needed"
        )
    if follow_up < 1:
        return (
            "no turn can be watched on both sides, since a limit of turns, or what looks like one, ends the "
            "conversations of one side after the first; longer conversations, or recorded endings, are needed"
        )
    ways = [
        way for way, of in (("accepted", "accepting"), ("left", "leaving")) if name in (of, "mix_of_endings")
    ]
    for way in ways:
        reading = readings.get(way)
        if isinstance(reading, str):
            return reading
        if reading is not None and reading.useless:
            return f"{reading.useless}; record how conversations end"
    if name == "mix_of_endings":
        return _failures(followed)
    if not followed.ended(*BY_USER).any():
        lacking = "shorter conversations are" if follow_up == MAX_TURNS else "a higher limit of turns is"
        return f"no user ends a conversation in the {follow_up} turns in which both sides are watched; {lacking} needed"
    if name in ("accepting", "leaving"):
        n = int(followed.ended("accepted" if name == "accepting" else "left").sum())
        doing = "take an item" if name == "accepting" else "leave without an item"
        if n < MIN_UNITS:
            return f"{n} users {doing} in the {follow_up} turns in which both sides are watched; {MIN_UNITS} are needed"
    elif not np.ptp(followed.stayed) and followed.ended(*BY_USER).all():
        return (
            f"all conversations of both sides have {followed.stayed[0]} turns, so that nothing can differ; longer "
            "conversations are needed"
        )
    return None


def _failures(followed: Followed) -> str | None:
    """Say that too many conversations of a side failed to know how it ends, if so."""
    failed = followed.how == HOW.index("failed")
    for side, rows in (("real", followed.is_real), ("simulated", ~followed.is_real)):
        share = float(failed[rows].mean())
        if share > MAX_FAILURE_SHARE:
            return f"{share:.0%} of the {side} conversations failed before they ended; run these again"
    return None
