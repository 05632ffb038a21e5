"""Does the interval of a share cover the truth where messages of one user resemble one another?"""

import numpy as np
import pytest

from convsim.stats.proportions import proportion

N_TRIALS = 600


@pytest.mark.parametrize(("truth", "spread"), [(0.1, 4.0), (0.3, 2.0), (0.5, 1.0)])
def test_the_interval_covers_the_truth_in_about_95_of_100(truth, spread):
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(N_TRIALS):
        sizes = rng.integers(1, 9, 60)
        chances = rng.beta(truth * spread, (1 - truth) * spread, 60)
        hits = [bool(hit) for size, p in zip(sizes, chances, strict=True) for hit in rng.random(size) < p]
        users = [user for user, size in enumerate(sizes) for _ in range(size)]
        interval = proportion(hits, users, unit="messages", undefined="").interval
        assert interval is not None
        covered += interval[0] <= truth <= interval[1]
    # Three standard errors of a coverage of .95 over 600 trials are .027.
    assert 0.923 <= covered / N_TRIALS <= 0.985
