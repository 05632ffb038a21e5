"""``convsim counterfactual`` as a user types it: shifts between arms, a ladder of severities, relations."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.validating import CLOSE, NAIVE, PEOPLE, convsim, line, once, written

ARMS = ("--control", "good", "--treatment", "bad")
FEWER = ("--set", "counterfactual.n_resamples=499")
"""Enough for a p-value that is small among those of all metrics."""
FEW = ("--set", "counterfactual.n_resamples=49")
"""Where intervals and p-values are not asked about."""


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the resampled shopper with the retrieval agent as it is, at severity 0 and at two more."""
    folder = tmp_path_factory.mktemp("runs") / "ladder"
    faults = [f"--fault=bad={severity}" for severity in (0, 0.5, 1)]
    done = convsim("simulate", "--arm", "good", *faults, "--n", 24, "--max-turns", 5, "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder


def document(*arguments: object) -> dict:
    done = once("counterfactual", *arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    card: dict = json.loads(done.stdout)
    return card


def findings(card: dict) -> dict[str, dict]:
    return {f["metric"]: f for f in card["findings"]}


def test_a_simulator_that_keeps_smiling_is_found_out_and_one_that_is_close_is_not():
    naive, close = (findings(document(PEOPLE, sim, *ARMS, *FEWER)) for sim in (NAIVE, CLOSE))
    assert naive["user_complaints"]["verdict"] == "does_not_react"
    assert naive["user_complaints"]["details"]["human_shift"]["established"] is True
    failing = {"does_not_react", "under_reacts", "over_reacts", "reacts_wrong_way", "different"}
    assert sum(f["verdict"] in failing for f in naive.values()) > sum(
        f["verdict"] in failing for f in close.values()
    )
    assert close["user_complaints"]["verdict"] not in failing


def test_the_other_direction_mirrors_the_shifts():
    there = findings(document(PEOPLE, NAIVE, *ARMS, *FEWER))
    back = findings(document(PEOPLE, NAIVE, "--control", "bad", "--treatment", "good", *FEW))
    for metric in ("user_complaints", "turns", "user_thanks"):
        assert back[metric]["estimate"] == pytest.approx(-there[metric]["estimate"])


def test_text_markdown_files_and_the_gate(tmp_path):
    out = tmp_path / "out"
    text = convsim("counterfactual", PEOPLE, NAIVE, *ARMS, *FEWER, "--out", out, "--fail-on", "different")
    assert text.returncode == 1
    assert "does not react" in text.stdout
    assert "People changed in" in text.stdout
    assert json.loads((out / "findings.json").read_text())["schema"] == "convsim.findings/1"
    markdown = convsim("counterfactual", PEOPLE, NAIVE, *ARMS, *FEWER, "--format", "md")
    assert markdown.returncode == 0
    rows = [row for row in markdown.stdout.splitlines() if "| does not react |" in row]
    assert [row.split(" | ")[1] for row in rows] == [
        "reactions", "user\\_complaints", "reaction\\_ratio",
    ]  # fmt: skip
    assert markdown.stdout.startswith("**Not like people in reactions.**")
    assert markdown.stdout.index("Reaction ratio ") < markdown.stdout.index("| user\\_complaints")
    assert text.stdout.index("reaction ratio ") < text.stdout.index("people's shift ")


def test_a_run_records_the_fault_of_each_message_and_severity_0_is_the_bare_agent(ladder):
    held = [json.loads(each) for each in (ladder / "conversations.jsonl").read_text().splitlines()]
    assert {(c["arm"], c.get("fault"), c.get("severity")) for c in held} == {
        ("good", None, None), ("bad=0", "bad", 0.0), ("bad=0.5", "bad", 0.5), ("bad", "bad", 1.0)
    }  # fmt: skip
    said = {
        arm: {c["persona"]["id"]: [m["content"] for m in c["messages"]] for c in held if c["arm"] == arm}
        for arm in ("good", "bad=0", "bad")
    }
    assert said["good"] == said["bad=0"]
    assert said["good"] != said["bad"]
    acted = {
        fault["name"]
        for c in held if c["arm"] == "bad"
        for message in c["messages"]
        for fault in message.get("faults", ())
        if fault["acted"]
    }  # fmt: skip
    assert "partial_query" in acted


def test_a_ladder_gives_means_slopes_and_an_answer_whether_anything_reacts(ladder):
    card = document("--ladder", "bad", ladder)
    assert card["real"] is None
    found = findings(card)
    assert found["turns"]["details"]["severities"] == [0, 0.5, 1]
    assert len(found["turns"]["details"]["means"]) == 3
    reaction = found["any_reaction"]
    rejected = reaction["p_value"] <= 0.05
    # Which it is here is not known beforehand; that it is what the test says, is.
    moving = reaction["details"]["moving"]
    assert (reaction["verdict"] == "aligned") == rejected == bool(moving)
    # The strongest is the one whose own test says most; not all that was measured is named.
    assert not moving or found[moving[0]]["p_value"] == min(found[name]["p_value"] for name in moving)
    assert all(found[name]["p_value"] <= 0.05 for name in moving)
    shown = convsim("counterfactual", "--ladder", "bad", ladder)
    assert "at 0.5" in shown.stdout


def test_relations_are_asked_of_a_run_and_of_a_file_of_the_users(ladder, tmp_path):
    found = findings(document("--relations", ladder, "--agent", "retrieval"))
    assert found["severity_zero"]["verdict"] == "aligned"
    assert found["severity_zero_agents"]["verdict"] == "aligned"
    assert found["severity_zero_agents"]["details"]["n_replies"] >= 24
    mine = tmp_path / "mine.toml"
    mine.write_text(
        '[[relation]]\nname = "shorter"\nquestion = "Does it talk less?"\nfault = "bad"\nmetric = "turns"\n'
        'kind = "directional"\ndirection = "decrease"\n'
    )
    assert "shorter" in findings(document("--relations", mine, ladder))


def test_a_shopper_that_saw_the_treated_arm_is_not_certified(tmp_path):
    halves = tmp_path / "halves"
    convsim("data", "convert", PEOPLE, tmp_path / "people.jsonl")
    convsim(
        "data", "split", tmp_path / "people.jsonl", "--by", "conversation", "--fraction", 0.5, "--seed", 1,
        "--out", halves,
    )  # fmt: skip
    learned, judged = sorted(halves.iterdir())
    runs = {}
    for name, arm in (("one", ("--learn-arm", "good")), ("both", ())):
        runs[name] = tmp_path / name
        done = convsim(
            "simulate", "--real", learned, *arm, "--arm", "good", "--fault", "bad", "--n", 20, "--max-turns", 4,
            "--out", runs[name],
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    # The fault's arm is called like the people's bad arm, so the runs can be compared as they are.
    both = findings(document(judged, runs["both"], *ARMS, *FEW))["generalisation"]
    assert both["verdict"] == "undecided"
    assert both["details"]["saw_treated"] is True
    one = findings(document(judged, runs["one"], *ARMS, *FEW, "--saw-both", runs["both"]))["generalisation"]
    assert one["details"]["learned_arms"] == ["good"]
    assert one["estimate"] is not None


BAD: dict[str, tuple[list[object], str]] = {
    "no mode": ([PEOPLE, NAIVE], "expected REAL SIM --control ARM --treatment ARM"),
    "half a mode": ([PEOPLE, NAIVE, "--control", "good"], "found --control"),
    "two modes": ([PEOPLE, NAIVE, *ARMS, "--ladder", "bad"], "--control and --treatment and --ladder"),
    "an unknown arm": (
        [PEOPLE, NAIVE, "--control", "good", "--treatment", "worse"],
        "the real data have no arm 'worse'; they have: bad, good",
    ),
    "one arm twice": ([PEOPLE, NAIVE, "--control", "bad", "--treatment", "bad"], "the same arm, 'bad'"),
    "exchanged sides under a gate": (
        [NAIVE, PEOPLE, *ARMS, "--fail-on", "different"],
        "the sides look exchanged",
    ),
    "one file": ([PEOPLE, *ARMS], "found 1 files"),
    "a ladder that nobody climbed": (
        ["--ladder", "bad", NAIVE],
        "no conversation has the fault 'bad'",
    ),
    "relations in no TOML": (["--relations", PEOPLE, NAIVE], "expected a .toml file of relations"),
    "an agent without relations": (
        [PEOPLE, NAIVE, *ARMS, "--agent", "retrieval"],
        "--agent needs --relations",
    ),
    "a setting that is said elsewhere": (
        [PEOPLE, NAIVE, *ARMS, "--set", "counterfactual.control=worse"],
        "counterfactual.control is not a setting",
    ),
    "a setting that is none": ([PEOPLE, NAIVE, *ARMS, "--set", "counterfactual.margins=1"], "margins"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_asked_is_one_clear_line_and_exit_code_2(tmp_path, name):
    arguments, said = BAD[name]
    done = convsim("counterfactual", *arguments, "--out", tmp_path / "out")
    assert done.returncode == 2, done.stderr
    assert [said in each for each in done.stderr.splitlines() if each.startswith("error:")] == [True]
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "out/findings.json").exists()


def test_simulated_arms_that_are_missing_are_named(tmp_path):
    real = written(tmp_path / "r.jsonl", [line(i, arm=("good", "bad")[i % 2]) for i in range(20)])
    sim = written(tmp_path / "s.jsonl", [line(i, text=f"hello {i}") for i in range(20)])
    done = convsim("counterfactual", real, sim, *ARMS)
    assert done.returncode == 2
    assert "the simulated data have no arm 'bad'; they have: good" in done.stderr


def test_few_conversations_and_arms_without_a_common_task_are_undecided_and_no_error(tmp_path):
    sim = written(
        tmp_path / "s.jsonl", [line(i, arm=("good", "bad")[i % 2], text=f"hi {i}") for i in range(30)]
    )
    few = written(tmp_path / "f.jsonl", [line(i, arm=("good", "bad")[i < 5]) for i in range(30)])
    apart = written(
        tmp_path / "a.jsonl",
        [
            line(i, arm=("good", "bad")[i % 2], task=("tops", "bottoms")[i % 2], text="so " * (i % 5))
            for i in range(60)
        ],
    )
    for real in (few, apart):
        found = findings(document(real, sim, *ARMS))
        assert {f["verdict"] for name, f in found.items() if "first" not in name} <= {"undecided"}
    assert "8" in findings(document(few, sim, *ARMS))["turns"]["reason"]
    assert "task" in findings(document(apart, sim, *ARMS))["user_words_per_turn"]["reason"]


@pytest.mark.parametrize(
    ("fault", "said"), [("bad=2", "from 0 to 1"), ("bda=0.5", "partial_query"), ("bad=x", "from 0 to 1")]
)
def test_a_fault_that_is_none_is_one_clear_line_before_anything_is_held(tmp_path, fault, said):
    done = convsim("simulate", "--fault", fault, "--n", 2, "--out", tmp_path / "run")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
