"""Are habits like people's, all metrics together? A test of equivalence on average, beside one of any difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from math import sqrt

import numpy as np
from pydantic import JsonValue

from convsim.schema import HumanBaseline, Needs
from convsim.schema.arrays import FloatArray
from convsim.seeds import generator
from convsim.stats.change import Known
from convsim.stats.contrasts import Contrasts
from convsim.stats.decision import Decision
from convsim.stats.equivalence import Margins, needed
from convsim.stats.joint_equivalence import Joint, JointRule, far_off, joint_power, normal_draws
from convsim.stats.multiplicity import permutation_p_value, studentised

NAME = "all_metrics"
UNIT = "root mean square of Cliff's delta"
MIN_METRICS = 2
MIN_PEOPLE = 30
"""Units on either side below which the average over metrics decides nothing."""
N_NAMED = 3
N_POWER_DRAWS = 400


@dataclass(frozen=True)
class Together:
    """All judged metrics as one number, and what dealing the sides anew says of it."""

    contrasts: Contrasts
    rule: JointRule
    margins: tuple[Margins, ...]
    """Of each metric."""
    n: tuple[int, int]
    """Conversations of people and of the simulator."""
    n_units: tuple[int, int]
    statistic: FloatArray
    """Shape (1 + permutations,): the sum of squared standardised differences in rank, as observed first."""
    seed: int

    @staticmethod
    def add_up(dealt: Sequence[FloatArray]) -> FloatArray:
        """Add up the metrics' differences in rank; each is on the scale of its own permutations, whatever its unit.

        Args:
            dealt: Differences in standard errors, as observed and under the same permutations, a metric each.
        """
        return np.asarray((studentised(np.stack(dealt)) ** 2).sum(axis=0))

    @cached_property
    def joint(self) -> Joint:
        """The distance over all metrics, in location."""
        return Joint.of(self.contrasts)

    @cached_property
    def spread(self) -> Joint:
        """The same in spread."""
        return Joint.of(self.contrasts, "spread")

    @property
    def p_value(self) -> float:
        """Of the test of any difference, alone."""
        return permutation_p_value(float(self.statistic[0]), self.statistic[1:])

    @cached_property
    def upper(self) -> tuple[float, float]:
        """The limits, of location and spread, that must lie inside their margins."""
        return self.joint.limits(self.rule.z)[1], self.spread.limits(self.rule.z)[1]

    @property
    def inside(self) -> bool:
        """Whether both do."""
        return self.upper[0] <= self.rule.margin and self.upper[1] <= self.rule.spread_margin

    @cached_property
    def far_off(self) -> tuple[str, ...]:
        """The metrics that lie beyond a margin of their own for sure, all of them looked at together."""
        limits = np.asarray([*(m.delta for m in self.margins), *(m.spread for m in self.margins)])
        beyond = far_off(
            self.contrasts.estimates, self.contrasts.covariance, limits, alpha=self.rule.alpha,
            rng=generator(self.seed, NAME, "far off"),
        )  # fmt: skip
        names = self.contrasts.names
        return tuple(name for k, name in enumerate(names) if beyond[k] or beyond[len(names) + k])

    @cached_property
    def needs(self) -> Needs | None:
        """How much more data find the sides alike in four of five cases if nothing differs."""
        people, simulated = self.contrasts.covariances_at_equality

        def power(n_real: int, n_simulated: int) -> float:
            covariance = people * self.n[0] / n_real + simulated * self.n[1] / n_simulated
            draws = generator(self.seed, NAME, "power")
            return joint_power(covariance, self.joint.weights, self.rule, n_draws=N_POWER_DRAWS, rng=draws)

        return needed(power, self.n)

    def baseline(self) -> HumanBaseline:
        """How far two random groups of people of the sides' sizes differ."""
        n_real, n_simulated = self.n
        k = len(self.contrasts.names)
        people = self.contrasts.covariances_at_equality[0][:k, :k] * n_real * (1 / n_real + 1 / n_simulated)
        root = np.sqrt(self.joint.weights)
        covariance = people * np.outer(root, root)
        draws = normal_draws(covariance, N_POWER_DRAWS, generator(self.seed, NAME, "baseline"))
        square = ((draws**2).sum(axis=1) - np.trace(covariance)).clip(min=0)
        return HumanBaseline(mean=float(np.sqrt(square).mean()), q95=sqrt(float(np.quantile(square, 0.95))))

    def decide(self, p_adjusted: float | None) -> Decision:
        """Decide: alike on average and no metric far off; else different, if shown; else more data are needed."""
        rule, limit = self.rule, f"{100 * (1 - 2 * self.rule.alpha):.0f} % limits and margins"
        said = (
            f"on average over {len(self.contrasts.names)} metrics, location differs by {self.joint.distance:.3f}, at "
            f"most {self.upper[0]:.3f} of {rule.margin:g}, and spread by {self.spread.distance:.3f}, at most "
            f"{self.upper[1]:.3f} of {rule.spread_margin:g} ({limit})"
        )
        if min(self.n_units) < MIN_PEOPLE:
            return Decision(
                "undecided",
                f"{self.n_units[0]} real and {self.n_units[1]} simulated users or conversations; the average over "
                f"metrics is judged from {MIN_PEOPLE} on each side",
            )
        if self.far_off and p_adjusted is not None:
            return Decision(
                "different", f"{_furthest(self.contrasts, self.far_off)} beyond the margin; {said}"
            )
        if self.inside and not self.far_off:
            return Decision("aligned", f"{said}; no metric is far off")
        furthest = _furthest(self.contrasts, self.contrasts.names)
        if p_adjusted is not None and p_adjusted <= self.rule.alpha:
            return Decision("different", f"more than chance explains: {said}; furthest: {furthest}")
        return Decision(
            "undecided",
            f"neither within the margins nor shown to differ: {said}; furthest: {furthest}",
        )

    def describe(self) -> dict[str, JsonValue]:
        """Return what the finding says beside its distance."""
        names = self.contrasts.names
        of_delta, of_spread = (joint.contributions(names) for joint in (self.joint, self.spread))
        return {
            "cliffs_delta_by_metric": dict(zip(names, map(float, self.contrasts.delta), strict=True)),
            "spread_by_metric": dict(zip(names, map(float, self.contrasts.spread), strict=True)),
            "contributions": {name: of_delta[name] + of_spread[name] for name in names},
            "weights": dict(zip(names, map(float, self.joint.weights), strict=True)),
            "errors_by_metric": self._errors(),
            **self._squares(),
            "margin": self.rule.margin,
            "equivalence_upper": self.upper[0],
            "spread": self.spread.distance,
            "spread_margin": self.rule.spread_margin,
            "spread_upper": self.upper[1],
            "far_off": list(self.far_off),
            "n_units_real": self.n_units[0],
            "n_units_simulated": self.n_units[1],
        }

    def _squares(self) -> dict[str, JsonValue]:
        """Return what a later version of the simulator is compared with where these conversations are gone."""
        joint, by_metric = Known.of(self.contrasts, self.joint.weights)
        squares: dict[str, JsonValue] = {name: asdict(known) for name, known in by_metric.items()}
        return {"joint_square": asdict(joint), "squares_by_metric": squares}

    def _errors(self) -> dict[str, JsonValue]:
        """Return the standard errors of each metric's delta and spread."""
        errors = np.sqrt(np.diag(self.contrasts.covariance)).reshape(2, -1)
        return {name: [float(e) for e in errors[:, k]] for k, name in enumerate(self.contrasts.names)}


def _furthest(contrasts: Contrasts, of: Sequence[str]) -> str:
    """Name the metrics that lie furthest apart, with Cliff's delta or, where that is larger, the spread score."""
    told: list[tuple[float, str]] = []
    for name in of:
        delta, spread = map(float, contrasts.by_metric[name].estimates)
        words = f"{name} {delta:+.2f}" if abs(delta) >= abs(spread) else f"{name} {spread:+.2f} in spread"
        told.append((max(abs(delta), abs(spread)), words))
    told.sort(key=lambda each: -each[0])
    more = f" and {len(told) - N_NAMED} more" if len(told) > N_NAMED else ""
    return ", ".join(words for _, words in told[:N_NAMED]) + (
        more if len(told) < len(contrasts.names) else ""
    )
