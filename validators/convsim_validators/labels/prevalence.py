"""Do simulated shoppers act and feel as often as people, once annotators' errors are taken out?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field, JsonValue

from convsim._settings import ResampleCount, check_settings
from convsim.metrics.labels import find_origins
from convsim.schema import Corpus, Finding
from convsim.seeds import generator
from convsim.stats.decision import ALPHA, MAX_GROWTH, Decision, grown
from convsim.stats.multiplicity import max_t, permutation_p_value
from convsim.stats.resampling import Design, Weights, bootstrap, in_blocks
from convsim.stats.sample_size import growth_to_align
from convsim.stats.variance_components import VarianceComponents, difference_of_means
from convsim_validators.labels.correctable import Correctable, draw_calibrated, find_correctable
from convsim_validators.labels.correction import Correction, Resampled

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

MIN_UNITS = 8
"""Fewer resampling units on either side, or with a reference, decide nothing."""


def decide_prevalence(
    group: Correctable, correction: Correction | None, p_adjusted: float | None, margin: float
) -> Decision:
    """Decide one question; undecided where the annotator's errors are not known well enough to take them out."""
    calibrated, sides = int(group.real.calibrated.sum()), (group.real.n_units, group.simulated.n_units)
    annotator, people = group.annotator.source, group.reference.source
    if min(sides) < MIN_UNITS:
        return Decision(
            "undecided",
            f"{sides[0]} real and {sides[1]} simulated users or conversations are labelled by {annotator}; at least "
            f"{MIN_UNITS} on each side are needed",
        )
    if calibrated < MIN_UNITS:
        return Decision(
            "undecided",
            f"{calibrated} real users or conversations have labels by {people} too; at least {MIN_UNITS} are "
            f"needed to know the errors of {annotator}",
        )
    if correction is None:
        return Decision(
            "undecided",
            f"the labels by {people} are the same everywhere, so the errors of {annotator} are unknown",
        )
    if correction.adjusted is None:
        low, high = correction.youden.interval
        told = "says the opposite of people" if high < 0 else "may be no better than guessing"
        return Decision(
            "undecided",
            f"{annotator} {told}: Youden's J is {low:.2f} to {high:.2f} (95 % interval); the difference as counted, "
            f"{correction.raw.estimate:+.3f}, is not corrected",
        )
    return _verdict(correction, p_adjusted, margin)


def _verdict(correction: Correction, p_adjusted: float | None, margin: float) -> Decision:
    """Ask for equivalence first, then for a difference, as everywhere."""
    adjusted = correction.adjusted
    assert adjusted is not None
    low, high = adjusted.limits_90
    shown = f"the 90 % interval is {low:+.3f} to {high:+.3f}"
    wide = adjusted.difference.interval
    if -margin <= low and high <= margin:
        return Decision("aligned", f"{shown}, within the margin of {margin:g}")
    if p_adjusted is not None and p_adjusted <= ALPHA and (wide[0] > 0 or wide[1] < 0):
        return Decision("different", f"the 95 % interval is {wide[0]:+.3f} to {wide[1]:+.3f}, beyond 0")
    growth = growth_to_align((high - low) / 2, margin)
    undecided = f"{shown}, beyond the margin of {margin:g}, and no difference is shown"
    if growth <= 1:
        return Decision("undecided", undecided + "; if nothing differed, this much data would show it")
    return Decision("undecided", undecided, growth if growth < MAX_GROWTH else None)


ASSUMPTION = (
    "the annotator makes the same errors on simulated users as on people, which may be false; people's labels are "
    "correct, and the annotator did not learn from them"
)


@dataclass(frozen=True)
class _Question:
    """One metric on its way to a finding."""

    of: Correctable
    number: int
    correction: Correction | None
    differences: FloatArray | None
    """Shape (1 + permutations,): the counted difference in standard errors, as observed and as dealt anew."""


@dataclass(frozen=True, kw_only=True)
class Prevalence:
    """Compares how often acts and feelings occur, corrected for the annotator's errors.

    It speaks where both sides carry labels by one annotator (rules, classifier or judge) and a part of the real side
    also carries people's labels of the same name, level and scale; elsewhere it returns nothing. A proportion is the
    mean over conversations of the proportion of their messages, as in the metric of the same name, or that of
    conversations.

    H0, per question: the true proportions of both sides are equal. If the annotator errs alike on both, that is so
    exactly if the counted proportions are equal, which is tested by dealing whole units anew among the sides. Rejecting
    it says that the true proportions differ, or that the annotator errs otherwise on simulated users than on people.

    Source:
        Rogan and Gladen (1978); Lang and Reiczigel (2014); see ``Correction``.
    """

    name: ClassVar[str] = "prevalence"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = (
        "Rogan and Gladen (1978), American Journal of Epidemiology 107; Lang and Reiczigel (2014)"
    )

    margin: Annotated[float, Field(ge=0, le=1)] = 0.10
    """Difference of proportions up to which two populations count as alike."""
    n_resamples: ResampleCount = 999

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return one finding for each act and each feeling that can be corrected."""
        if not find_origins(real.conversations):
            return []  # units of many conversations are not found out for nothing
        design = Design.of(real, simulated)
        groups = list(find_correctable(real, simulated, design))
        if not groups:
            return []
        dealt = design.dealings(self.n_resamples, generator(seed, self.name, "permutation"))
        tests = [_differences(group, dealt) for group in groups]
        del dealt
        drawn = bootstrap(design.simulated, self.n_resamples, generator(seed, self.name, "simulated"))
        questions = [
            question
            for group, differences in zip(groups, tests, strict=True)
            for question in self._questions(group, differences, drawn, design, seed)
        ]
        untested = design.too_few_permutations()
        tested = {str(n): q.differences for n, q in enumerate(questions) if q.differences is not None}
        adjusted = {} if untested else max_t(tested)
        return [self._finding(q, adjusted.get(str(n)), untested, seed) for n, q in enumerate(questions)]

    def _questions(
        self, group: Correctable, differences: FloatArray, drawn: Weights, design: Design, seed: int
    ) -> list[_Question]:
        real, simulated = group.real, group.simulated
        calibrated = int(real.calibrated.sum())
        if min(calibrated, real.n_units, simulated.n_units) < MIN_UNITS:
            return [_Question(group, number, None, None) for number in range(len(group.metrics))]
        rng = generator(seed, self.name, str(group.annotator), group.annotator.level, group.annotator.name)
        weights = draw_calibrated(design.real, real.calibrated, self.n_resamples, rng)
        rates = real.redrawn_rates(weights, rng)
        everything = (real.redrawn(weights, rng), simulated.redrawn(drawn, rng), *rates)
        questions = []
        for number, apart in enumerate(differences.T):
            resampled = Resampled(*(values[:, number] for values in everything))
            correction = Correction.of(real, simulated, number, resampled, degrees=calibrated - 1)
            usable = correction is not None and correction.adjusted is not None
            questions.append(_Question(group, number, correction, apart if usable else None))
        return questions

    def _finding(
        self, question: _Question, p_adjusted: float | None, untested: str | None, seed: int
    ) -> Finding:
        group, correction = question.of, question.correction
        decision = decide_prevalence(group, correction, p_adjusted, self.margin)
        adjusted = correction.adjusted if correction else None
        details = _describe(question) | {
            "margin": self.margin, "n_resamples": self.n_resamples, "assumption": ASSUMPTION
        }  # fmt: skip
        reason = decision.reason
        if decision.verdict == "undecided" and adjusted is not None and untested:
            reason += f"; {untested}"
        if (growth := decision.growth) is not None:
            named = zip(("real", "simulated", "calibration"), group.n, strict=True)
            sizes = {name: grown(n, growth) for name, n in named}
            details["n_to_decide"] = dict(sizes)
            listed = ", ".join(f"{n} {side}" for side, n in sizes.items())
            reason += f"; if nothing differs, about {listed} conversations show it"
        p_value = None
        if question.differences is not None and untested is None:
            p_value = permutation_p_value(float(question.differences[0]), question.differences[1:])
        where = "messages" if group.annotator.level == "message" else "conversations"
        return Finding(
            validator=self.name,
            metric=group.metrics[question.number],
            question=f"Does the proportion of {where} that show {group.shown[question.number]} differ between "
            f"simulated shoppers and people, without the errors of {group.annotator.source}?",
            estimate=adjusted.difference.estimate if adjusted else None,
            unit="difference of proportions",
            interval=adjusted.difference.interval if adjusted else None,
            p_value=p_value,
            p_adjusted=p_adjusted,
            verdict=decision.verdict,
            reason=reason,
            n_real=group.n[0],
            n_simulated=group.n[1],
            seed=seed,
            version=self.version,
            source=self.source,
            details=details,
        )


def _differences(group: Correctable, dealt: Weights) -> FloatArray:
    """Return how far the counted proportions lie apart, in standard errors; shape (1 + permutations, questions)."""
    n, yes, squares = (
        np.concatenate([getattr(side, name) for side in (group.real, group.simulated)])
        for name in ("n", "yes", "squares")
    )
    errors = VarianceComponents.of(yes, n, squares.sum(axis=0) / max(float(n.sum()), 1.0)).errors(dealt)
    parts = [yes.T @ difference_of_means(some, n) for some in in_blocks(dealt)]
    apart = np.abs(np.concatenate(parts, axis=1))
    return np.asarray(np.divide(apart, errors, out=np.zeros_like(apart), where=errors > 0).T, np.float64)


def _describe(question: _Question) -> dict[str, JsonValue]:
    group, correction = question.of, question.correction
    details: dict[str, JsonValue] = {
        "role": "metric",
        "annotator": group.annotator.source,
        "reference": group.reference.source,
        "level": group.annotator.level,
        "n_calibration": group.n[2],
        "n_calibration_units": int(group.real.calibrated.sum()),
        "counted": {
            "real": float(group.real.counted[question.number]),
            "simulated": float(group.simulated.counted[question.number]),
        },
        "raw": None,
        "adjusted": None,
    }
    if correction is not None:
        details |= {
            name: getattr(correction, name).described()
            for name in ("raw", "sensitivity", "specificity", "youden")
        }
        if (adjusted := correction.adjusted) is not None:
            details["adjusted"] = adjusted.difference.described() | {
                "interval_90": list(adjusted.limits_90),
                "real": adjusted.real.described(),
                "simulated": adjusted.simulated.described(),
            }
    return details
