"""How far raters agree with one another: Krippendorff's alpha of many raters with gaps."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from convsim.annotation.agreement import Estimate
from convsim.seeds import generator
from convsim.stats.agreement import estimate, ordinal_alpha, resampled
from convsim.web.blind_test.votes import Vote

if TYPE_CHECKING:
    from convsim.stats.agreement import FloatArray

N_RESAMPLES = 999
UNDEFINED = "all raters say the same everywhere, or nothing was judged twice"


def agreement(votes: Sequence[Vote], *, seed: int) -> Estimate:
    """Do raters say the same of the same trial?

    Alpha is 1 where they always do and 0 where they do as often as chance has it.

    Args:
        votes: The answers.
        seed: Moves the resampling of trials.

    Returns:
        Alpha with a percentile interval over trials; without an estimate where nothing was judged twice.

    Source:
        Krippendorff (2011), Computing Krippendorff's alpha-reliability, section C: a trial that m raters judged adds
        1 / (m - 1) for each ordered pair of raters. With two values the nominal and the ordinal distance are one up to
        a constant, which cancels.
    """
    import numpy as np
    from scipy.sparse import csr_matrix

    said: defaultdict[int, list[bool]] = defaultdict(list)
    for vote in votes:
        said[vote.trial].append(vote.said)
    judged = {trial: values for trial, values in said.items() if len(values) > 1}
    if not judged:
        return Estimate(reason="no trial was judged by two raters")
    counts = np.array([_coincidences(values) for values in judged.values()]).T
    rng = generator(seed, "arena", "agreement")
    computed = resampled(csr_matrix(counts), _alpha, N_RESAMPLES, rng)
    return estimate(computed["alpha"], len(judged), undefined=UNDEFINED)


def _coincidences(values: Sequence[bool]) -> list[float]:
    """Return the coincidence matrix of one trial, row by row."""
    counted = Counter(values)
    return [
        counted[a] * (counted[b] - (a == b)) / (len(values) - 1) for a in (False, True) for b in (False, True)
    ]


def _alpha(sums: FloatArray) -> dict[str, FloatArray]:
    return {"alpha": ordinal_alpha(sums.reshape(-1, 2, 2))}
