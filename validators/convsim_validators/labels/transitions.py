"""Do simulated shoppers go from one dialogue act to the next as people do?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field, JsonValue

from convsim._settings import ErrorRate, ResampleCount, check_settings
from convsim.metrics.labels import ACTS, acts_by_message
from convsim.schema import Corpus, Finding, HumanBaseline, LabelOrigin, Needs
from convsim.schema.arrays import FloatArray, IntArray
from convsim.schema.conversation import Conversation
from convsim.seeds import generator
from convsim.stats.decision import ALPHA, Decision, Evidence, decide, equivalence_level
from convsim.stats.equivalence import needed, stated
from convsim.stats.multiplicity import max_t, permutation_p_value
from convsim.stats.resampling import Design, Weights, bootstrap, bootstrap_at_size, weighed
from convsim.stats.sample_size import one_sided_errors
from convsim.stats.variance_components import VarianceComponents
from convsim_validators.labels.total_variation import Differences, power_to_align, total_variation

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MIN_UNITS = 8
START, END = "(start)", "(end)"
N_SHOWN = 10
MAX_CHARACTERS = 60

Transition = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Transitions:
    """Compares the transitions between acts of a user's successive messages, the first and the last included.

    H0: real and simulated conversations of a stratum (task and arm) are exchangeable by unit. Rejecting it says that
    the proportions of transitions differ somewhere. A message with several acts shares its transitions among them, so
    that every step from one message to the next counts once.

    Source:
        Bigrams of dialogue acts, after Meshi et al. (2026), ConvApparel; the distance is total variation, its interval
        that of ``Differences.confidence_limits``.
    """

    name: ClassVar[str] = "transitions"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = "Meshi et al. (2026), ConvApparel, arXiv 2602.16938: dialogue acts"

    margin: Annotated[float, Field(ge=0, le=1)] = 0.10
    """Proportion of transitions that may lie elsewhere for two populations to count as alike."""
    alpha: ErrorRate = ALPHA
    n_resamples: ResampleCount = 999

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return one finding where both sides carry acts by one source, and none otherwise."""
        origin = _common_origin(real, simulated)
        if origin is None:
            return []
        counted = [_labelled(side, origin) for side in (real, simulated)]
        design = Design.of(*counted)
        names = sorted({step for side in counted for c in side.conversations for step in steps_of(c, origin)})
        tables = [
            _table(side.conversations, origin, names, units.unit_of, units.n_units)
            for side, units in zip(counted, (design.real, design.simulated), strict=True)
        ]
        shares = [_shares(table, np.ones((table.shape[1], 1), np.float32))[:, 0] for table in tables]
        furthest = _furthest(names, shares[0], shares[1])
        details: dict[str, JsonValue] = {
            "label_source": origin.source,
            "margin": self.margin,
            "n_units_real": design.real.n_units,
            "n_units_simulated": design.simulated.n_units,
            "n_resamples": self.n_resamples,
            "transitions": [dict(step) for step in furthest],
        }
        n = (len(counted[0]), len(counted[1]))
        if min(design.real.n_units, design.simulated.n_units) < MIN_UNITS:
            few = f"fewer than {MIN_UNITS} users or conversations of one side have act labels"
            estimate = float(total_variation(shares[0], shares[1]))
            return [self._finding(estimate, n, Decision("undecided", few), details, seed)]
        drawn = self._drawn(tables, design, seed)
        n_units = (design.real.n_units, design.simulated.n_units)
        differences = Differences.of((shares[0], shares[1]), drawn, n_units)
        baseline = self._human_baseline(tables[0], design, seed)
        untested = design.too_few_permutations()
        p_value = p_adjusted = None
        if untested is None:
            distances = self._dealt(tables, design, seed)
            p_value = permutation_p_value(float(distances[0]), distances[1:])
            p_adjusted = max_t({self.name: distances})[self.name]
        upper = differences.confidence_limits(equivalence_level(self.alpha))[1]
        growth = differences.growth_to_align(self.margin, errors=one_sided_errors(self.alpha))
        decision = decide(
            Evidence(differences.estimate, upper, self.margin, p_adjusted, growth=growth, alpha=self.alpha)
        )
        if decision.verdict == "different":
            decision = Decision("different", f"{decision.reason}: {_said(furthest[0])}")
        elif decision.verdict == "undecided" and untested:
            decision = replace(decision, reason=f"{decision.reason}; {untested}")
        if decision.verdict == "undecided" and (
            needs := self._needs(drawn, (shares[0], shares[1]), n, design)
        ):
            details |= stated(needs, n)
            decision = replace(
                decision, reason=f"{decision.reason}; if nothing differs, {needs.words} would show it"
            )
        finding = self._finding(differences.estimate, n, decision, details, seed)
        interval = differences.confidence_limits(0.95)
        return [finding.but(interval=interval, p_value=p_value, p_adjusted=p_adjusted, noise_floor=baseline)]

    def _drawn(
        self, tables: Sequence[csr_matrix], design: Design, seed: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return both sides' proportions in each replicate, shape (kinds, replicates)."""
        real, simulated = (
            _shares(table, bootstrap(side, self.n_resamples, generator(seed, self.name, name)))
            for table, side, name in zip(
                tables, (design.real, design.simulated), ("real", "simulated"), strict=True
            )
        )
        return real, simulated

    def _needs(
        self,
        drawn: tuple[FloatArray, FloatArray],
        shares: tuple[FloatArray, FloatArray],
        n: tuple[int, int],
        design: Design,
    ) -> Needs | None:
        """Return how much more data show the sides to be alike in four of five cases if nothing differs."""
        real, simulated = (side - observed[:, None] for side, observed in zip(drawn, shares, strict=True))
        errors = one_sided_errors(self.alpha)

        def power(n_real: int, n_simulated: int) -> float:
            growth = n_real / n[0], n_simulated / n[1]
            deviations = real / growth[0] ** 0.5, simulated / growth[1] ** 0.5
            units = design.real.n_units * growth[0], design.simulated.n_units * growth[1]
            return power_to_align(deviations, units, self.margin, errors=errors)

        return needed(power, n)

    def _human_baseline(self, table: csr_matrix, design: Design, seed: int) -> HumanBaseline:
        groups = [
            _shares(
                table,
                bootstrap_at_size(
                    design.real, side.n_units, self.n_resamples, generator(seed, self.name, name)
                ),
            )
            for side, name in ((design.real, "first"), (design.simulated, "second"))
        ]
        apart = total_variation(groups[0], groups[1])
        return HumanBaseline(mean=float(apart.mean()), q95=float(np.quantile(apart, 0.95)))

    def _dealt(self, tables: Sequence[csr_matrix], design: Design, seed: int) -> FloatArray:
        """Return the distance in standard errors, as observed and as dealt anew; shape (1 + permutations,)."""
        from scipy.sparse import hstack

        weights = design.dealings(self.n_resamples, generator(seed, self.name, "deal"))
        table = hstack(tables).tocsr()
        now_real, everything = (
            weighed(table, weights),
            np.asarray(table.sum(axis=1), np.float64),
        )
        apart = total_variation(_normalised(now_real), _normalised(everything - now_real))
        sizes = np.asarray(table.sum(axis=0), np.float64).ravel()
        # A step is one transition, so the mean of its square is the mean itself.
        components = VarianceComponents.of(table.T.tocsr(), sizes, everything.ravel() / everything.sum())
        errors = np.sqrt((components.errors(weights) ** 2).sum(axis=0))
        return np.asarray(np.divide(apart, errors, out=np.zeros_like(apart), where=errors > 0), np.float64)

    def _finding(
        self,
        estimate: float,
        n: tuple[int, int],
        decision: Decision,
        details: dict[str, JsonValue],
        seed: int,
    ) -> Finding:
        return Finding(
            validator=self.name,
            metric="act_transitions",
            question="Do simulated shoppers go from one dialogue act to the next as people do?",
            estimate=estimate,
            unit="total variation distance",
            verdict=decision.verdict,
            reason=decision.reason,
            n_real=n[0],
            n_simulated=n[1],
            seed=seed,
            version=self.version,
            source=self.source,
            details=details,
        )


def _common_origin(real: Corpus, simulated: Corpus) -> LabelOrigin | None:
    """Name the labels of acts that metrics of both sides are read from."""
    for name, metric in real.metrics.items():
        other = simulated.metrics.get(name)
        if metric.label and metric.label.name == ACTS and other is not None and other.label == metric.label:
            return metric.label
    return None


def _labelled(side: Corpus, origin: LabelOrigin) -> Corpus:
    return side.where(lambda conversation: bool(acts_by_message(conversation, origin)))


def steps_of(conversation: Conversation, origin: LabelOrigin) -> dict[Transition, float]:
    """Count the steps between a conversation's messages; each step sums to 1 over the pairs of acts that it makes."""
    counts: dict[Transition, float] = defaultdict(float)
    listed = [acts or ["other"] for acts in acts_by_message(conversation, origin)]
    for here, there in pairwise([[START], *listed, [END]]):
        for first in here:
            for second in there:
                counts[first, second] += 1 / (len(here) * len(there))
    return counts


def _table(
    conversations: Sequence[Conversation],
    origin: LabelOrigin,
    names: Sequence[Transition],
    unit_of: IntArray,
    n_units: int,
) -> csr_matrix:
    """Return the weight of each transition in each unit; shape (transitions, units)."""
    from scipy.sparse import csr_matrix

    row_of = {name: row for row, name in enumerate(names)}
    entries = [
        (row_of[step], unit, weight)
        for conversation, unit in zip(conversations, unit_of, strict=True)
        for step, weight in steps_of(conversation, origin).items()
    ]
    rows, columns, weights = zip(*entries, strict=True) if entries else ((), (), ())
    return csr_matrix((np.asarray(weights, np.float64), (rows, columns)), shape=(len(names), n_units))


def _shares(table: csr_matrix, weights: Weights) -> FloatArray:
    return _normalised(weighed(table, weights))


def _normalised(counts: FloatArray) -> FloatArray:
    totals = counts.sum(axis=0)
    shares: FloatArray = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    return shares


def _furthest(
    names: Sequence[Transition], real: FloatArray, simulated: FloatArray
) -> list[dict[str, str | float]]:
    order = np.argsort(-np.abs(real - simulated), kind="stable")[:N_SHOWN]
    return [
        {"from": names[i][0], "to": names[i][1], "real": float(real[i]), "simulated": float(simulated[i])}
        for i in order
    ]


def _said(step: Mapping[str, str | float]) -> str:
    before, after = (str(step[end])[:MAX_CHARACTERS] for end in ("from", "to"))
    return (
        f"most of all, {step['simulated']:.0%} of the simulator's and {step['real']:.0%} of people's steps go from "
        f"{before} to {after}"
    )
