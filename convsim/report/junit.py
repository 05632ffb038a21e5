"""The scorecard, and what a gate said of it, as JUnit XML for the dashboards of CI servers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from xml.etree import ElementTree

from convsim._text import plain
from convsim.evaluation import Comparison, FailOn, Scorecard
from convsim.report.answers import Answer, answers
from convsim.report.gate import sentence, title, verdict
from convsim.report.html.rows import kind_of
from convsim.report.tables import measured, verdict_and_needs, verdict_words
from convsim.report.versions import title as moved_title
from convsim.report.versions import worse_line
from convsim.schema import Finding, GateCheck, GateResult
from convsim.schema.versions import Versions

NOT_XML = re.compile(r"[\ufffe\uffff]")
"""Not control characters, which ``plain`` has replaced, but not allowed in XML 1.0 either."""


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
    suites = [*_of_gate(card.gate)] if card.gate else []
    if card.baseline is not None:
        suites.append(_of_versions(card.baseline))
    if fail_on != "worse" and (fail_on is not None or card.gate is None):
        suites += _of_findings(card, fail_on or "different", headlines=card.gate is None)
    return _document(suites)


def comparison_to_junit(comparison: Comparison) -> str:
    """Return the simulators of a comparison as ``to_junit`` does, the suites of each under its name."""
    suites: list[ElementTree.Element] = []
    for each in comparison.simulators:
        of = f"{plain(each.name, limit=200)}: "
        if each.gate is not None:
            suites += _of_gate(each.gate, of)
            continue
        for card in (each.validation, each.counterfactual):
            suites += _of_findings(card, "different", of) if card is not None else ()
    return _document(suites)


def _document(suites: Sequence[ElementTree.Element]) -> str:
    root = ElementTree.Element("testsuites", name="convsim")
    root.extend(suites)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _of_gate(result: GateResult, of: str = "") -> Iterator[ElementTree.Element]:
    for kind, name in (("headline", "headlines"), ("metric", "metrics")):
        checks = [check for check in result.checks if check.kind == kind]
        if checks:
            yield _suite(f"{of}{name}", [_checked(check, f"{of}{name}") for check in checks])


def _of_versions(versions: Versions) -> ElementTree.Element:
    """Return a suite of what was held against a baseline, where what got worse is a failure."""
    cases = []
    for each in versions.moved:
        case = ElementTree.Element(
            "testcase", classname="convsim.baseline", name=_text(moved_title(each)), time="0"
        )
        if each.course == "worse":
            failure = ElementTree.SubElement(case, "failure", message="worse", type="worse")
            failure.text = _text(worse_line(each))
        cases.append(case)
    return _suite("baseline", cases)


def _checked(check: GateCheck, suite: str) -> ElementTree.Element:
    name = title(check).removeprefix(f"{check.kind} ")
    case = ElementTree.Element("testcase", classname=f"convsim.{_text(suite)}", name=_text(name), time="0")
    if check.passed:
        return case
    said = _text(sentence(check))
    if check.severity == "warning":
        ElementTree.SubElement(case, "skipped", message=f"warning: {_text(verdict(check))}")
        ElementTree.SubElement(case, "system-out").text = said
        return case
    failure = ElementTree.SubElement(
        case, "failure", message=_text(verdict(check)), type=check.verdict or "not_judged"
    )
    failure.text = said
    return case


def _of_findings(
    card: Scorecard, fail_on: FailOn, of: str = "", *, headlines: bool = True
) -> Iterator[ElementTree.Element]:
    if headlines and card.headlines:
        yield _suite(f"{of}headlines", [_headline(each, fail_on, of) for each in answers(card)])
    failing = {id(finding) for finding in card.failing(fail_on)}
    ordered = sorted(card.judged, key=lambda finding: finding.validator)
    for validator, findings in groupby(ordered, key=lambda finding: finding.validator):
        cases = [_case(finding, of, fails=id(finding) in failing) for finding in findings]
        yield _suite(f"{of}{validator}", cases)


def _headline(answer: Answer, fail_on: FailOn, of: str) -> ElementTree.Element:
    """Write a headline as a case; it fails where the finding that it stands on does."""
    case = ElementTree.Element(
        "testcase", classname=f"convsim.{_text(of)}headlines", name=answer.name, time="0"
    )
    fails = answer.kind == "different" or (answer.kind == "undecided" and fail_on == "undecided")
    outcome = {"failed": "error", "undecided": "skipped"}.get(answer.kind, "")
    if outcome := "failure" if fails else outcome:
        told = ElementTree.SubElement(case, outcome, message=_text(answer.words))
        told.text = _text("\n".join(filter(None, (answer.reason, answer.decided_by))))
    return case


def _suite(name: str, cases: Sequence[ElementTree.Element]) -> ElementTree.Element:
    kinds = [case[0].tag if len(case) else "" for case in cases]
    suite = ElementTree.Element(
        "testsuite", name=_text(name), tests=str(len(cases)), failures=str(kinds.count("failure")),
        errors=str(kinds.count("error")), skipped=str(kinds.count("skipped")),
    )  # fmt: skip
    suite.extend(cases)
    return suite


def _case(finding: Finding, of: str, *, fails: bool) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase", classname=f"convsim.{_text(of + finding.validator)}", name=_text(finding.metric), time="0"
    )
    if finding.verdict == "failed":
        ElementTree.SubElement(case, "error", message=_text(finding.reason))
    elif fails:
        failure = ElementTree.SubElement(
            case, "failure", message=verdict_words(finding), type=finding.verdict
        )
        failure.text = _text(f"{finding.question}\n{finding.reason}\n{measured(finding)}")
    elif kind_of(finding) == "undecided":
        skipped = ElementTree.SubElement(
            case, "skipped", message=_text(f"{verdict_and_needs(finding)}; {finding.reason}")
        )
        skipped.text = _text(measured(finding))
    return case


def _text(text: str) -> str:
    return NOT_XML.sub("�", plain(text, limit=2_000))
