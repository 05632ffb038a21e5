"""Do simulated shoppers type as people do?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, JsonValue

from convsim._settings import ErrorRate, ResampleCount, check_settings
from convsim.schema import Corpus, Finding, HumanBaseline
from convsim.schema.arrays import BoolArray, FloatArray
from convsim.seeds import child_seed, generator
from convsim.stats.decision import ALPHA, Decision, equivalence_level
from convsim.stats.discriminator import CrossFitted, cross_fit_repeatedly, out_of_fold_aucs
from convsim.stats.equivalence import stated
from convsim.stats.multiplicity import max_t, permutation_p_value
from convsim.stats.recognition import Recognition
from convsim.stats.resampling import Weights
from convsim.stats.scores import Scores, score
from convsim.stats.sides import Sides
from convsim.stats.two_sample import Distances, by_column, distances
from convsim.stats.units import some_units
from convsim.stats.view import View, logistic_regression, tells
from convsim_validators.typography.audit import Audit, Marked
from convsim_validators.typography.characters import Runs
from convsim_validators.typography.wording import Told, Written, told_of_characters, told_of_formats

MAX_CONVERSATIONS = 1_500
"""Of a side that are looked at; of more, whole users or personas at random."""
HUMAN_SPLITS = 5
"""How often people are split in two for the human baseline."""
REPEATS = 1
"""How often folds are dealt."""
CHARACTERS, FORMAT = "characters", "format"
QUESTIONS = {
    CHARACTERS: "Do simulated shoppers type as people do: capitals, marks and spaces, whatever the words?",
    FORMAT: "Are both sides alike in format: white space, Unicode form, quotes, markdown, emoji, letter case?",
}
NOTHING_VARIES = "no format varies between conversations, so nothing could tell the sides apart"


@dataclass(frozen=True)
class _Fitted:
    """What a view's classifier recognises, beside what it recognises between people."""

    repeats: tuple[CrossFitted, ...]
    scores: Scores
    control_aucs: FloatArray
    """Shape (human splits,)."""


@dataclass(frozen=True)
class _Judged:
    """What is known of one view: the two-sample test, the classifier, and why either is missing."""

    view: View | None = None
    distances: Distances | None = None
    fitted: _Fitted | None = None
    reason: str | None = None
    """Why there is no classifier."""

    @property
    def p_value(self) -> float | None:
        """Of the two-sample test, before it is corrected for the other view."""
        if self.distances is None:
            return None
        top = self.distances.studentised
        return permutation_p_value(float(top[0]), top[1:])


@dataclass(frozen=True)
class _Seen:
    """Both sides, as far as their users wrote anything."""

    sides: Sides
    messages: Marked
    audit: Audit | None
    runs: Runs | None
    dealt: Weights | None
    """None where the sides can be dealt anew in too few ways."""

    @cached_property
    def n(self) -> tuple[int, int]:
        """Conversations of people and of the simulator."""
        return len(self.sides.real), len(self.sides.simulated)


@dataclass(frozen=True, kw_only=True)
class Typography:
    """Asks whether how messages are typed gives the simulator away, whatever they say.

    H0: conversations of the two sides are exchangeable by unit. Two views, each with a cross-fitted classifier and an
    exact two-sample test on the same dealings of whole units:

    - ``characters``: runs of one to three characters, letters written as their kinds (small, capital, with an accent).
      A view of the letters themselves would ask of words a second time, which ``hls`` does.
    - ``format``: an audit of known formats, each with what to clean in a file or to tell the shopper.

    Neither how many messages somebody writes nor how long they are moves a feature of ``characters``.

    Source:
        Lopez-Paz and Oquab (2017), Revisiting classifier two-sample tests; Gretton et al. (2012), A kernel two-sample
        test. The views are ours.
    """

    name: ClassVar[str] = "typography"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = "convsim: a classifier and a two-sample test on how messages are typed"

    margin: Annotated[float, Field(ge=0.5, le=1)] = 0.60
    """AUC up to which the sides count as alike: of this classifier, at these sizes."""
    alpha: ErrorRate = ALPHA
    n_resamples: ResampleCount = 999

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return the findings ``characters`` and ``format``."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):  # small products on many BLAS threads wait for one another
            seen = self._seen(real, simulated, seed)
            views = {
                CHARACTERS: seen.runs.view if seen.runs else None,
                FORMAT: seen.audit.view if seen.audit else None,
            }
            judged = {
                name: self._judge(seen, view, child_seed(seed, self.name, name))
                for name, view in views.items()
            }
        adjusted = max_t({name: one.distances.studentised for name, one in judged.items() if one.distances})
        return [self._finding(name, seen, one, adjusted.get(name), seed) for name, one in judged.items()]

    def _seen(self, real: Corpus, simulated: Corpus, seed: int) -> _Seen:
        sampled = [
            side.take(some_units(side, MAX_CONVERSATIONS, generator(seed, self.name, "sample", name)))
            for name, side in (("real", _written(real)), ("simulated", _written(simulated)))
        ]
        sides = Sides.of(sampled[0], sampled[1])
        messages = Marked.of((sides.real, sides.simulated))
        if sides.too_few("wrote anything"):
            return _Seen(sides, messages, None, None, None)
        dealt = None
        if sides.design.too_few_permutations() is None:
            dealt = sides.design.dealings(self.n_resamples, generator(seed, self.name, "permutation"))
        runs = Runs.of((sides.real, sides.simulated), sides.unit_of)
        return _Seen(sides, messages, Audit.of(messages, sides.unit_of), runs, dealt)

    def _judge(self, seen: _Seen, view: View | None, seed: int) -> _Judged:
        sides = seen.sides
        if view is None:
            return _Judged(reason=sides.too_few("wrote anything"))
        if not view.names:
            return _Judged(view, reason=NOTHING_VARIES)
        apart = None
        if seen.dealt is not None:
            apart = distances([kind for kind, _ in view.compared], sides.unit_of, seen.dealt)
        if undivided := sides.not_divisible():
            return _Judged(view, apart, reason=undivided)
        return _Judged(view, apart, self._fit(sides, view, seed))

    def _fit(self, sides: Sides, view: View, seed: int) -> _Fitted:
        """Train classifiers: twenty fits for both sides, and five for each split of the people."""
        rows, own = sides.rows(view.features), child_seed(seed, "simulator")
        repeats = cross_fit_repeatedly(rows, logistic_regression, repeats=REPEATS, seed=own)
        controls, _ = sides.controls(rows, n_splits=HUMAN_SPLITS, seed=child_seed(seed, "halves"))
        aucs = out_of_fold_aucs(controls, logistic_regression, seed=child_seed(seed, "control"))
        scores = score(repeats, n_resamples=self.n_resamples, seed=own)
        return _Fitted(repeats, scores, aucs)

    def _finding(
        self, name: str, seen: _Seen, judged: _Judged, p_adjusted: float | None, seed: int
    ) -> Finding:
        shown = p_adjusted is not None and p_adjusted <= self.alpha
        told = self._told(name, seen, judged) if shown else None
        decision = self._decide(seen, judged, told)
        details = self._describe(seen, judged)
        reason, baseline = decision.reason, None
        if told is not None and decision.verdict == "different":
            details |= told.details
        if fitted := judged.fitted:
            baseline = HumanBaseline(
                mean=float(fitted.control_aucs.mean()), q95=float(np.quantile(fitted.control_aucs, 0.95))
            )
            if decision.verdict == "undecided" and (needs := self._recognition(seen, fitted).needs()):
                details |= stated(needs, seen.n)
                reason += f"; if nothing tells them apart, {needs.words} would show it"
        return Finding(
            validator=self.name,
            metric=name,
            question=QUESTIONS[name],
            estimate=fitted.scores.auc if fitted else None,
            unit="AUC",
            interval=fitted.scores.interval("auc") if fitted else None,
            p_value=judged.p_value,
            p_adjusted=p_adjusted,
            noise_floor=baseline,
            verdict=decision.verdict,
            reason=reason,
            n_real=seen.n[0],
            n_simulated=seen.n[1],
            seed=seed,
            version=self.version,
            source=self.source,
            details=details,
        )

    def _told(self, name: str, seen: _Seen, judged: _Judged) -> Told:
        """Say in words in what the sides differ; ``judged`` is a view that a test shows to differ."""
        assert judged.distances is not None
        assert seen.dealt is not None
        written = Written(seen.sides, seen.messages)
        assert seen.runs is not None
        assert seen.audit is not None
        if name == CHARACTERS:
            return told_of_characters(written, seen.runs, judged.distances.largest)
        apart = by_column(seen.audit.standard, seen.sides.unit_of, seen.dealt)
        p_values = max_t({each.name: row for each, row in zip(seen.audit.formats, apart, strict=True)})
        differing = [
            column
            for column in np.argsort(-apart[:, 0], kind="stable").tolist()
            if p_values[seen.audit.formats[column].name] <= self.alpha
        ]
        return told_of_formats(written, seen.audit, differing)

    def _decide(self, seen: _Seen, judged: _Judged, told: Told | None) -> Decision:
        if judged.fitted is None:
            assert judged.reason is not None
            if told is None:
                return Decision("undecided", judged.reason)
            return Decision(
                "different", f"{told.reason}; how well a classifier does is not known: {judged.reason}"
            )
        untested = seen.sides.design.too_few_permutations() if seen.dealt is None else None
        return self._recognition(seen, judged.fitted).decide(
            told.reason if told else None,
            lambda: (
                "conversations of the two sides resemble each other in pairs, as copies of people do, or people who "
                "met the same scenarios"
            ),
            untested=untested,
        )

    def _recognition(self, seen: _Seen, fitted: _Fitted) -> Recognition:
        return Recognition(fitted.scores, seen.n, seen.sides.n_units, self.margin, self.alpha)

    def _describe(self, seen: _Seen, judged: _Judged) -> dict[str, JsonValue]:
        details: dict[str, JsonValue] = {
            "n_units_real": seen.sides.n_units[0],
            "n_units_simulated": seen.sides.n_units[1],
            "n_resamples": self.n_resamples,
            "max_conversations": MAX_CONVERSATIONS,
        }
        if judged.view is not None and judged.view.names:
            details["tells"] = tells(judged.view, seen.sides.is_human)
        if judged.fitted is None:
            return details
        scores, control = judged.fitted.scores, judged.fitted.control_aucs
        return details | {
            "accuracy": scores.accuracy,
            "accuracy_interval": list(scores.interval("accuracy")),
            "auc": scores.auc,
            "auc_interval": list(scores.interval("auc")),
            "hls": scores.hls,
            "hls_interval": list(scores.interval("hls")),
            "equivalence_upper": scores.interval("auc", equivalence_level(self.alpha))[1],
            "control_auc": float(control.mean()),
            "control_auc_q95": float(np.quantile(control, 0.95)),
            "margin": {"auc": self.margin},
        }


def _written(side: Corpus) -> Corpus:
    """Return the conversations whose user wrote anything."""
    wrote: BoolArray = np.asarray([bool(text.strip()) for text in side.user_texts], bool)
    return side if wrote.all() else side.take(np.flatnonzero(wrote))
