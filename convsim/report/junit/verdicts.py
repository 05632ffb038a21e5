"""What else has verdicts as JUnit: drifts, rankings, probes, calibrations, agreement, checks of a study, and tuning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from convsim.annotation.agreement import Agreement, AgreementReport
from convsim.evaluation import Drift, Ranking, Tuning
from convsim.evaluation.calibration import Calibration, Trial
from convsim.evaluation.probing.document import Probe, Question
from convsim.report.agreement import STATISTICS, written
from convsim.report.junit.document import Case, Outcome, Suite, document, judged
from convsim.report.tables import counted
from convsim.report.tuning import tuned_line
from convsim.simulation.check import Checked, State

FailOn = Literal["different", "undecided"]
OF_STATE: dict[State, Outcome] = {"fails": "failure", "notice": "skipped", "skipped": "skipped"}


def drift_to_junit(drift: Drift, fail_on: FailOn | None) -> str:
    """Return a drift as cases: the whole, each later period, what failed, and, as skipped, what had too few.

    Args:
        drift: What was found.
        fail_on: The verdict that fails; None counts as ``different``.
    """
    asked = fail_on or "different"
    periods = [judged(each.name, each.verdict, each.reason, asked) for each in drift.periods]
    left_out = [
        Case(name=name, outcome="skipped", message=f"too few to judge: {n:,}")
        for name, n in drift.left_out.items()
    ]
    suites = [
        Suite("drift", (judged("people", drift.verdict, drift.reason, asked),)),
        Suite("periods", (*periods, *left_out)),
        *_failed(drift.failed),
    ]
    return document(suites)


def ranking_to_junit(ranking: Ranking, fail_on: FailOn | None) -> str:
    """Return a ranking as cases, one a simulator; ``fail_on`` as of a drift."""
    cases = [
        judged(
            each.name,
            each.verdict,
            each.reason,
            fail_on or "different",
            needs=each.needs.words if each.needs else "",
        )
        for each in ranking.simulators
    ]
    return document([Suite("ranking", tuple(cases))])


def probe_to_junit(probe: Probe, fail_on: FailOn | None, *, allow_failures: bool = False) -> str:
    """Return a probe as cases, one a question, and one for the answers, an error where too many failed.

    Args:
        probe: What was found.
        fail_on: The verdict that fails; None counts as ``different``.
        allow_failures: Too many failed answers are no error.
    """
    asked = f"{probe.n_failed:,} of {probe.n_failed + probe.n_moves:,} answers failed"
    why = "\n".join(f"{n:,}: {reason}" for reason, n in probe.reasons.items())
    answers = Case(name="answers", said=asked)
    if not probe.is_complete or (probe.too_many_failed and not allow_failures):
        stopped = "" if probe.is_complete else "; stopped before all places were asked"
        answers = Case(name="answers", outcome="error", message=asked + stopped, text=why)
    questions = [_question(each, fail_on or "different") for each in probe.questions]
    return document([Suite("probe", (answers, *questions))])


def calibration_to_junit(calibration: Calibration) -> str:
    """Return a calibration as cases, a suite per size.

    A case is an adversary and a validator that must catch it: a failure where it did not in four of five runs. Other
    people, whom nothing may catch, are a case that says how often the headline over all failed.
    """
    suites = [
        Suite(
            f"{n} people a side",
            tuple(case for trial in calibration.of_size(n) for case in _trial(trial, calibration)),
        )
        for n in calibration.sizes
    ]
    return document([*suites, *_failed(calibration.failed)])


def agreement_to_junit(agreement: AgreementReport) -> str:
    """Return an annotator's agreement as cases, one a label.

    It passes where agreement beyond chance is shown: the 95 % interval of tau-b (of ordinal labels) or of kappa (of
    sets) lies above 0. One that has no interval is skipped. What the numbers are is the case's output.
    """
    return document([Suite(f"agreement with {agreement.against}", tuple(map(_label, agreement.entries)))])


def checks_to_junit(checks: Sequence[Checked]) -> str:
    """Return what came of asking each part of a study once: what fails is a failure, a notice is skipped."""
    parts = dict.fromkeys(each.part for each in checks)
    return document(
        Suite(part, tuple(_check(each) for each in checks if each.part == part)) for part in parts
    )


def tuning_to_junit(tuning: Tuning) -> str:
    """Return what tuning found as one case, skipped where nothing was gained."""
    line = tuned_line(tuning)
    if tuning.outcome == "nothing_gained":
        return document([Suite("tuning", (Case(name=tuning.over, outcome="skipped", message=line),))])
    return document([Suite("tuning", (Case(name=tuning.over, said=line),))])


def _failed(said: Sequence[str]) -> list[Suite]:
    """Return a suite of what validators raised; none where none did."""
    cases = tuple(Case(name=each.partition(": ")[0], outcome="error", message=each) for each in said)
    return [Suite("failed", cases)] if cases else []


def _question(question: Question, fail_on: FailOn) -> Case:
    needs = f"about {question.more_units:,} more users" if question.more_units else ""
    return judged(question.name, question.verdict, question.reason, fail_on, needs=needs)


def _trial(trial: Trial, calibration: Calibration) -> Iterator[Case]:
    said = f"{trial.line}; caught in {trial.caught_by_any} of {counted(trial.n_runs, 'run', 'runs')}"
    if trial.is_null:
        said += f", and the headline over all failed in {trial.failing_headline}"
        yield Case(name=trial.adversary, said=said)
        return
    for name in trial.must_catch:
        case = f"{trial.adversary}: {name}"
        if trial.left_out or not trial.n_runs:
            yield Case(name=case, outcome="skipped", message=trial.left_out or "not tried")
        elif name not in calibration.validators:
            yield Case(name=case, outcome="skipped", message=f"the validator {name} did not run")
        elif trial.is_caught_by(name):
            yield Case(name=case, said=said)
        else:
            caught = f"caught in {trial.caught.get(name, 0)} of {counted(trial.n_runs, 'run', 'runs')}"
            yield Case(name=case, outcome="failure", message=caught, type="missed", text=said)


def _label(entry: Agreement) -> Case:
    field = "kendall_tau_b" if entry.kind == "ordinal" else "kappa"
    shown = getattr(entry, field)
    name = f"{entry.label} of a {entry.level}"
    said = "\n".join(f"{words}: {written(getattr(entry, each))}" for each, words in STATISTICS.items())
    said += f"\n{counted(entry.n, 'item', 'items')} of {entry.n_units:,} users or conversations"
    told = f"{STATISTICS[field]} {written(shown)}"
    if shown.interval is None:
        return Case(name=name, outcome="skipped", message=f"no interval: {told}", said=said)
    if shown.interval[0] > 0:
        return Case(name=name, said=said)
    message = f"no agreement beyond chance is shown: {told}"
    return Case(name=name, outcome="failure", message=message, type="chance", said=said)


def _check(checked: Checked) -> Case:
    helps = f"\nwhat helps: {checked.setting}" if checked.setting else ""
    outcome = OF_STATE.get(checked.state, "passed")
    if outcome == "passed":
        return Case(name=checked.what, said=f"{checked.state}: {checked.said}{helps}")
    return Case(
        name=checked.what, outcome=outcome, message=checked.said, type=checked.state, text=helps.strip()
    )
