"""What a reader sees before scrolling: one verdict, one number, a light a headline, what differs and what to do."""

import pytest

from convsim.report.caveats import limits
from convsim.report.html import to_html
from convsim.report.html.first_screen import first_screen
from convsim.report.html.giveaways import find_giveaways
from convsim.schema import Gap
from tests.reports import card, distance, finding, hls, side

SCORES = {"s0": 0.01, "s1": 0.2}


def together(verdict, **more):
    return finding("marginals", "all_metrics", verdict=verdict, estimate=0.4, **more)


def reacts(verdict):
    details = {"margin": 0.5, "n_metrics": 1, "numerator": 0.1, "denominator": 1.0}
    return finding(
        "counterfactual",
        "reaction_ratio",
        verdict=verdict,
        estimate=0.05,
        interval=(-0.2, 0.3),
        details=details,
    )


def screen(*findings, **more):
    found = card(*findings, **more)
    return first_screen(found, find_giveaways(found.findings))


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        ([together("different"), hls(SCORES)], "These shoppers do not behave like people."),
        ([together("aligned"), hls(SCORES)], "These shoppers behave like people only in part."),
        ([together("aligned")], "These shoppers behave like people, as far as was tested."),
        ([together("undecided")], "More data are needed to say whether these shoppers behave like people."),
        ([reacts("does_not_react")], "These shoppers do not react as people do."),
        ([together("aligned"), finding("copies", "near_copies", verdict="copies")],
         "These shoppers copy the people they are judged on."),
    ],
)  # fmt: skip
def test_the_verdict_is_one_sentence_in_plain_words(findings, said):
    assert screen(*findings).verdict == said


def test_one_number_stands_beside_that_of_people_and_the_words_that_give_it_away_are_named():
    shown = screen(together("different"), hls(SCORES))
    assert (shown.number.shown, shown.number.people) == ("20 %", "people: 50 %")
    assert "is right in 90 % of cases (guessing: 50 %)" in shown.lead
    assert [(light.answer.name, list(light.words)) for light in shown.lights] == [
        ("habits", []), ("words", ["certainly"]),
    ]  # fmt: skip


def test_a_light_counts_the_single_questions_as_the_sentence_below_does():
    found = [
        distance("turns"),
        distance("thanks", 0.01, verdict="aligned"),
        distance("empty", None, verdict="undecided"),
    ]
    [habits] = screen(together("different"), *found).lights
    assert [(n, said) for _, n, said in habits.counts] == [
        (1, "differ"),
        (1, "alike"),
        (1, "cannot be measured"),
    ]


def test_the_largest_differences_have_both_levels_and_a_sentence_on_what_was_measured():
    levels = "9 words, people 3"
    shared = {"validator": "marginals", "kind": "metric", "knob": "lower `max_tokens`; or `icl`"}
    gaps = [Gap(name=f"metric_{n}", words=f"Messages are {n} times: {levels}", **shared) for n in range(1, 7)]
    explained = distance("metric_1", question="Do they differ in metric_1? Words a turn.")
    shown = screen(together("different"), explained, gaps=gaps)
    assert len(shown.differences) == 4
    first = shown.differences[0]
    assert (first.words, first.levels, first.explained) == (
        "Messages are 1 times",
        "9 words, people 3",
        "Words a turn.",
    )
    assert shown.steps[0].parts == [("Lower ", False), ("max_tokens", True), (".", False)]
    assert sum("max_tokens" in str(step.parts) for step in shown.steps) == 1


def test_what_was_not_asked_and_what_needs_more_data_are_next():
    needs = {"needs": {"side": "simulated", "more": 60}}
    shown = screen(together("undecided", details=needs), real=side(4, path="people.jsonl"))
    commands = [step.command for step in shown.steps]
    assert commands == [
        "convsim simulate … --out RUN --add 60",
        "convsim counterfactual people.jsonl SIM --control ARM --treatment ARM",
    ]
    assert "two arms on both sides" in str(shown.steps[1].parts)
    assert [step.command for step in screen(reacts("does_not_react")).steps] == ["convsim validate REAL SIM"]


def test_what_passing_means_is_said_only_where_something_passed():
    assert not any("Passing means" in line for line in limits(card(together("different"))))
    assert any("Passing means" in line for line in limits(card(together("aligned"))))
    assert "Passing means" not in to_html(card(reacts("does_not_react")), None, None)
    assert any("this simulator" in line for line in limits(card(together("different"))))
