"""What tests of users ask: that findings pass, in words that are safe to print, and studies with their agent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convsim.errors import ConvsimError, InputError, PluginError, StudyError
from convsim.evaluation import Gate, Scorecard, SideSummary
from convsim.io import read
from convsim.schema import Finding, HumanBaseline
from convsim.testing import assert_findings, assert_gate, hold_study


def finding(metric: str = "turns", verdict: Any = "aligned", **fields: Any) -> Finding:
    return Finding(
        **{
            "validator": "marginals", "metric": metric, "question": "?", "unit": "KS distance", "estimate": 0.42,
            "interval": (0.31, 0.52), "noise_floor": HumanBaseline(mean=0.06, q95=0.09), "verdict": verdict,
            "reason": "because", "n_real": 9, "n_simulated": 9, "seed": 0, "version": "1", "source": "s", **fields,
        }
    )  # fmt: skip


def card(*findings: Finding) -> Scorecard:
    side = SideSummary(path=None, sha256=None, n=9, simulator=None, arms={}, tasks={})
    return Scorecard(real=side, simulated=side, findings=findings)


def why(*args: Any, **options: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_findings(*args, **options)
    return str(caught.value)


def test_findings_that_are_aligned_react_as_people_or_are_undecided_pass() -> None:
    assert_findings(card(finding(), finding("b", "undecided"), finding("c", "reacts_as_people")))


@pytest.mark.parametrize(
    "verdict", ["different", "does_not_react", "under_reacts", "over_reacts", "reacts_wrong_way"]
)
def test_findings_that_a_gate_fails_on_do_not_pass(verdict: str) -> None:
    assert why([finding(), finding("b", verdict)]).startswith("1 of 2 findings do not pass")


def test_the_message_is_a_table_with_the_reason_below_and_the_worst_first() -> None:
    message = why(card(finding("a", "undecided"), finding("words", "different")), allow=("aligned",))
    assert message.splitlines() == [
        "2 of 2 findings do not pass; what passes: aligned",
        "verdict          metric  validator  estimate          interval      human baseline",
        "different        words   marginals  0.42 KS distance  [0.31, 0.52]  0.06, 95 % below 0.09",
        "    because",
        "needs more data  a       marginals  0.42 KS distance  [0.31, 0.52]  0.06, 95 % below 0.09",
        "    because",
    ]


def test_what_failed_stands_above_what_differs_and_that_above_what_needs_more_data() -> None:
    given = [finding(verdict, verdict) for verdict in ("undecided", "different", "failed", "does_not_react")]
    rows = why(card(*given), allow=("aligned",)).splitlines()[2::2]
    there = [next(f.metric for f in given if f" {f.metric} " in row) for row in rows]
    assert there == ["failed", "different", "does_not_react", "undecided"]


def test_what_is_undefined_is_a_dash() -> None:
    bare = finding(verdict="different", estimate=None, interval=None, noise_floor=None)
    assert "different  turns   marginals  – KS distance  –         –" in why([bare])


def test_hostile_names_and_reasons_are_safe_to_print() -> None:
    hostile = finding("a\x1b[2Jb\nc", "different", reason="x\x1b]0;owned\x07\u202ey\n" + "z" * 10_000)
    message = why([hostile])
    assert not any(character in message for character in "\x1b\x07\u202e")
    assert len(message.splitlines()) == 4
    assert max(map(len, message.splitlines())) < 300


def test_a_long_table_is_cut() -> None:
    lines = why([finding(f"m{n}", "different") for n in range(200)]).splitlines()
    assert lines[0].startswith("200 of 200")
    assert lines[-1] == "and 160 more"
    assert len(lines) == 2 + 2 * 40 + 1


def test_metrics_can_be_named_and_those_that_are_not_there_are_told() -> None:
    found = card(finding("a", "different"), finding("b"))
    assert_findings(found, metrics=["b"])
    assert "1 of 1" in why(found, metrics=["a"])
    with pytest.raises(InputError, match="no metric is called 'c'; there are a, b"):
        assert_findings(found, metrics=["b", "c"])


@pytest.mark.parametrize(
    ("allow", "problem"),
    [(("alike",), "no verdict is called 'alike'"), ("aligned", "expected a collection of verdicts")],
)
def test_verdicts_that_do_not_exist_are_told(allow: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        assert_findings([finding()], allow=allow)


def test_controls_are_not_asked_and_nothing_asked_is_no_pass() -> None:
    control = finding("agent_words", "different", details={"role": "control"})
    assert_findings(card(control, finding()))
    assert why(card(control)) == "there are no findings: nothing was compared"
    assert why([]) == "there are no findings: nothing was compared"


def test_a_validator_that_failed_never_passes() -> None:
    assert "failed" in why([finding(verdict="failed")])
    assert "failed" in why([finding(verdict="failed")], allow=["failed", "aligned"])


def test_a_gate_passes_or_fails_with_what_did_not_pass_and_its_values(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(
        '[metric.turns]\npass = ["alike"]\n[metric.words]\nseverity = "warning"\n', encoding="utf-8"
    )
    assert_gate(card(finding(), finding("words", "different")), file)
    with pytest.raises(AssertionError) as caught:
        assert_gate(card(finding(verdict="different"), finding("words", "different")), Gate.read(file))
    assert str(caught.value).splitlines() == [
        f"gate failed ({file}): 1 of 2 checks, 1 warning",
        "  metric turns (marginals): different; passes: alike; 0.42 KS distance, 95% interval [0.31, 0.52]; because",
        "  warning: metric words (marginals): different; passes: alike or needs more data; 0.42 KS distance, 95% "
        "interval [0.31, 0.52]; because",
    ]


class Shop:
    name = "my-shop"

    def reply(self, conversation: Any) -> str:
        return "Which size do you take?"


def size(conversation: Any) -> str:
    return "Which size do you take?"


@pytest.mark.parametrize(("agent", "name"), [(size, "size"), (Shop(), "my-shop"), (Shop, "my-shop")])
def test_a_study_is_held_with_an_agent_of_ones_own(agent: Any, name: str, tmp_path: Path) -> None:
    folder = hold_study(tmp_path / "run", agent=agent, study={"n": 3, "seed": 5, "max_turns": 2})
    conversations = read(folder).conversations
    assert [c.agent for c in conversations] == [name] * 3
    assert {m.content for c in conversations for m in c.messages if m.role == "assistant"} == {
        "Which size do you take?"
    }


def test_another_agent_in_the_same_folder_is_another_study(tmp_path: Path) -> None:
    hold_study(tmp_path / "run", agent=size, study={"n": 1, "max_turns": 1})
    assert hold_study(tmp_path / "run", agent=size, study={"n": 1, "max_turns": 1}) == tmp_path / "run"
    with pytest.raises(StudyError, match="was made with another plan"):
        hold_study(tmp_path / "run", agent=lambda conversation: "No", study={"n": 1, "max_turns": 1})


def test_a_study_file_is_read_and_sections_replace_its_own(tmp_path: Path) -> None:
    file = tmp_path / "STUDY.toml"
    file.write_text('[study]\nn = 9\nmax_turns = 1\n[agent]\nname = "retrieval"\n', encoding="utf-8")
    folder = hold_study(
        tmp_path / "run", file=file, study={"n": 2}, arm=[{"name": "good"}, {"name": "other"}]
    )
    conversations = read(folder).conversations
    assert sorted(c.arm or "" for c in conversations) == ["good", "good", "other", "other"]
    assert {c.agent for c in conversations} == {"retrieval"}


def test_an_agent_can_be_named_or_said_as_a_section(tmp_path: Path) -> None:
    study = {"n": 1, "max_turns": 1}
    named = hold_study(tmp_path / "a", agent="retrieval", study=study)
    section = hold_study(tmp_path / "b", agent={"name": "retrieval", "n_items": 2}, study=study)
    assert [read(folder).conversations[0].agent for folder in (named, section)] == ["retrieval"] * 2
    with pytest.raises(PluginError, match=r"no convsim\.agents plugin 'no-such'"):
        hold_study(tmp_path / "c", agent="no-such", study=study)


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ({"study": {"n": 0}}, "study.n: must be at least 1, but is 0"),
        ({"studdy": {"n": 3}}, "studdy"),
        ({"study": 3}, "study"),
        ({"model": {"name": "openai_compatible", "api_key": "secret"}}, "looks like a secret"),
    ],
)
def test_sections_that_cannot_be_used_are_told(sections: Any, problem: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=problem):
        hold_study(tmp_path / "run", **sections)
    assert not (tmp_path / "run").exists()


def test_a_study_of_which_everything_failed_is_an_error(tmp_path: Path) -> None:
    def broken(conversation: Any) -> str:
        raise ValueError("out\x1b[2J of stock")

    with pytest.raises(ConvsimError, match=r"of 2 conversations 2 failed and 0 are missing.*of stock"):
        hold_study(tmp_path / "run", agent=broken, study={"n": 2, "max_turns": 1})
