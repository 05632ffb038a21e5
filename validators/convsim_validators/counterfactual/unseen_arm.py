"""What a simulator had seen of the arms, and what it costs never to have seen the treated one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convsim.schema.arrays import FloatArray
from convsim.schema.conversation import Conversation
from convsim.stats.decision import EQUIVALENCE_LEVEL
from convsim_validators.counterfactual.shifts import LEVEL, MetricShift


@dataclass(frozen=True)
class Learned:
    """The arms that a simulator learned from, as its conversations record."""

    arms: tuple[str, ...]
    n_silent: int
    """Conversations that do not say what their simulator learned from, or not which arms that belongs to."""
    n: int

    @classmethod
    def of(cls, simulated: Sequence[Conversation], real: Sequence[Conversation]) -> Learned:
        """Read ``learned_from``, and find what was learned among the real conversations.

        A conversation that names its shopper but nothing learned comes from a shopper that learned from nothing; one
        that names neither says nothing.
        """
        arm_of: dict[str, set[str]] = {}
        for conversation in real:
            if conversation.arm is not None:
                arm_of.setdefault(conversation.fingerprint, set()).add(conversation.arm)
        arms: set[str] = set()
        n_silent = 0
        for conversation in simulated:
            learned = conversation.learned_from
            if learned is None:
                n_silent += conversation.shopper is None
                continue
            found = [arm_of.get(fingerprint, set()) for fingerprint in learned.conversations]
            of_this = set(learned.arms).union(*found)
            arms |= of_this
            # Without arms, every single conversation must be found, or it may be of any arm.
            traced = bool(learned.arms) or (all(found) and (bool(found) or learned.sha256 is None))
            n_silent += not traced
        return cls(tuple(sorted(arms)), n_silent, len(simulated))


@dataclass(frozen=True)
class Cost:
    """How much farther from people's shifts a simulator lies than one that saw both arms, in human SDs."""

    estimate: float
    interval: tuple[float, float]
    """At 95 %."""
    upper_90: float
    distances: tuple[float, float]
    """Of the simulator, and of the one that saw both arms, from people's shifts."""


def cost_of_not_seeing(shifts: Sequence[MetricShift]) -> Cost:
    """How much farther from people's shifts does never having seen the treated arm leave a simulator?

    H0: both simulators lie equally far from people's shifts. A distance is the root of the mean, over metrics, of
    ((simulated - human shift) / human SD)^2, less what sampling errors alone add to it; the cost is the signed root of
    the difference of the two squares. In squares, because a mean of |differences| hides a distance below the sampling
    error: with 100 conversations an arm it took a cost of .2 for one of .07. Whole units of all three sides are drawn
    anew. A cost may also come from anything else that the two simulators do not share.

    Args:
        shifts: Judged metrics, each with the shifts of people, the simulator and the one that saw both arms.

    Returns:
        The cost; where the one that saw both arms shifts just as people do, it is the simulator's distance.
    """
    spread = np.asarray([m.human_sd for m in shifts])[:, None, None]
    observed = np.asarray([[s.estimate for s in m.shifts] for m in shifts])[..., None] / spread
    deviations = np.asarray([[s.deviations for s in m.shifts] for m in shifts]) / spread
    added = (deviations[:, 1:] - deviations[:, :1]).var(axis=2).mean(axis=0)
    squares = _squares(observed)[:, 0] - added
    drawn = _squares(observed + deviations) - 2 * added[:, None]
    excess = float(squares[0] - squares[1])
    half_90, half_95 = np.quantile(np.abs(drawn[0] - drawn[1] - excess), [EQUIVALENCE_LEVEL, LEVEL])
    return Cost(
        _signed_root(excess),
        (_signed_root(excess - half_95), _signed_root(excess + half_95)),
        _signed_root(excess + half_90),
        (float(np.sqrt(max(squares[0], 0.0))), float(np.sqrt(max(squares[1], 0.0)))),
    )


def _squares(values: FloatArray) -> FloatArray:
    """Reduce shifts of shape (metrics, sides, replicates) to mean squares, shape (simulators, replicates)."""
    squares: FloatArray = ((values[:, 1:] - values[:, :1]) ** 2).mean(axis=0)
    return squares


def _signed_root(square: float) -> float:
    return float(np.sign(square) * np.sqrt(abs(square)))
