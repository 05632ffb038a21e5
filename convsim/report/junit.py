"""The scorecard as JUnit XML, for the dashboards of CI servers."""

from __future__ import annotations

import re
from itertools import groupby
from xml.etree import ElementTree

from convsim._text import plain
from convsim.evaluation import FailOn, Scorecard
from convsim.report.html.rows import kind_of
from convsim.report.tables import measured, verdict_words
from convsim.schema import Finding

NOT_XML = re.compile(r"[\ufffe\uffff]")
"""Not control characters, which ``plain`` has replaced, but not allowed in XML 1.0 either."""


def to_junit(card: Scorecard, fail_on: FailOn | None) -> str:
    """Return the judged findings as test cases, one suite per validator.

    A finding that the gate fails on is a failure, one that needs more data is skipped unless the gate fails on it, and
    a validator that failed is an error. Metrics that are not judged are left out.

    Args:
        card: What was found.
        fail_on: The gate; None counts as ``different``.
    """
    failing = {id(finding) for finding in card.failing(fail_on or "different")}
    suites = ElementTree.Element("testsuites", name="convsim")
    ordered = sorted(card.judged, key=lambda finding: finding.validator)
    for validator, findings in groupby(ordered, key=lambda finding: finding.validator):
        cases = [_case(finding, fails=id(finding) in failing) for finding in findings]
        kinds = [case[0].tag if len(case) else "" for case in cases]
        suite = ElementTree.SubElement(
            suites, "testsuite", name=_text(validator), tests=str(len(cases)), failures=str(kinds.count("failure")),
            errors=str(kinds.count("error")), skipped=str(kinds.count("skipped")),
        )  # fmt: skip
        suite.extend(cases)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=False) + "\n"


def _case(finding: Finding, *, fails: bool) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase", classname=f"convsim.{_text(finding.validator)}", name=_text(finding.metric), time="0"
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
            case, "skipped", message=_text(f"{verdict_words(finding)}: {finding.reason}")
        )
        skipped.text = _text(measured(finding))
    return case


def _text(text: str) -> str:
    return NOT_XML.sub("�", plain(text, limit=2_000))
