"""``typography`` under the null and under known ways of typing."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from convsim.io import read
from convsim.metrics import measure_both
from convsim.schema import Corpus, Finding
from convsim.schema.details import FormatDetails
from convsim_validators import Typography
from tests.typists import WAYS, Change, typists

PEOPLE = Path(__file__).parents[2] / "data/demo/convapparel_standin.json"


def asked(real: Corpus, simulated: Corpus, seed: int) -> list[Finding]:
    return list(Typography(n_resamples=199).validate(real, simulated, seed=seed))


def held(runs: list[list[Finding]], level: float = 0.999) -> bool:
    """Tell whether both tests, and the two together, reject at 5 %, and every interval covers one half."""
    n = len(runs)
    most = binom.ppf(level, n, 0.05)
    rejected = [sum(run[view].p_value <= 0.05 for run in runs) for view in (0, 1)]
    different = sum(any(f.verdict == "different" for f in run) for run in runs)
    covered = [sum(run[view].interval[0] <= 0.5 <= run[view].interval[1] for run in runs) for view in (0, 1)]
    return max(*rejected, different) <= most and min(covered) >= binom.ppf(1 - level, n, 0.95)


@pytest.mark.parametrize(
    ("n_real", "n_simulated", "each"),
    [(60, 60, (1, 1)), (40, 160, (1, 1)), (40, 60, (1, 4)), (60, 40, (3, 1))],
)
def test_people_who_type_alike_are_not_told_apart(n_real, n_simulated, each):
    runs = []
    for seed in range(60):
        rng = np.random.default_rng([seed, n_real, n_simulated])
        real = typists(rng, n_real, "r", each=each[0])
        simulated = typists(rng, n_simulated, "s", each=each[1])
        runs.append(asked(real, simulated, seed))
    assert held(runs)


@pytest.mark.smoke
def test_halves_of_people_type_alike():
    people = list(read(PEOPLE))
    runs = []
    for seed in range(12):
        order = np.random.default_rng(seed).permutation(len(people))[:160]
        halves = [[people[row] for row in rows] for rows in (order[:80], order[80:])]
        runs.append(asked(*measure_both(*halves), seed))
    assert held(runs)


def test_longer_and_more_messages_are_no_other_way_of_typing():
    runs = []
    for seed in range(40):
        rng = np.random.default_rng([seed, 17])
        runs.append(asked(typists(rng, 60, "r", n_messages=3), typists(rng, 60, "s", n_messages=9), seed))
    assert held(runs)


@pytest.mark.parametrize("way", WAYS)
def test_a_way_of_typing_is_found_at_100_a_side(way):
    found = []
    for seed in range(4):
        rng = np.random.default_rng([seed, 23])
        found.append(asked(typists(rng, 100, "r"), typists(rng, 100, "s", change=WAYS[way]), seed))
    assert all(run[1].verdict == "different" for run in found)
    for run in found:
        details = run[1].details
        assert isinstance(details, FormatDetails)
        assert way in {each.name for each in details.formats}
    assert all(run[0].verdict == "different" for run in found)


def test_a_fifth_of_full_stops_lost_is_found_at_200_a_side():
    p_values = []
    for seed in range(10):
        rng, lost = (np.random.default_rng([seed, number]) for number in (29, 30))
        simulated = typists(rng, 200, "s", careful_share=1, change=forgetful(lost))
        p_values.append(asked(typists(rng, 200, "r", careful_share=1), simulated, seed)[1].p_adjusted)
    assert sum(p <= 0.05 for p in p_values) >= 9


def forgetful(rng: np.random.Generator) -> Change:
    return lambda text: text.rstrip(".") if rng.random() < 0.2 else text
