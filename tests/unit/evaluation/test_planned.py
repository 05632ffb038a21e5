"""The sentence that a plan leads with, and what its tables make of names that somebody else chose."""

from typing import Any

import pytest

from convsim.evaluation.planned import Plan
from convsim.evaluation.scorecard import SideSummary
from convsim.report.planned import plan_html, plan_text, plan_to_markdown
from convsim.schema import Needs, PlannedFinding, PlannedPower

NAMES = {
    "habits": ("marginals", "all_metrics"),
    "words": ("humanlikeness", "hls"),
    "reactions": ("counterfactual", "reaction_ratio"),
}


def found(validator: str, metric: str, powers: dict[int, float], **more: Any) -> PlannedFinding:
    at = tuple(PlannedPower(n_simulated=n, power=power) for n, power in powers.items())
    known = {"n_real": 150, "n_units_real": 150, "reason": "no words", "margin_of": "x", "source": "s"}
    return PlannedFinding(
        validator=validator, metric=metric, question="?", verdicts=("aligned",), at=at, **{**known, **more}
    )


def plan(*findings: PlannedFinding, n_units: int = 150, **more: Any) -> Plan:
    side = SideSummary(path=None, sha256=None, n=150, simulator=None, arms={}, tasks={})
    return Plan(real=side, n_units_real=n_units, seed=0, findings=findings, **more)


def of(name: str, powers: dict[int, float], **more: Any) -> PlannedFinding:
    return found(*NAMES[name], powers, **more)


SIMULATED, PEOPLE = (Needs(side=side, more=n) for side, n in (("simulated", 743), ("people", 119)))


def test_it_says_what_is_decided_what_simulated_conversations_decide_and_what_only_people_do():
    said = plan(
        of("habits", {150: 0.957}),
        of("words", {150: 0.3, 1500: 0.85}, needs=SIMULATED),
        of("reactions", {150: 0.1, 1500: 0.55}, needs=PEOPLE, n_arms=2),
    ).summary
    assert said == (
        "With these 150 people: habits are decided with 150 simulated (96 %), words need 900 simulated, reactions need "
        "about 60 more people an arm (55 % with 750 simulated an arm)."
    )


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        (of("habits", {150: 0.1}, needs=PEOPLE), "habits need about 119 more people"),
        (of("words", {}), "of words nothing can be told (no words)"),
        (of("words", {}, needs=PEOPLE), "words need about 119 more people"),
        (of("habits", {150: 0.1}), "no number of people is known to decide habits"),
        (of("habits", {150: 0.1}, needs=PEOPLE, n_units_real=40), "about 119 more conversations of people"),
    ],
)
def test_where_nothing_is_decided_that_is_said_first(finding, said):
    summary = plan(finding).summary
    assert summary.startswith("With these 150 people, nothing is decided for sure, whatever is simulated: ")
    assert said in summary


def test_people_with_several_conversations_are_counted_once():
    assert plan(of("habits", {150: 0.9}), n_units=40).summary.startswith(
        "With these 150 conversations of 40 people: habits"
    )


def test_what_is_lacking_to_the_least_number_is_people_however_many_conversations_each_had():
    few = of("habits", {}, needs=Needs(side="people", more=29), n_units_real=1)
    assert plan(few, n_units=1).summary == (
        "With these 150 conversations of 1 person, nothing is decided for sure, whatever is simulated: habits need "
        "about 29 more people."
    )


def test_what_nobody_can_plan_is_no_headline():
    assert plan().summary == "With these 150 people: nothing is asked of which the power is known beforehand."
    half = of("reactions", {150: 0.9}, truth="half_reaction", n_arms=2)
    assert plan(half).headlines == ()


def test_names_are_shown_as_they_are_and_obeyed_by_nothing():
    hostile = found("mine", "<b>|`x`\x1b[31m @team", {150: 0.5}, needs=SIMULATED)
    shown = plan(of("habits", {150: 0.9}), hostile, not_planned=("<i>|z",), failed=("<script>",))
    page = plan_to_markdown(shown)
    assert "<b>" not in page
    assert "<script>" not in page
    assert "\x1b" not in page
    assert "\\|" in page
    screen = plan_text(shown)
    assert "\x1b" not in screen
    notebook = plan_html(shown)
    assert "<b>" not in notebook
    assert "<script>" not in notebook


def test_a_long_plan_is_a_screen_of_forty_lines_and_a_table_of_thirty_rows():
    many = plan(of("habits", {150: 0.9}), *(found("marginals", f"m{n}", {150: 0.5}) for n in range(200)))
    lines = plan_text(many).splitlines()
    assert (len(lines), lines[-1]) == (40, "and more; .to_frame() has all")
    assert plan_html(many).count("<tr>") < 40
    assert "and 170 more rows" in plan_html(many)


def test_a_plan_written_and_read_again_is_the_same():
    first = plan(of("habits", {150: 0.9}), of("words", {150: 0.2}, needs=SIMULATED))
    assert Plan.model_validate_json(first.to_json()) == first
