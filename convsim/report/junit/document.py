"""A document of JUnit: suites of cases, each passed, failed, skipped or an error. All text in it is hostile."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from convsim._text import plain
from convsim.report.tables import VERDICTS
from convsim.schema import FAILING, Verdict

Outcome = Literal["passed", "failure", "error", "skipped"]
NOT_XML = re.compile(r"[\ufffe\uffff]")
"""Not control characters, which ``plain`` has replaced, but not allowed in XML 1.0 either."""
MAX_TEXT = 2_000


@dataclass(frozen=True, kw_only=True)
class Case:
    """One question and what came of it."""

    name: str
    outcome: Outcome = "passed"
    message: str = ""
    """A line; not shown of a case that passed."""
    type: str = ""
    """Of a failure: the verdict, as files have it."""
    text: str = ""
    """What stands below the message."""
    said: str = ""
    """What dashboards show as output of the case, whatever its outcome."""


@dataclass(frozen=True)
class Suite:
    """Cases under one name."""

    name: str
    cases: tuple[Case, ...]


def document(suites: Iterable[Suite]) -> str:
    """Return suites as a document, indented, with a final newline."""
    root = ElementTree.Element("testsuites", name="convsim")
    root.extend(_suite(suite) for suite in suites)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def outcome_of(verdict: Verdict, fail_on: Literal["different", "undecided"]) -> Outcome:
    """Return what a verdict makes of its case; one that needs more data is skipped, unless it fails."""
    if verdict == "failed":
        return "error"
    if verdict in FAILING or (verdict == "undecided" and fail_on == "undecided"):
        return "failure"
    return "skipped" if verdict == "undecided" else "passed"


def judged(
    name: str, verdict: Verdict, reason: str, fail_on: Literal["different", "undecided"], *, needs: str = ""
) -> Case:
    """Make the case of one verdict: its words and, where it is known, how much more would decide; then its reason."""
    words = f"{VERDICTS[verdict]}: {needs}" if needs else VERDICTS[verdict]
    return Case(name=name, outcome=outcome_of(verdict, fail_on), message=words, type=verdict, text=reason)


def _suite(suite: Suite) -> ElementTree.Element:
    outcomes = [case.outcome for case in suite.cases]
    element = ElementTree.Element(
        "testsuite", name=_text(suite.name), tests=str(len(outcomes)), failures=str(outcomes.count("failure")),
        errors=str(outcomes.count("error")), skipped=str(outcomes.count("skipped")),
    )  # fmt: skip
    element.extend(_case(case, suite.name) for case in suite.cases)
    return element


def _case(case: Case, suite: str) -> ElementTree.Element:
    element = ElementTree.Element(
        "testcase", classname=_text(f"convsim.{suite}"), name=_text(case.name), time="0"
    )
    if case.outcome != "passed":
        told = ElementTree.SubElement(element, case.outcome, message=_text(case.message))
        if case.outcome == "failure" and case.type:
            told.set("type", _text(case.type))
        told.text = _text(case.text) or None
    if case.said:
        ElementTree.SubElement(element, "system-out").text = _text(case.said)
    return element


def _text(text: str) -> str:
    return NOT_XML.sub("�", plain(text, limit=MAX_TEXT))
