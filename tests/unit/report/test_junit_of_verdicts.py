"""What else has verdicts, for CI dashboards: which case fails, is skipped or an error, and that text is harmless."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from convsim.annotation.agreement import check
from convsim.evaluation import Drift, Ranking, SideSummary, Tuning
from convsim.evaluation.calibration import Calibration, Trial
from convsim.evaluation.probing.document import Probe, Question
from convsim.report.junit import (
    agreement_to_junit,
    calibration_to_junit,
    checks_to_junit,
    drift_to_junit,
    probe_to_junit,
    ranking_to_junit,
    tuning_to_junit,
)
from convsim.simulation.check import Checked
from convsim.workflow.shown import to_junit as study_to_junit
from convsim.workflow.summary import StudySummary, VariantSummary
from tests.junit import outcomes
from tests.labelled import labelled_sessions

SIDE = SideSummary.of([], path=None, sha256=None)
HOSTILE = '"><failure/>\x00\x1b\ufffe]]>&amp;'


def drift(**more: object) -> Drift:
    period = {"side": SIDE, "reason": "because"}
    stated = {
        "by": "month", "date": "date", "reference": "2026-01", "real": SIDE, "alpha": 0.05, "n_families": 3, "seed": 1,
        "verdict": "different", "reason": "one differs", "null_hypothesis": "none", "source": "a test",
        "periods": [
            {"name": "2026-02", "verdict": "aligned", **period},
            {"name": "2026-03", "verdict": "undecided", **period},
            {"name": "2026-04", "verdict": "different", **period},
        ],
        "left_out": {"2026-05": 3},
        **more,
    }  # fmt: skip
    return Drift.model_validate(stated)


@pytest.mark.parametrize(
    ("fail_on", "march"), [(None, "skipped"), ("different", "skipped"), ("undecided", "failure")]
)
def test_each_period_of_a_drift_is_a_case(fail_on, march):
    assert outcomes(drift_to_junit(drift(), fail_on)) == {
        "drift": {"people": "failure"},
        "periods": {"2026-02": "passed", "2026-03": march, "2026-04": "failure", "2026-05": "skipped"},
    }


def test_what_failed_in_a_period_is_an_error():
    broken = {
        "name": "2026-02",
        "side": SIDE,
        "verdict": "aligned",
        "reason": "",
        "failed": ["marginals: raised"],
    }
    found = outcomes(drift_to_junit(drift(periods=[broken]), None))
    assert found["failed"] == {"2026-02": "error"}


def ranking(*verdicts: str) -> Ranking:
    number = {"estimate": 0.5}
    of_people = ("agreement", "kept", "opposite", "tau_b", "spearman")
    rest = dict.fromkeys((*of_people, "level_error", "calibration_error", "bias", "failure_mix"), number)
    simulators = [
        {
            "name": f"{HOSTILE}{n}",
            "side": SIDE,
            "verdict": verdict,
            "reason": HOSTILE,
            "systems": (),
            "pairs": (),
            **rest,
        }
        for n, verdict in enumerate(verdicts)
    ]
    stated = {
        "real": SIDE, "by": "agent", "outcome": "satisfaction", "unit": "points", "better": "higher",
        "two_valued": False, "seed": 1, "question": "?", "null_hypothesis": "none", "source": "a test",
        "simulators": simulators,
    }  # fmt: skip
    return Ranking.model_validate(stated)


def test_each_simulator_of_a_ranking_is_a_case_whatever_it_is_called():
    found = outcomes(ranking_to_junit(ranking("aligned", "different", "undecided"), None))
    assert [*found["ranking"].values()] == ["passed", "failure", "skipped"]
    assert all(name.startswith('"><failure/>��') for name in found["ranking"])


def probe(**more: object) -> Probe:
    verdicts = {"ending": "aligned", "decision": "different", "item": "undecided", "act": "failed"}
    question = {
        "question": "?",
        "reason": "because",
        "score": "accuracy",
        "against": "a baseline",
        "more_units": 40,
    }
    stated = {
        "real": SIDE, "shopper": "mine", "model": None, "learned": "nothing", "seed": 1, "draws": 5, "n_places": 9,
        "n_asked": 9, "n_units": 4, "n_moves": 80, "n_failed": 20, "reasons": {"it raised": 20},
        "questions": [
            Question.model_validate({"name": name, "verdict": verdict, **question})
            for name, verdict in verdicts.items()
        ],
        **more,
    }  # fmt: skip
    return Probe.model_validate(stated)


def test_each_question_of_a_probe_is_a_case_and_too_many_failed_answers_are_an_error():
    questions = {"ending": "passed", "decision": "failure", "item": "skipped", "act": "error"}
    assert outcomes(probe_to_junit(probe(), None)) == {"probe": {"answers": "error", **questions}}
    allowed = outcomes(probe_to_junit(probe(), "undecided", allow_failures=True))
    assert allowed == {"probe": {"answers": "passed", **questions, "item": "failure"}}
    few = outcomes(probe_to_junit(probe(n_failed=1), None))
    assert few["probe"]["answers"] == "passed"
    assert outcomes(probe_to_junit(probe(n_failed=0, is_complete=False), None))["probe"]["answers"] == "error"
    assert "needs more data: about 40 more users" in probe_to_junit(probe(), None)


def test_an_adversary_that_its_validator_missed_is_a_failure():
    def trial(name: str, *must: str, n: int = 40, **more: object) -> Trial:
        return Trial.model_validate(
            {"adversary": name, "line": "does it", "n": n, "n_runs": 5, "must_catch": must, **more}
        )

    found = Calibration(
        real=SIDE, n_people=90, seed=1, n_runs=5, validators=("copies", "marginals"), sizes=(40, 80),
        trials=(
            trial("other_people"),
            trial("caught", "copies", caught={"copies": 5}, caught_by_any=5),
            trial("missed", "marginals", caught={"copies": 5, "marginals": 3}, caught_by_any=5),
            trial("untried", "copies", n_runs=0, left_out="no items"),
            trial("unjudged", "joint", n=80),
        ),
        failed=("copies: raised",),
    )  # fmt: skip
    assert outcomes(calibration_to_junit(found)) == {
        "40 people a side": {
            "other_people": "passed", "caught: copies": "passed", "missed: marginals": "failure",
            "untried: copies": "skipped",
        },
        "80 people a side": {"unjudged: joint": "skipped"},
        "failed": {"copies": "error"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("judge", "outcome"),
    [([0, 1, 0, 0, 1] * 8, "passed"), ([1, 0, 0, 1, 1] * 8, "failure"), ([1] * 40, "skipped")],
)
def test_agreement_passes_where_it_is_shown_to_be_beyond_chance(judge, outcome):
    told = labelled_sessions("satisfaction", {"self": [0, 1, 1, 0, 1] * 8, "judge:m:1": judge})
    found = check(told, told, source="judge:m:1", against="self", seed=1, n_resamples=99)
    document = agreement_to_junit(found)
    assert outcomes(document) == {"agreement with self": {"satisfaction of a conversation": outcome}}
    said = ElementTree.fromstring(document).find(".//system-out")
    assert said is not None
    assert said.text is not None
    assert "accuracy: " in said.text


def test_what_a_check_found_to_fail_is_a_failure():
    def checked(what: str, state: str) -> Checked:
        return Checked(part=f"model {HOSTILE}", what=what, state=state, said=HOSTILE, setting="model.x = 1")  # type: ignore[arg-type]

    states = {"a": "works", "b": "changed", "c": "notice", "d": "fails", "e": "skipped"}
    [suite] = outcomes(checks_to_junit([checked(*each) for each in states.items()])).values()
    assert suite == {"a": "passed", "b": "passed", "c": "skipped", "d": "failure", "e": "skipped"}


def test_tuning_that_gained_nothing_is_skipped():
    near = {"estimate": 0.2, "interval": (0.1, 0.3), "location": 0.2}
    stated = {
        "over": "runs", "outcome": "gained", "real": SIDE, "n_learned": 9, "n_held_out": 9, "metrics": ["turns"],
        "parts": [{"name": "a", "n": 4, "weight": 0.6}, {"name": "b", "n": 4, "weight": 0.4}], "effective_size": 8.0,
        "before": near, "equal": near, "after": near, "seed": 1,
        "gain": {"estimate": 0.1, "interval": (0.0, 0.2), "over": "the nearest run"},
    }  # fmt: skip
    found = Tuning.model_validate(stated)
    assert outcomes(tuning_to_junit(found)) == {"tuning": {"runs": "passed"}}
    assert outcomes(tuning_to_junit(found.but(outcome="nothing_gained"))) == {"tuning": {"runs": "skipped"}}


def variant(name: str, **more: object) -> VariantSummary:
    ran = {"changes": {}, "folder": name, "planned": 10, "failed": 1, "missing": 0}
    habits = {"name": "habits", "verdict": "different", "reason": "too long"}
    words = {"name": "words", "verdict": "undecided", "reason": "too few"}
    both = {"name": "all", "verdict": "different", "reason": "habits"}
    return VariantSummary.model_validate({"name": name, **ran, "headlines": [habits, words, both], **more})


def test_each_run_of_a_study_is_a_suite():
    found = StudySummary(
        name="s", finished="2026-01-01T00:00:00Z", made_by={"convsim": "1"}, seed=1,
        variants=(
            variant("plain"), variant("passed", passed=True), variant("failed", passed=False),
            variant("stopped", headlines=[], reason="the budget is spent"),
        ),
        failed=("joint",),
    )  # fmt: skip
    assert outcomes(study_to_junit(found)) == {
        "plain": {"run": "passed", "habits": "failure", "words": "skipped"},
        "passed": {"run": "passed", "gate": "passed"},
        "failed": {"run": "passed", "gate": "failure"},
        "stopped": {"run": "error"},
        "validators": {"joint": "error"},
    }


def test_a_verdict_on_runs_that_were_judged_together_is_counted_once():
    found = StudySummary(
        name="s", finished="2026-01-01T00:00:00Z", made_by={"convsim": "1"}, seed=1,
        variants=(
            variant("seed=1,k=1", simulator="k=1"), variant("seed=1,k=2", simulator="k=2", passed=False),
            variant("seed=2,k=1", simulator="k=1"), variant("seed=2,k=2", simulator="k=2", passed=False),
            variant("seed=3,k=1", headlines=[], reason="the budget is spent"),
        ),
    )  # fmt: skip
    assert outcomes(study_to_junit(found)) == {
        "k=1": {
            "run seed=1,k=1": "passed",
            "run seed=2,k=1": "passed",
            "habits": "failure",
            "words": "skipped",
        },
        "k=2": {"run seed=1,k=2": "passed", "run seed=2,k=2": "passed", "gate": "failure"},
        "seed=3,k=1": {"run": "error"},
    }
