"""The headline on habits: at the margin it is wrong in few cases, at equality it decides from a hundred a side.

Populations are made up: many metrics of several kinds, which hang together as habits do, moved all one way, by half of
them, in turn up and down, or in spread alone.
"""

from typing import Literal

import numpy as np
import pytest
from scipy.stats import binom

from convsim.stats.contrasts import Contrast, Contrasts
from convsim.stats.ecdf import Cells, cut_points
from convsim.stats.joint_equivalence import Joint, JointRule, far_off

N_METRICS = 24
RULE = JointRule()
FACTORS = 6


def population(rng, n, *, shift, scale, loadings):
    """Draw metrics with a correlation of about .3 within six groups: half continuous, some counts, some rare."""
    common = rng.normal(size=(n, FACTORS))
    x = (common @ loadings + rng.normal(size=(n, N_METRICS))) / np.sqrt(1 + (loadings**2).sum(axis=0))
    x = x * scale + shift
    x[:, ::4] = np.round(2 * x[:, ::4])
    x[:, 1::4] = x[:, 1::4] > 0.5
    return x


def loadings():
    rng = np.random.default_rng(77)
    found = np.zeros((FACTORS, N_METRICS))
    found[np.arange(N_METRICS) % FACTORS, np.arange(N_METRICS)] = 0.65 * rng.choice([-1, 1], N_METRICS)
    return found


LOADINGS = loadings()


def contrasts(real, simulated, units_of=1):
    by_metric = {}
    for k in range(N_METRICS):
        cuts = cut_points(np.concatenate([real[:, k], simulated[:, k]]))
        by_metric[f"x{k}"] = Contrast.of(
            *(
                Cells.of(
                    np.searchsorted(cuts, side[:, k]), np.arange(len(side)) // units_of, n_cells=len(cuts),
                    n_units=-(-len(side) // units_of),
                )
                for side in (real, simulated)
            )
        )  # fmt: skip
    strata = [np.zeros(-(-len(side) // units_of), np.int64) for side in (real, simulated)]
    return Contrasts(tuple(by_metric), by_metric, (strata[0], strata[1]))


KINDS = {
    "all one way": (np.ones(N_METRICS), np.zeros(N_METRICS)),
    "half": (np.arange(N_METRICS) < N_METRICS // 2, np.zeros(N_METRICS)),
    "in turn": (np.where(np.arange(N_METRICS) % 8 < 4, 1, -1), np.zeros(N_METRICS)),
    "spread": (np.zeros(N_METRICS), np.ones(N_METRICS)),
}


def moved(kind, size):
    location, spread = KINDS[kind]
    return {"shift": size * location, "scale": np.exp(size * spread), "loadings": LOADINGS}


def at_distance(kind, target):
    """Find the size of a move that puts the populations at a joint distance, by bisection on large samples."""
    low, high = 0.0, 2.0
    for _ in range(12):
        size = (low + high) / 2
        rng = np.random.default_rng(78)
        real = population(rng, 6000, **moved(kind, 0))
        simulated = population(rng, 6000, **moved(kind, size))
        which: Literal["delta", "spread"] = "spread" if kind == "spread" else "delta"
        low, high = (
            (size, high) if Joint.of(contrasts(real, simulated), which).distance < target else (low, size)
        )
    return moved(kind, low)


def alike(there, sizes, runs, *, units_of=1, seed=0):
    """Count the runs in which the average is found alike with no metric far off, and those with one far off."""
    found, off = 0, 0
    margins = np.repeat([0.147, 0.25], N_METRICS)
    for run in range(runs):
        rng = np.random.default_rng([seed, run, *sizes])
        real = population(rng, sizes[0], **moved("half", 0))
        simulated = population(rng, sizes[1], **there)
        if units_of > 1:
            real, simulated = (np.repeat(side[::units_of], units_of, axis=0) for side in (real, simulated))
        both = contrasts(real, simulated, units_of)
        location, spread = (joint.limits(RULE.z)[1] for joint in (Joint.of(both), Joint.of(both, "spread")))
        beyond = far_off(both.estimates, both.covariance, margins, alpha=RULE.alpha, rng=rng).any()
        off += bool(beyond)
        found += bool(location <= RULE.margin and spread <= RULE.spread_margin and not beyond)
    return found, off


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [(60, 60), (100, 100), (150, 1500)])
def test_at_the_margin_it_says_alike_in_few_cases(kind, sizes):
    runs = 100
    margin = RULE.spread_margin if kind == "spread" else RULE.margin
    assert alike(at_distance(kind, margin), sizes, runs)[0] <= binom.ppf(0.99, runs, 0.06)


@pytest.mark.parametrize(("sizes", "share"), [((100, 100), 0.95), ((150, 1500), 0.99), ((250, 250), 0.99)])
def test_at_equality_it_decides_with_the_people_that_teams_have(sizes, share):
    runs = 100
    found, off = alike(moved("half", 0), sizes, runs)
    assert found >= share * runs
    assert off <= binom.ppf(0.99, runs, 0.01)


def test_with_several_conversations_a_user_it_counts_users():
    runs = 60
    found, _ = alike(at_distance("all one way", RULE.margin), (400, 400), runs, units_of=4)
    assert found <= binom.ppf(0.99, runs, 0.06)


def test_one_metric_that_is_far_off_is_seen_among_many_alike():
    there = moved("half", 0)
    there["shift"] = np.where(np.arange(N_METRICS) == 3, 1.35, 0.0)  # a Cliff's delta of about .66
    found, off = alike(there, (100, 100), 60)
    assert (found, off) == (0, 60)


def test_the_limits_cover_the_populations_distance():
    there = at_distance("half", 0.2)
    covered = 0
    z = JointRule(alpha=0.025).z
    for run in range(200):
        rng = np.random.default_rng([9, run])
        both = contrasts(population(rng, 120, **moved("half", 0)), population(rng, 120, **there))
        low, high = Joint.of(both).limits(z)
        covered += low <= 0.2 <= high
    assert covered >= binom.ppf(0.01, 200, 0.95)
