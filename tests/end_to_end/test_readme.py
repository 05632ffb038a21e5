"""What the README says is what happens: its commands, its Python, its JSON, and the demo."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def run(*arguments: str, folder: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'validators'}"}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )


def test_the_two_commands_stand_first_and_ci_runs_the_second():
    demo, tests = blocks("sh")[:2]
    assert demo.strip().endswith("convsim demo")
    assert demo.strip().count("\n") == tests.strip().count("\n") == 0
    found = subprocess.run(
        ["awk", "/^<!-- tests -->/ { getline; getline; print; exit }", "README.md"],
        capture_output=True, text=True, cwd=REPOSITORY, check=True,
    )  # fmt: skip
    assert found.stdout == tests


@pytest.mark.parametrize("snippet", blocks("python"))
def test_every_python_snippet_runs(snippet):
    result = run("-c", snippet)
    assert result.returncode == 0, result.stderr
    assert "user_words_per_turn" in result.stdout


def test_the_json_example_is_a_conversation(tmp_path):
    [example] = blocks("json")
    file = tmp_path / "example.jsonl"
    file.write_text(json.dumps(json.loads(example)) + "\n", encoding="utf-8")
    result = run("-m", "convsim", "show", str(file), "c1")
    assert result.returncode == 0, result.stderr
    assert "the green ones" in result.stdout


def test_every_command_of_the_readme_exists():
    commands = set(re.findall(r"convsim ((?:data )?[a-z]+)", " ".join([*blocks("sh"), README])))
    data = {f"data {command}" for command in ("describe", "convert", "split", "fetch", "list")}
    known = {
        "demo", "validate", "counterfactual", "simulate", "annotate", "annotator", "arena", "show", "report",
        "plugins", *data,
    }  # fmt: skip
    for command in commands & known:
        assert run("-m", "convsim", *command.split(), "--help").returncode == 0, command
    assert known - {"report", "data fetch"} <= commands


def test_the_demo_scores_both_stand_ins_and_says_that_no_person_wrote_them():
    result = run("-m", "convsim", "demo", "--no-live")
    assert result.returncode == 0, result.stderr
    assert "no person wrote these conversations" in result.stderr
    assert result.stdout.count("no person wrote these conversations") == 4
    assert "does not react" in result.stdout
    assert "stand-in:close" in result.stdout
    assert "stand-in:naive" in result.stdout
    assert "convsim data fetch convapparel" in result.stderr


def test_the_demos_live_part_holds_conversations_and_scores_them_on_people_they_did_not_learn_from(
    tmp_path, monkeypatch
):
    from convsim.demo import tour

    monkeypatch.setattr(tour, "live_shoppers", lambda: ("resample",))
    [(name, card)] = tour.live_scorecards(tmp_path, seed=0, on_change=lambda name, progress: None)
    assert name == "the resample shopper, live"
    assert (card.real.n, card.simulated.n) == (128, 12)
    assert not any("nobody is judged" in warning for warning in card.warnings)
    assert {finding.verdict for finding in card.judged} <= {"undecided", "different", "aligned"}
    assert (tmp_path / "resample/manifest.json").exists()


def test_the_demos_ladder_is_climbed_and_asked(tmp_path):
    from convsim.demo import tour

    cards = dict(tour.ladder_scorecards(tmp_path, seed=0))
    ladder, relations = cards.values()
    assert {f.details["fault"] for f in ladder.findings if f.metric == "any_reaction"} == {"bad"}
    assert any(f.estimate is not None for f in relations.findings)
    assert all("no person wrote" in card.warnings[0] for card in cards.values())
