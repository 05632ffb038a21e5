"""The reaction ratio: does its interval cover, how often is its verdict wrong, and what does it take to decide?

People's shifts are as in logs of people who met a good and a bad assistant: .38 human standard deviations over twelve
metrics, most of it in a few. Metrics are normal, 0 or 1, and skewed, and hang together.
"""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binom, norm

from convsim.schema import FAILING
from convsim.schema.persona import Persona
from convsim.stats.reaction_ratio import (
    JointShifts,
    least_factor,
    limit_where_nothing_shifts,
    power_of_a_perfect_simulator,
)
from convsim.stats.sample_size import POWER
from convsim_validators.counterfactual.influence import Together
from convsim_validators.counterfactual.ratio_decision import Limits, Rule, reaction
from convsim_validators.counterfactual.shifts import MetricShift
from convsim_validators.counterfactual.two_arm import Arms, ArmSide
from tests.corpora import corpus
from tests.two_arms import CONTROL, TREATMENT

RULE = Rule(margin=0.5, margin_sd=0.2, alpha=0.05)
PATTERN = np.asarray([0.9, -0.6, 0.5, -0.4, 0.3, 0.3, -0.2, 0.2, 0.1, 0.1, 0, 0])
STRONG = PATTERN / np.sqrt((PATTERN**2).mean()) * 0.38
WEAK = 0.4 * STRONG
NONE = np.zeros(12)
RUNS = 400
MOST_WRONG = binom.ppf(0.99, RUNS, 0.05)
"""Errors of ``RUNS`` that a rule of 5 % exceeds once in a hundred."""
AS_PEOPLE = "reacts_as_people"


def arm(rng, n, shift, load):
    """Draw n conversations of twelve metrics, of mean ``shift`` and standard deviation 1, with one common factor."""
    x = np.sqrt(load) * rng.standard_normal((n, 1)) + np.sqrt(1 - load) * rng.standard_normal((n, 12))
    x[:, 1::3] = ((x[:, 1::3] > norm.ppf(0.7)) - 0.3) / np.sqrt(0.21)
    x[:, 2::3] = (np.exp(0.8 * x[:, 2::3]) - np.exp(0.32)) / np.sqrt(np.exp(0.64) * (np.exp(0.64) - 1))
    return x + shift


def side(rng, n, shift, load):
    """Return one side's shift, each unit's contribution to its error, and the standard deviation within arms."""
    control, treated = arm(rng, n, 0.0, load), arm(rng, n, shift, load)
    deviations = np.vstack([control.mean(0) - control, treated - treated.mean(0)])
    spread = np.sqrt((control.var(0, ddof=1) + treated.var(0, ddof=1)) / 2)
    return treated.mean(0) - control.mean(0), deviations / np.sqrt(n * (n - 1)), spread


def draw(rng, sizes, people, simulated, load=0.4):
    of_people, error, spread = side(rng, sizes[0], people, load)
    of_simulated, simulated_error, _ = side(rng, sizes[1], simulated, load)
    influence = np.zeros((len(error) + len(simulated_error), 24))
    influence[: len(error), :12] = error / spread
    influence[len(error) :, 12:] = simulated_error / spread
    return JointShifts.of(of_people / spread, of_simulated / spread, influence=influence)


def drawn(sizes, people, simulated, *, load=0.4, rule=RULE, runs=RUNS):
    seed = [int(1e3 * abs(value)) for value in (*sizes, people[0], simulated[0], simulated[0] + 9, load)]
    rng = np.random.default_rng(seed)
    return [Limits.of(draw(rng, sizes, people, simulated, load), rule) for _ in range(runs)]


def verdicts(sizes, people, simulated, rule=RULE, **design):
    return Counter(reaction(limits, rule) for limits in drawn(sizes, people, simulated, rule=rule, **design))


WRONG = {
    1.0: FAILING,
    0.5: {AS_PEOPLE, "over_reacts", "reacts_wrong_way", "does_not_react"},
    1.5: FAILING - {"over_reacts"} | {AS_PEOPLE},
    0.0: {AS_PEOPLE, "over_reacts", "reacts_wrong_way"},
    -1.0: {AS_PEOPLE, "over_reacts"},
    2.0: FAILING - {"over_reacts"} | {AS_PEOPLE},
}
"""The verdicts that are false of a simulator that shifts so many times as far as people; .5 and 1.5 are the margins."""


@pytest.mark.parametrize("load", [0.4, 0.8])
@pytest.mark.parametrize("n", [40, 60, 100, 360])
@pytest.mark.parametrize("times", WRONG)
def test_wrong_verdicts_come_in_at_most_one_of_twenty_cases(times, n, load):
    found = verdicts((n, n), STRONG, times * STRONG, load=load)
    assert sum(found[verdict] for verdict in WRONG[times]) <= MOST_WRONG, found


@pytest.mark.parametrize("n", [100, 200])
@pytest.mark.parametrize("people", [STRONG, WEAK], ids=["strong", "weak"])
@pytest.mark.parametrize("times", [1.0, 0.5, 0.0, -1.0, 2.0])
def test_the_interval_covers(times, people, n):
    limits = [each.wide for each in drawn((n, n), people, times * people)]
    missed = sum(wide is not None and not wide[0] <= times <= wide[1] for wide in limits)
    assert missed <= 0.07 * RUNS


@pytest.mark.parametrize(("sizes", "power"), [((200, 200), 0.9), ((200, 1000), 0.95)])
def test_simulators_that_react_react_half_and_ignore_are_told_apart_at_200_people_an_arm(sizes, power):
    right = {1.0: {AS_PEOPLE}, 0.5: {"under_reacts"}, 0.0: {"does_not_react", "under_reacts"}}
    for times, verdict in right.items():
        found = verdicts(sizes, STRONG, times * STRONG)
        assert sum(found[each] for each in verdict) >= binom.ppf(0.01, RUNS, power), (times, found)
    wrong_way = verdicts(sizes, STRONG, -STRONG)
    assert wrong_way["reacts_wrong_way"] >= 0.98 * RUNS


def test_weak_shifts_stay_undecided_and_are_seldom_judged_wrongly():
    for times in (1.0, 0.5, 0.0):
        found = verdicts((100, 100), WEAK, times * WEAK)
        assert found["undecided"] >= 0.8 * RUNS
        # People shift by .15 deviations, which is within the margin of nothing: so is half of it, and none.
        assert sum(found[each] for each in WRONG[times] - {AS_PEOPLE}) <= MOST_WRONG


@pytest.mark.parametrize("n", [40, 200])
def test_where_nobody_shifts_no_failing_verdict_is_given(n):
    found = verdicts((n, n), NONE, NONE)
    assert sum(found[verdict] for verdict in FAILING) <= MOST_WRONG
    assert found[AS_PEOPLE] >= (0.6 if n == 200 else 0) * RUNS


def test_a_simulator_that_moves_where_people_do_not_is_found_to():
    assert verdicts((200, 200), NONE, STRONG)["over_reacts"] >= 0.8 * RUNS


def test_shifts_of_people_beyond_the_margin_are_not_taken_for_nothing():
    """People shift by .25 deviations, so that their ratio is often not told; the simulator does not."""
    people = STRONG / 0.38 * 0.25
    found = verdicts((100, 100), people, NONE)
    assert found[AS_PEOPLE] <= MOST_WRONG


def test_below_60_an_arm_the_ratio_is_too_large_by_a_tenth_or_so():
    estimates = [each.estimate for each in drawn((48, 48), STRONG, STRONG, load=0.8, runs=1000)]
    told = [estimate for estimate in estimates if estimate is not None]
    assert 1.03 <= np.mean(told) <= 1.25
    at_200 = [each.estimate for each in drawn((200, 200), STRONG, STRONG, load=0.8)]
    assert np.mean(at_200) == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize(("sizes", "growing"), [((60, 60), (1, 1)), ((150, 60), (0, 1))])
def test_the_sizes_that_are_told_show_a_simulator_like_people_in_four_of_five_cases(sizes, growing):
    """Sizes are told from 60 people an arm, or from 60 simulated shoppers an arm beside 150 people."""
    rng = np.random.default_rng([sizes[0], 88])
    told = []
    for _ in range(100):
        shifts = draw(rng, sizes, STRONG, STRONG)

        def enough(factor, shifts=shifts):
            growth = (factor if growing[0] else 1.0, factor if growing[1] else 1.0)
            return power_of_a_perfect_simulator(shifts, growth, margin=RULE.margin, z=RULE.one_sided) >= POWER

        told.append(least_factor(enough, (1.0, 100.0)))
    factor = np.median(told)
    needed = tuple(round(n * factor) if grows else n for n, grows in zip(sizes, growing, strict=True))
    found = verdicts(needed, STRONG, STRONG)
    assert 0.7 * RUNS <= found[AS_PEOPLE] <= 0.95 * RUNS, (needed, found)


def test_the_size_that_is_told_shows_that_nobody_shifts_in_four_of_five_cases():
    rng = np.random.default_rng(89)
    told = []
    for _ in range(100):
        of_people, _, _ = draw(rng, (60, 60), NONE, NONE).blocks

        def enough(factor, of_people=of_people):
            return limit_where_nothing_shifts(of_people / factor, RULE.one_sided) <= RULE.margin_sd

        told.append(least_factor(enough, (1.0, 100.0)))
    n = round(60 * np.median(told))
    found = verdicts((n, n), NONE, NONE)
    assert 0.7 * RUNS <= found[AS_PEOPLE] <= 0.95 * RUNS, (n, found)


def test_an_error_rate_of_one_per_cent_is_kept():
    strict = RULE._replace(alpha=0.01)
    found = verdicts((200, 200), STRONG, 0.5 * STRONG, rule=strict)
    assert found[AS_PEOPLE] <= binom.ppf(0.99, RUNS, 0.01)
    assert found["under_reacts"] >= 0.8 * RUNS


ARMS = Arms(CONTROL, TREATMENT)
N_PAIRED_RUNS = 120


def corpora(rng, n, design):
    """Let n users of either side meet both arms, with habits of their own that are half of a metric's variance.

    ``users``: users and personas are other people. ``drawn``: personas were drawn from the users and share their
    habits.
    """
    habit = rng.standard_normal((2, n, 1, 3))
    habit[1] = habit[0] if design == "drawn" else habit[1]
    shift = np.asarray([0.6, -0.4, 0.2]) * np.asarray([0, 1])[:, None]
    # What a user does in the treated arm is their own, too, and so is how far they move.
    moved = rng.standard_normal((2, n, 1, 3)) * 0.5
    moved[1] = moved[0] if design == "drawn" else moved[1]
    x = habit + moved * np.asarray([0, 1])[:, None] + shift + 0.7 * rng.standard_normal((2, n, 2, 3))
    names = [f"u{i}" for i in range(n)]
    twice = [name for name in names for _ in range(2)]
    personas = [
        Persona(id=f"p{name}", need="x", metadata={"drawn_from_user": name} if design == "drawn" else {})
        for name in twice
    ]
    arms = [CONTROL, TREATMENT] * n
    columns = [{f"x{k}": x[s, :, :, k].ravel() for k in range(3)} for s in range(2)]
    return (
        corpus(columns[0], arms=arms, users=twice, prefix="r"),
        corpus(columns[1], arms=arms, personas=personas, prefix="s"),
    )


@pytest.mark.parametrize("design", ["users", "drawn"])
def test_pairs_by_user_and_by_persona_keep_coverage_and_narrow_the_interval(design):
    rng = np.random.default_rng([77, len(design)])
    covered, width, unpaired = 0, [], []
    for _ in range(N_PAIRED_RUNS):
        sides = [ArmSide.of(each, ARMS, 1, rng) for each in corpora(rng, 100, design)]
        measured = [
            MetricShift.of(sides, metric, ARMS, seed=1) for metric in sides[0].corpus.metrics.values()
        ]
        shifts = Together.of(sides, measured).shifts
        wide = Limits.of(shifts, RULE).wide
        covered += wide is None or wide[0] <= 1 <= wide[1]
        width.append(np.inf if wide is None else wide[1] - wide[0])
        apart = shifts.covariance.copy()
        apart[:3, 3:] = apart[3:, :3] = 0
        alone = Limits.of(JointShifts(shifts.people, shifts.simulated, apart), RULE).wide
        unpaired.append(np.inf if alone is None else alone[1] - alone[0])
    assert covered >= binom.ppf(0.01, N_PAIRED_RUNS, 0.93)
    if design == "drawn":
        assert np.median(width) < 0.9 * np.median(unpaired)
