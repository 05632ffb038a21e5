"""Can a classifier tell simulated shoppers from people? (the human-likeness score, HLS, of the paper)"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, JsonValue

from convsim._settings import ErrorRate, ResampleCount, check_settings
from convsim.schema import Corpus, Finding, PlannedFinding, SimulatorScore
from convsim.schema.arrays import FloatArray
from convsim.seeds import child_seed, generator
from convsim.stats.decision import ALPHA, Decision, equivalence_level
from convsim.stats.discriminator import (
    Classifier,
    CrossFitted,
    cross_fit,
    cross_fit_repeatedly,
    out_of_fold_aucs,
)
from convsim.stats.equivalence import stated
from convsim.stats.hashed import MAX_EXACT
from convsim.stats.multiplicity import max_t, permutation_p_value
from convsim.stats.ngrams import TextView
from convsim.stats.recognition import Recognition
from convsim.stats.resampling import Weights
from convsim.stats.scores import REPEATS, Scores, balanced_accuracy, kept_scores, score
from convsim.stats.sides import MIN_UNITS, Sides
from convsim.stats.two_sample import Distances, distances
from convsim.stats.view import View, logistic_regression, tells
from convsim_validators.humanlikeness.features import (
    NO_FEATURES,
    first_words,
    habits,
    words,
)
from convsim_validators.humanlikeness.planning import METRIC, Words
from convsim_validators.humanlikeness.ranking import Compared

HUMAN_SPLITS = 5
"""How often people are split in two for the human baseline."""
MAX_SOUGHT = 20_000
"""Simulated conversations of which the nearest real one is sought; of more, so many evenly spaced ones."""
MAX_COSINES = 1 << 25
"""Held at a time."""
NEAR_COPY = 0.8
"""Cosine of two conversations' weighed words from which one nearly repeats the other."""

QUESTIONS = {
    "hls": "Can a classifier tell simulated shoppers from people by their words?",
    "hls_length_matched": "Can a classifier tell simulated shoppers from people by their words, cut to equal length?",
    "hls_behaviour": "Can a classifier tell simulated shoppers from people by their habits, without their words?",
}


@dataclass(frozen=True)
class _Fitted:
    """What one view's discriminators found."""

    repeats: tuple[CrossFitted, ...]
    scores: Scores
    control_fitted: CrossFitted
    control: Scores
    control_aucs: FloatArray
    """Shape (human splits,)."""
    control_n: int
    accuracy_at_control_n: float


@dataclass(frozen=True)
class _Judged:
    """What is known of one view: the two-sample test, the discriminators, and why either is missing."""

    sides: Sides
    view: View | None
    distances: Distances | None = None
    fitted: _Fitted | None = None
    reason: str | None = None
    """Why there is no discriminator."""

    @property
    def p_value(self) -> float | None:
        """Of the two-sample test alone, before it is corrected for the other views."""
        if self.distances is None:
            return None
        top = self.distances.studentised
        return permutation_p_value(float(top[0]), top[1:])


@dataclass(frozen=True, kw_only=True)
class HumanLikeness:
    """Fits a classifier to tell simulated from human and reports how well it does on what it has not seen.

    H0: conversations of the two sides are exchangeable by unit. HLS is the mean calibrated probability of "human"
    over the simulated conversations: .5 where nothing tells them apart, 0 where everything does. Both sides have
    equal prior weight in fitting, calibration and scoring, so that .5 means chance at any ratio of sizes.

    A pass shows that *this* discriminator finds nothing; it does not show that a person would not.

    Source:
        Meshi et al. (2026), ConvApparel (human-likeness score); Lopez-Paz and Oquab (2017), Revisiting classifier
        two-sample tests. The human baseline, the two-sample test and the two further views are ours.
    """

    name: ClassVar[str] = "humanlikeness"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = "Meshi et al. (2026), ConvApparel, arXiv 2602.16938: human-likeness score"

    margin: Annotated[float, Field(ge=0.5, le=1)] = 0.60
    """AUC up to which the sides count as alike: of this classifier, at these sizes."""
    alpha: ErrorRate = ALPHA
    n_resamples: ResampleCount = 999
    max_exact: Annotated[int, Field(ge=1)] = MAX_EXACT
    """Texts of a side from above which words are hashed to 262,144 columns and the classifier streams over them."""

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return the findings `hls`, `hls_length_matched` and `hls_behaviour`."""
        from threadpoolctl import threadpool_limits

        sides = Sides.of(real, simulated)
        texts = [*sides.real.user_texts, *sides.simulated.user_texts]
        n_real = len(sides.real)
        makers: dict[str, Callable[[], View]] = {
            "hls": lambda: words(texts, n_real, sides.group, max_exact=self.max_exact),
            "hls_length_matched": lambda: first_words(texts, n_real, sides.group, max_exact=self.max_exact),
            "hls_behaviour": lambda: habits(sides.real, sides.simulated),
        }
        dealt = self._dealt(sides, seed)
        with threadpool_limits(1):  # small products on many BLAS threads wait for one another
            judged = {
                name: self._judge(sides, make, dealt, child_seed(seed, self.name, name))
                for name, make in makers.items()
            }
        tested = {name: one.distances.studentised for name, one in judged.items() if one.distances}
        adjusted = max_t(tested)
        return [self._finding(name, one, adjusted.get(name), seed) for name, one in judged.items()]

    def compare(
        self, real: Corpus, simulated: Mapping[str, Corpus], *, seed: int
    ) -> Sequence[SimulatorScore]:
        """Return `relative_hls` of each simulator, then `generalisation` of each ordered pair, itself included."""
        own = child_seed(seed, self.name, "hls")
        compared = Compared.of(
            real, simulated, n_resamples=self.n_resamples, max_exact=self.max_exact, seed=own
        )
        say = partial(
            SimulatorScore, validator=self.name, version=self.version, source=self.source, seed=seed
        )
        return list(compared.simulator_scores(say))

    def plan(self, real: Corpus, *, n_simulated: Sequence[int], seed: int) -> Sequence[PlannedFinding]:
        """Return the power of the equivalence test of `hls`."""
        from threadpoolctl import threadpool_limits

        asked = PlannedFinding(
            validator=self.name,
            metric=METRIC,
            question=QUESTIONS[METRIC],
            verdicts=("aligned",),
            margin=self.margin,
            margin_of="AUC",
            n_real=len(real),
            n_units_real=len(real),
            reason="not planned",
            source=self.source,
        )
        own = child_seed(seed, self.name)
        with threadpool_limits(1):
            people = Words.of(real)
            return [people.plan(asked, n_simulated, margin=self.margin, alpha=self.alpha, seed=own)]

    def _dealt(self, sides: Sides, seed: int) -> Weights | None:
        """Return the sides as they are and dealt anew, shape (units, 1 + permutations); None if in too few ways."""
        design = sides.design
        if min(design.real.n_units, design.simulated.n_units) < MIN_UNITS or design.too_few_permutations():
            return None
        return design.dealings(self.n_resamples, generator(seed, self.name, "permutation"))

    def _judge(self, sides: Sides, make: Callable[[], View], dealt: Weights | None, seed: int) -> _Judged:
        if too_few := sides.too_few("were held"):
            return _Judged(sides, None, reason=too_few)
        view = make()
        kept = sides.keep(view.kept)
        if too_few := kept.too_few("are long enough"):
            return _Judged(kept, view, reason=too_few)
        if not view.names:
            return _Judged(kept, view, reason=NO_FEATURES)
        apart = None
        if dealt is not None:
            apart = distances([kind for kind, _ in view.compared], sides.unit_of[view.kept], dealt)
        if undivided := kept.not_divisible():
            return _Judged(kept, view, apart, reason=undivided)
        return _Judged(kept, view, apart, self._fit(kept, view, seed))

    def _fit(self, sides: Sides, view: View, seed: int) -> _Fitted:
        rows, make = sides.rows(view.features), _maker(view)
        own = child_seed(seed, "simulator")
        repeats = cross_fit_repeatedly(rows, make, repeats=REPEATS, seed=own)
        controls, matched = sides.controls(rows, n_splits=HUMAN_SPLITS, seed=child_seed(seed, "halves"))
        control_seed = child_seed(seed, "control")
        control = cross_fit(controls[0], make, seed=control_seed)
        return _Fitted(
            repeats,
            self._score(repeats, own),
            control,
            self._score([control], control_seed),
            out_of_fold_aucs(controls, make, seed=control_seed),
            round(len(controls[0].is_human) / 2),
            balanced_accuracy(cross_fit(matched, make, seed=child_seed(seed, "matched"))),
        )

    def _score(self, repeats: Sequence[CrossFitted], seed: int) -> Scores:
        return score(repeats, n_resamples=self.n_resamples, seed=seed)

    def _finding(self, name: str, judged: _Judged, p_adjusted: float | None, seed: int) -> Finding:
        decision = self._decide(judged, p_adjusted)
        sides, fitted = judged.sides, judged.fitted
        sizes = {"real": len(sides.real), "simulated": len(sides.simulated)}
        details = self._describe(name, judged)
        reason = decision.reason
        if (
            decision.verdict == "undecided"
            and fitted
            and (needs := self._recognition(fitted.scores, sides).needs())
        ):
            details |= stated(needs, (sizes["real"], sizes["simulated"]))
            reason += f"; if nothing tells them apart, {needs.words} would show it"
        return Finding(
            validator=self.name,
            metric=name,
            question=QUESTIONS[name],
            estimate=fitted.scores.hls if fitted else None,
            unit="mean probability of “human”",
            interval=fitted.scores.interval("hls") if fitted else None,
            p_value=judged.p_value,
            p_adjusted=p_adjusted,
            verdict=decision.verdict,
            reason=reason,
            n_real=sizes["real"],
            n_simulated=sizes["simulated"],
            seed=seed,
            version=self.version,
            source=self.source,
            details=details,
        )

    def _describe(self, name: str, judged: _Judged) -> dict[str, JsonValue]:
        sides, view, fitted = judged.sides, judged.view, judged.fitted
        n_shared = sides.n_shared_texts
        details: dict[str, JsonValue] = {
            "n_shared_texts_real": n_shared[0],
            "n_shared_texts_simulated": n_shared[1],
            "n_units_real": sides.n_units[0],
            "n_units_simulated": sides.n_units[1],
            "n_resamples": self.n_resamples,
        }
        if view is None or not view.names:
            return details
        details |= {
            "n_undefined_real": view.n_dropped[0],
            "n_undefined_simulated": view.n_dropped[1],
            "tells": tells(view, sides.is_human, _maker(view)),
            **view.detail,
        }
        if fitted is None:
            return details
        scores, control = fitted.scores, fitted.control
        details |= {
            "accuracy": scores.accuracy,
            "accuracy_interval": list(scores.interval("accuracy")),
            "auc": scores.auc,
            "auc_interval": list(scores.interval("auc")),
            "equivalence_upper": scores.interval("auc", equivalence_level(self.alpha))[1],
            "control_accuracy": control.accuracy,
            "control_auc": float(fitted.control_aucs.mean()),
            "control_auc_q95": float(np.quantile(fitted.control_aucs, 0.95)),
            "control_hls": control.hls,
            "control_n": fitted.control_n,
            "accuracy_at_control_n": fitted.accuracy_at_control_n,
            "margin": {"auc": self.margin},
        }
        if name == "hls":
            details |= kept_scores(sides, fitted.repeats, fitted.control_fitted)
        return details

    def _decide(self, judged: _Judged, p_adjusted: float | None) -> Decision:
        shown = p_adjusted is not None and p_adjusted <= self.alpha
        if judged.fitted is None:
            assert judged.reason is not None
            if not shown:
                return Decision("undecided", judged.reason)
            return Decision(
                "different",
                f"{_most_different(judged)}; how well a classifier does is not known: {judged.reason}",
            )
        untested = judged.sides.design.too_few_permutations() if p_adjusted is None else None
        return self._recognition(judged.fitted.scores, judged.sides).decide(
            _most_different(judged) if shown else None, lambda: _why_so_low(judged), untested=untested
        )

    def _recognition(self, scores: Scores, sides: Sides) -> Recognition:
        n = (len(sides.real), len(sides.simulated))
        return Recognition(scores, n, sides.n_units, self.margin, self.alpha)


def _maker(view: View) -> Callable[[], Classifier]:
    return view.make if isinstance(view, TextView) else logistic_regression


def _most_different(judged: _Judged) -> str:
    """Name the feature in which the sides differ most, with its share on both sides."""
    assert judged.distances is not None
    assert judged.view is not None
    if judged.distances.largest is None:
        return "the sides differ in many small ways"
    kind, column = judged.distances.largest
    compared, names = judged.view.compared[kind]
    has = np.asarray(compared.single[:, [column]].sum(axis=1)).ravel() > 0
    if compared.single is compared.weighed:
        return f"the largest difference is in {names[column]}"
    real, simulated = (float(has[side].mean()) for side in (judged.sides.is_human, ~judged.sides.is_human))
    return f"the largest difference: {names[column]} in {simulated:.0%} of simulated, {real:.0%} of real conversations"


def _why_so_low(judged: _Judged) -> str:
    """Say what was found that makes a classifier take the simulated for the human, if anything was."""
    assert judged.view is not None
    from sklearn.metrics.pairwise import cosine_similarity

    sides, features = judged.sides, judged.view.features
    people, simulated = features[sides.is_human], features[~sides.is_human]
    if simulated.shape[0] > MAX_SOUGHT:
        simulated = simulated[np.linspace(0, simulated.shape[0] - 1, MAX_SOUGHT).astype(np.int64)]
    size = max(1, MAX_COSINES // max(1, people.shape[0]))
    parts = (simulated[start : start + size] for start in range(0, simulated.shape[0], size))
    nearest = np.concatenate([cosine_similarity(some, people).max(axis=1) for some in parts])
    near = int((nearest >= NEAR_COPY).sum())
    if near and isinstance(judged.view, TextView):
        return (
            f"{near} of {len(nearest)} simulated conversations nearly repeat a real one, so the classifier takes them "
            "for human; compare the simulator with people whose conversations it has not learned from"
        )
    return (
        "conversations of the two sides resemble each other in pairs, which happens where both sides met the same "
        "scenarios; name these as `task` or `persona` on both sides, so that pairs are kept together"
    )
