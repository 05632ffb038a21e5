"""The scorecard for CI dashboards."""

from xml.etree import ElementTree

import pytest

from convsim.report.junit import to_junit
from tests.reports import card, distance, finding

CARD = card(
    distance("turns"),
    distance("words", verdict="undecided", reason="too few"),
    distance("thanks", verdict="aligned"),
    distance("agent_words", details={"role": "control"}),
    finding("broken", "broken", verdict="failed"),
)


def outcomes(fail_on):
    root = ElementTree.fromstring(to_junit(CARD, fail_on))
    return {case.get("name"): [part.tag for part in case] for case in root.iter("testcase")}


@pytest.mark.parametrize("fail_on", [None, "different"])
def test_a_gate_on_differences_skips_what_is_undecided(fail_on):
    assert outcomes(fail_on) == {
        "turns": ["failure"], "words": ["skipped"], "thanks": [], "broken": ["error"],
    }  # fmt: skip


def test_a_gate_on_undecided_fails_on_both():
    found = outcomes("undecided")
    assert (found["turns"], found["words"]) == (["failure"], ["failure"])


def test_suites_count_what_their_cases_say():
    suites = {s.get("name"): s.attrib for s in ElementTree.fromstring(to_junit(CARD, "different"))}
    assert suites["marginals"] == {
        "name": "marginals", "tests": "3", "failures": "1", "errors": "0", "skipped": "1",
    }  # fmt: skip
    assert suites["broken"]["errors"] == "1"


def test_hostile_text_is_escaped_and_characters_that_xml_forbids_are_replaced():
    hostile = '"><failure/>\x00\x1b\ufffe]]>&amp;\ud7ff'
    text = to_junit(card(finding(hostile, hostile, reason=hostile, question=hostile)), "different")
    root = ElementTree.fromstring(text)
    assert len(list(root.iter("failure"))) == 1
    name = next(root.iter("testcase")).get("name")
    assert name is not None
    assert name.startswith('"><failure/>��')


def test_no_finding_is_an_empty_document():
    assert len(ElementTree.fromstring(to_junit(card(), None))) == 0
