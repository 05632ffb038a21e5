"""Is what a classifier recognises within a margin? A verdict from the AUC, and how much more data would decide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from convsim.schema import Needs
from convsim.stats.decision import Decision, equivalence_level, interval_name
from convsim.stats.equivalence import needed, normal_power, normal_quantile
from convsim.stats.sample_size import one_sided_errors
from convsim.stats.scores import Scores
from convsim.stats.sides import MIN_TO_ALIGN


def power_at_equality(room: float, error: float, alpha: float) -> float:
    """With what probability is the AUC of two sides that nothing tells apart shown to lie within its margin?

    Its limit has to lie inside, and it must not lie below .5 beyond chance.

    Args:
        room: From .5 to the margin.
        error: The standard error of the AUC.
        alpha: The error rate of the test.
    """
    return max(0.0, normal_power(room, error, z=normal_quantile(1 - alpha)) - alpha / 2)


@dataclass(frozen=True)
class Recognition:
    """How well a classifier tells the sides apart, and what it must not exceed for them to count as alike."""

    scores: Scores
    n: tuple[int, int]
    """Conversations of people and of the simulator."""
    n_units: tuple[int, int]
    """Independent groups among them."""
    margin: float
    """AUC up to which the sides count as alike."""
    alpha: float

    @property
    def upper(self) -> float:
        """The limit of the AUC that has to lie within the margin."""
        return self._limits()[1]

    def decide(
        self, shown: str | None, why_so_low: Callable[[], str], *, untested: str | None = None
    ) -> Decision:
        """Return ``aligned`` within the margin, else ``different`` where a test shows it, else ``undecided``.

        Args:
            shown: In what the sides are shown to differ, by a test; None if they are not.
            why_so_low: Says what makes an AUC lie below .5 beyond chance.
            untested: Why there is no test.
        """
        low, high = self._limits()
        limits = f"AUC {self.scores.auc:.3f}, {low:.3f} to {high:.3f} ({interval_name(self.alpha)})"
        n_units = min(self.n_units)
        if high <= self.margin and not self._below_one_half and n_units >= MIN_TO_ALIGN:
            also = f"; {shown}" if shown else ""
            return Decision("aligned", f"{limits}, is within the margin of {self.margin:g}{also}")
        if shown:
            return Decision("different", f"{limits}; {shown}")
        if self._below_one_half:
            return Decision("undecided", f"{limits}, is below 0.5: {why_so_low()}")
        if high <= self.margin:
            return Decision(
                "undecided",
                f"{limits}, is within the margin of {self.margin:g}, but {n_units} users or conversations on a side "
                f"teach a classifier too little: likeness is judged from {MIN_TO_ALIGN}",
            )
        return Decision(
            "undecided",
            f"too little data: {limits}, is not within the margin of {self.margin:g}, and no difference is shown"
            f"{f' ({untested})' if untested else ''}",
        )

    def needs(self) -> Needs | None:
        """Return how much more shows in four of five cases that nothing tells the sides apart, if nothing does.

        The variance of an AUC of .5 goes with the sum of both sides' inverse sizes (Mann and Whitney 1947). None where
        the AUC is below .5 for sure, which more data do not mend.
        """
        z = one_sided_errors(self.alpha)
        if self.margin <= 0.5 or self._below_one_half:
            return None
        n = self.n
        variance = ((self.upper - self.scores.auc) / z) ** 2 / (1 / n[0] + 1 / n[1])

        def power(n_real: int, n_simulated: int) -> float:
            units = (self.n_units[0] * n_real / n[0], self.n_units[1] * n_simulated / n[1])
            if min(units) < MIN_TO_ALIGN:
                return 0.0
            error = sqrt(variance * (1 / n_real + 1 / n_simulated))
            return power_at_equality(self.margin - 0.5, error, self.alpha)

        return needed(power, n)

    @property
    def _below_one_half(self) -> bool:
        return self.scores.interval("auc", 1 - self.alpha)[1] < 0.5

    def _limits(self) -> tuple[float, float]:
        return self.scores.interval("auc", equivalence_level(self.alpha))
