"""``marginals`` under the null and under known shifts: does it reject at alpha, cover, and find what is there?

Each corpus carries many independent columns, so that one call is many experiments.
"""

import numpy as np
import pytest
from scipy.stats import binom, norm

from convsim.schema import Finding
from convsim_validators import Marginals
from tests.corpora import corpus

N_COLUMNS = 40
N_CORPORA = 10
N_TESTS = N_COLUMNS * N_CORPORA


def findings(
    draw, n_real: int, n_simulated: int, *, users_of: int = 1, n_corpora: int = N_CORPORA, **settings
):
    """Judge columns whose values are ``draw(rng, n, is_simulated)``."""
    results: list[Finding] = []
    for seed in range(n_corpora):
        rng = np.random.default_rng([seed, n_real])
        sides = []
        for prefix, n in (("r", n_real), ("s", n_simulated)):
            columns = {f"x{i}": draw(rng, n, prefix == "s") for i in range(N_COLUMNS)}
            users = [f"{prefix}{i // users_of}" for i in range(n)] if users_of > 1 else None
            sides.append(corpus(columns, prefix=prefix, users=users))
        results += Marginals(n_resamples=299, **settings).validate(*sides, seed=seed)
    return results


def normal(shift: float):
    return lambda rng, n, simulated: rng.normal(shift * simulated, 1, n)


def turns(rng, n, simulated):
    return rng.geometric(0.3, n).astype(float)


def clustered(rng, n, simulated):
    return np.repeat(rng.normal(0, 1, -(-n // 4)), 4)[:n] + rng.normal(0, 0.5, n)


def share(results, predicate) -> float:
    return float(np.mean([predicate(result) for result in results]))


@pytest.mark.parametrize("n", [100, 250])
@pytest.mark.parametrize(("draw", "users_of"), [(normal(0), 1), (turns, 1), (clustered, 4)])
def test_under_the_null_it_rejects_at_alpha(n, draw, users_of):
    results = findings(draw, n, n, users_of=users_of)
    rejected = sum(result.p_value <= 0.05 for result in results)
    # Ties make a permutation test of whole numbers cautious; nothing may make it bold.
    assert rejected <= binom.ppf(0.999, N_TESTS, 0.05)
    if draw is not turns:
        assert rejected >= binom.ppf(0.001, N_TESTS, 0.05)


@pytest.mark.parametrize("n", [100, 250])
def test_under_the_null_hardly_any_finding_says_different(n):
    assert share(findings(normal(0), n, n), lambda r: r.verdict == "different") <= 0.02


def test_unequal_sides_reject_at_alpha_too():
    results = findings(normal(0), 60, 300)
    rejected = sum(result.p_value <= 0.05 for result in results)
    assert binom.ppf(0.001, N_TESTS, 0.05) <= rejected <= binom.ppf(0.999, N_TESTS, 0.05)


@pytest.mark.parametrize(("n", "power"), [(100, 0.75), (250, 0.98)])
def test_a_shift_of_half_a_standard_deviation_is_found(n, power):
    results = findings(normal(0.5), n, n)
    assert share(results, lambda r: r.verdict == "different") >= power


@pytest.mark.parametrize("n", [100, 250])
@pytest.mark.parametrize("shift", [0.0, 0.25, 0.5, 1.5])
def test_the_interval_covers_the_population_distance(n, shift):
    truth = 2 * norm.cdf(shift / 2) - 1
    results = findings(normal(shift), n, n)
    covered = sum(result.interval[0] <= truth <= result.interval[1] for result in results)
    assert covered >= binom.ppf(0.001, N_TESTS, 0.95)


def test_the_interval_covers_with_several_conversations_a_user():
    results = findings(clustered, 240, 240, users_of=4)
    covered = sum(result.interval[0] <= 0 <= result.interval[1] for result in results)
    assert covered >= binom.ppf(0.001, N_TESTS, 0.95)


def test_aligned_is_wrong_in_at_most_five_per_cent_where_the_distance_equals_the_margin():
    at_margin = 2 * norm.ppf((1 + 0.10) / 2)
    results = findings(normal(at_margin), 1000, 1000, n_corpora=5)
    assert sum(r.verdict == "aligned" for r in results) <= binom.ppf(0.999, 5 * N_COLUMNS, 0.05)


def test_equal_populations_come_out_aligned_at_a_thousand():
    assert share(findings(normal(0), 1000, 1000, n_corpora=3), lambda r: r.verdict == "aligned") >= 0.8


def test_the_number_of_conversations_that_would_settle_it_does():
    undecided = [r for r in findings(normal(0), 100, 100, n_corpora=2) if r.verdict == "undecided"]
    needed = int(np.median([r.details["n_to_decide"]["real"] for r in undecided]))
    settled = share(findings(normal(0), needed, needed, n_corpora=3), lambda r: r.verdict != "undecided")
    assert settled >= 0.4


def test_a_bootstrap_that_took_conversations_for_users_would_reject_far_too_often():
    results = findings(clustered, 240, 240, users_of=1)
    assert share(results, lambda r: r.p_value <= 0.05) > 0.2
