"""``convsim simulate`` as a user types it: the offline default, plans, study files, mistakes, interrupts, kills."""

import json
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from convsim.cli import main
from tests.end_to_end.runs import REPOSITORY, command, held, prepare, run, simulate
from tests.hanging import ended_if_it_hangs

MINE = ("--shopper", "mine:Brief", "--agent", "mine:Slow", "--personas", "people.toml", "--out", "run")
STUDY = """
[study]
name = "autumn"
seed = 5
n = 4
max_turns = 3
concurrency = 2
budget_usd = 1.0
[model]
name = "scripted"
answers = ["never asked"]
[shopper]
name = "mine:Brief"
[agent]
name = "retrieval"
[data]
catalogue = "items.jsonl"
personas = "people.toml"
[[arm]]
name = "good"
[[arm]]
name = "bad"
"""


def one_line_of(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_the_offline_default_holds_120_conversations_and_the_same_again_holds_none(tmp_path):
    default = ("--shopper", "resample", "--agent", "retrieval", "--n", "120", "--seed", "3", "--out", "run")
    first = simulate(tmp_path, *default)
    assert first.returncode == 0, first.stderr
    assert "ran 120 of 120" in first.stderr
    assert "no --real, so the demo's" in first.stderr
    assert "no --catalogue, so the demo's" in first.stderr
    conversations = held(tmp_path / "run")
    assert len({c["id"] for c in conversations}) == len(conversations) == 120
    # Nobody in the demo is known to have taken anything, so nobody who repeats them does.
    assert {c["ending"] for c in conversations} == {"left", "turn_limit"}
    assert not any("failure" in c for c in conversations)
    assert all(c["simulator"] == "resample" and c["learned_from"]["file"] for c in conversations)
    before = (tmp_path / "run/conversations.jsonl").read_bytes()
    again = simulate(tmp_path, *default)
    assert again.returncode == 0
    assert "ran 0 of 120 conversations (120 were done before)" in again.stderr
    assert (tmp_path / "run/conversations.jsonl").read_bytes() == before
    people = REPOSITORY / "data/demo/convapparel_standin.json"
    judged = run("validate", people, tmp_path / "run", "--format", "json", "--validators", "marginals")
    assert judged.returncode == 0, judged.stderr
    document = json.loads(judged.stdout)
    assert document["simulated"]["n"] == 120
    # It learned from the very people it is compared with.
    assert {finding["verdict"] for finding in document["findings"]} == {"undecided"}


def test_a_study_file_with_every_section_is_held_and_flags_win(tmp_path):
    (tmp_path / "STUDY.toml").write_text(STUDY)
    result = simulate(tmp_path, "STUDY.toml", "--n", "3", "--out", "run")
    assert result.returncode == 0, result.stderr
    conversations = held(tmp_path / "run")
    assert sorted(c["arm"] for c in conversations) == ["bad"] * 3 + ["good"] * 3
    assert {c["source"] for c in conversations} == {"convsim:autumn"}
    assert {c["persona"]["id"] for c in conversations} == {"ann", "bob"}
    assert {item["id"] for c in conversations for m in c["messages"] for item in m.get("items", ())} == {"b1"}
    plan = json.loads((tmp_path / "run/manifest.json").read_text())["plan"]
    assert (plan["n"], plan["seed"], plan["max_turns"]) == (3, 5, 3)


def test_another_plan_into_the_same_folder_is_refused_and_names_what_changed(tmp_path):
    assert simulate(tmp_path, *MINE, "--n", "2", "--seed", "1").returncode == 0
    before = (tmp_path / "run/conversations.jsonl").read_bytes()
    result = simulate(tmp_path, *MINE, "--n", "2", "--seed", "2")
    assert result.returncode == 2
    assert "seed was 1 and is now 2" in result.stderr
    assert (tmp_path / "run/conversations.jsonl").read_bytes() == before


def test_a_dry_run_prints_the_plan_and_writes_nothing(tmp_path):
    prepare(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    model = ("--model", "scripted", "--set", 'model.answers=["x"]', "--shopper", "prompted")
    result = simulate(tmp_path, *MINE[2:], *model, "--n", "7", "--dry-run")
    assert result.returncode == 0, result.stderr
    assert "7 conversations" in result.stdout
    assert "at most 140 calls" in result.stdout  # 7 conversations of 10 turns, a decision and a message each
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == before


LATE = '[[persona]]\nid = "p"\nneed = "x"\npatience = { value = "low", known = "afterwards" }\n'
MISTAKES = {
    "an unknown key": ("[study]\nturns = 3", (), r"study\.turns: no such key"),
    "a section without its name": ("[shopper]\nk = 3", (), r"shopper\.name: is missing"),
    "a wrong type": ("[study]\nn = 'three'", (), "study.n: must be a whole number, but is 'three'"),
    "a wrong type of a setting": (
        "[shopper]\nname = 'resample'\nk = 'three'",
        (),
        "k must be a whole number",
    ),
    "an unknown setting": (
        "[shopper]\nname = 'resample'\nkk = 3",
        (),
        "resample has no setting 'kk'; it has: k",
    ),
    "an unknown shopper": (
        "",
        ("--shopper", "bob"),
        "'bob'; installed: cue, ditto, hybrid, icl, osim, prompted, python, replay, resample",
    ),
    "an unknown agent": ("[agent]\nname = 'mmd'", (), "'mmd'; installed: .*retrieval"),
    "an unknown model": ("", ("--shopper", "prompted", "--model", "gpt"), "'gpt'; installed: .*scripted"),
    "a module that is none": (
        "",
        ("--agent", "nowhere:Agent"),
        "'nowhere:Agent': there is no module 'nowhere'",
    ),
    "an agent that is none": (
        "",
        ("--agent", "json:decoder"),
        "the agent: .* is not a function and has no 'reply'",
    ),
    "a secret": ('[model]\nname = "m"\napi_key = "k3y"', (), "model.api_key looks like a secret"),
    "a key of a program": (
        "",
        ("--agent", "command", "--set", "agent.command=shop --api-key sk-LEAKME-0123456789"),
        "agent.command looks like a secret, .* variable: the program sees them all$",
    ),
    "a key in an address": (
        "",
        ("--agent", "http", "--set", "agent.url=http://127.0.0.1/?api_key=LEAKME"),
        r"agent\.url looks like a secret, .* and name that in api_key_env$",
    ),
    "a key in a header": (
        '[model]\nname = "openai_compatible"\nextra_body = {headers = {"X-Api-Key" = "LEAKME"}}',
        (),
        r"model\.extra_body\.headers\.X-Api-Key looks like a secret",
    ),
    "a key in the place of its variable": (
        "",
        ("--agent", "http", "--set", "agent.url=http://127.0.0.1/", "--set", "agent.api_key_env=LEAKME-1"),
        "http: api_key_env must be the name of an environment variable",
    ),
    "a control known only afterwards": ("", ("--personas", "late.toml"), "patience is known only afterwards"),
    "no such study": (None, ("absent.toml",), "absent.toml: the study cannot be read"),
    "no such real": ("", ("--real", "absent.jsonl"), "absent.jsonl"),
    "no such catalogue": ("", ("--catalogue", "absent.jsonl"), "absent.jsonl"),
    "no such personas": (
        "",
        ("--personas", "absent.toml"),
        "absent.toml: the file of personas cannot be read",
    ),
    "no such arm": ("", ("--learn-arm", "best"), "'best': .*do not have this arm; they have: bad, good"),
    "no conversations": ("", ("--n", "0"), r"study\.n: must be at least 1, but is 0"),
    "a place where no run can be": ("", ("--out", "people.toml"), "people.toml: a run folder cannot be made"),
}


@pytest.mark.parametrize(("text", "flags", "problem"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_and_exit_2(tmp_path, text, flags, problem, *, monkeypatch, capsys):
    # In this process: an interpreter for each would take a second each.
    prepare(tmp_path)
    (tmp_path / "late.toml").write_text(LATE)
    if text is not None:
        (tmp_path / "STUDY.toml").write_text(text)
        flags = ("STUDY.toml", *flags)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["convsim", "simulate", *flags])
    with pytest.raises(SystemExit) as stopped:
        main()
    printed = capsys.readouterr()
    assert stopped.value.code == 2
    errors = [line for line in printed.err.splitlines() if not line.startswith(("using a default", "seed "))]
    assert len(errors) == 1, printed.err
    assert "LEAKME" not in printed.err
    assert re.search(problem, errors[0]), errors[0]
    assert printed.out == ""
    assert "k3y" not in printed.err
    assert not (tmp_path / "runs").exists()


def test_a_mistake_in_a_process_of_its_own_is_one_line_too(tmp_path):
    assert "'bob'; installed: " in one_line_of(simulate(tmp_path, "--shopper", "bob"))


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def started(folder: Path, *arguments: object, seconds: float) -> subprocess.Popen[str]:
    """Start a run whose agent takes ``seconds``, and return once it has held a conversation."""
    process = subprocess.Popen(
        command(*arguments), cwd=folder, env={**prepare(folder), "SLOW_S": str(seconds)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    file = folder / "run/conversations.jsonl"
    wait_for(lambda: file.exists() and file.stat().st_size > 0)
    return process


def test_an_interrupt_finishes_what_is_in_flight_and_the_same_command_completes_the_run(tmp_path):
    asked = (*MINE, "--n", "40", "--concurrency", "4")
    process = started(tmp_path, *asked, seconds=0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 3, said
    assert "conversations are missing (interrupted); run the same command again to continue" in said
    assert "Traceback" not in said
    kept = held(tmp_path / "run")
    assert 4 <= len(kept) < 40
    # What was in flight came to its own end.
    assert {c["ending"] for c in kept} == {"left"}
    assert not any("failure" in c for c in kept)
    assert simulate(tmp_path, *asked).returncode == 0
    whole = held(tmp_path / "run")
    assert whole[: len(kept)] == kept
    assert len({c["id"] for c in whole}) == len(whole) == 40


def test_a_second_interrupt_stops_at_once_and_keeps_what_has_ended(tmp_path):
    asked = (*MINE, "--n", "40", "--concurrency", "4")
    process = started(tmp_path, *asked, seconds=0.2)
    ended = len(held(tmp_path / "run"))
    process.kill()
    process.communicate()
    (tmp_path / "asked").unlink()
    process = subprocess.Popen(
        command(*asked), cwd=tmp_path, env={**prepare(tmp_path), "SLOW_S": "60"},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for((tmp_path / "asked").exists)
    process.send_signal(signal.SIGINT)
    heard = ""
    assert process.stderr is not None
    with ended_if_it_hangs():
        while "Ctrl-C again stops them" not in heard:
            line = process.stderr.readline()
            assert line, heard
            heard += line
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said = heard + process.communicate()[1]
    assert process.returncode == 3, said
    assert "Traceback" not in said
    assert len(held(tmp_path / "run")) >= ended > 0


@pytest.mark.faults
def test_killed_at_20_random_moments_a_run_ends_with_exactly_the_planned_conversations(tmp_path):
    environment = {**prepare(tmp_path), "SLOW_S": "0.02"}
    asked = (*MINE, "--n", "240")
    moments = [random.Random(11 + i).uniform(0.0, 0.3) for i in range(20)]
    killing = [sys.executable, str(REPOSITORY / "tests/end_to_end/kills.py"), json.dumps(moments)]
    killer = subprocess.run(
        [*killing, *asked, "--concurrency", "2"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert killer.returncode == 0, killer.stderr
    sizes = json.loads(killer.stdout.splitlines()[-1])
    assert len(sizes) == 20
    # The kills came at different places of the run, and before its end.
    assert len(set(sizes)) > 3, sizes
    assert (tmp_path / "run/conversations.jsonl").read_bytes().count(b"\n") < 240
    assert simulate(tmp_path, *asked, "--concurrency", "64").returncode == 0
    conversations = held(tmp_path / "run")
    assert len(conversations) == 240
    assert len({c["id"] for c in conversations}) == 240
    unkilled = simulate(tmp_path, *MINE[:-1], "unkilled", "--n", "240", "--concurrency", "64")
    assert unkilled.returncode == 0
    assert {c["id"] for c in held(tmp_path / "unkilled")} == {c["id"] for c in conversations}


def test_a_dry_run_and_what_is_printed_obey_no_name_of_a_study(tmp_path):
    wicked = r"arm\u001b]0;owned\u0007\u009b31m\u202e"
    (tmp_path / "STUDY.toml").write_text(
        f'[shopper]\nname = "mine:Brief"\n[agent]\nname = "mine:Slow"\n[[arm]]\nname = "{wicked}"\n'
    )
    for flags in (("--dry-run",), ("--n", "1", "--out", "run\x1b[2J")):
        done = simulate(
            tmp_path, "STUDY.toml", "--personas", "people.toml", "--catalogue", "items.jsonl", *flags
        )
        assert done.returncode == 0, done.stderr
        assert not set("\x1b\x07\x9b\u202e") & {*done.stdout, *done.stderr}
