"""What a gate found, in every form of report: for terminals, pull requests, dashboards and the summary of a job."""

from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from convsim import Gate
from convsim.report import to_markdown
from convsim.report.comparison import comparison_to_markdown
from convsim.report.gate import MAX_SHOWN, sentences, value, verdict
from convsim.report.html import to_html
from convsim.report.html.comparison import comparison_to_html
from convsim.report.junit import comparison_to_junit, to_junit
from convsim.report.summary import MAX_SIMULATORS, comparison_summary, scorecard_summary
from convsim.schema import Gap, GateCheck, GateResult
from tests.compared import comparison, simulator
from tests.junit import outcomes
from tests.reports import card, distance, finding

HOSTILE = "a\x1b[2J|b`*_[x](http://evil.example)<script>alert(1)</script>\n@maintainer \u202e" + "z" * 900
ALL_METRICS = finding("marginals", "all_metrics", estimate=0.31, verdict="different", reason="they differ")
FAR = distance("turns", estimate=0.4)


def check(name: str = "turns", *, passed: bool = False, **more: object) -> GateCheck:
    known = {
        "kind": "metric", "name": name, "validator": "marginals", "passes": ("aligned",), "severity": "error",
        "passed": passed, "verdict": "aligned" if passed else "different", "reason": "the means differ",
        "estimate": 0.4, "unit": "KS distance", "interval": (0.3, 0.5), "level": 0.95,
        "margin": {"delta": 0.147, "ks": 0.2},
    }  # fmt: skip
    return GateCheck.model_validate({**known, **more})


HEADLINE = check("habits", kind="headline", margin={"margin": 0.147})
MISSING = GateCheck(
    kind="headline", name="reactions", passes=("reacts_as_people",), severity="error", passed=False, verdict=None,
    reason="the validator counterfactual was not asked",
)  # fmt: skip
WARNED = check("user_thanks", severity="warning", verdict="undecided", reason="too few")
GATE = GateResult(file="gate.toml", checks=(HEADLINE, MISSING, check(), WARNED, check("left", passed=True)))
JUDGED = card(ALL_METRICS, FAR).but(gate=GATE)


def cells(html: str) -> list[list[str]]:
    """Return the rows of the tables of a rendered page, as their texts."""
    body = ElementTree.fromstring(f"<body>{html.replace('<hr>', '')}</body>")
    return [["".join(cell.itertext()) for cell in row] for row in body.iter("tr")]


def rendered(markdown: str) -> str:
    return str(MarkdownIt("commonmark", {"xhtmlOut": True}).enable("table").render(markdown))


def test_each_check_is_a_line_with_what_was_asked_what_was_found_and_why():
    assert sentences(GATE) == [
        "gate failed (gate.toml): 3 of 5 checks, 1 warning",
        "  headline habits: different; passes: alike; 0.4 KS distance, 95% interval [0.3, 0.5], margin 0.147; the "
        "means differ",
        "  headline reactions: not judged; passes: reacts as people do; the validator counterfactual was not asked",
        "  metric turns (marginals): different; passes: alike; 0.4 KS distance, 95% interval [0.3, 0.5], margin delta "
        "0.147, ks 0.2; the means differ",
        "  warning: metric user_thanks (marginals): needs more data; passes: alike; 0.4 KS distance, 95% interval "
        "[0.3, 0.5], margin delta 0.147, ks 0.2; too few",
    ]  # fmt: skip
    passed = GateResult(checks=(check(passed=True),))
    assert sentences(passed) == ["gate passed: 1 check"]
    assert value(MISSING.but(unit="ratio")) == "–"


def test_what_needs_more_data_says_how_much_more_of_which_side():
    needs = {"side": "people", "more": 1_200}
    lacking = ALL_METRICS.but(verdict="undecided", details={"needs": needs})
    found = Gate.model_validate({"headline": {"habits": {"pass": "alike"}, "all": {"pass": "alike"}}}).judge(
        card(lacking, distance("turns"))
    )
    assert [verdict(each) for each in found.failures] == ["needs more data: about 1,200 more people"] * 2
    assert "| habits | ⚪ needs more data: about 1,200 more people |" in scorecard_summary(card(lacking))


def test_long_lists_are_cut_and_say_so():
    many = GateResult(checks=tuple(check(f"m{n}") for n in range(500)))
    lines = sentences(many)
    assert len(lines) == MAX_SHOWN + 2
    assert lines[-1] == "  and 460 more; findings.json has them all"


def test_junit_has_a_suite_of_headlines_and_one_of_metrics():
    suites = list(ElementTree.fromstring(to_junit(JUDGED, None)))
    counts = [
        (s.get("name"), s.get("tests"), s.get("failures"), s.get("errors"), s.get("skipped")) for s in suites
    ]
    assert counts == [("headlines", "2", "2", "0", "0"), ("metrics", "3", "1", "0", "1")]
    cases = {case.get("name"): case for suite in suites for case in suite}
    failure = cases["turns (marginals)"].find("failure")
    assert failure is not None
    assert (failure.get("message"), failure.get("type")) == ("different", "different")
    assert failure.text == sentences(GATE)[3].strip()
    assert cases["reactions"].find("failure").get("type") == "not_judged"
    warned = [(part.tag, part.get("message"), part.text) for part in cases["user_thanks (marginals)"]]
    assert warned == [
        ("skipped", "warning: needs more data", None),
        ("system-out", None, sentences(GATE)[4].strip()),
    ]
    assert list(cases["left (marginals)"]) == []


def test_junit_has_the_findings_too_where_a_verdict_fails_as_well():
    names = [suite.get("name") for suite in ElementTree.fromstring(to_junit(JUDGED, "different"))]
    assert names == ["headlines", "metrics", "marginals"]


def test_junit_of_a_comparison_has_the_suites_of_each_simulator():
    two = comparison(simulator("one", gate=GATE), simulator("other", validation=card(FAR)))
    root = ElementTree.fromstring(comparison_to_junit(two))
    assert [suite.get("name") for suite in root] == ["one: headlines", "one: metrics", "other: marginals"]
    assert root[2][0][0].tag == "failure"


def test_junit_of_a_comparison_says_who_could_not_be_judged_and_which_validators_failed():
    broken = finding("joint", "joint_distance", estimate=None, verdict="failed", reason="it raised")
    warning = "marginals failed to compare the simulators: no such number"
    found = comparison(
        simulator("gated", gate=GATE, validation=card(broken)),
        simulator("lost", gate=GATE, not_judged="it has no arm bad"),
        simulator("alone", not_judged="it has no arm good"),
        simulator("asked nothing"),
        failed=("marginals", "joint"),
        warnings=("another", warning),
    )
    xml = comparison_to_junit(found)
    told = outcomes(xml)
    assert [*told] == [
        "gated: headlines", "gated: metrics", "lost: headlines", "lost: metrics", "lost: judged", "alone: judged",
        "asked nothing: judged", "validators",
    ]  # fmt: skip
    assert (told["lost: judged"], told["alone: judged"]) == ({"judged": "error"}, {"judged": "error"})
    assert told["asked nothing: judged"] == {"judged": "skipped"}
    assert told["validators"] == {"marginals": "error", "joint": "error"}
    said = {error.get("message") for error in ElementTree.fromstring(xml).iter("error")}
    assert said == {"it has no arm bad", "it has no arm good", "it raised", warning}


def test_junit_of_a_comparison_says_whose_reactions_could_not_be_judged():
    lacking = {"agreement": {"reason": "it has no arm bad"}}
    found = comparison(
        simulator("one", validation=card(FAR), reactions=lacking), control="good", treatment="bad"
    )
    xml = comparison_to_junit(found)
    assert outcomes(xml)["one: reactions"] == {"reactions": "error"}
    [error] = ElementTree.fromstring(xml).iter("error")
    assert error.get("message") == "it has no arm bad"


def test_the_markdown_of_a_scorecard_has_the_gate_as_a_table():
    rows = cells(rendered(to_markdown(JUDGED)))
    [row] = [row for row in rows if row[0] == "metric turns (marginals)"]
    assert row[1:] == [
        "different", "alike", "0.4 KS distance", "[0.3, 0.5]", "delta 0.147, ks 0.2", "error", "the means differ",
    ]  # fmt: skip
    assert "gate" not in to_markdown(card(FAR))


def test_the_page_shows_the_gate_and_a_scorecard_without_one_has_no_such_section():
    page = to_html(JUDGED, None, None)
    assert "gate failed (gate.toml): 3 of 5 checks, 1 warning" in page
    assert "the validator counterfactual was not asked" in page
    assert 'id="gate"' not in to_html(card(FAR), None, None)


def test_a_comparison_shows_each_simulators_gate():
    made = comparison(simulator("one", gate=GATE), simulator("other"))
    for shown in (comparison_to_markdown(made), comparison_to_html(made)):
        assert "one: gate failed (gate.toml): 3 of 5 checks, 1 warning." in shown
    rows = cells(rendered(comparison_summary(made)))
    assert ["metric turns (marginals)", "different", "alike"] in [row[:3] for row in rows]
    two = comparison(
        simulator("one", validation=card(ALL_METRICS)), simulator("other", not_judged="no such arm")
    )
    assert cells(rendered(comparison_summary(two)))[:3] == [
        ["simulator", "habits", "why"],
        ["one", "❌ different", "not like people in habits"],
        ["other", "–", "nothing was judged"],
    ]


def test_the_summary_says_the_whole_the_headlines_the_gate_and_what_was_compared():
    text = scorecard_summary(JUDGED)
    assert text.startswith("### convsim: ❌ Not like people in habits.\n")
    assert "❌ **gate failed (gate.toml): 3 of 5 checks, 1 warning**" in text
    rows = cells(rendered(text))
    assert rows[1] == ["habits", "❌ different", "–", "they differ"]
    assert rows[-2:] == [["real", "4", "–", "–"], ["simulated", "4", "bot", "–"]]


def test_the_summary_lists_the_three_largest_gaps_with_what_moves_them():
    gaps = tuple(
        Gap(
            name=f"m{n}",
            validator="marginals",
            kind="metric",
            words=f"gap {n}",
            knob="lower `[shopper] max_tokens`",
        )
        for n in range(5)
    )
    listed = ElementTree.fromstring(f"<p>{rendered(scorecard_summary(card(FAR, gaps=gaps)))}</p>").iter("li")
    assert ["".join(each.itertext()).strip() for each in listed] == [
        f"gap {n}. To change: lower [shopper] max_tokens." for n in range(3)
    ]


@pytest.mark.parametrize(
    ("found", "marked"),
    [
        ("aligned", "✅ alike on average"),
        ("undecided", "⚪ needs more data"),
        ("failed", "⚠️ failed"),
        ("different", "❌ different"),
    ],
)
def test_each_verdict_has_a_mark_and_its_words(found, marked):
    assert f"| habits | {marked} |" in scorecard_summary(card(ALL_METRICS.but(verdict=found)))


def test_a_scorecard_without_headlines_is_summed_up_in_its_sentence():
    assert scorecard_summary(card(FAR)).startswith("### convsim: 1 of 1 habit differs from people's")


def test_hostile_text_reaches_no_report_as_markup_and_no_terminal_as_a_command():
    bad = check(HOSTILE, validator=HOSTILE, reason=HOSTILE, unit=HOSTILE, margin={HOSTILE: 1.0, "b": 2.0})
    hostile = GateResult(file=HOSTILE, checks=(bad,) * (MAX_SHOWN + 1))
    few = GateResult(file=HOSTILE, checks=(bad,) * 2)
    gap = Gap(name=HOSTILE, validator="marginals", kind="metric", words=HOSTILE, knob=HOSTILE)
    judged = card(ALL_METRICS.but(reason=HOSTILE), warnings=(HOSTILE,) * 30, gaps=(gap,)).but(gate=hostile)
    many = comparison(
        *(simulator(f"{n} {HOSTILE}", gate=few, validation=judged) for n in range(MAX_SIMULATORS + 5))
    )
    markdown = (scorecard_summary(judged), comparison_summary(many), to_markdown(judged))
    for text in markdown:
        html = rendered(text)
        assert "<script" not in html
        assert "<a " not in html
        assert len({len(row) for row in cells(html)} - {3, 4, 5, 8, 11, 2}) == 0
    for text in (*markdown, "\n".join(sentences(hostile)), to_html(judged, None, None)):
        assert not any(character in text for character in "\x1b\u202e")
    assert len(scorecard_summary(judged)) < 200_000  # a step of GitHub's takes 1 MiB
    assert "and 5 more simulators" in comparison_summary(many)
    for xml in (to_junit(judged, None), comparison_to_junit(many)):
        root = ElementTree.fromstring(xml)
        assert {part.tag for part in root.iter()} == {"testsuites", "testsuite", "testcase", "failure"}
