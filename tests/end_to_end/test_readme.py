"""What the README says is what happens: its commands, its Python, its JSON, and the demo."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.commands import typed

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def run(*arguments: str, folder: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'validators'}"}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )


def test_the_two_commands_stand_first_and_ci_runs_the_tests_in_the_same_way():
    demo, tests = blocks("sh")[:2]
    assert demo.strip().endswith("convsim demo")
    assert demo.strip().count("\n") == tests.strip().count("\n") == 0
    options = re.search(r"/pytest (.+)$", tests.strip())
    [ci] = re.findall(
        r"^pytest (.+?) \|\|", (REPOSITORY / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert options is not None
    assert ci.startswith(options[1])


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


def commands_of(page: str) -> list[str]:
    """Return the commands that a help page lists."""
    _, _, listed = page.partition("\nCommands:\n")
    return re.findall(r"^  ([a-z]\S*)", listed, re.MULTILINE)


def test_every_command_of_the_readme_exists_and_every_command_stands_in_the_readme():
    top = commands_of(typed("--help").stdout)
    groups = {name: commands_of(typed(name, "--help").stdout) for name in top}
    exist = {f"{name} {sub}".strip() for name, subs in groups.items() for sub in subs or [""]}
    assert {"validate", "train", "compare", "data split", "annotator check"} <= exist
    code = [*blocks("sh"), *re.findall(r"`([^`\n]+)`", README)]
    said = {
        (name, sub) for text in code for name, sub in re.findall(r"\bconvsim ([a-z]\S*)(?: ([a-z]\S*))?", text)
    }  # fmt: skip
    in_readme = {f"{name} {sub}" if groups.get(name) and sub else name for name, sub in said}
    assert in_readme <= exist
    assert exist - in_readme <= {"data fetch"}


def test_the_demo_scores_both_stand_ins_and_says_that_no_person_wrote_them():
    result = run("-m", "convsim", "demo", "--no-live")
    assert result.returncode == 0, result.stderr
    assert "no person wrote these conversations" in result.stderr
    assert result.stdout.count("no person wrote these conversations") == 4
    # Each against the people, then each from the good agent to the bad one.
    assert re.findall(r"^simulated .*stand-in:(\w+)", result.stdout, re.MULTILINE) == ["close", "naive"] * 2
    assert "does not react" in result.stdout
    assert "stand-in:close" in result.stdout
    assert "stand-in:naive" in result.stdout
    assert "convsim data fetch convapparel" in result.stderr


def test_the_demos_live_part_holds_conversations_and_scores_them_on_people_they_did_not_learn_from(
    tmp_path, monkeypatch
):
    from convsim.cli import tour

    monkeypatch.setattr(tour, "live_shoppers", lambda: ("resample",))
    [(name, card)] = tour.live_scorecards(tmp_path, seed=0, on_change=lambda name, progress: None)
    assert name == "the resample shopper, live"
    assert (card.real.n, card.simulated.n) == (128, 12)
    assert not any("is not judged on people it copied" in warning for warning in card.warnings)
    turns = next(finding for finding in card.judged if finding.metric == "turns")
    # Live conversations end after four turns, people's when people end them.
    assert turns.details["simulated"]["mean"] <= tour.LIVE_TURNS  # type: ignore[call-overload]
    assert turns.estimate is not None
    assert not any("learned from" in finding.reason for finding in card.findings)
    assert (tmp_path / "resample/manifest.json").exists()
    assert "no person wrote" in card.warnings[0]


def test_the_demos_ladder_is_climbed_and_asked(tmp_path):
    from convsim.cli import tour

    cards = dict(tour.ladder_scorecards(tmp_path, seed=0))
    ladder, relations = cards.values()
    [reaction] = (f for f in ladder.findings if f.metric == "any_reaction")
    asked = {name: reaction.details[name] for name in ("fault", "severities", "n_conversations")}
    assert asked == {"fault": "bad", "severities": [0, 0.5, 1], "n_conversations": [40] * 3}
    assert reaction.verdict in {"aligned", "does_not_react"}
    [untouched] = (f for f in relations.findings if f.metric == "severity_zero")
    assert reaction.n_simulated == untouched.n_simulated == 120
    assert any(f.estimate is not None for f in relations.findings)
    assert all("no person wrote" in card.warnings[0] for card in cards.values())


def test_the_gate_of_the_readme_is_one_that_validate_takes(tmp_path):
    [example] = [block for block in blocks("toml") if "[headline." in block]
    file = tmp_path / "gate.toml"
    file.write_text(example, encoding="utf-8")
    sides = [
        str(REPOSITORY / "data/demo" / name) for name in ("convapparel_standin.json", "simulator_naive.jsonl")
    ]
    asked = (
        "--validators",
        "marginals",
        "--metrics",
        "user_words_per_turn,turns",
        "--set",
        "marginals.n_resamples=49",
    )
    result = typed("validate", *sides, *asked, "--gate", str(file), "--format", "md")
    assert result.returncode == 1, result.stderr
    assert f"gate failed ({file}): 2 of 3 checks, 1 warning" in result.stderr
    assert "margin delta 0.2, ks 0.25, spread 0.25" in result.stderr
