"""An interval for a share that may be looked at after every answer: a confidence sequence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from convsim.schema import Interval

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray


Counts = tuple[float, float]
"""How many were right, and of how many."""
SPREAD = 0.5
"""Standard deviation of the bets; narrowest where some 100 to 400 answers are given."""
N_STEPS = 500
MAX_ANSWERS = 100_000


@lru_cache(maxsize=256)
def sequential_interval(groups: tuple[Counts, ...], *, level: float = 0.95) -> Interval:
    """In which interval lies the mean, over one or two groups, of each group's proportion of right answers?

    The groups of a balanced accuracy are the trials whose answer is "human" and those whose answer is "simulated".
    The interval holds at all times at once: with probability ``level`` it never misses, so looking after each answer
    and stopping when it is narrow enough is allowed. What it covers is the mean, over the answers given, of the
    chance that this answer would be right, given all answers before it: raters may differ, conversations may differ,
    and both may drift. It says nothing of other raters and other conversations.

    Args:
        groups: One or two pairs (right answers, answers); a group without answers may be anything from 0 to 1.
        level: Of the whole sequence of intervals.

    Returns:
        Low and high; chances are tried in steps of 1/500, and the interval reaches to the step beyond.

    Source:
        Robbins (1970), Statistical methods related to the law of the iterated logarithm: a mixture of likelihood-ratio
        martingales and Ville's inequality; Howard, Ramdas, McAuliffe and Sekhon (2021), Time-uniform, nonparametric,
        nonasymptotic confidence sequences, section 3. A bet b on a right answer of chance m multiplies the capital by
        exp(b x) / (1 + m (exp(b) - 1)). The logarithm of the divisor is concave in m, so at the running mean of the
        chances the capital is never more than with the chances themselves: that is why these may drift. Of two groups
        the capitals are multiplied, since which group comes next is fixed before the answer. Departure: 80 bets
        under a normal weight, closer together near 0, stand for all; that costs nothing in coverage.
    """
    import numpy as np

    grid = np.linspace(0.0, 1.0, N_STEPS + 1)
    limit = -np.log(1 - level)
    capitals = [_log_capital(right, n, grid) for right, n in groups]
    step = 1 / N_STEPS
    if len(capitals) == 1:
        inside = grid[capitals[0] <= limit]
        low, high = float(inside[0]), float(inside[-1])
    else:
        low, high = _of_two(capitals[0], capitals[1], grid, limit)
    return max(0.0, low - step), min(1.0, high + step)


def half_width(interval: Interval) -> float:
    """Return half of an interval's length."""
    return (interval[1] - interval[0]) / 2


def answers_until(shares: Sequence[float], wanted: float) -> int | None:
    """Return about how many answers, half of them in each group, narrow the interval to half-width ``wanted``.

    Args:
        shares: The proportion of right answers in each group, taken to stay as it is.
        wanted: Half of an interval's length.
    """

    def wide(n: int) -> bool:
        each = n / len(shares)
        return half_width(sequential_interval(tuple((s * each, each) for s in shares))) > wanted

    if wanted <= 1 / N_STEPS or wide(MAX_ANSWERS):
        return None
    low, high = 0, MAX_ANSWERS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if wide(middle) else (low, middle)
    return high


def _log_capital(right: float, n: float, chances: FloatArray) -> FloatArray:
    """Return the logarithm of the mixed capital against each chance; convex, shape of ``chances``."""
    import numpy as np
    from scipy.special import logsumexp

    roots = np.linspace(-1.0, 1.0, 81)
    roots = roots[roots != 0]
    bets = 3.0 * roots * np.abs(roots)
    weights = np.abs(roots) * np.exp(-0.5 * (bets / SPREAD) ** 2)
    weights /= weights.sum()
    growth = bets * right - n * np.log1p(np.outer(chances, np.expm1(bets)))
    capital: FloatArray = np.asarray(logsumexp(growth, b=weights, axis=1), np.float64)
    return capital


def _of_two(first: FloatArray, second: FloatArray, grid: FloatArray, limit: float) -> tuple[float, float]:
    """Return the extremes of the mean of two chances whose capitals' product stays below the limit."""
    import numpy as np

    lowest = int(second.argmin())
    left = limit - first
    possible = left >= second[lowest]
    upwards = np.searchsorted(second[lowest:], left[possible], side="right") - 1
    downwards = np.searchsorted(second[: lowest + 1][::-1], left[possible], side="right") - 1
    high = (grid[possible] + grid[lowest + upwards]).max() / 2
    low = (grid[possible] + grid[lowest - downwards]).min() / 2
    return float(low), float(high)
