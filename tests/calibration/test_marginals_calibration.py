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
        found = Marginals(n_resamples=299, **settings).validate(*sides, seed=seed)
        results += [finding for finding in found if finding.metric != "all_metrics"]
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


# One card with a false difference in twenty costs power where forty metrics are asked: .48 of these, in place of .75.
@pytest.mark.parametrize(("n", "power"), [(100, 0.42), (250, 0.98)])
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


SHIFT = 2**0.5 * norm.ppf((1 + 0.147) / 2)
"""By which a normal distribution has a Cliff's delta of .147 from another one."""
AT_THE_MARGIN = {
    "location": normal(SHIFT),
    "spread": lambda rng, n, simulated: rng.normal(0, 1.44 if simulated else 1, n),
    "binary": lambda rng, n, simulated: (rng.random(n) < 0.3 + 0.147 * simulated).astype(float),
    "rare": lambda rng, n, simulated: (rng.random(n) < 0.02 + 0.147 * simulated).astype(float),
    # Four in five of the simulator's values lie at people's quartiles: below each it has .05 and .55 in place of .25
    # and .75, at each .45 and .95, a distance of .2.
    "shape": lambda rng, n, simulated: np.where(
        (rng.random(n) < 0.8) & simulated, norm.ppf(rng.choice([0.25, 0.75], n)), rng.normal(size=n)
    ),
    "zeros": lambda rng, n, simulated: np.where(
        rng.random(n) < 0.7 - 0.147 * simulated, 0, rng.exponential(size=n)
    ),
}


@pytest.mark.parametrize("kind", AT_THE_MARGIN)
@pytest.mark.parametrize(("n_real", "n_simulated"), [(100, 100), (250, 250), (150, 1500)])
def test_aligned_is_wrong_in_at_most_five_per_cent_at_the_margin(kind, n_real, n_simulated):
    results = findings(AT_THE_MARGIN[kind], n_real, n_simulated, n_corpora=8)
    assert sum(r.verdict == "aligned" for r in results) <= binom.ppf(0.999, 8 * N_COLUMNS, 0.05)


MIXED = [normal(0), turns, lambda r, n, s: (r.random(n) < 0.3) * 1.0, lambda r, n, s: r.poisson(0.4, n) * 1.0]


# By the normal distribution of Cliff's delta alone .29, .86, .89 and .99 on average over these four; limits of spread
# and distance take a little off. Metrics of real conversations have more ties, and are decided sooner.
@pytest.mark.parametrize(
    ("n_real", "n_simulated", "power"),
    [(100, 100, 0.2), (250, 250, 0.8), (150, 1500, 0.85), (500, 500, 0.98)],
)
def test_equal_populations_are_found_alike_with_the_people_that_teams_have(n_real, n_simulated, power):
    results = [r for draw in MIXED for r in findings(draw, n_real, n_simulated, n_corpora=2)]
    assert share(results, lambda r: r.verdict == "aligned") >= power


def binary(rng, n, simulated):
    return (rng.random(n) < 0.3).astype(float)


def seldom(rng, n, simulated):
    return np.where(rng.random(n) < 0.6, 0, rng.geometric(0.3, n)).astype(float)


@pytest.mark.parametrize("draw", [turns, binary, seldom])
def test_equal_populations_are_shown_to_be_alike_in_four_of_five_cases_with_the_number_that_was_told(draw):
    undecided = [r for r in findings(draw, 100, 100, n_corpora=2) if r.verdict == "undecided"]
    told = [r.details["n_to_decide"] for r in undecided if "n_to_decide" in r.details]
    assert len(told) >= 0.5 * len(undecided)
    sizes = [int(np.median([each[side] for each in told])) for side in ("real", "simulated")]
    power = share(findings(draw, *sizes, n_corpora=4), lambda r: r.verdict == "aligned")
    assert power == pytest.approx(0.80, abs=0.08)


def cards(n: int, shift: float, n_cards: int, n_columns: int = 8):
    """Judge columns correlated .1; yields the findings of each card by metric."""
    for seed in range(n_cards):
        rng = np.random.default_rng([seed, n, 5])
        sides = []
        for prefix in "rs":
            common = rng.normal(size=n)
            columns = {
                f"x{i}": 0.32 * common + rng.normal(shift * (prefix == "s"), 1, n) for i in range(n_columns)
            }
            sides.append(corpus(columns, prefix=prefix))
        yield {f.metric: f for f in Marginals(n_resamples=199).validate(*sides, seed=seed)}


def test_a_perfect_simulator_differs_in_anything_in_at_most_five_cards_of_a_hundred():
    wrong = [any(f.verdict == "different" for f in card.values()) for card in cards(40, 0.0, 100)]
    assert sum(wrong) <= binom.ppf(0.99, 100, 0.05)


def test_many_small_differences_are_found_together():
    found = list(cards(60, 0.35, 25))
    assert np.mean([card["all_metrics"].verdict == "different" for card in found]) >= 0.6
    single = [f.verdict == "different" for card in found for name, f in card.items() if name != "all_metrics"]
    assert np.mean(single) <= 0.3


def test_a_bootstrap_that_took_conversations_for_users_would_reject_far_too_often():
    results = findings(clustered, 240, 240, users_of=1)
    assert share(results, lambda r: r.p_value <= 0.05) > 0.2
