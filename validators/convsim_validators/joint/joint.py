"""Do the habits of simulated shoppers go together as people's do?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
from pydantic import Field, JsonValue

from convsim._settings import ErrorRate, ResampleCount, check_settings
from convsim.schema import Corpus, Finding, HumanBaseline, Interval, Verdict
from convsim.schema.arrays import FloatArray, IntArray
from convsim.schema.corpus import refused_labels
from convsim.seeds import child_seed, generator
from convsim.stats.copula import DISTANCE, GAUSSIAN, Pairs
from convsim.stats.decision import ALPHA
from convsim.stats.dependence import RankCorrelations, scores_within, untied_within
from convsim.stats.joint_equivalence import JointRule, far_off, normal_draws
from convsim.stats.multiplicity import max_t, permutation_p_value
from convsim.stats.resampling import Weights
from convsim.stats.sides import Sides
from convsim.stats.units import some_units
from convsim_validators.joint.forest import Forest

MIN_UNITS = 20
"""Fewer a side: ranks of so few rows are not worth a p-value of the largest of many correlations."""
MIN_TO_ALIGN = 30
"""Units on either side from which likeness is judged, as with habits on average."""
MIN_METRICS = 2
MAX_ROWS = 1_000
"""Of a side for which all pairs of rows are compared; beyond, the distances take whole units at random."""
MOST_COMMON = 0.9
"""A habit of which more of a side's conversations have one value is left out: its correlations hang on a few."""
N_PAIRS = 10
N_BASELINES = 400
QUESTIONS = {
    "rank_correlations": "Are pairs of habits correlated as with people?",
    "energy_distance": "Do habits go together as with people, all at once (energy distance)?",
    "mmd": "Do habits go together as with people, all at once (Gaussian kernel)?",
    "forest": "Can a random forest tell the sides apart by how habits go together?",
}


class _Answer(NamedTuple):
    verdict: Verdict
    reason: str
    estimate: float | None = None
    interval: Interval | None = None
    noise_floor: HumanBaseline | None = None


@dataclass(frozen=True)
class _Habits:
    """The habits of both sides that can be held against each other."""

    sides: Sides
    names: tuple[str, ...]

    @classmethod
    def of(cls, real: Corpus, simulated: Corpus) -> _Habits:
        refused = refused_labels(real, simulated)
        sides = Sides.of(real, simulated)
        names = [
            name
            for name, metric in real.metrics.items()
            if metric.role == "metric" and metric.judged_by == "marginals" and name in simulated.metrics
            and name not in refused and all(_varies(side, name) for side in (real, simulated))
        ]  # fmt: skip
        return cls(sides, tuple(names))

    @cached_property
    def values(self) -> FloatArray:
        """Shape (rows, habits)."""
        both = [
            np.column_stack([np.asarray(side.table[name], np.float64) for name in self.names])
            for side in (self.sides.real, self.sides.simulated)
        ]
        return np.concatenate(both)

    @cached_property
    def scores(self) -> FloatArray:
        """Shape (rows, habits): ranks within each side."""
        return scores_within(self.values, self.sides.is_human)

    @cached_property
    def complete(self) -> FloatArray:
        """Shape (rows, habits): the values of the habits that every conversation has."""
        return self.values[:, ~np.isnan(self.values).any(axis=0)]

    @property
    def reason(self) -> str | None:
        """Why nothing can be told, if so."""
        if not len(self.sides.real) or not len(self.sides.simulated):
            return "a side has no conversations"
        n_units = self.sides.design.real.n_units, self.sides.design.simulated.n_units
        if min(n_units) < MIN_UNITS:
            return f"{n_units[0]} real and {n_units[1]} simulated users; at least {MIN_UNITS} on each side are needed"
        if len(self.names) < MIN_METRICS:
            return f"{len(self.names)} habits vary on both sides; at least {MIN_METRICS} are needed"
        return self.sides.design.too_few_permutations()


def _varies(side: Corpus, name: str) -> bool:
    values = np.asarray(side.table[name], np.float64)
    counts = np.unique(values[~np.isnan(values)], return_counts=True)[1]
    n = int(counts.sum())
    return n >= MIN_UNITS and int(counts.max()) <= MOST_COMMON * n


@dataclass(frozen=True, kw_only=True)
class Joint:
    """Compares how habits hang together, whatever the distribution of each: every marginal right, and the joint wrong.

    H0: but for the distributions of single habits, units of a stratum are exchangeable between the sides (one
    copula). Values are ranks within their side, so that a habit that is stronger or wider on one side alone makes no
    difference here. Pairs take the conversations that have both habits; the distances take the habits that every
    conversation has, and ranks within the sides of each dealing. `different` is decided on the same dealings for all
    questions, corrected by step-down max-T. `aligned` needs the root mean square of the differences of correlations
    within the margin, and no pair beyond ``pair_margin`` for sure; the distances never say it.

    Source:
        Gretton et al. (2012); Szekely and Rizzo (2004), energy distance; Lopez-Paz and Oquab (2017) for the forest,
        which is shown only.
    """

    name: ClassVar[str] = "joint"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = (
        "convsim: permutation tests of rank correlations and kernels of ranks within sides"
    )

    margin: Annotated[float, Field(ge=0, le=1)] = 0.10
    """Root mean square of the differences of rank correlations up to which the sides count as alike (Cohen's small)."""
    pair_margin: Annotated[float, Field(ge=0, le=2)] = 0.30
    """Difference of one correlation beyond which no pair may lie for sure: Cohen's (1988) medium."""
    alpha: ErrorRate = ALPHA
    n_resamples: ResampleCount = 999

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return the findings ``rank_correlations``, ``energy_distance``, ``mmd`` and, shown only, ``forest``."""
        from threadpoolctl import threadpool_limits

        habits = _Habits.of(real, simulated)
        if reason := habits.reason:
            nothing = _Answer("undecided", reason)
            return [self._finding(name, nothing, habits, {}, seed=seed) for name in QUESTIONS]
        with threadpool_limits(1):
            return self._judged(habits, seed)

    def _judged(self, habits: _Habits, seed: int) -> list[Finding]:
        sides = habits.sides
        dealt = sides.design.dealings(self.n_resamples, generator(seed, self.name, "permutation"))
        correlations = RankCorrelations.of(habits.scores, sides.is_human, sides.unit_of)
        tested: dict[str, FloatArray] = {}
        if correlations.pairs:
            tested["rank_correlations"] = correlations.apart(dealt).studentised
        tested |= self._distances(habits, dealt, seed)
        adjusted = max_t(tested)
        found = []
        for name in ("rank_correlations", "energy_distance", "mmd"):
            details: dict[str, JsonValue] = {}
            if name not in tested:
                answer = _Answer("undecided", "no two habits are known of enough conversations")
            elif name == "rank_correlations":
                answer, details = self._of_correlations(habits, correlations, adjusted[name], seed)
            else:
                answer, details = (
                    self._of_distance(adjusted[name], habits),
                    {"n_habits": habits.complete.shape[1]},
                )
            found.append(
                self._finding(
                    name,
                    answer,
                    habits,
                    details,
                    seed=seed,
                    tested=tested.get(name),
                    p_adjusted=adjusted.get(name),
                )
            )
        return [*found, self._of_forest(habits, seed)]

    def _distances(self, habits: _Habits, dealt: Weights, seed: int) -> Mapping[str, FloatArray]:
        if habits.complete.shape[1] < MIN_METRICS:
            return {}
        rows = self._some(habits, seed)
        pairs = Pairs(habits.complete[rows], habits.sides.unit_of[rows])
        return pairs.distances(dealt, {"energy_distance": DISTANCE, "mmd": GAUSSIAN})

    def _some(self, habits: _Habits, seed: int) -> IntArray:
        sides = habits.sides
        kept = [
            some_units(side, MAX_ROWS, generator(seed, self.name, "sample", name))
            for name, side in (("real", sides.real), ("simulated", sides.simulated))
        ]
        return np.concatenate([kept[0], len(sides.real) + kept[1]])

    def _of_correlations(
        self, habits: _Habits, found: RankCorrelations, p_adjusted: float, seed: int
    ) -> tuple[_Answer, dict[str, JsonValue]]:
        rule, names = JointRule(self.margin, self.alpha, self.margin), habits.names
        upper = found.joint.limits(rule.z)[1]
        beyond = far_off(
            found.joint.estimates, found.covariance, np.full(len(found.pairs), self.pair_margin), alpha=self.alpha,
            rng=generator(seed, self.name, "far off"),
        )  # fmt: skip
        told: list[dict[str, JsonValue]] = [
            {
                "first": names[pair.columns[0]], "second": names[pair.columns[1]], "real": pair.real,
                "simulated": pair.simulated, "error": pair.error,
            }
            for pair in found.told[:N_PAIRS]
        ]  # fmt: skip
        details: dict[str, JsonValue] = {
            "pairs": list(told),
            "n_pairs": len(found.pairs),
            "margin": {"correlations": self.margin, "pair": self.pair_margin},
            "equivalence_upper": upper,
        }
        said = (
            f"rank correlations of {len(found.pairs)} pairs differ by {found.joint.distance:.3f} (root mean square), "
            f"at most {upper:.3f} of {self.margin:g}; furthest: {_in_words(told[0])}"
        )
        verdict: Verdict = "undecided"
        if p_adjusted <= self.alpha:
            verdict = "different"
            details |= {"giveaway": f"Habits do not go together as people’s do: {_in_words(told[0])}"}
            details |= {"examples": list(_examples(habits, found))}
        elif upper <= self.margin and not beyond.any() and min(_units(habits)) >= MIN_TO_ALIGN:
            verdict = "aligned"
        else:
            said += "; neither within the margin nor shown to differ"
        interval = found.joint.limits(JointRule(alpha=0.025).z)
        baseline = self._baseline(found, habits, seed)
        return _Answer(verdict, said, found.joint.distance, interval, baseline), details

    def _baseline(self, found: RankCorrelations, habits: _Habits, seed: int) -> HumanBaseline:
        """How far two random groups of people of the sides' sizes differ."""
        n = [len(habits.sides.real), len(habits.sides.simulated)]
        people = found.people_covariance * n[0] * (1 / n[0] + 1 / n[1]) / len(found.pairs)
        draws = normal_draws(people, N_BASELINES, generator(seed, self.name, "baseline"))
        square = ((draws**2).sum(axis=1) - np.trace(people)).clip(min=0)
        return HumanBaseline(
            mean=float(np.sqrt(square).mean()), q95=float(np.sqrt(np.quantile(square, 0.95)))
        )

    def _of_distance(self, p_adjusted: float, habits: _Habits) -> _Answer:
        of = f"over the {habits.complete.shape[1]} habits that every conversation has"
        if p_adjusted <= self.alpha:
            return _Answer("different", f"ranks of habits go together otherwise than with people, {of}")
        return _Answer(
            "undecided",
            f"no difference is shown {of}; whether the sides are alike is judged by rank_correlations",
        )

    def _of_forest(self, habits: _Habits, seed: int) -> Finding:
        own = child_seed(seed, self.name, "forest")
        untied = untied_within(habits.values, habits.sides.is_human, generator(own, "ties"))
        found = Forest.of(habits.sides, untied, seed=own)
        answer = _Answer("undecided", found.reason, found.auc, found.interval)
        return self._finding(
            "forest", answer, habits, {"role": "control", "n_habits": len(habits.names)}, seed=seed
        )

    def _finding(
        self, name: str, answer: _Answer, habits: _Habits, details: Mapping[str, JsonValue], *, seed: int,
        tested: FloatArray | None = None, p_adjusted: float | None = None,
    ) -> Finding:  # fmt: skip
        sides = habits.sides
        n_units = _units(habits) if len(sides.real) and len(sides.simulated) else (0, 0)
        units = {"n_units_real": n_units[0], "n_units_simulated": n_units[1], "n_resamples": self.n_resamples}
        return Finding(
            validator=self.name,
            metric=name,
            question=QUESTIONS[name],
            estimate=answer.estimate,
            unit={"rank_correlations": "difference of correlations", "forest": "AUC"}.get(name, "-"),
            interval=answer.interval,
            p_value=None if tested is None else permutation_p_value(float(tested[0]), tested[1:]),
            p_adjusted=p_adjusted,
            noise_floor=answer.noise_floor,
            verdict=answer.verdict,
            reason=answer.reason,
            n_real=len(sides.real),
            n_simulated=len(sides.simulated),
            seed=seed,
            version=self.version,
            source=self.source,
            details={**details, **units},
        )


def _units(habits: _Habits) -> tuple[int, int]:
    return habits.sides.design.real.n_units, habits.sides.design.simulated.n_units


def _in_words(pair: Mapping[str, JsonValue]) -> str:
    names = " and ".join(str(pair[key]).replace("_", " ") for key in ("first", "second"))
    return f"{names}: correlation {pair['simulated']:+.2f}, people {pair['real']:+.2f}"


def _examples(habits: _Habits, found: RankCorrelations) -> list[JsonValue]:
    """Return three simulated conversations that do most for the first pair's correlation, and one of people."""
    pair = found.told[0]
    place = found.pairs.index(pair.columns)
    towards = np.sign(pair.simulated - pair.real)
    added = found.contributions[:, place] * towards
    n_real = len(habits.sides.real)
    simulated = np.argsort(-added[n_real:], kind="stable")[:3]
    person = int(np.argmin(added[:n_real]))
    shown = [("simulated", habits.sides.simulated.conversations[int(row)].id) for row in simulated]
    shown.append(("people", habits.sides.real.conversations[person].id))
    return [{"side": side, "conversation": name, "message": None, "value": None} for side, name in shown]
