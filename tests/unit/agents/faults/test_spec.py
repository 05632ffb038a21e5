"""Which faults a name stands for, and at which severity."""

from __future__ import annotations

import numpy as np
import pytest

from convsim.agents.faults import FAULTS, PRESETS, severities_of
from convsim.errors import InputError


def test_the_faults_are_those_that_are_documented() -> None:
    assert set(FAULTS) == {
        "partial_query", "wrong_category", "ignored_constraint", "repeated_items", "stale_context",
        "irrelevant_items", "empty_carousel", "off_topic_text", "confusing_text", "rude_text", "overlong_text",
        "contradiction", "injected_instructions", "unavailable",
    }  # fmt: skip
    assert all(fault.name == name for name, fault in FAULTS.items())


def test_bad_is_the_papers_bad_agent_and_mild_is_less_of_each() -> None:
    assert list(PRESETS["bad"]) == ["partial_query", "off_topic_text", "confusing_text"]
    assert PRESETS["mild"].keys() == PRESETS["bad"].keys()
    assert all(PRESETS["mild"][fault] < share for fault, share in PRESETS["bad"].items())


def test_presets_name_faults_and_share_no_name_with_one() -> None:
    assert all(preset.keys() <= FAULTS.keys() for preset in PRESETS.values())
    assert not PRESETS.keys() & FAULTS.keys()


def test_a_spec_is_a_fault_a_preset_or_several_in_their_order() -> None:
    assert severities_of("rude_text", 0.5) == {"rude_text": 0.5}
    assert list(severities_of("rude_text + partial_query", 1).items()) == [
        ("rude_text", 1.0),
        ("partial_query", 1.0),
    ]
    bad = severities_of("bad", 0.5)
    assert bad == {fault: share / 2 for fault, share in PRESETS["bad"].items()}


def test_what_is_named_twice_has_the_greater_severity() -> None:
    assert severities_of("partial_query+mild", 1.0)["partial_query"] == 1.0
    assert severities_of("mild+bad", 1.0) == PRESETS["bad"]


@pytest.mark.parametrize("spec", ["rude", "", "rude_text+", "bad+none", "Bad", "x\x1b[2J\ny"])
def test_an_unknown_fault_is_told_which_there_are(spec: str) -> None:
    with pytest.raises(
        InputError, match=r"available: partial_query, .*unavailable; presets: bad, mild"
    ) as caught:
        severities_of(spec, 0.5)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("severity", [-0.1, 1.1, float("nan"), float("inf"), True, False, "0.5", None, [0.5]])
def test_a_severity_is_a_number_from_0_to_1(severity: object) -> None:
    with pytest.raises(
        InputError, match=r"^rude_text: a severity must be a number from 0 to 1, but is "
    ) as caught:
        severities_of("rude_text", severity)  # type: ignore[arg-type]
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("severity", [0, 1, 0.0, 1.0, np.float64(0.25)])
def test_whole_numbers_and_numpy_ones_are_severities(severity: float) -> None:
    assert severities_of("rude_text", severity) == {"rude_text": severity}
