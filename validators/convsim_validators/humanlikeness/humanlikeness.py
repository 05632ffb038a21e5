"""Can a classifier tell simulated shoppers from people? (the human-likeness score, HLS, of the paper)"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, JsonValue

from convsim._settings import ResampleCount, check_settings
from convsim.schema import Corpus, Finding, SimulatorScore
from convsim.seeds import child_seed, generator
from convsim.stats.decision import EQUIVALENCE_LEVEL, Decision, Evidence, decide, grown
from convsim.stats.discriminator import CrossFitted, Rows, cross_fit, fit_on_half
from convsim.stats.multiplicity import benjamini_hochberg, permutation_p_value
from convsim.stats.resampling import permute
from convsim_validators.humanlikeness.features import (
    NO_FEATURES,
    View,
    first_words,
    habits,
    logistic_regression,
    tells,
    words,
)
from convsim_validators.humanlikeness.ranking import Compared
from convsim_validators.humanlikeness.scores import RankCells, Scores, balanced_accuracy, kept_scores, score
from convsim_validators.humanlikeness.two_sample import MIN_UNITS, Sides

QUESTIONS = {
    "hls": "Can a classifier tell simulated shoppers from people by their words?",
    "hls_length_matched": "Can a classifier tell simulated shoppers from people by their words, cut to equal length?",
    "hls_behaviour": "Can a classifier tell simulated shoppers from people by their habits, without their words?",
}


@dataclass(frozen=True)
class _Judged:
    """What one view's discriminator found."""

    sides: Sides
    view: View
    fitted: CrossFitted
    scores: Scores
    control_fitted: CrossFitted
    control: Scores
    control_n: int
    accuracy_at_control_n: float
    p_value: float


@dataclass(frozen=True)
class _Unjudged:
    """A view that no discriminator could be fitted on, and why."""

    sides: Sides
    reason: str


@dataclass(frozen=True, kw_only=True)
class HumanLikeness:
    """Fits a classifier to tell simulated from human and reports how well it does on what it has not seen.

    H0: conversations of the two sides are exchangeable by unit. HLS is the mean calibrated probability of "human"
    over the simulated conversations: .5 where nothing tells them apart, 0 where everything does. Both sides have
    equal prior weight in fitting, calibration and scoring, so that .5 means chance at any ratio of sizes.

    A pass shows that *this* discriminator finds nothing; it does not show that a person would not.

    Source:
        Meshi et al. (2026), ConvApparel (human-likeness score); Lopez-Paz and Oquab (2017), Revisiting classifier
        two-sample tests. The control, the split-half test and the two further views are ours.
    """

    name: ClassVar[str] = "humanlikeness"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = "Meshi et al. (2026), ConvApparel, arXiv 2602.16938: human-likeness score"

    margin: Annotated[float, Field(ge=0.5, le=1)] = 0.60
    """Population AUC up to which the sides count as alike."""
    n_resamples: ResampleCount = 999

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return the findings `hls`, `hls_length_matched` and `hls_behaviour`."""
        from threadpoolctl import threadpool_limits

        sides = Sides.without_shared_texts(real, simulated)
        texts = [*sides.real.user_texts, *sides.simulated.user_texts]
        n_real = len(sides.real)
        makers: dict[str, Callable[[], View]] = {
            "hls": lambda: words(texts, n_real),
            "hls_length_matched": lambda: first_words(texts, n_real),
            "hls_behaviour": lambda: habits(sides.real, sides.simulated),
        }
        results: dict[str, _Judged | _Unjudged] = {}
        for name, make in makers.items():
            if too_few := sides.too_few("remain"):
                results[name] = _Unjudged(sides, too_few)
                continue
            view = make()
            kept = sides.keep(view.kept)
            if too_few := kept.too_few("are long enough"):
                results[name] = _Unjudged(kept, too_few)
            elif not view.names:
                results[name] = _Unjudged(kept, NO_FEATURES)
            else:
                # Small products on many BLAS threads wait for one another: ten times slower on a busy machine.
                with threadpool_limits(1):
                    results[name] = self._judge(kept, view, child_seed(seed, self.name, name))
        p_values = {name: result.p_value for name, result in results.items() if isinstance(result, _Judged)}
        adjusted = benjamini_hochberg(p_values)
        return [
            self._finding(name, result, adjusted[name], seed)
            if isinstance(result, _Judged)
            else self._unjudged(name, result, seed)
            for name, result in results.items()
        ]

    def compare(
        self, real: Corpus, simulated: Mapping[str, Corpus], *, seed: int
    ) -> Sequence[SimulatorScore]:
        """Return `relative_hls` of each simulator, then `generalisation` of each ordered pair, itself included."""
        own = child_seed(seed, self.name, "hls")
        compared = Compared.of(real, simulated, n_resamples=self.n_resamples, seed=own)
        say = partial(
            SimulatorScore, validator=self.name, version=self.version, source=self.source, seed=seed
        )
        return list(compared.simulator_scores(say))

    def _judge(self, sides: Sides, view: View, seed: int) -> _Judged:
        rows = sides.rows(view.features)
        fitted = cross_fit(rows, logistic_regression, seed=child_seed(seed, "simulator"))
        control_rows, matched_rows, control_n = sides.control(rows, seed=child_seed(seed, "halves"))
        control = cross_fit(control_rows, logistic_regression, seed=child_seed(seed, "control"))
        return _Judged(
            sides,
            view,
            fitted,
            self._score(fitted, child_seed(seed, "simulator")),
            control,
            self._score(control, child_seed(seed, "control")),
            control_n,
            balanced_accuracy(cross_fit(matched_rows, logistic_regression, seed=child_seed(seed, "matched"))),
            self._p_value(rows, child_seed(seed, "split")),
        )

    def _score(self, fitted: CrossFitted, seed: int) -> Scores:
        return score(fitted, n_resamples=self.n_resamples, seed=seed)

    def _p_value(self, rows: Rows, seed: int) -> float:
        """Fit on one half, score the other, and deal its labels anew by unit: exact, unlike cross-fitted scores."""
        scored, scores = fit_on_half(rows, logistic_regression, seed=seed)
        names, unit_of = np.unique(scored.group * 2 + scored.is_human, return_inverse=True)
        first = np.unique(unit_of, return_index=True)[1]
        ranks = RankCells.of(scores, np.zeros(len(scores), np.int64), unit_of, scored.is_human)
        dealt = permute(
            scored.exchangeable[first],
            scored.is_human[first],
            self.n_resamples,
            generator(seed, "permutation"),
        )
        human = ranks.human.resampled(dealt) + ranks.simulated.resampled(dealt)
        everything = (ranks.human.counts + ranks.simulated.counts)[:, None]
        once = np.ones((len(names), 1), np.float32)
        return permutation_p_value(float(ranks.auc(once)[0]), ranks.auc_of(human, everything - human))

    def _finding(self, name: str, judged: _Judged, p_adjusted: float, seed: int) -> Finding:
        scores, control = judged.scores, judged.control
        decision = self._decide(judged, p_adjusted)
        details: dict[str, JsonValue] = {
            "accuracy": scores.accuracy,
            "accuracy_interval": list(scores.interval("accuracy")),
            "auc": scores.auc,
            "auc_interval": list(scores.interval("auc")),
            "equivalence_upper": scores.interval("auc", EQUIVALENCE_LEVEL)[1],
            "control_accuracy": control.accuracy,
            "control_auc": control.auc,
            "control_auc_q95": control.interval("auc", EQUIVALENCE_LEVEL)[1],
            "control_hls": control.hls,
            "control_n": judged.control_n,
            "accuracy_at_control_n": judged.accuracy_at_control_n,
            "margin": {"auc": self.margin},
            "n_shared_texts_real": judged.sides.n_shared[0],
            "n_shared_texts_simulated": judged.sides.n_shared[1],
            "n_undefined_real": judged.view.n_dropped[0],
            "n_undefined_simulated": judged.view.n_dropped[1],
            "n_units_real": judged.sides.n_units[0],
            "n_units_simulated": judged.sides.n_units[1],
            "n_resamples": self.n_resamples,
            "tells": tells(judged.view, judged.sides.is_human),
            **judged.view.detail,
        }
        if name == "hls":
            details |= kept_scores(judged.sides, judged.fitted, judged.control_fitted)
        reason = decision.reason
        if decision.growth is not None:
            needed = [
                grown(len(side), decision.growth) for side in (judged.sides.real, judged.sides.simulated)
            ]
            details["n_to_decide"] = {"real": needed[0], "simulated": needed[1]}
            reason += f"; about {needed[0]} real and {needed[1]} simulated conversations would decide"
        return Finding(
            validator=self.name,
            metric=name,
            question=QUESTIONS[name],
            estimate=scores.hls,
            unit="mean probability of “human”",
            interval=scores.interval("hls"),
            p_value=judged.p_value,
            p_adjusted=p_adjusted,
            verdict=decision.verdict,
            reason=reason,
            n_real=len(judged.sides.real),
            n_simulated=len(judged.sides.simulated),
            seed=seed,
            version=self.version,
            source=self.source,
            details=details,
        )

    def _decide(self, judged: _Judged, p_adjusted: float) -> Decision:
        auc = judged.scores.auc
        low, high = judged.scores.interval("auc", EQUIVALENCE_LEVEL)
        if high < 1 - self.margin:
            return Decision(
                "undecided",
                f"an AUC of {auc:.2f}, far below 0.5, means that simulated conversations repeat people's "
                "words: compare the simulator with people whose conversations it has not learned from",
            )
        baseline_q95 = judged.control.interval("auc", EQUIVALENCE_LEVEL)[1]
        evidence = Evidence(auc, high, self.margin, p_adjusted, 0.5, baseline_q95, zero=0.5, name="AUC")
        decision = decide(evidence)
        if decision.verdict == "aligned" and low < 1 - self.margin:
            room = auc - (1 - self.margin)
            return Decision(
                "undecided",
                f"too little data: AUC {auc:.3f} could be as low as {low:.3f} (90 % interval), below "
                f"{1 - self.margin:g}; so low an AUC would mean that simulated conversations repeat people's words",
                ((auc - low) / room) ** 2 if room > 0 else None,
            )
        return decision

    def _unjudged(self, name: str, result: _Unjudged, seed: int) -> Finding:
        sides = result.sides
        needed = {"real": max(MIN_UNITS, len(sides.real)), "simulated": max(MIN_UNITS, len(sides.simulated))}
        return Finding(
            validator=self.name,
            metric=name,
            question=QUESTIONS[name],
            unit="mean probability of “human”",
            verdict="undecided",
            reason=result.reason,
            n_real=len(sides.real),
            n_simulated=len(sides.simulated),
            seed=seed,
            version=self.version,
            source=self.source,
            details={
                "n_shared_texts_real": sides.n_shared[0],
                "n_shared_texts_simulated": sides.n_shared[1],
                "n_to_decide": needed,
            },
        )
