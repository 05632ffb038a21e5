"""Five comparisons of when and how both sides' conversations end, each as it is and under dealings of the sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import ceil

import numpy as np
from pydantic import JsonValue

from convsim.schema import Interval
from convsim.schema.arrays import FloatArray, IntArray
from convsim.stats.equivalence import normal_quantile
from convsim.stats.hazards import (
    Curves,
    LogRank,
    Stays,
    by_turn,
    joint_error,
    ratio,
)
from convsim.stats.proportions import effective_share, newcombe_limits
from convsim.stats.resampling import Weights, draw, weighed
from convsim.stats.survival import survival
from convsim_validators.endings.followed import BY_USER, HOW, Followed, How

Z_95 = normal_quantile(0.975)
LEAST_EXPECTED = 5
"""Endings that a turn, or a group of later ones, lets expect on the smaller side for its hazard to be compared."""
ENDINGS = ("accepted", "left", "otherwise", "still_there")


@dataclass(frozen=True)
class Measured:
    """What one comparison found."""

    name: str
    tested: Mapping[str, FloatArray]
    """Statistics by name, each of shape (dealings,): as observed first; the larger, the further from the null."""
    estimate: float
    """Simulated less people where it has a direction."""
    interval: Interval
    """Of 95 %."""
    upper: float
    """The limit that must lie inside the margin, at the error rate of one side."""
    error: float
    """Standard error of what has that limit."""
    baseline: tuple[float, float]
    """Mean and 95 % quantile of the absolute estimate between two groups of people of the sides' sizes."""
    at: int
    """The place of the estimate: the turn, from 1; 0 where it has none."""
    details: Mapping[str, JsonValue]


@dataclass(frozen=True)
class Compared:
    """Both sides' conversations, the dealings, and pairs of groups of people."""

    followed: Followed
    dealt: Weights
    """Shape (units, dealings): 1 where a unit counts as real."""
    people: tuple[Weights, Weights]
    """Shapes (real units, pairs): how often each person is drawn into two groups of the sides' sizes."""
    z: float
    """Standard errors to one side of a limit."""

    @classmethod
    def of(
        cls, followed: Followed, dealt: Weights, *, n_pairs: int, z: float, rng: np.random.Generator
    ) -> Compared:
        """Draw the pairs of groups of people."""
        n_real, n_simulated = followed.n_of_design
        together = np.zeros(n_real, np.int64)
        groups = [draw(together, [size], n_pairs, rng) for size in (n_real, n_simulated)]
        return cls(followed, dealt, (groups[0], groups[1]), z)

    def curves(self, *ways: How) -> tuple[Curves, Curves]:
        """Return the curves of people and of the simulator, for endings of these ways."""
        ended, so = self.followed.stays(*BY_USER), self.followed.stays(*ways)
        is_real = self.followed.sides.design.is_real
        real, simulated = (Curves(ended.of_units(side), so.of_units(side)) for side in (is_real, ~is_real))
        return real, simulated

    def survival(self) -> Measured:
        """Compare the proportions still there after each turn."""
        real, simulated = self.curves(*BY_USER)
        tested = LogRank.of(self.followed.stays(*BY_USER), self.dealt)
        apart = simulated.there - real.there
        precise = [side.effective(side.there, side.influence_on_there) for side in (real, simulated)]
        seen = min(_seen(real), _seen(simulated))
        upper, error = self._furthest(
            real.there[:seen], precise[0][:seen], simulated.there[:seen], precise[1][:seen]
        )
        if seen < len(apart):  # later the curves may lie anywhere below where they stood last
            upper = max(upper, float(real.there[seen - 1]), float(simulated.there[seen - 1]))
            apart = apart[:seen]
        at = int(np.abs(apart).argmax())
        groups = [survival(*_counted(real.ended, weights)) for weights in self.people]
        return Measured(
            "survival",
            {"log_rank": tested.last, "supremum": tested.largest},
            float(apart[at]),
            _interval(real.there, precise[0], simulated.there, precise[1], at),
            upper,
            error,
            _baseline(np.abs(groups[0] - groups[1]).max(axis=0)),
            at + 1,
            {
                "mean_turns": {
                    "real": float(real.there_before.sum()), "simulated": float(simulated.there_before.sum())
                },
                "log_rank": float(-tested.process[-1, 0]),
                "supremum": float(tested.largest[0]),
                "curves": _told(real, simulated),
            },
        )  # fmt: skip

    def hazard(self) -> Measured | None:
        """Compare the proportions of those still there who end, turn by turn; None where nobody does."""
        smaller = min(self.followed.n) / sum(self.followed.n)
        stays, groups = self.followed.stays(*BY_USER).joined(ceil(LEAST_EXPECTED / smaller))
        if not groups:
            return None
        standardised = by_turn(stays, self.dealt)
        is_real = self.followed.sides.design.is_real
        real, simulated = stays.of_units(is_real), stays.of_units(~is_real)
        shares = [
            [effective_share(side.events[:, k], side.at_risk[:, k]) for k in range(len(groups))]
            for side in (real, simulated)
        ]
        (first, n_first), (second, n_second) = (np.asarray(side).T for side in shares)
        seen = (n_first > 0) & (n_second > 0)
        if not seen.any():
            return None
        there = self.curves(*BY_USER)[0].there_before[[start for start, _ in groups]]
        n_first, n_second = np.maximum(n_first, 1), np.maximum(n_second, 1)
        low, high = newcombe_limits(first, n_first, second, n_second, self.z)
        limits = np.where(seen, there * np.maximum(-low, high), there)
        at = int(np.where(seen, np.abs(standardised[:, 0]), -1).argmax())
        counts = [_counted(real, weights) for weights in self.people]
        hazards = [ratio(events[at], at_risk[at]) for at_risk, events in counts]
        start, end = groups[at]
        return Measured(
            "hazard",
            {"largest": np.abs(standardised).max(axis=0)},
            float(second[at] - first[at]),
            _interval(first, n_first, second, n_second, at),
            float(limits.max()),
            float(
                (limits - there * np.abs(second - first))[int(limits.argmax())] / self.z
            ),
            _baseline(np.abs(hazards[0] - hazards[1])),
            start + 1,
            {
                "turns_that_differ_most": [start + 1, end],
                "standardised": float(-standardised[at, 0]),
                "hazard_real": float(first[at]),
                "hazard_simulated": float(second[at]),
            },
        )  # fmt: skip

    def mix_of_endings(self) -> Measured:
        """Compare the proportions of conversations that ended in each way, of those of which that is known."""
        kinds = kinds_of(self.followed)
        n_units = len(self.dealt)
        of = np.zeros((n_units, len(ENDINGS)))
        known = kinds >= 0
        np.add.at(of, (self.followed.unit_of[known], kinds[known]), 1.0)
        sizes = of.sum(axis=1)
        tested = _variation(of, sizes, self.dealt)
        is_real = self.followed.sides.design.is_real
        real, simulated = of[is_real], of[~is_real]
        shares = [side.sum(axis=0) / max(1.0, side.sum()) for side in (real, simulated)]
        limits, errors = [], []
        for k in (1, 2):
            for chosen in combinations(range(len(ENDINGS)), k):
                (first, n_first), (second, n_second) = (
                    effective_share(side[:, chosen].sum(axis=1), side.sum(axis=1))
                    for side in (real, simulated)
                )
                low, high = newcombe_limits(
                    np.asarray(first), np.asarray(n_first), np.asarray(second), np.asarray(n_second), self.z
                )
                limits.append(max(-float(low), float(high)))
                errors.append((limits[-1] - abs(second - first)) / self.z)
        apart = 0.5 * float(np.abs(shares[1] - shares[0]).sum())
        groups = [weighed(real.T, weights) for weights in self.people]
        drawn = [group / group.sum(axis=0).clip(min=1e-9) for group in groups]
        most = int(np.argmax(limits))
        error = max(errors)
        return Measured(
            "mix_of_endings",
            {"variation": tested},
            apart,
            (max(0.0, apart - Z_95 * error), min(1.0, apart + Z_95 * error)),
            float(limits[most]),
            error,
            _baseline(0.5 * np.abs(drawn[0] - drawn[1]).sum(axis=0)),
            0,
            {
                "mix": {
                    name: {"real": float(shares[0][k]), "simulated": float(shares[1][k])}
                    for k, name in enumerate(ENDINGS)
                }
            },
        )

    def ending_so(self, name: str, way: How) -> Measured:
        """Compare the hazard of one way of ending, everybody at risk until they ended otherwise.

        The estimate adds the differences of hazards up, each weighed by the proportion of people still there: by how
        much more would have ended so by that turn if as many were still there as with people.
        """
        real, simulated = self.curves(way)
        tested = LogRank.of(self.followed.stays(way), self.dealt)
        apart = np.cumsum(real.there_before * (simulated.hazard - real.hazard))
        both = np.minimum(real.ended.at_risk.sum(axis=0), simulated.ended.at_risk.sum(axis=0)) > 0
        end = len(both) if both.all() else max(1, int(both.argmin()))
        influence = _influence_on_sum(real, simulated)
        errors = np.asarray([joint_error(*(side[:, t] for side in influence)) for t in range(end)])
        precise = [side.effective(side.gone_so, side.influence_on_gone) for side in (real, simulated)]
        limit, error = self._furthest(
            real.gone_so[:end], precise[0][:end], simulated.gone_so[:end], precise[1][:end]
        )
        reach = np.abs(apart[:end]) + self.z * errors
        left_over = max(float(side.there[end - 1]) for side in (real, simulated)) if end < len(both) else 0.0
        at = int(np.abs(apart[:end]).argmax())
        groups = [_hazards(real, weights) for weights in self.people]
        drawn = np.cumsum(groups[0][0] * (groups[1][1] - groups[0][1]), axis=0)[:end]
        return Measured(
            name,
            {"log_rank": tested.last, "supremum": tested.largest},
            float(apart[at]),
            (float(apart[at] - Z_95 * errors[at]), float(apart[at] + Z_95 * errors[at])),
            max(limit, float(reach.max())) + left_over,
            max(error, float(errors.max())),
            _baseline(np.abs(drawn).max(axis=0)),
            at + 1,
            {
                "log_rank": float(-tested.process[-1, 0]),
                "supremum": float(tested.largest[0]),
                "share_real": float(real.gone_so[-1]),
                "share_simulated": float(simulated.gone_so[-1]),
                "mean_turns": dict(zip(("real", "simulated"), self._mean_turns(way), strict=True)),
                "curves": _told(real, simulated),
            },
        )

    def _mean_turns(self, way: How) -> list[float | None]:
        followed = self.followed
        so = followed.ended(way)
        return [
            float(followed.turns[so & side].mean()) if (so & side).any() else None
            for side in (followed.is_real, ~followed.is_real)
        ]

    def _furthest(
        self, real: FloatArray, n_real: FloatArray, simulated: FloatArray, n_simulated: FloatArray
    ) -> tuple[float, float]:
        """Return the largest limit over turns, and the largest standard error."""
        low, high = newcombe_limits(real, n_real, simulated, n_simulated, self.z)
        limits = np.maximum(-low, high)
        return float(limits.max()), float(((limits - np.abs(simulated - real)) / self.z).max())


def kinds_of(followed: Followed) -> IntArray:
    """Return of each conversation its place in ``ENDINGS``, where it was followed to; -1 where nobody knows.

    Of those that failed, and of those whose ending a record that has endings leaves out.
    """
    of_how = {"accepted": 0, "left": 1, "unknown": 2, "agent_ended": 2, "turn_limit": 3, "failed": -1}
    if followed.source == "recorded":
        of_how["unknown"] = -1
    kinds = np.asarray([of_how[name] for name in HOW])[followed.how]
    beyond = (followed.turns > followed.follow_up) & (followed.how != HOW.index("failed"))
    return np.where(beyond, ENDINGS.index("still_there"), kinds)


def _variation(of: FloatArray, sizes: FloatArray, dealt: Weights) -> FloatArray:
    """Return the total variation between the sides over its standard error in each dealing; shape (dealings,)."""
    residual = of - sizes[:, None] * (of.sum(axis=0) / max(1.0, sizes.sum()))
    counted = weighed(sizes, dealt)
    n_real = np.maximum(counted, 1e-9)
    n_simulated = np.maximum(sizes.sum() - counted, 1e-9)
    real = weighed(of.T, dealt)
    apart = real / n_real - (of.sum(axis=0)[:, None] - real) / n_simulated
    squares = (residual**2).sum(axis=1)
    of_real = weighed(squares, dealt)
    variance = of_real / n_real**2 + (squares.sum() - of_real) / n_simulated**2
    total = 0.5 * np.abs(apart).sum(axis=0)
    return ratio(total, np.sqrt(variance))


def _influence_on_sum(real: Curves, simulated: Curves) -> tuple[FloatArray, FloatArray]:
    """Return what each unit adds to the weighted sum of differences of hazards up to each turn, by side."""
    before = np.column_stack([np.zeros(len(real.so.events)), real.influence_on_there[:, :-1]])
    gap = simulated.hazard - real.hazard
    of_real = np.cumsum(before * gap - real.there_before * real.influence_on_hazard, axis=1)
    return of_real, np.cumsum(real.there_before * simulated.influence_on_hazard, axis=1)


def _seen(side: Curves) -> int:
    """Return up to which turn a curve is known: while somebody is at risk, or once nobody is still there."""
    known = (side.ended.at_risk.sum(axis=0) > 0) | (side.there_before <= 0)
    return len(known) if known.all() else max(1, int(known.argmin()))


def _counted(stays: Stays, weights: Weights) -> tuple[FloatArray, FloatArray]:
    """Return those at risk and the endings in drawn groups; shapes (turns, groups)."""
    return weighed(stays.at_risk.T, weights), weighed(stays.events.T, weights)


def _hazards(side: Curves, weights: Weights) -> tuple[FloatArray, FloatArray]:
    """Return, of drawn groups, the proportion still there before each turn and the hazard of one way of ending."""
    at_risk, ended = _counted(side.ended, weights)
    there = survival(at_risk, ended)
    before = np.vstack([np.ones((1, there.shape[1])), there[:-1]])
    so = weighed(side.so.events.T, weights)
    return before, ratio(so, at_risk)


def _interval(
    first: FloatArray, n_first: FloatArray, second: FloatArray, n_second: FloatArray, at: int
) -> Interval:
    low, high = newcombe_limits(first, n_first, second, n_second, Z_95)
    return float(low[at]), float(high[at])


def _baseline(apart: FloatArray) -> tuple[float, float]:
    return float(apart.mean()), float(np.quantile(apart, 0.95))


def _told(real: Curves, simulated: Curves) -> list[JsonValue]:
    """Return both sides' curves, turn by turn as long as anybody is there."""
    at_risk = [side.ended.at_risk.sum(axis=0) for side in (real, simulated)]
    events = [side.so.events.sum(axis=0) for side in (real, simulated)]
    so_far = [e.cumsum() / np.maximum(1, n.cumsum()) for e, n in zip(events, at_risk, strict=True)]
    return [
        {
            "turn": turn + 1,
            "at_risk": {"real": int(at_risk[0][turn]), "simulated": int(at_risk[1][turn])},
            "hazard": {"real": float(real.hazard[turn]), "simulated": float(simulated.hazard[turn])},
            "so_far": {"real": float(so_far[0][turn]), "simulated": float(so_far[1][turn])},
            "there": {"real": float(real.there[turn]), "simulated": float(simulated.there[turn])},
        }
        for turn in range(len(real.there))
        if at_risk[0][turn] or at_risk[1][turn]
    ]
