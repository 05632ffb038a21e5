"""``relations`` and ``dose_response`` under the null, at their margins and under known reactions.

Each corpus carries many independent columns, so that one call is many experiments. Printed with ``pytest -s``.
"""

import numpy as np
import pytest
from scipy.stats import binom

from convsim.schema import Finding
from convsim_validators.dose_response.dose_response import DoseResponse
from convsim_validators.relations.relation import Relation
from convsim_validators.relations.relations import Relations
from tests.corpora import EMPTY, corpus, ladder

N_COLUMNS = 40
N_CORPORA = 8
N_TESTS = N_COLUMNS * N_CORPORA
STEPS = np.array([0, 0.25, 0.5, 0.75, 1])
FAULT = "stale_context"


def normal(slope: float):
    """Personas that differ as much as one of them does between conversations; one standard deviation in all."""
    return lambda rng, n, steps: (
        np.sqrt(0.5) * (rng.normal(0, 1, (n, 1)) + rng.normal(0, 1, (n, len(steps)))) + slope * steps
    )


def share(low: float, high: float):
    """Zeros and ones at rates from ``low`` at severity 0 to ``high`` at 1."""
    return lambda rng, n, steps: (rng.random((n, len(steps))) < low + (high - low) * steps).astype(float)


def steady(rate: float, moved: float):
    """Personas that do the same at each severity, but for a share ``moved`` that begins at the first step above 0."""

    def drawn(rng, n, steps):
        base = np.repeat((rng.random((n, 1)) < rate).astype(float), len(steps), axis=1)
        moving = (rng.random(n) < moved / (1 - rate)) & (base[:, 0] == 0)
        base[moving, 1:] = 1
        return base

    return drawn


def corpora(draw, n: int, steps: np.ndarray):
    for seed in range(N_CORPORA):
        rng = np.random.default_rng([seed, n])
        columns = {f"x{i}": draw(rng, n, steps) for i in range(N_COLUMNS)}
        yield seed, columns


def responses(draw, n: int, *, steps: np.ndarray = STEPS, bounded: bool = False) -> list[Finding]:
    found: list[Finding] = []
    for seed, columns in corpora(draw, n, steps):
        simulated = ladder(columns, list(steps), shares=list(columns) if bounded else ())
        found += DoseResponse(fault=FAULT, n_resamples=399).validate(EMPTY, simulated, seed=seed)
    return found


def related(draw, n: int, *, bounded: bool = True, **fields) -> list[Finding]:
    found: list[Finding] = []
    steps = np.array([0.0, 1.0])
    for seed, columns in corpora(draw, n, steps):
        simulated = ladder(columns, list(steps), shares=list(columns) if bounded else ())
        asked = [
            Relation.model_validate(
                {
                    "name": name,
                    "question": "?",
                    "fault": FAULT,
                    "metric": name,
                    "kind": "directional",
                    **fields,
                }
            )
            for name in columns
        ]
        found += Relations(relations=asked, n_resamples=399).validate(EMPTY, simulated, seed=seed)[:-1]
    return found


def rate(findings, predicate) -> float:
    found = float(np.mean([predicate(finding) for finding in findings]))
    print(f" {found:.3f} of {len(findings)}", end="")
    return found


def within_alpha(found: float, n: int = N_TESTS, *, alpha: float = 0.05) -> bool:
    return bool(binom.ppf(0.001, n, alpha) <= round(found * n) <= binom.ppf(0.999, n, alpha))


def not_above_alpha(found: float, n: int = N_TESTS) -> bool:
    return bool(round(found * n) <= binom.ppf(0.999, n, 0.05))


def metrics(findings):
    return [f for f in findings if f.metric != "any_reaction"]


def inside_margin(finding: Finding) -> bool:
    interval, margin = np.asarray(finding.details["equivalence_interval"]), finding.details["margin"]
    return margin is not None and bool(np.abs(interval).max() <= margin)


@pytest.mark.parametrize("n", [20, 100])
def test_a_trend_under_the_null_is_found_at_alpha(n):
    findings = metrics(responses(normal(0), n))
    assert within_alpha(rate(findings, lambda f: f.p_value <= 0.05))
    assert within_alpha(rate(findings, lambda f: not f.interval[0] <= 0 <= f.interval[1]))


def test_a_trend_of_independent_conversations_under_the_null_is_found_at_alpha():
    found: list[Finding] = []
    for seed in range(N_CORPORA):
        rng = np.random.default_rng(seed)
        simulated = corpus(
            {f"x{i}": rng.normal(0, 1, 100) for i in range(N_COLUMNS)},
            faults=[None, *[FAULT] * 4] * 20,
            severities=[None, *STEPS[1:]] * 20,
        )
        found += metrics(DoseResponse(fault=FAULT, n_resamples=399).validate(EMPTY, simulated, seed=seed))
    assert within_alpha(rate(found, lambda f: f.p_value <= 0.05))


def test_an_onset_under_the_null_is_found_at_alpha_over_all_severities():
    findings = metrics(responses(normal(0), 40))
    assert within_alpha(rate(findings, lambda f: f.details["onset"] is not None))


def test_any_reaction_under_the_null_is_found_at_alpha():
    found = [
        DoseResponse(fault=FAULT, n_resamples=199).validate(
            EMPTY,
            ladder(
                {f"x{i}": normal(0)(np.random.default_rng([seed, i]), 20, STEPS) for i in range(12)},
                list(STEPS),
            ),
            seed=seed,
        )[-1]
        for seed in range(200)
    ]
    assert within_alpha(rate(found, lambda f: f.p_value <= 0.05), 200)


@pytest.mark.parametrize(("n", "power"), [(40, 0.70), (100, 0.98)])
def test_a_slope_of_half_a_standard_deviation_is_found(n, power):
    findings = metrics(responses(normal(0.5), n))
    assert rate(findings, lambda f: f.p_value <= 0.05) >= power


@pytest.mark.parametrize("n", [20, 60])
def test_a_rare_reaction_as_large_as_the_margin_is_hardly_ever_called_none(n):
    # A tenth of the personas begin at the first step: the slope is .08, and .2 standard deviations at .2 are .08.
    findings = metrics(responses(steady(0.2, 0.1), n, bounded=True))
    assert not_above_alpha(rate(findings, inside_margin))


def test_nothing_is_called_nothing_with_200_personas():
    findings = metrics(responses(normal(0), 200))
    assert rate(findings, inside_margin) >= 0.4


@pytest.mark.parametrize("n", [20, 100])
def test_an_increase_under_the_null_is_found_at_alpha(n):
    findings = related(normal(0), n, bounded=False, direction="increase")
    assert within_alpha(rate(findings, lambda f: f.p_value <= 0.05))


def test_an_increase_of_a_share_under_the_null_is_found_at_most_at_alpha():
    findings = related(share(0.1, 0.1), 60, direction="increase")
    assert not_above_alpha(rate(findings, lambda f: f.p_value <= 0.05))


@pytest.mark.parametrize("draw", [steady(0.0, 0.1), steady(0.3, 0.1), share(0.3, 0.4)])
@pytest.mark.parametrize("n", [20, 60])
def test_an_increase_as_large_as_the_tolerance_hardly_ever_passes_for_none(draw, n):
    findings = related(draw, n, direction="no_increase", tolerance=0.1)
    assert not_above_alpha(rate(findings, lambda f: f.p_value <= 0.05))


@pytest.mark.parametrize("draw", [steady(0.0, 0.05), steady(0.3, 0.05), share(0.3, 0.35)])
def test_an_increase_as_large_as_the_margin_hardly_ever_passes_for_no_reaction(draw):
    findings = related(draw, 150, direction="increase", margin=0.05)
    assert not_above_alpha(rate(findings, lambda f: f.verdict == "does_not_react"))


@pytest.mark.parametrize(("n", "power"), [(40, 0.55), (100, 0.9)])
def test_complaints_that_rise_from_10_to_30_percent_are_found(n, power):
    findings = related(share(0.1, 0.3), n, direction="increase")
    assert rate(findings, lambda f: f.p_value <= 0.05) >= power


@pytest.mark.parametrize(("draw", "n", "power"), [(steady(0.3, 0.0), 60, 0.9), (share(0.3, 0.3), 300, 0.7)])
def test_that_nothing_got_worse_is_found(draw, n, power):
    findings = related(draw, n, direction="no_increase", tolerance=0.1)
    assert rate(findings, lambda f: f.p_value <= 0.05) >= power


def test_shoppers_that_never_change_are_found_not_to_react_with_80_personas():
    findings = related(steady(0.3, 0.0), 80, direction="increase")
    assert rate(findings, lambda f: f.verdict == "does_not_react") >= 0.9
