"""Gates as a team keeps them in a file: exit codes, what is said and written, and the summary of a job."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.end_to_end.validating import NAIVE, PEOPLE, convsim, line, written
from tests.reports import card, distance

METRICS = ("--metrics", "user_words_per_turn,user_thanks")
QUICK = ("--validators", "marginals", "--set", "marginals.n_resamples=49", *METRICS)
FAILS = """
[metric.user_words_per_turn]
pass = ["alike"]

[metric.user_thanks]
severity = "warning"
pass = ["different"]
"""


@pytest.fixture
def lengthy(tmp_path: Path) -> Path:
    """A simulator whose every message is longer than any of the people's."""
    said = "I would like very much to find size 40 boots that are of use for a long walk, please, number {}"
    return written(
        tmp_path / "lengthy.jsonl",
        [line(n + 500, text=said.format(n), simulator="a|b`c\x1b[2J") for n in range(30)],
    )


def gate(folder: Path, text: str) -> Path:
    file = folder / "gate.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_gate_that_fails_lists_what_did_not_pass_and_adds_to_the_summary(tmp_path, real, lengthy):
    file, summary = gate(tmp_path, FAILS), tmp_path / "summary.md"
    summary.write_text("# an earlier step", encoding="utf-8")
    result = convsim(
        "validate", real, lengthy, *QUICK, "--gate", file, "--summary", summary, "--format", "junit"
    )
    assert result.returncode == 1, result.stderr
    first, *lines = result.stderr[result.stderr.index("gate failed") :].splitlines()
    assert first == f"gate failed ({file}): 1 of 2 checks, 1 warning"
    assert lines[0].startswith(
        "  metric user_words_per_turn (marginals): different; passes: alike; 1 KS distance, 95% int"
    )
    assert "margin" in lines[0]
    assert lines[1].startswith("  warning: metric user_thanks (marginals): ")
    [suite] = ElementTree.fromstring(result.stdout)
    assert (suite.get("name"), suite.get("failures"), suite.get("skipped")) == ("metrics", "1", "1")
    said = summary.read_text(encoding="utf-8")
    assert said.startswith("# an earlier step\n### convsim: ")
    assert "| metric user\\_words\\_per\\_turn (marginals) | different | alike |" in said
    assert "\x1b" not in said + result.stderr + result.stdout


def test_findings_are_judged_again_by_another_gate(tmp_path):
    file = gate(tmp_path, "[metric.turns]\n")
    (tmp_path / "findings.json").write_text(card(distance("turns")).to_json(), encoding="utf-8")
    failed = convsim("report", tmp_path, "--format", "md", "--gate", file)
    assert failed.returncode == 1
    assert "gate failed" in failed.stdout
    assert failed.stderr.startswith(f"gate failed ({file}): 1 of 1 check\n")
    passed = convsim(
        "report",
        tmp_path,
        "--format",
        "json",
        "--gate",
        gate(tmp_path, "[metric.turns]\npass = 'different'\n"),
    )
    assert passed.returncode == 0
    assert [check["passed"] for check in json.loads(passed.stdout)["gate"]["checks"]] == [True]
    refused = convsim("report", tmp_path, "--gate", gate(tmp_path, "[metric.turns]\nmargin = {ks = 0.3}\n"))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "turns was judged with the margin 0.1, not 0.3" in refused.stderr
    assert not (tmp_path / "report.html").exists()


def test_a_gate_that_passes_says_so_and_either_gate_fails_where_both_are_asked(tmp_path, real, lengthy):
    file = gate(tmp_path, FAILS.replace('["alike"]', '["different"]'))
    asked = ("validate", real, lengthy, *QUICK, "--gate", file)
    passed = convsim(*asked)
    assert passed.returncode == 0, passed.stderr
    assert f"gate passed ({file}): 2 checks, 1 warning" in passed.stderr
    assert "gate passed" in passed.stdout
    both = convsim(*asked, "--fail-on", "different")
    assert both.returncode == 1
    assert "gate passed" in both.stderr
    assert "gate failed (--fail-on different)" in both.stderr


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[headline.habbits]\n", "headline.habbits: no headline is called so; did you mean 'habits'?"),
        (
            "[metric.user_word_per_turn]\n",
            "[metric.user_word_per_turn]: there is no such metric; did you mean",
        ),
        ("[headline.all]\nmargin = 0.1\n", "[headline.all]: has no margin of its own"),
        ("[metric.turns\n", "the gate is not TOML"),
    ],
)
def test_a_wrong_gate_is_one_line_before_any_work(text, problem, tmp_path):
    result = convsim("validate", tmp_path / "none", tmp_path / "none", "--gate", gate(tmp_path, text))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {tmp_path / 'gate.toml'}: ")
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_margin_that_compare_cannot_apply_is_one_line_before_any_work(tmp_path):
    file = gate(tmp_path, "[headline.reactions]\nmargin = 0.3\n")
    arms = ("--control", "good", "--treatment", "bad")
    result = convsim("compare", tmp_path / "none", tmp_path / "none", *arms, "--gate", file)
    assert (result.returncode, result.stdout) == (2, "")
    assert "compare judges reactions within the usual margin; take theirs out of the gate" in result.stderr


def test_a_gate_refuses_exchanged_sides_as_a_verdict_does(tmp_path, real, simulated):
    result = convsim("validate", simulated, real, *QUICK, "--gate", gate(tmp_path, "[metric.user_thanks]\n"))
    assert result.returncode == 2
    assert "people come first" in result.stderr


def test_a_margin_of_the_gate_is_the_validators_and_set_wins_over_it(tmp_path, real, simulated):
    file = gate(
        tmp_path, "[headline.habits]\nmargin = 0.9\n[metric.user_thanks]\nmargin = {delta = 0.3, ks = 0.4}\n"
    )
    wins = ("--set", "marginals.joint_margin=0.5")
    result = convsim("validate", real, simulated, *QUICK, *wins, "--format", "json", "--gate", file)
    assert "--set marginals.joint_margin wins over the gate's margin" in result.stderr
    margins = [check["margin"] for check in json.loads(result.stdout)["gate"]["checks"]]
    assert margins == [{"margin": 0.5}, {"delta": 0.3, "spread": 0.25, "ks": 0.4}]


def test_reactions_are_held_against_a_gate_within_its_margin(tmp_path):
    file = gate(tmp_path, '[headline.reactions]\npass = ["reacts as people do"]\nmargin = 0.4\n')
    result = convsim(
        "counterfactual", PEOPLE, NAIVE, "--control", "good", "--treatment", "bad", "--metrics", "turns,user_thanks",
        "--set", "counterfactual.n_resamples=49", "--gate", file, "--format", "json",
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    assert f"gate failed ({file}): 1 of 1 check\n  headline reactions: " in result.stderr
    [check] = json.loads(result.stdout)["gate"]["checks"]
    assert (check["name"], check["validator"], check["margin"]) == (
        "reactions",
        "counterfactual",
        {"margin": 0.4},
    )


def test_every_simulator_of_a_comparison_is_held_against_the_gate(tmp_path, real, simulated, lengthy):
    file, summary = (
        gate(tmp_path, '[metric.user_words_per_turn]\npass = ["alike", "needs more data"]\n'),
        tmp_path / "s.md",
    )
    result = convsim(
        "compare", real, simulated, lengthy, "--name", "close", "--name", "lengthy", "--validators", "marginals",
        *METRICS, "--gate", file, "--summary", summary, "--format", "junit",
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    assert f"close: gate passed ({file}): 1 check\n" in result.stderr
    assert f"lengthy: gate failed ({file}): 1 of 1 check\n" in result.stderr
    suites = {suite.get("name"): suite.get("failures") for suite in ElementTree.fromstring(result.stdout)}
    assert suites == {"close: metrics": "0", "lengthy: metrics": "1"}
    assert "#### lengthy" in summary.read_text(encoding="utf-8")


def test_junit_is_printed_without_a_gate_too_and_a_summary_can_be_had_from_a_variable(
    tmp_path, real, simulated
):
    summary = tmp_path / "summary.md"
    result = convsim(
        "validate", real, simulated, *QUICK, "--format", "junit", CONVSIM_VALIDATE_SUMMARY=str(summary)
    )
    assert result.returncode == 0, result.stderr
    names = [suite.get("name") for suite in ElementTree.fromstring(result.stdout)]
    assert names == ["headlines", "marginals"]
    assert summary.read_text(encoding="utf-8").startswith("### convsim: ")
    for nowhere, problem in (
        (tmp_path / "none" / "s.md", "in an existing folder"),
        ("", "--summary is empty"),
    ):
        refused = convsim("validate", real, simulated, "--summary", nowhere)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert problem in refused.stderr
