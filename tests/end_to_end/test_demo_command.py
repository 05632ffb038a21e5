"""``convsim demo``: one screen whose every number is that of the findings it keeps, and pages that open."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from convsim.cli import demo as command
from convsim.cli.compare import FILES
from convsim.cli.demo_screen import ASCII_BARS, BARS, WIDTH, bars_for, screen
from convsim.io import read
from convsim.report.document import read_comparison, read_scorecard
from tests.end_to_end.commands import typed
from tests.end_to_end.validating import CLOSE, NAIVE, PEOPLE, REPOSITORY

MAX_LINES = 40
OF = {"close": CLOSE, "naive": NAIVE}
SHORT = {"aligned": "alike", "different": "DIFFERENT", "undecided": "more data"}
PLAIN = {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("demo")
    done = typed("demo", cwd=folder, env={**os.environ, **PLAIN})
    assert done.returncode == 0, done.stderr
    return done, folder / "convsim-demo"


@pytest.fixture(scope="module")
def said(ran: tuple[CompletedProcess[str], Path]) -> str:
    return ran[0].stdout


@pytest.fixture(scope="module")
def kept(ran: tuple[CompletedProcess[str], Path]) -> Path:
    return ran[1]


@pytest.fixture(scope="module")
def findings(kept: Path) -> Mapping[str, dict[tuple[str, str], Any]]:
    documents = {name: json.loads((kept / name / "findings.json").read_text()) for name in OF}
    return {
        name: {(f["validator"], f["metric"]): f for f in document["findings"]}
        for name, document in documents.items()
    }


def percents(value: float) -> str:
    return f"{100 * value:.0f} %" if value >= 0.1 else f"{100 * value:.2g} %"


def test_one_screen_in_order_on_stdout_and_nothing_on_stderr(ran):
    done, _ = ran
    lines = done.stdout.splitlines()
    assert len(lines) <= MAX_LINES
    assert max(map(len, lines)) <= WIDTH
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert "no person wrote" in " ".join(lines[:2])
    order = ["1 HABITS", "2 WORDS", "3 REACTIONS", "4 READ ONE", "VERDICT", "PAGES", "YOUR DATA"]
    places = [next(n for n, line in enumerate(lines) if line.startswith(begins)) for begins in order]
    assert places == sorted(places)


def test_habits_are_those_of_the_findings(said, findings):
    for metric, label in {
        "user_words_per_turn": "words per message",
        "user_thanks": "says thanks",
        "user_lowercase_start": "starts in lower case",
    }.items():
        [row] = [line for line in said.splitlines() if line.startswith(f"  {label}")]
        levels = row.removeprefix(f"  {label}")
        held = [findings[name]["marginals", metric] for name in OF]
        means = [held[0]["details"]["real"]["mean"], *(f["details"]["simulated"]["mean"] for f in held)]
        shown = re.findall(r"(\d[\d.]*)( %)?", levels)
        assert len(shown) == 3
        for (number, unit), mean in zip(shown, means, strict=True):
            assert float(number) == pytest.approx(100 * mean if unit else mean, rel=0.05, abs=0.05)
            assert bool(unit) == held[0]["details"]["metric_unit"].startswith("proportion")
        assert re.findall("alike|DIFFERENT|more data", levels) == [SHORT[f["verdict"]] for f in held]
        assert len(re.findall(rf"[{BARS}]{{5}}", levels)) == 3


def test_every_habit_is_counted_once(said, findings):
    for name in OF:
        judged = [
            f
            for (validator, metric), f in findings[name].items()
            if validator == "marginals" and metric != "all_metrics" and f["details"].get("role") != "control"
        ]
        counts = {v: sum(f["verdict"] == v for f in judged) for v in SHORT}
        unmeasured = sum(f["verdict"] == "undecided" and f["estimate"] is None for f in judged)
        assert (
            f"{name.upper()}: of {len(judged)} habits {counts['aligned']} alike, {counts['different']} different; "
            f"{counts['undecided'] - unmeasured} need more data, {unmeasured} unmeasured"
        ) in said


def test_words_reactions_and_verdicts_are_those_of_the_findings(said, findings, kept):
    right = {name: percents(findings[name]["humanlikeness", "hls"]["details"]["accuracy"]) for name in OF}
    assert f"right about CLOSE: {right['close']} (" in said
    assert f"NAIVE: {right['naive']} (" in said
    hls = findings["naive"]["humanlikeness", "hls"]
    word = hls["details"]["tells"]["simulated"][0]
    shares = [percents(word[f"n_{side}"] / hls[f"n_{side}"]) for side in ("simulated", "real")]
    assert f'"{word["feature"]}" {shares[0]} ({shares[1]})' in said

    shifts = [findings[name]["counterfactual", "user_complaints"]["details"] for name in OF]
    moved = [shifts[0]["human_shift"]["estimate"], *(each["simulated_shift"]["estimate"] for each in shifts)]
    people, close, naive = (f"{100 * value:+.0f} points" for value in moved)
    assert shifts[0]["human_shift"]["established"]
    assert f"complaints: people {people}; CLOSE {close}; NAIVE {naive}" in said
    verdict = findings["naive"]["counterfactual", "user_complaints"]["verdict"]
    assert ("NAIVE does not react" in said) == (verdict == "does_not_react")
    ratios = [findings[name]["counterfactual", "reaction_ratio"]["estimate"] for name in OF]
    assert f"CLOSE {ratios[0]:.2f} of people's: " in said
    assert f"NAIVE {ratios[1]:.2f}: " in said

    joined = " ".join(said.split())
    for name in OF:
        whole = read_scorecard(kept / name).headlines[-1]
        assert whole.reason.replace("not like people", "NOT LIKE PEOPLE") in joined
        assert [each.name for each in read_scorecard(kept / name).headlines[:-1]] == [
            "habits", "words", "reactions",
        ]  # fmt: skip
    assert "on what was asked: habits, words, reactions" in said


def test_the_conversation_shown_is_the_least_human_one_of_the_naive_simulator(said, findings):
    scores = findings["naive"]["humanlikeness", "hls"]["details"]["conversation_scores"]["simulated"]
    least = min(scores, key=lambda name: (scores[name], name))
    [conversation] = [c for c in read(NAIVE).conversations if c.id == least]
    block = said.partition("4 READ ONE")[2].partition("\n\n")[0].splitlines()[1:]
    assert len(block) == min(6, len(conversation.messages))
    for line, message in zip(block, conversation.messages, strict=False):
        assert message.content.startswith(line[12:].removesuffix("..."))
        assert line[2:].startswith("shopper" if message.role == "user" else "assistant")


def test_what_a_scorecard_of_the_demo_says_is_what_the_comparison_says(kept):
    comparison = read_comparison(kept)
    assert [each.name for each in comparison.simulators] == [*OF]
    for each in comparison.simulators:
        card = read_scorecard(kept / each.name)
        assert card.findings == (*each.validation.findings, *each.counterfactual.findings)
        assert "no person wrote" in card.warnings[0]


def test_the_pages_open_in_a_browser(browser, kept):
    for page, title in {
        "comparison.html": "naive", "close/report.html": "reactions", "naive/report.html": "reactions",
    }.items():  # fmt: skip
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        problems: list[str] = []
        opened.on("console", lambda message, problems=problems: problems.append(message.text))
        opened.on("pageerror", lambda error, problems=problems: problems.append(str(error)))
        opened.goto((kept / page).as_uri())
        assert title in opened.inner_text("body").lower()
        assert not problems
        opened.close()


def test_the_commands_for_ones_own_data_are_ones_that_there_are(said):
    shown = re.findall(r"^  convsim (.*?)(?:  .*)?$", said.partition("YOUR DATA")[2], re.MULTILINE)
    assert len(shown) == 3
    for line in shown:
        words = line.split()
        path = words[:2] if words[0] == "data" else words[:1]
        page = typed(*path, "--help").stdout
        assert f"convsim {' '.join(path)} " in page
        assert all(option in page for option in words if option.startswith("--"))
    assert "convsim demo --full" in said


def test_a_second_run_replaces_its_own_and_prints_the_comparison_as_json(kept):
    done = typed("demo", "--seed", 1, "--format", "json", cwd=kept.parent)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((kept / FILES[0]).read_text())
    assert json.loads(done.stdout)["seed"] == 1
    assert json.loads(done.stdout)["versions"] == []
    assert sorted(path.name for path in kept.iterdir()) == ["close", *sorted(FILES), "naive"]


@pytest.mark.parametrize("name", ["comparison.html", "close/report.html", "naive/findings.json"])
def test_a_file_of_somebody_elses_is_not_replaced(tmp_path, name):
    theirs = tmp_path / "convsim-demo" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_text("somebody's work")
    done = typed("demo", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "is there already and was not written by this command" in done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [theirs]
    assert theirs.read_text() == "somebody's work"


def test_a_file_where_the_folder_would_be_is_told_in_a_line(tmp_path):
    (tmp_path / "convsim-demo").write_text("")
    done = typed("demo", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "convsim-demo is a file; expected a folder" in done.stderr


def drawn(kept: Path, messages: list[str] | None = None, **given: Any) -> str:
    comparison = read_comparison(kept)
    simulated = {name: list(read(file).conversations) for name, file in OF.items()}
    if messages:
        scores = read_scorecard(kept / "naive").findings
        of = next(f for f in scores if f.metric == "hls").details.conversation_scores.simulated  # type: ignore[attr-defined]
        least = min(of, key=lambda name: (of[name], name))
        place = next(n for n, c in enumerate(simulated["naive"]) if c.id == least)
        spoken = [simulated["naive"][place].messages[0].but(content=text) for text in messages]
        simulated["naive"][place] = simulated["naive"][place].but(messages=tuple(spoken))
    cards = {name: read_scorecard(kept / name) for name in OF}
    return screen(comparison, cards, read(PEOPLE).conversations, simulated, **given)


def test_where_the_folder_cannot_be_written_the_screen_says_so(kept, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command._unwritable() == ""
    monkeypatch.setattr("os.access", lambda *_: False)
    why = command._unwritable()
    assert "is not writable" in why
    shown = drawn(kept, bars=BARS, folder=None, unwritable="the folder /read/only is not writable")
    said = " ".join(shown.split())
    assert "PAGES none: the folder /read/only is not writable; write them elsewhere with --out" in said
    assert len(shown.splitlines()) <= MAX_LINES


def test_a_terminal_without_such_characters_gets_others(kept):
    assert (bars_for("utf-8"), bars_for("latin-1"), bars_for(None)) == (BARS, ASCII_BARS, ASCII_BARS)
    shown = drawn(kept, bars=ASCII_BARS, folder="convsim-demo")
    assert shown.isascii()
    assert len(shown.splitlines()) <= MAX_LINES


def test_a_hostile_transcript_stays_in_its_lines(kept):
    shown = drawn(
        kept, ["\x1b[2J\x07hi\nthere", "界" * 300, "\u202eabc", "[red]x[/red] {{ 1 }}"], bars=BARS, folder="d"
    )
    block = shown.partition("4 READ ONE")[2].partition("\n\n")[0]
    assert not set("\x1b\x07\u202e") & set(shown)
    assert "hi there" in block
    assert "[red]x[/red] {{ 1 }}" in block
    assert len(block.splitlines()) == 5
    assert block.count("界") == 32


def test_in_full_every_table_is_shown_and_what_no_person_wrote_is_said_twice(tmp_path):
    done = typed("demo", "--full", "--no-live", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("no person wrote these conversations") == 2
    assert done.stderr.count("no person") == 0
    # Each against the people, then each from the good agent to the bad one.
    assert re.findall(r"^simulated .*stand-in:(\w+)", done.stdout, re.MULTILINE) == ["close", "naive"] * 2
    begins = [done.stdout.index(f"\nthe {name} stand-in simulator\n") for name in OF]
    assert begins[0] < done.stdout.index("stand-in:close") < begins[1] < done.stdout.index("stand-in:naive")
    assert "does not react" in done.stdout
    assert "convsim data fetch convapparel" in done.stdout
    assert not [*tmp_path.iterdir()]
    assert REPOSITORY not in tmp_path.parents
