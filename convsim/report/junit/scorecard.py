"""A scorecard or a comparison, and what a gate said of it, as JUnit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from convsim._text import plain
from convsim.evaluation import Comparison, FailOn, Scorecard, SimulatorReport
from convsim.report.answers import Answer, answers
from convsim.report.gate import sentence, title, verdict
from convsim.report.html.rows import kind_of
from convsim.report.junit.document import Case, Outcome, Suite, document
from convsim.report.tables import measured, verdict_and_needs, verdict_words
from convsim.report.versions import title as moved_title
from convsim.report.versions import worse_line
from convsim.schema import Finding, GateCheck, GateResult
from convsim.schema.versions import Versions


def to_junit(card: Scorecard, fail_on: FailOn | None) -> str:
    """Return a scorecard as test cases.

    Where a gate was held against it, a suite has its headlines and another its metrics: what fails the gate is a
    failure, what it only warns of is skipped, with the warning as output. Where none was, the first suite has the
    headlines all the same. The judged findings are cases, a suite per validator, where no gate was held against them or
    ``fail_on`` asks for a verdict: one that fails is a failure, one that needs more data is skipped unless it fails,
    and a validator that failed is an error. What is not judged is left out. What was held against a baseline is a
    suite, too.

    Args:
        card: What was found.
        fail_on: The verdict that fails; None counts as ``different``.
    """
    return document(suites_of(card, fail_on))


def suites_of(card: Scorecard, fail_on: FailOn | None, of: str = "") -> Iterator[Suite]:
    """Yield the suites of ``to_junit``, each name with ``of`` before it."""
    if card.gate:
        yield from _of_gate(card.gate, of)
    if card.baseline is not None:
        yield _of_versions(card.baseline, of)
    if fail_on != "worse" and (fail_on is not None or card.gate is None):
        yield from _of_findings(card, fail_on or "different", of, headlines=card.gate is None)


def comparison_to_junit(comparison: Comparison) -> str:
    """Return the simulators of a comparison as ``to_junit`` does, the suites of each under its name.

    A simulator that could not be held against the people, or not in its reactions, has an error that says why, and one
    of which no finding is judged a skipped case. Validators that failed are errors in a suite of their own, whether
    there is a gate or not.
    """
    suites = [suite for each in comparison.simulators for suite in _of_simulator(comparison, each)]
    if comparison.failed:
        failed = (
            Case(name=name, outcome="error", message=_why_failed(comparison, name))
            for name in comparison.failed
        )
        suites.append(Suite("validators", tuple(failed)))
    return document(suites)


def _of_simulator(comparison: Comparison, report: SimulatorReport) -> list[Suite]:
    of = f"{plain(report.name, limit=200)}: "
    if report.gate is not None:
        suites = [*_of_gate(report.gate, of)]
    else:
        cards = (card for card in (report.validation, report.counterfactual) if card is not None)
        suites = [suite for card in cards for suite in _of_findings(card, "different", of)]
    if report.not_judged is not None:
        suites.append(_one(of, "judged", "error", report.not_judged))
    elif report.gate is None and comparison.control is not None and report.counterfactual is None:
        suites.append(_one(of, "reactions", "error", report.reactions.agreement.reason))
    return suites or [_one(of, "judged", "skipped", "no finding of it is judged")]


def _one(of: str, name: str, outcome: Outcome, message: str) -> Suite:
    return Suite(f"{of}{name}", (Case(name=name, outcome=outcome, message=message),))


def _why_failed(comparison: Comparison, validator: str) -> str:
    """Say why a validator failed: as its first finding does or, where it compares simulators, a warning."""
    for report in comparison.simulators:
        for card in (report.validation, report.counterfactual):
            for finding in card.failed if card is not None else ():
                if finding.validator == validator:
                    return finding.reason
    said = (warning for warning in comparison.warnings if warning.startswith(f"{validator} failed"))
    return next(said, "it failed")


def _of_gate(result: GateResult, of: str) -> Iterator[Suite]:
    for kind, name in (("headline", "headlines"), ("metric", "metrics")):
        checks = [check for check in result.checks if check.kind == kind]
        if checks:
            yield Suite(f"{of}{name}", tuple(map(_checked, checks)))


def _of_versions(versions: Versions, of: str) -> Suite:
    """Return a suite of what was held against a baseline, where what got worse is a failure."""
    return Suite(
        f"{of}baseline",
        tuple(
            Case(
                name=moved_title(each),
                outcome="failure",
                message="worse",
                type="worse",
                text=worse_line(each),
            )
            if each.course == "worse"
            else Case(name=moved_title(each))
            for each in versions.moved
        ),
    )


def _checked(check: GateCheck) -> Case:
    name = title(check).removeprefix(f"{check.kind} ")
    if check.passed:
        return Case(name=name)
    if check.severity == "warning":
        return Case(name=name, outcome="skipped", message=f"warning: {verdict(check)}", said=sentence(check))
    return Case(
        name=name,
        outcome="failure",
        message=verdict(check),
        type=check.verdict or "not_judged",
        text=sentence(check),
    )


def _of_findings(
    card: Scorecard, fail_on: FailOn, of: str = "", *, headlines: bool = True
) -> Iterator[Suite]:
    if headlines and card.headlines:
        yield Suite(f"{of}headlines", tuple(_headline(each, fail_on) for each in answers(card)))
    failing = {id(finding) for finding in card.failing(fail_on)}
    ordered = sorted(card.judged, key=lambda finding: finding.validator)
    for validator, findings in groupby(ordered, key=lambda finding: finding.validator):
        cases = tuple(_case(finding, fails=id(finding) in failing) for finding in findings)
        yield Suite(f"{of}{validator}", cases)


def _headline(answer: Answer, fail_on: FailOn) -> Case:
    """Write a headline as a case; it fails where the finding that it stands on does."""
    fails = answer.kind == "different" or (answer.kind == "undecided" and fail_on == "undecided")
    if not fails and answer.kind not in ("failed", "undecided"):
        return Case(name=answer.name)
    return Case(
        name=answer.name,
        outcome="failure" if fails else "error" if answer.kind == "failed" else "skipped",
        message=answer.words,
        text="\n".join(filter(None, (answer.reason, answer.decided_by))),
    )


def _case(finding: Finding, *, fails: bool) -> Case:
    name = finding.metric
    if finding.verdict == "failed":
        return Case(name=name, outcome="error", message=finding.reason)
    if fails:
        text = f"{finding.question}\n{finding.reason}\n{measured(finding)}"
        return Case(
            name=name, outcome="failure", message=verdict_words(finding), type=finding.verdict, text=text
        )
    if kind_of(finding) == "undecided":
        message = f"{verdict_and_needs(finding)}; {finding.reason}"
        return Case(name=name, outcome="skipped", message=message, text=measured(finding))
    return Case(name=name)
