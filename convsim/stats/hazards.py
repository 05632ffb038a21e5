"""Do two sides stop at the same turns? Log-rank tests of whole units, and curves with the influence of each unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.stats.resampling import Weights, weighed
from convsim.stats.survival import survival

MAX_NUMBERS = 4_000_000
"""Units times dealings that are held at a time."""


@dataclass(frozen=True)
class Stays:
    """How often the conversations of each unit were at risk of an ending in each turn, and how often it came."""

    at_risk: FloatArray
    """Shape (units, turns)."""
    events: FloatArray
    """Shape (units, turns)."""

    @classmethod
    def of(
        cls, unit_of: IntArray, stayed: IntArray, ended: BoolArray, *, n_units: int, n_turns: int
    ) -> Stays:
        """Count conversations.

        Args:
            unit_of: Shape (conversations,).
            stayed: Shape (conversations,): turns in which each could end; at most ``n_turns``.
            ended: Shape (conversations,): whether it ended so in the last of these; else it was followed no further.
            n_units: Units there are.
            n_turns: Turns that are looked at.
        """
        last, events = (np.zeros((n_units, n_turns + 1)) for _ in range(2))
        np.add.at(last, (unit_of, stayed), 1.0)
        np.add.at(events, (unit_of[ended], stayed[ended]), 1.0)
        at_risk = np.cumsum(last[:, ::-1], axis=1)[:, ::-1]
        return cls(at_risk[:, 1:], events[:, 1:])

    def of_units(self, kept: BoolArray) -> Stays:
        """Return those of some units, shape (units,)."""
        return Stays(self.at_risk[kept], self.events[kept])

    def joined(self, least_events: int) -> tuple[Stays, list[tuple[int, int]]]:
        """Join neighbouring turns until each group has so many events, and say which turns these are, from 0.

        What is left at the end joins the last group; an end is excluded.
        """
        groups: list[tuple[int, int]] = []
        start, seen = 0, 0.0
        for turn, events in enumerate(self.events.sum(axis=0)):
            seen += events
            if seen >= least_events:
                groups.append((start, turn + 1))
                start, seen = turn + 1, 0.0
        n_turns = self.events.shape[1]
        if groups and start < n_turns:
            groups[-1] = (groups[-1][0], n_turns)
        at_risk, events_of = (
            np.column_stack([counts[:, first:end].sum(axis=1) for first, end in groups])
            if groups
            else np.zeros((len(counts), 0))
            for counts in (self.at_risk, self.events)
        )
        return Stays(at_risk, events_of), groups

    @cached_property
    def beyond_expected(self) -> FloatArray:
        """Shape (units, turns): endings beyond those that the hazard of all units together lets expect."""
        hazard = ratio(self.events.sum(axis=0), self.at_risk.sum(axis=0))
        return np.asarray(self.events - self.at_risk * hazard)

    def share_at_risk(self, dealt: Weights) -> FloatArray:
        """Return the proportion of those at risk who count as real; shape (turns, dealings)."""
        real = weighed(self.at_risk.T, dealt)
        return ratio(real, self.at_risk.sum(axis=0)[:, None])


@dataclass(frozen=True)
class LogRank:
    """The log-rank score of each dealing of the sides, turn by turn, over its standard error.

    H0: the hazard of the ending is the same on both sides in every turn, whatever else ends conversations, and however
    they are cut off. The weights are those of the log-rank test: one a turn. Its variance is that between units, in
    each dealing: an exact permutation test where both sides are cut off alike, and asymptotically one where they are
    not.

    Source:
        Mantel (1966); Gill (1980), the supremum over turns, which sees curves that cross; Lin and Wei (1989), the
        variance between units; Neuhaus (1993), Conditional rank tests for the two-sample problem under random
        censorship, Annals of Statistics 21 (why it is divided by its error in each dealing).
    """

    process: FloatArray
    """Shape (turns, dealings): the score summed up to each turn, in its standard errors at the last; above 0 where more
    of the real ones end."""

    @classmethod
    def of(cls, stays: Stays, dealt: Weights) -> LogRank:
        """Score dealings, shape (units, dealings): 1 where a unit counts as real."""
        beyond = stays.beyond_expected
        score = np.cumsum(weighed(beyond.T, dealt), axis=0)
        return cls(ratio(score, _errors(beyond, stays.share_at_risk(dealt), dealt)))

    @property
    def last(self) -> FloatArray:
        """Shape (dealings,): the log-rank statistic, two-sided."""
        return np.asarray(np.abs(self.process[-1]))

    @property
    def largest(self) -> FloatArray:
        """Shape (dealings,): the supremum over turns."""
        return np.asarray(np.abs(self.process).max(axis=0))


def by_turn(stays: Stays, dealt: Weights) -> FloatArray:
    """Return the difference of hazards in each turn alone, in its standard errors; shape (turns, dealings).

    Above 0 where more of the real ones end. The variance is that of ``variance_components``, a hazard's within and
    between units: what the units of one dealing happen to do in a turn with few endings would make it too uncertain.
    """
    beyond, share = stays.beyond_expected, stays.share_at_risk(dealt)
    score = weighed(beyond.T, dealt)
    at_risk, squares = stays.at_risk.sum(axis=0), (stays.at_risk**2).sum(axis=0)
    hazard = ratio(stays.events.sum(axis=0), at_risk)
    variance = hazard * (1 - hazard)
    between = ratio((beyond**2).sum(axis=0) - at_risk * variance, squares - at_risk).clip(0, variance)
    real = [weighed(sizes.T, dealt) for sizes in (stays.at_risk, stays.at_risk**2)]
    by_row = real[0] * (1 - 2 * share) + share**2 * at_risk[:, None]
    by_unit = real[1] * (1 - 2 * share) + share**2 * squares[:, None]
    errors = np.sqrt(((variance - between)[:, None] * by_row + between[:, None] * by_unit).clip(min=0))
    return ratio(score, errors)


def _errors(beyond: FloatArray, share: FloatArray, dealt: Weights) -> FloatArray:
    """Return the standard error of the summed score in each dealing; shape (dealings,)."""
    of_unit = beyond.sum(axis=1)[:, None]
    size = max(1, MAX_NUMBERS // max(1, len(beyond)))
    parts = [
        ((of_unit * dealt[:, at : at + size] - beyond @ share[:, at : at + size]) ** 2).sum(axis=0)
        for at in range(0, dealt.shape[1], size)
    ]
    return np.asarray(np.sqrt(np.concatenate(parts)))


def ratio(of: FloatArray, to: FloatArray) -> FloatArray:
    """Divide, and return 0 where there is nothing to divide by; ``to`` is spread over the shape of ``of``."""
    to = np.broadcast_to(to, of.shape)
    return np.divide(of, to, out=np.zeros(of.shape), where=to > 1e-9)


@dataclass(frozen=True)
class Curves:
    """One side's proportions still there, and those who ended so far in one of several ways."""

    ended: Stays
    """By any ending."""
    so: Stays
    """By the one way that is looked at; the same for all of them together."""

    @cached_property
    def hazard(self) -> FloatArray:
        """Shape (turns,): of the one way; 0 where nobody is at risk."""
        return ratio(self.so.events.sum(axis=0), self.ended.at_risk.sum(axis=0))

    @cached_property
    def there(self) -> FloatArray:
        """Shape (turns,): the Kaplan-Meier proportion still there after each turn."""
        return survival(self.ended.at_risk.sum(axis=0), self.ended.events.sum(axis=0))

    @cached_property
    def there_before(self) -> FloatArray:
        """Shape (turns,): that before each turn."""
        return np.concatenate([[1.0], self.there[:-1]])

    @cached_property
    def gone_so(self) -> FloatArray:
        """Shape (turns,): the cumulative incidence of the one way (Aalen and Johansen 1978)."""
        return np.cumsum(self.there_before * self.hazard)

    @cached_property
    def influence_on_hazard(self) -> FloatArray:
        """Shape (units, turns): what each unit adds to the hazard of the one way."""
        at_risk = self.ended.at_risk.sum(axis=0)
        return ratio(self.so.events - self.so.at_risk * self.hazard, at_risk)

    @cached_property
    def influence_on_there(self) -> FloatArray:
        """Shape (units, turns): what each unit adds to the proportion still there after each turn (Greenwood's)."""
        at_risk, hazard = self.ended.at_risk.sum(axis=0), ratio(
            self.ended.events.sum(axis=0), self.ended.at_risk.sum(axis=0)
        )  # fmt: skip
        beyond = self.ended.events - self.ended.at_risk * hazard
        return -self.there * np.cumsum(ratio(beyond, at_risk * (1 - hazard)), axis=1)

    @cached_property
    def influence_on_gone(self) -> FloatArray:
        """Shape (units, turns): what each unit adds to the cumulative incidence of the one way."""
        before = np.column_stack([np.zeros(len(self.so.events)), self.influence_on_there[:, :-1]])
        return np.cumsum(before * self.hazard + self.there_before * self.influence_on_hazard, axis=1)

    def effective(self, proportion: FloatArray, influence: FloatArray) -> FloatArray:
        """Return of how many independent conversations each proportion is as precise; shape (turns,).

        As ``proportions.proportion`` does: the design effect is at least 1, and where nothing varies units count. Those
        who were followed no further count as far as they were.
        """
        at_risk = self.ended.at_risk.sum(axis=0)
        seen = np.divide(
            at_risk, self.there_before, out=np.full_like(at_risk, np.inf), where=self.there_before > 0
        )
        seen = np.minimum.accumulate(seen)
        n_units = len(influence)
        of_units = float((self.ended.at_risk[:, 0] > 0).sum())
        variance = (influence**2).sum(axis=0) * n_units / max(1, n_units - 1)
        independent = proportion * (1 - proportion) / np.maximum(seen - 1, 1)
        effect = ratio(variance, independent).clip(min=1)
        rows = max(float(at_risk[0]), 1.0)
        bare = seen * of_units / rows
        return np.maximum(1.0, np.where((variance > 1e-12) & (independent > 1e-12), seen / effect, bare))


def joint_error(*influences: FloatArray) -> float:
    """Return the standard error of a difference from what the units of each side add to it, shapes (units,)."""
    return sqrt(sum(float((side**2).sum()) for side in influences))
