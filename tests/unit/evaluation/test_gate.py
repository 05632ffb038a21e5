"""A gate of a team: what its file may say, what passes it, and which margins it asks for."""

from pathlib import Path

import pytest

from convsim import Gate
from convsim.errors import InputError, PluginError
from tests.compared import comparison, simulator
from tests.reports import card, distance, finding, hls, shift

ALL_METRICS = finding(
    "marginals",
    "all_metrics",
    estimate=0.2,
    verdict="different",
    reason="they differ",
    details={"margin": 0.147},
)
WORDS = hls({}).but(verdict="undecided")


def gate(text: str, folder: Path) -> Gate:
    file = folder / "gate.toml"
    file.write_text(text, encoding="utf-8")
    return Gate.read(file)


def judged(text: str, folder: Path, *findings, **more) -> dict[str, str]:
    """Return what became of each check, by name."""
    result = gate(text, folder).judge(card(*findings, **more))
    return {
        each.name: "passed" if each.passed else {"error": "failed", "warning": "warned"}[each.severity]
        for each in result.checks
    }


def test_only_what_has_a_table_is_asked_and_needs_more_data_passes_where_nothing_is_said(tmp_path):
    found = (ALL_METRICS, WORDS, distance("turns"), distance("user_thanks", verdict="undecided"))
    said = "[headline.habits]\n[headline.words]\n[metric.user_thanks]\n"
    assert judged(said, tmp_path, *found) == {"habits": "failed", "words": "passed", "user_thanks": "passed"}


@pytest.mark.parametrize(
    ("passing", "became"),
    [
        ('["aligned"]', "failed"),
        ('["alike"]', "failed"),
        ('"needs more data"', "passed"),
        ('["Needs-More_Data", "alike"]', "passed"),
        ('["reacts as people do", "different"]', "failed"),
    ],
)
def test_verdicts_that_pass_may_be_said_as_reports_print_them(passing, became, tmp_path):
    assert judged(f"[headline.words]\npass = {passing}\n", tmp_path, WORDS) == {"words": became}


def test_every_verdict_that_a_report_prints_is_understood():
    from convsim.evaluation.layout import VERDICT_WORDS
    from convsim.report.tables import ON_AVERAGE, VERDICTS

    printed = [
        *VERDICTS.items(),
        ("aligned", ON_AVERAGE),
        *(pair for words in VERDICT_WORDS.values() for pair in words.items()),
    ]
    for verdict, words in printed:
        if verdict != "failed":
            said = {"headline": {"habits": {"pass": [words]}}}
            assert Gate.model_validate(said).headline["habits"].passes == (verdict,)


def test_a_warning_does_not_fail_the_gate_and_ignored_is_not_asked(tmp_path):
    said = '[headline.habits]\nseverity = "warning"\n[metric.turns]\nseverity = "ignore"\n'
    result = gate(said, tmp_path).judge(card(ALL_METRICS, distance("turns")))
    assert result.passed
    assert [each.name for each in result.warnings] == ["habits"]
    assert [each.name for each in result.checks] == ["habits"]


def test_default_is_the_rule_of_all_without_a_table_and_of_what_a_table_does_not_say(tmp_path):
    said = '[default]\npass = ["alike"]\nseverity = "warning"\n[headline.habits]\nseverity = "error"\n'
    found = (
        ALL_METRICS,
        WORDS,
        distance("turns", verdict="aligned"),
        distance("user_thanks", verdict="undecided"),
    )
    control = distance("agent_words_per_turn", details={"role": "control"})
    # The whole follows from the headlines, and a headline's own finding is asked once.
    assert judged(said, tmp_path, *found, control) == {
        "habits": "failed", "words": "warned", "turns": "passed", "user_thanks": "warned",
    }  # fmt: skip


def test_the_whole_can_be_asked(tmp_path):
    assert judged("[headline.all]\n", tmp_path, ALL_METRICS, WORDS) == {"all": "failed"}


def test_a_validators_own_rule_comes_before_that_of_the_metrics_name(tmp_path):
    said = '[metric.turns]\npass = ["alike"]\n[metric."counterfactual/turns"]\npass = ["does not react"]\n'
    moved = shift("turns", 1.0, 0.0, verdict="does_not_react")
    result = gate(said, tmp_path).judge(card(distance("turns", verdict="different"), moved))
    assert [(each.validator, each.passed) for each in result.checks] == [
        ("marginals", False),
        ("counterfactual", True),
    ]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("[headline.reactions]", "the validator counterfactual was not asked"),
        ("[headline.coherence]", "the validator coherence was not asked"),
        ("[metric.user_thanks]", "marginals judged nothing that is called user_thanks"),
        ("[metric.hls]", "the validator humanlikeness was not asked"),
        ('[metric."copies/near_copies"]', "the validator copies was not asked"),
        ("[metric.agent_words]", "it is shown for context only and never judged"),
    ],
)
def test_what_is_asked_for_and_was_not_judged_fails_with_the_reason(said, why, tmp_path):
    control = distance("agent_words", verdict="aligned", details={"role": "control"})
    [check] = gate(said, tmp_path).judge(card(distance("turns", verdict="aligned"), control)).failures
    assert (check.verdict, check.reason) == (None, why)


def test_a_validator_that_failed_never_passes(tmp_path):
    assert judged("[metric.turns]", tmp_path, distance("turns", verdict="failed")) == {"turns": "failed"}


def test_copies_fail_a_gate_that_does_not_name_them(tmp_path):
    copied = finding("copies", "near_copies", verdict="copies")
    alike = distance("turns", verdict="aligned")
    assert judged("[metric.turns]", tmp_path, alike, copied)["near_copies"] == "failed"
    lax = '[default]\npass = ["copies", "alike"]\n'
    assert judged(lax, tmp_path, alike, copied)["near_copies"] == "failed"
    named = '[metric.turns]\n[metric.near_copies]\nseverity = "warning"\n'
    assert judged(named, tmp_path, alike, copied)["near_copies"] == "warned"


def test_a_check_holds_the_numbers_that_the_verdict_stands_on(tmp_path):
    found = distance("turns", estimate=0.4).but(details={"margin": {"ks": 0.2, "cliffs_delta": 0.147}})
    [check] = gate("[metric.turns]", tmp_path).judge(card(found)).failures
    assert (check.estimate, check.unit, check.interval) == (0.4, found.unit, found.interval)
    assert check.margin == {"ks": 0.2, "delta": 0.147}
    assert (check.reason, check.level) == (found.reason, found.level)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[headlines.habits]", "headlines: no such key; did you mean 'headline'?"),
        ("[headline.habbits]", "headline.habbits: no headline is called so; did you mean 'habits'?"),
        ("[headline.habits]\npas = []", "headline.habits.pas: no such key; did you mean 'pass'?"),
        ('[headline.habits]\npass = ["alik"]', "no verdict is called 'alik'; did you mean 'alike'?"),
        ('[headline.habits]\npass = "failed"', "failed never passes: nothing was found out"),
        ("[headline.habits]\npass = []", "headline.habits.pass: names no verdict, and so nothing would pass"),
        ('[headline.habits]\nseverity = "warn"', "severity: must be 'error', 'warning' or 'ignore', but"),
        ("[headline.habits]\nmargin = -1", "headline.habits.margin: must be above 0, but is -1"),
        ("[headline.habits]\nmargin = nan", "headline.habits.margin: must be a finite number"),
        ("[headline]\nhabits = 3", "headline.habits: must be"),
        ("[default]\nmargin = 0.1\n[headline.habits]", "default.margin: no such key; known keys: pass, severity"),
        ("", "asks nothing; name a headline or metric, such as [headline.habits]"),
        ('[headline.habits]\nseverity = "ignore"', "asks nothing"),
        ('[default]\nseverity = "ignore"\n[headline.habits]', "a table without a severity takes 'ignore'"),
        ("[headline.habits", "the gate is not TOML"),
        ('[metric."\x1b[2J"]', "is not TOML"),
        ('[metric."\\u001b[2J{0}\\n"]\npass = ["{x}\\u202e"]', "metric. [2J{0} .pass.0: no verdict is called '{x}'; "),
        ('[metric.turns]\npass = ["' + "z" * 9_000 + '"]', "no verdict is called"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_line_that_says_where(text, problem, tmp_path):
    with pytest.raises(InputError) as raised:
        gate(text, tmp_path)
    said = str(raised.value)
    assert said.startswith(str(tmp_path / "gate.toml"))
    assert problem in said
    assert said.isprintable()
    assert len(said) < len(str(tmp_path)) + 600


@pytest.mark.parametrize(
    ("text", "asked", "problem"),
    [
        ("[metric.user_word_per_turn]", ["marginals"], "no such metric; did you mean 'user_words_per_turn'?"),
        ('[metric."humanlikness/hls"]', ["marginals"], "no validator 'humanlikness'; did you mean 'humanlikeness'?"),
        ("[headline.all]\nmargin = 0.1", ["marginals"], "[headline.all]: has no margin of its own"),
        ("[headline.words]\nmargin = {auc = 0.6}", ["humanlikeness"], "humanlikeness has one margin here; write"),
        ('[metric."counterfactual/turns"]\nmargin = 0.2', ["counterfactual"], "no margin of turns alone"),
        ("[metric.turns]\nmargin = {sprea = 0.2}", ["marginals"], "no margin is called 'sprea'"),
        ("[metric.turns]\nmargin = 0.2", ["counterfactual"], "one of marginals, which is not asked here"),
        ("[metric.hls]\nmargin = 0.6\n[headline.words]\nmargin = 0.7", ["humanlikeness"], "has one margin for all"),
    ],
)  # fmt: skip
def test_a_slip_or_a_margin_that_cannot_be_applied_is_told_before_anything_is_read(
    text, asked, problem, tmp_path
):
    with pytest.raises(InputError) as raised:
        gate(text, tmp_path).check(asked)
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "text", ["[metric.satisfaction]", '[metric."marginals/turn"]', '[metric."my:own/thing"]']
)
def test_a_name_that_may_be_a_label_or_of_somebodys_validator_is_no_slip(text, tmp_path):
    gate(text, tmp_path).check(["marginals"])


def test_margins_are_settings_of_the_validators(tmp_path):
    said = """
        [headline.habits]
        margin = 0.2
        [headline.words]
        margin = 0.7
        [headline.diversity]
        margin = 0.06
        [headline.reactions]
        margin = 0.4
        [metric.turns]
        margin = {delta = 0.3, ks = 0.25}
        [metric."copies/near_copies"]
        margin = 0.11
    """
    made = gate(said, tmp_path)
    assert made.settings() == {
        "marginals": {"joint_margin": 0.2, "metric_margins": {"turns": {"cliffs_delta": 0.3, "ks": 0.25}}},
        "humanlikeness": {"margin": 0.7},
        "copies": {"diversity_margin": 0.06, "margin": 0.11},
        "counterfactual": {"ratio_margin": 0.4},
    }
    [validator] = made.validators(["humanlikeness"])
    assert validator.margin == 0.7  # type: ignore[attr-defined]


def test_one_number_is_cliffs_deltas_margin_and_the_others_keep_their_proportion_to_it(tmp_path):
    margins = gate("[metric.turns]\nmargin = 0.294\n", tmp_path).settings()["marginals"]["metric_margins"]
    # Twice .147, so twice .25 and twice .20.
    assert margins == {
        "turns": {"cliffs_delta": 0.294, "spread": pytest.approx(0.5), "ks": pytest.approx(0.4)}
    }


def test_findings_that_were_judged_with_another_margin_are_not_judged_again_by_this_one(tmp_path):
    made = gate("[headline.habits]\nmargin = 0.3\n", tmp_path)
    with pytest.raises(
        InputError, match=r"all_metrics was judged with the margin 0.147, not 0.3; judge the conv"
    ):
        made.judge(card(ALL_METRICS))
    assert made.judge(card(ALL_METRICS), margins_applied=True).failures
    assert gate("[headline.habits]\nmargin = 0.147\n", tmp_path).judge(card(ALL_METRICS)).failures


def test_a_validator_that_is_not_there_has_no_margin(tmp_path):
    with pytest.raises(PluginError, match="nowhere_at_all"):
        gate('[metric."nowhere_at_all:thing/x"]\nmargin = 0.2', tmp_path).settings()


def test_a_metric_that_no_finding_has_is_refused_with_the_nearest_one(tmp_path):
    found = card(distance("satisfaction"), distance("x\x1b[2J\ny"))
    with pytest.raises(
        InputError, match=r"\[metric.satisfactoin\]: no finding is called so; did you mean \'sat"
    ):
        gate("[metric.satisfactoin]", tmp_path).judge(found)
    with pytest.raises(InputError, match=r"no finding is called so; there are satisfaction, x \[2J y$"):
        gate("[metric.qqqqq]", tmp_path).judge(found)


def test_each_simulator_of_a_comparison_is_judged_on_both_its_scorecards(tmp_path):
    made = gate("[headline.habits]\n[metric.near_copies]\n[metric.joint]\n", tmp_path)
    alike = card(ALL_METRICS.but(verdict="aligned"), finding("copies", "near_copies", verdict="aligned"))
    moved = card(finding("counterfactual", "joint", verdict="different"))
    one, other = comparison(
        simulator("one", validation=alike, counterfactual=moved),
        simulator("other", not_judged="it has no arm 'a'"),
    ).simulators
    assert [(each.name, each.passed) for each in made.judge_simulator(one).checks] == [
        ("habits", True), ("near_copies", True), ("joint", False),
    ]  # fmt: skip
    checks = made.judge_simulator(other).checks
    assert {each.reason for each in checks} == {"nothing was judged: it has no arm 'a'"}
    assert not any(each.passed for each in checks)
