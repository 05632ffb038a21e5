"""Every report begins with the answer: a line for the whole, and one for each headline."""

import io
from xml.etree import ElementTree

import pytest
from rich.console import Console

from convsim.report.answers import answers, whole
from convsim.report.html.page import to_html
from convsim.report.junit import to_junit
from convsim.report.markdown import to_markdown
from convsim.report.tables import needed
from convsim.report.terminal import print_scorecard
from tests.reports import HOSTILE, card, distance, finding, hls, shift


def habits(verdict="aligned", **details):
    known = {
        "cliffs_delta_by_metric": {"turns": 0.1}, "margin": 0.147, "equivalence_upper": 0.0912, "spread": 0.06,
        "spread_upper": 0.1251, "spread_margin": 0.25,
    }  # fmt: skip
    return finding("marginals", "all_metrics", verdict=verdict, estimate=0.041, details={**known, **details})


CARD = card(
    habits(),
    hls({"s1": 0.4}, margin={"auc": 0.6}, equivalence_upper=0.99).but(verdict="different"),
    finding(
        "copies", "diversity", verdict="undecided", estimate=-0.004, reason="too few",
        details={
            "similarity_real": 0.2, "similarity_simulated": 0.2, "margin": 0.05, "equivalence_upper": 0.072,
            "needs": {"side": "people", "more": 60},
        },
    ),
    finding(
        "counterfactual", "reaction_ratio", verdict="reacts_as_people", estimate=0.94, interval=(0.71, 1.2),
        details={"margin": 0.5},
    ),
    finding(
        "transitions", "act_transitions", verdict="aligned", estimate=0.08,
        details={"transitions": [], "margin": 0.2, "equivalence_upper": 0.154},
    ),
)  # fmt: skip
WHOLE = (
    "Not like people in words; like people in habits (on average), coherence and reactions; diversity needs more data: "
    "about 60 more people."
)


def terminal(of, width=80, **settings):
    file = io.StringIO()
    print_scorecard(of, Console(file=file, width=width, **settings))
    return file.getvalue()


def test_a_headline_says_its_verdict_in_words_what_decided_it_and_what_is_lacking():
    assert [(a.mark, a.name, a.words, a.decided_by) for a in answers(CARD)] == [
        (
            "=",
            "habits",
            "alike on average",
            "location 0.04, at most 0.09 of 0.147; spread 0.06, at most 0.13 of 0.25",
        ),
        ("≠", "words", "different", "AUC 0.95, margin 0.6; human-likeness 20 %"),
        ("=", "coherence", "alike", "distance 0.08, at most 0.15 of 0.2"),
        (
            "?",
            "diversity",
            "needs more data: about 60 more people",
            "more similar by 0.00, at most 0.07 of 0.05",
        ),
        ("=", "reactions", "reacts as people do", "ratio 0.94, 0.71 to 1.20; as people from 0.5 to 1.5"),
    ]
    assert whole(CARD) == WHOLE


def test_what_is_far_off_is_named():
    [answer] = answers(card(habits("different", far_off=["turns", "user_please", "a", "b"])))
    assert answer.decided_by == (
        "location 0.04, margin 0.147; spread 0.06, margin 0.25; far off: turns, user please, a and 1 more"
    )


def test_the_first_and_the_last_line_of_a_terminal_are_the_answer():
    lines = terminal(CARD, width=200).splitlines()
    assert lines[0] == lines[-1] == f"≠ {WHOLE}"
    above = "\n".join(lines[: lines.index(next(line for line in lines if "simulated  " in line))])
    assert "= habits" in above
    assert "alike on average" in above
    assert "needs more data: about 60 more people" in above


def test_at_80_columns_no_line_is_longer_and_nothing_of_the_answer_is_cut():
    shown = terminal(CARD)
    assert max(map(len, shown.splitlines())) <= 80
    above = " ".join(shown[: shown.index("simulated  ")].split())
    assert "…" not in above
    assert {word for a in answers(CARD) for word in f"{a.words} {a.decided_by}".split()} <= set(above.split())


def test_without_colour_the_marks_tell_the_verdicts_apart(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    shown = terminal(CARD, force_terminal=True)
    assert "\x1b[3" not in shown
    assert all(mark in shown for mark in ("= habits", "≠ words", "= coherence", "? diversity", "= reactions"))


def test_a_card_without_headlines_begins_with_its_sentence():
    plain = card(distance("turns"))
    assert whole(plain) == ""
    assert terminal(plain).startswith("1 of 1 habit differs")
    assert to_markdown(plain).startswith("**1 of 1 habit differs")
    assert '<h1 id="headline">1 of 1 habit differs' in to_html(plain, None, None)


def test_markdown_leads_with_the_line_for_the_whole_and_the_page_with_a_verdict_in_plain_words():
    assert to_markdown(CARD).splitlines()[0] == f"**{WHOLE}**"
    assert "| ? | diversity | needs more data: about 60 more people |" in to_markdown(CARD)
    page = to_html(CARD, None, None)
    assert f'<meta name="description" content="{WHOLE}">' in page
    assert '<h1 id="headline">These shoppers behave like people only in part.</h1>' in page
    assert page.count('<span class="pill undecided">needs more data</span>') == 1


def test_a_notebook_and_a_printed_card_begin_with_the_answer():
    assert str(CARD).startswith(f"≠ {WHOLE[:60]}")
    assert "? diversity: needs more data: about 60 more people" in str(CARD)
    assert f"<strong>≠ {WHOLE}</strong>" in CARD._repr_html_()


@pytest.mark.parametrize(("fail_on", "tags"), [("different", ["", "failure", "", "skipped", ""]),
                                               ("undecided", ["", "failure", "", "failure", ""])])  # fmt: skip
def test_junit_has_the_headlines_as_its_first_suite(fail_on, tags):
    first = ElementTree.fromstring(to_junit(CARD, fail_on))[0]
    assert (first.get("name"), first.get("tests")) == ("headlines", "5")
    assert [case[0].tag if len(case) else "" for case in first] == tags
    assert first.get("failures") == str(tags.count("failure"))
    assert first[3][0].get("message") == "needs more data: about 60 more people"


def test_a_headline_that_could_not_be_judged_is_an_error():
    broken = card(finding("marginals", "all_metrics", verdict="failed", reason="it raised"))
    [case] = ElementTree.fromstring(to_junit(broken, "different"))[0]
    assert case[0].tag == "error"
    assert whole(broken) == "Habits could not be judged."


def test_hostile_names_and_reasons_are_escaped_wherever_an_answer_stands():
    hostile = habits("different", far_off=[HOSTILE, "\x1b[31m"]).but(reason=HOSTILE + "| `x`\x1b[31m")
    of = card(hostile)
    assert "<script>window" not in to_html(of, None, None)
    assert "<script>window" not in of._repr_html_()
    assert "<script" not in to_markdown(of)
    assert "\x1b" not in terminal(of) + str(of) + to_markdown(of)


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({"needs": {"side": "simulated", "more": 340}}, "about 340 more simulated"),
        ({"needs": {"side": "people", "more": 1200}}, "about 1,200 more people"),
        ({"n_to_decide": {"real": 124, "simulated": 124}}, "about 120 more of each"),
        ({"n_to_decide": {"real": 4, "simulated": 351}}, "about 350 more simulated"),
        ({"n_to_decide": {"real": 30, "simulated": 2004}}, "about 26 more people and 2,000 more simulated"),
        ({"n_to_decide": {"real": 3, "simulated": 2}}, ""),
        ({"n_to_decide": None}, ""),
        ({}, ""),
        ({"needs": {"side": "people", "more": 0}}, ""),
    ],
)
def test_what_is_lacking_is_told_beyond_the_four_a_side_that_were_judged(details, words):
    known = {"real": {"mean": 1.5}, "simulated": {"mean": 2.5}}
    assert needed(distance("turns", verdict="undecided", details=known | details)) == words
    assert needed(distance("turns", verdict="aligned", details=known | details)) == ""
    assert needed(distance("turns", verdict="undecided", details={"role": "control"} | known | details)) == ""


def test_what_shifts_lack_is_told_per_arm_beyond_the_smaller_one():
    arms = {"real": {"control": 40, "treatment": 60}, "simulated": {"control": 200, "treatment": 200}}
    more = {"n": arms, "n_to_decide": {"real": 100, "simulated": 150}}
    assert (
        needed(shift("turns", 0.1, 0.1, details=more, verdict="undecided")) == "about 60 more people per arm"
    )


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({"simulator": None, "n_answers": 80, "n_raters": 2, "n_to_decide": 200}, "about 120 more answers"),
        ({"fault": "bad", "n_personas": 12, "n_to_decide": 40}, "about 28 more personas"),
    ],
)
def test_answers_and_personas_are_told_as_such(details, words):
    assert needed(finding("anybody", "x", verdict="undecided", details=details)) == words
