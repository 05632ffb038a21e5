"""``counterfactual`` under the null and under known shifts: does it cover, reject at alpha, and find what is there?

Each corpus carries many independent columns, so that one call is many experiments. The hazard of leaving and first
messages are calibrated in files of their own.
"""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binom, norm

from convsim.schema import FAILING
from convsim_validators.counterfactual import first_message, survival
from convsim_validators.counterfactual.counterfactual import Counterfactual
from convsim_validators.counterfactual.shifts import MetricShift
from convsim_validators.counterfactual.summaries import joint_test
from convsim_validators.counterfactual.two_arm import Arms, ArmSide
from convsim_validators.counterfactual.unseen_arm import cost_of_not_seeing
from tests.two_arms import CONTROL, TREATMENT, arms_of

ARMS = Arms(CONTROL, TREATMENT)
N_COLUMNS = 40
N_CORPORA = 8
N_TESTS = N_COLUMNS * N_CORPORA
TASKS = ("tops", "shoes", "coats")


@pytest.fixture(autouse=True)
def _metrics_alone(monkeypatch):
    monkeypatch.setattr(survival, "hazard_findings", lambda *a, **k: [])
    monkeypatch.setattr(first_message, "independence_findings", lambda *a, **k: [])


def normal(shift):
    return lambda rng, n, arm: rng.normal(shift * arm, 1, n)


def binary(control, treated):
    return lambda rng, n, arm: (rng.random(n) < (control, treated)[arm]).astype(float)


def turns(control, treated):
    return lambda rng, n, arm: rng.geometric((control, treated)[arm], n).astype(float)


def skewed(shift):
    return lambda rng, n, arm: rng.lognormal(0, 1, n) + shift * arm


def side(draw, rng, n, prefix, *, crossed=False, tasks=False):
    """Draw ``n`` users an arm; crossed ones met both arms twice, with a habit of their own worth .7 of a deviation."""
    copies = 2 if crossed else 1
    columns: list[dict[str, np.ndarray]] = [{}, {}]
    for i in range(N_COLUMNS):
        habit = np.tile(rng.normal(0, 0.7, n), copies) if crossed else 0.0
        for arm in (0, 1):
            columns[arm][f"x{i}"] = draw(rng, n * copies, arm) + habit
    users = [f"{prefix}{i}" for i in range(n)] * 2 * copies if crossed else None
    named = [TASKS[i % 3] for i in range(n * copies)] * 2 if tasks else None
    return arms_of(columns[0], columns[1], prefix=prefix, users=users, tasks=named)


def findings(human, simulated, n, *, n_simulated=None, n_corpora=N_CORPORA, **design):
    results = []
    for seed in range(n_corpora):
        rng = np.random.default_rng([seed, n])
        sides = [side(human, rng, n, "r", **design), side(simulated, rng, n_simulated or n, "s", **design)]
        validator = Counterfactual(control=CONTROL, treatment=TREATMENT, n_resamples=299)
        results += [f for f in validator.validate(*sides, seed=seed) if f.metric.startswith("x")]
    return results


def share(results, *verdicts):
    return float(np.mean([result.verdict in verdicts for result in results]))


def covered(interval, truth):
    return interval[0] <= truth <= interval[1]


POPULATIONS = {
    "binary, .5 to .1": (binary(0.5, 0.1), -0.4),
    "binary, .1 to .1": (binary(0.1, 0.1), 0.0),
    "normal": (normal(0.5), 0.5),
    "turns": (turns(0.3, 0.2), 5 - 1 / 0.3),
    "skewed": (skewed(0.0), 0.0),
}


@pytest.mark.parametrize("n", [15, 50, 150])
@pytest.mark.parametrize("name", POPULATIONS)
def test_intervals_cover_and_faithful_simulators_fail_in_at_most_five_per_cent(name, n):
    draw, truth = POPULATIONS[name]
    results = findings(draw, draw, n)
    at_least = binom.ppf(0.001, N_TESTS, 0.95)
    assert sum(covered(r.details["human_shift"]["interval"], truth) for r in results) >= at_least
    assert sum(covered(r.interval, 0.0) for r in results) >= at_least
    assert sum(r.verdict in FAILING for r in results) <= binom.ppf(0.999, N_TESTS, 0.05)


@pytest.mark.parametrize("n", [15, 50])
@pytest.mark.parametrize("design", ["crossed", "tasks"])
def test_they_do_with_users_who_met_both_arms_twice_and_with_tasks(design, n):
    results = findings(normal(0.5), normal(0.5), n, **{design: True})
    at_least = binom.ppf(0.001, N_TESTS, 0.95)
    assert sum(covered(r.details["human_shift"]["interval"], 0.5) for r in results) >= at_least
    assert sum(covered(r.interval, 0.0) for r in results) >= at_least
    assert sum(r.verdict in FAILING for r in results) <= binom.ppf(0.999, N_TESTS, 0.05)


def test_they_do_with_sides_of_unequal_sizes():
    results = findings(binary(0.5, 0.1), binary(0.5, 0.1), 20, n_simulated=200)
    assert sum(covered(r.interval, 0.0) for r in results) >= binom.ppf(0.001, N_TESTS, 0.95)
    assert sum(r.verdict in FAILING for r in results) <= binom.ppf(0.999, N_TESTS, 0.05)


@pytest.mark.smoke
def test_a_simulated_arm_that_happens_not_to_vary_is_no_false_certainty():
    rare = binary(0.2, 0.001)
    results = findings(rare, rare, 150, n_simulated=10)
    assert sum(r.verdict in FAILING for r in results) <= binom.ppf(0.999, N_TESTS, 0.05)


@pytest.mark.parametrize("n", [15, 50])
def test_human_shifts_are_established_where_there_are_none_at_most_at_alpha(n):
    results = findings(normal(0.0), normal(0.0), n)
    rejected = sum(result.p_value <= 0.05 for result in results)
    assert binom.ppf(0.001, N_TESTS, 0.03) <= rejected <= binom.ppf(0.999, N_TESTS, 0.05)
    assert sum(r.details["human_shift"]["established"] is True for r in results) <= binom.ppf(
        0.999, N_TESTS, 0.01
    )


@pytest.mark.parametrize(
    ("simulated", "verdict", "power"),
    [
        (0.0, "does_not_react", 0.95),
        (0.3, "under_reacts", 0.6),
        (2.0, "over_reacts", 0.98),
        (-1.0, "reacts_wrong_way", 0.98),
        (1.0, "reacts_as_people", 0.7),
    ],
)
def test_what_a_simulator_does_at_a_human_shift_of_one_is_found_with_150_an_arm(simulated, verdict, power):
    results = findings(normal(1.0), normal(simulated), 150, n_corpora=4)
    assert share(results, verdict) >= power


@pytest.mark.parametrize(
    ("control", "treated", "verdict", "power"),
    [
        (0.5, 0.5, "does_not_react", 0.62),  # of 40 metrics that all shift, each corrected for all
        (0.9, 0.05, "over_reacts", 0.7),
        (0.1, 0.5, "reacts_wrong_way", 0.95),
    ],
)
def test_satisfaction_that_falls_from_half_to_a_tenth_needs_fifty_people_and_a_hundred_simulated(
    control, treated, verdict, power
):
    results = findings(binary(0.5, 0.1), binary(control, treated), 50, n_simulated=100, n_corpora=4)
    assert share(results, verdict) >= power


@pytest.mark.parametrize(("shift", "n"), [(1.0, 40), (0.5, 100), (0.0, 100)])
def test_the_number_of_conversations_that_is_told_shows_equal_shifts_alike_in_four_of_five_samples(shift, n):
    people = normal(shift)
    undecided = [r for r in findings(people, people, n, n_corpora=2) if r.verdict == "undecided"]
    needed = int(np.median([r.details["n_to_decide"]["real"] for r in undecided]))
    alike = share(findings(people, people, needed, n_corpora=2), "reacts_as_people")
    assert 0.65 <= alike <= 0.97


def correlated(rng, n, prefix, *, shift=0.0):
    """Draw 20 metrics of three kinds, correlated .5; the first shifts."""
    arms = []
    for arm in (0, 1):
        x = np.sqrt(0.5) * rng.normal(size=(n, 1)) + np.sqrt(0.5) * rng.normal(size=(n, 20))
        x[:, 1::3] = x[:, 1::3] < norm.ppf(0.2)
        x[:, 2::3] = np.exp(x[:, 2::3])
        x[:, 0] += shift * arm
        arms.append({f"x{i}": x[:, i] for i in range(20)})
    return arms_of(arms[0], arms[1], prefix=prefix)


def shifts_of(sides, seed):
    drawn = [ArmSide.of(s, ARMS, 299, np.random.default_rng([seed, i])) for i, s in enumerate(sides)]
    return [MetricShift.of(drawn, metric, ARMS, seed=seed) for metric in sides[0].metrics.values()]


def joint_rejections(n, shift, n_corpora, *, n_simulated=None):
    rejected = 0
    for seed in range(n_corpora):
        rng = np.random.default_rng([seed, n])
        sides = correlated(rng, n, "r"), correlated(rng, n_simulated or n, "s", shift=shift)
        joint = joint_test([s for s in shifts_of(sides, seed) if s.judged])
        rejected += joint is not None and joint.p_value <= 0.05
    return rejected


@pytest.mark.parametrize(("n", "n_simulated"), [(20, 20), (20, 100), (80, 80)])
def test_the_joint_test_rejects_at_alpha_with_twenty_units_and_twenty_correlated_metrics(n, n_simulated):
    rejected = joint_rejections(n, 0.0, 120, n_simulated=n_simulated)
    assert rejected <= binom.ppf(0.999, 120, 0.05)
    assert rejected >= 1


@pytest.mark.parametrize(("n", "shift", "power"), [(20, 2.0, 0.8), (80, 1.0, 0.8)])
def test_the_joint_test_finds_one_metric_of_twenty_that_shifts_otherwise(n, shift, power):
    assert joint_rejections(n, shift, 30) >= power * 30


def costs(sizes, simulated, informed, n_corpora):
    """Draw 10 metrics that shift by .5 among people."""
    results = []
    for seed in range(n_corpora):
        rng = np.random.default_rng([seed, *sizes])
        sides = [
            arms_of(
                *({f"x{i}": rng.normal(move * arm, 1, n) for i in range(10)} for arm in (0, 1)), prefix=prefix
            )
            for prefix, n, move in zip("rsb", sizes, (0.5, simulated, informed), strict=True)
        ]
        results.append(cost_of_not_seeing(shifts_of(sides, seed)))
    return results


@pytest.mark.parametrize("sizes", [(50, 20, 200), (50, 200, 20), (150, 150, 150)])
def test_not_having_seen_the_arm_costs_nothing_where_it_costs_nothing(sizes):
    results = costs(sizes, 0.5, 0.5, 40)
    assert sum(cost.interval[0] > 0 for cost in results) <= binom.ppf(0.999, 40, 0.05)


@pytest.mark.parametrize(
    ("sizes", "simulated", "truth"), [((150, 150, 150), 0.0, 0.5), ((150, 60, 200), 0.3, 0.2)]
)
def test_the_cost_is_covered_and_one_at_the_margin_is_not_taken_for_none(sizes, simulated, truth):
    results = costs(sizes, simulated, 0.5, 40)
    assert sum(covered(cost.interval, truth) for cost in results) >= binom.ppf(0.001, 40, 0.93)
    assert sum(cost.upper_90 <= 0.2 for cost in results) <= binom.ppf(0.999, 40, 0.07)


def test_the_cost_of_a_simulator_that_does_not_react_is_found():
    assert np.mean([cost.interval[0] > 0 for cost in costs((200, 200, 200), 0.0, 0.5, 20)]) >= 0.7


@pytest.mark.parametrize("n", [15, 150])
def test_a_simulator_that_never_reacts_is_seldom_said_to_shift_the_way_people_do(n):
    verdicts: Counter[str] = Counter()
    for seed in range(30):
        rng = np.random.default_rng([seed, n])
        sides = [
            arms_of(
                *({f"x{i}": rng.normal(move * arm, 1, n) for i in range(5)} for arm in (0, 1)), prefix=prefix
            )
            for prefix, move in (("r", 2.0), ("s", 0.0))
        ]
        validator = Counterfactual(control=CONTROL, treatment=TREATMENT, n_resamples=299)
        verdicts.update(
            f.verdict for f in validator.validate(*sides, seed=seed) if f.metric == "directional_agreement"
        )
    assert verdicts["reacts_as_people"] <= binom.ppf(0.999, 30, 0.05)


def test_a_bootstrap_that_took_a_users_conversations_for_independent_would_fail_too_often():
    failing = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        columns = [{f"x{i}": np.repeat(rng.normal(0, 1, 20), 10) for i in range(N_COLUMNS)} for _ in range(4)]
        sides = arms_of(*columns[:2], prefix="r"), arms_of(*columns[2:], prefix="s")
        validator = Counterfactual(control=CONTROL, treatment=TREATMENT, n_resamples=299)
        failing += [
            f.details["difference_p_value"] <= 0.05
            for f in validator.validate(*sides, seed=seed)
            if f.metric.startswith("x")
        ]
    assert np.mean(failing) > 0.3
