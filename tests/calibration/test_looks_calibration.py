"""Looks at conversations that become more: all together err as often as one scorecard, whatever is asked at each.

People are the same at every look, simulated conversations are added. Asked of normal differences first, where many
runs cost little, then of validators.
"""

import numpy as np
import pytest
from scipy.stats import binom, chi2, norm

from convsim.evaluation.looks import plan_looks
from convsim.metrics import measure_both
from convsim.schema.conversation import Conversation, Label, Message
from convsim.stats.joint_equivalence import Joint, JointRule, far_off
from convsim_validators import Marginals, Transitions
from tests.calibration.test_headline_calibration import N_METRICS, at_distance, contrasts, moved, population
from tests.corpora import corpus

PLANS = {(150, 100, 1000), (60, 60, 600), (400, 200, 2000)}
"""People, conversations at the first look and at the last."""


def differences(rng, n_people, sizes, n_runs, n_questions):
    """Draw the standardised differences of sides that do not differ; shape (runs, looks, questions)."""
    people = rng.normal(size=(n_runs, 1, n_questions)) / np.sqrt(n_people)
    steps = np.diff([0, *sizes])
    sums = np.cumsum(
        rng.normal(size=(n_runs, len(sizes), n_questions)) * np.sqrt(steps)[None, :, None], axis=1
    )
    means = sums / np.asarray(sizes)[None, :, None]
    information = np.asarray([n_people * n / (n_people + n) for n in sizes])
    return (means - people) * np.sqrt(information)[None, :, None]


def of_the_largest(z):
    m = z.shape[2]
    return 1 - (1 - 2 * norm.sf(np.abs(z).max(axis=2))) ** m


P_VALUES = {
    "one side of one difference": (1, lambda z: norm.sf(z[..., 0])),
    "both sides of one difference": (1, lambda z: 2 * norm.sf(np.abs(z[..., 0]))),
    "the sum of 5 squares": (5, lambda z: chi2.sf((z**2).sum(axis=2), 5)),
    "the sum of 40 squares": (40, lambda z: chi2.sf((z**2).sum(axis=2), 40)),
    "the largest of 20": (20, of_the_largest),
    "the largest of 100": (100, of_the_largest),
}


@pytest.mark.parametrize("plan", sorted(PLANS))
@pytest.mark.parametrize("asked", P_VALUES)
def test_whatever_is_asked_all_looks_together_reject_in_at_most_one_case_of_twenty(plan, asked):
    n_people, first, at_most = plan
    looks = plan_looks(n_people, first, at_most)
    n_questions, p_values = P_VALUES[asked]
    n_runs = 20_000 if n_questions < 40 else 8_000
    rng = np.random.default_rng([31, n_people, n_questions])
    p = np.concatenate(
        [
            p_values(differences(rng, n_people, [look.n for look in looks], 1000, n_questions))
            for _ in range(n_runs // 1000)
        ]
    )
    rates = np.asarray([look.error_rate for look in looks])
    rejected = int((p <= rates).any(axis=1).sum())
    assert rejected <= binom.ppf(0.999, n_runs, 0.05)
    assert rejected >= 0.03 * n_runs  # and little of it is given away
    assert (p <= 0.05).any(axis=1).mean() > 0.09  # as it would be if each look were the only one


def habits(rates, real, simulated):
    """Return at which look two tables are found alike in habits, at these error rates by size; None if at none."""
    margins = np.repeat([0.147, 0.25], N_METRICS)
    for n, rate in rates.items():
        rule = JointRule(alpha=rate)
        both = contrasts(real, simulated[:n])
        inside = all(
            joint.limits(rule.z)[1] <= margin
            for joint, margin in (
                (Joint.of(both), rule.margin), (Joint.of(both, "spread"), rule.spread_margin)
            )
        )  # fmt: skip
        rng = np.random.default_rng(n)
        if inside and not far_off(both.estimates, both.covariance, margins, alpha=rate, rng=rng).any():
            return n
    return None


@pytest.mark.parametrize("kind", ["all one way", "half", "in turn", "spread"])
def test_habits_at_the_margin_are_found_alike_at_any_look_in_few_cases(kind):
    rates = {look.n: look.error_rate for look in plan_looks(100, 60, 600)}
    there = at_distance(kind, 0.25 if kind == "spread" else 0.147)
    runs, found = 80, 0
    for run in range(runs):
        rng = np.random.default_rng([32, run])
        real, simulated = population(rng, 100, **moved("half", 0)), population(rng, 600, **there)
        found += habits(rates, real, simulated) is not None
    assert found <= binom.ppf(0.99, runs, 0.06)


def test_habits_that_do_not_differ_are_found_alike_at_some_look_and_hardly_ever_different():
    looks = plan_looks(100, 60, 300)
    runs, alike, different = 60, 0, 0
    for run in range(runs):
        rng = np.random.default_rng([33, run])
        real, simulated = (population(rng, n, **moved("half", 0))[:, ::2] for n in (100, 300))
        verdict = "undecided"
        for look in looks:
            sides = [
                corpus({f"m{k}": side[:, k] for k in range(side.shape[1])}, prefix=prefix)
                for side, prefix in ((real, "r"), (simulated[: look.n], "s"))
            ]
            found = Marginals(alpha=look.error_rate, n_resamples=499).validate(*sides, seed=run)
            verdict = next(finding.verdict for finding in found if finding.metric == "all_metrics")
            if verdict != "undecided":
                break
        alike, different = alike + (verdict == "aligned"), different + (verdict == "different")
    assert alike >= 0.95 * runs
    assert different <= binom.ppf(0.99, runs, 0.05)


ACTS = ("inform_preference", "refine", "accept_recommendation", "thank", "close")


def said(rng, name: str, n: int) -> list[Conversation]:
    """Draw conversations whose acts follow one another at random, with a habit of their own each."""
    made = []
    for i in range(n):
        liked = rng.dirichlet(np.ones(len(ACTS)))
        acts = rng.choice(ACTS, size=int(rng.integers(2, 7)), p=liked)
        labels = [{"acts": (Label(value=[str(act)], source="rules:1"),)} for act in acts]
        messages = [
            Message(role="user", content=f"{name} {i} {k}", labels=each) for k, each in enumerate(labels)
        ]
        made.append(Conversation(id=f"{name}{i}", messages=tuple(messages)))
    return made


def test_transitions_that_do_not_differ_are_hardly_ever_found_different_at_any_look():
    looks = plan_looks(60, 60, 300)
    runs, different, naive = 60, 0, 0
    for run in range(runs):
        rng = np.random.default_rng([34, run])
        sides = measure_both(said(rng, "h", 60), said(rng, "s", 300))
        p = [
            Transitions(n_resamples=499)
            .validate(sides[0], sides[1].take(np.arange(look.n)), seed=run)[0]
            .p_adjusted
            for look in looks
        ]
        different += any(value <= look.error_rate for value, look in zip(p, looks, strict=True))
        naive += any(value <= 0.05 for value in p)
    assert different <= binom.ppf(0.99, runs, 0.05)
    assert naive >= different
