"""``convsim simulate --add N``: a run is made larger, whatever cut it short, and mistakes are one line."""

import json
import random
import subprocess
import sys

import pytest

from convsim.cli import main
from tests.end_to_end.runs import REPOSITORY, held, prepare, simulate

MINE = ("--shopper", "mine:Brief", "--agent", "mine:Slow", "--personas", "people.toml", "--out", "run")
LEARNED = (
    "--real", "logs.jsonl", "--catalogue", "items.jsonl", "--seed", "3", "--concurrency", "1", "--arm", "good", "--arm",
    "late",
)  # fmt: skip


def logs(folder):
    """Write conversations that personas are drawn from, each with a need of its own."""
    prepare(folder)
    lines = [
        json.dumps({
            "id": f"c{n}", "user": f"u{n}", "messages": [
                {"role": "user", "content": f"red boots for rain, size {n}"},
                {"role": "assistant", "content": "this one?", "items": [{"id": "b1", "title": "Red rain boots"}]},
                {"role": "user", "content": f"no thanks {n % 3}"},
            ],
        })
        for n in range(24)
    ]  # fmt: skip
    (folder / "logs.jsonl").write_text("".join(f"{line}\n" for line in lines))


def without_time(folder):
    conversations = held(folder)
    for conversation in conversations:
        conversation["usage"].pop("seconds")
    return conversations


def plan_of(folder):
    return json.loads((folder / "manifest.json").read_text())["plan"]


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """Type ``convsim simulate`` in this process: exit status, stdout and stderr."""
    logs(tmp_path)
    monkeypatch.chdir(tmp_path)

    def typed(*asked: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["convsim", "simulate", *asked])
        with pytest.raises(SystemExit) as stopped:
            main()
        return int(stopped.value.code or 0), *capsys.readouterr()

    return typed


def test_a_run_and_more_holds_byte_for_byte_what_a_larger_one_would(tmp_path, here):
    assert here(*LEARNED, "--n", "6", "--out", "grown")[0] == 0
    added = simulate(tmp_path, *LEARNED, "--add", "4", "--out", "grown")
    assert added.returncode == 0, added.stderr
    assert "grown: extending from 6 to 10 conversations per arm" in added.stderr
    assert "grown: ran 8 of 20 conversations (12 were done before)" in added.stderr
    assert here(*LEARNED, "--n", "10", "--out", "whole")[0] == 0
    assert without_time(tmp_path / "grown") == without_time(tmp_path / "whole")
    assert plan_of(tmp_path / "grown") == plan_of(tmp_path / "whole")
    assert len(set(plan_of(tmp_path / "grown")["personas"])) == 10  # each drawn from another conversation
    code, _, said = here(*LEARNED, "--n", "6", "--out", "grown")
    assert code == 0
    assert "was extended to 10 conversations per arm; going on with these" in said
    assert "ran 0 of 20" in said


MISTAKES = {
    "none": (("--add", "0"), "must be at least 1"),
    "no number": (("--add", "two"), "must be a whole number"),
    "no run": (
        ("--add", "2", "--out", "none"),
        "none: there is no run to add to; leave out --add to start one",
    ),
    "a run of another size": (
        ("--add", "2", "--n", "7"),
        "--n 7: run has 2 conversations per arm; leave out --n",
    ),
    "too many": (
        ("--add", "1000000"),
        "study.n: must be at most 1,000,000, but is 1000002",
    ),
    "another plan": (("--add", "2", "--seed", "9"), "another plan (seed was 0 and is now 9"),
    "a larger plan": (("--n", "7"), "--add 5 makes the run larger"),
}


def test_a_mistake_is_exit_2_and_changes_nothing_and_neither_does_a_dry_run(tmp_path, here):
    study = (
        "--personas",
        "people.toml",
        "--catalogue",
        "items.jsonl",
        "--shopper",
        "prompted",
        "--out",
        "run",
    )
    model = ("--model", "scripted", "--set", 'model.answers=["x"]')
    assert here(*study, *model, "--n", "2", "--no-fail-fast", "--allow-failures")[0] == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    for name, (asked, problem) in MISTAKES.items():
        code, _, said = here(*study, *model, *asked)
        assert (code, said.splitlines()[-1][:7]) == (2, "error: "), name
        assert problem in said.splitlines()[-1]
        assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before, name
    assert not (tmp_path / "none").exists()
    code, printed, _ = here(*study, *model, "--add", "5", "--dry-run")
    assert (code, printed.splitlines()[0]) == (0, "5 conversations, 5 per arm: good")
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


@pytest.mark.faults
def test_killed_at_random_moments_an_addition_is_made_once(tmp_path):
    environment = {**prepare(tmp_path), "SLOW_S": "0.02"}
    assert simulate(tmp_path, *MINE, "--n", "10").returncode == 0
    asked = (*MINE, "--add", "230")
    moments = [random.Random(7 + i).uniform(0.0, 0.3) for i in range(12)]
    killing = [sys.executable, str(REPOSITORY / "tests/end_to_end/kills.py"), json.dumps(moments)]
    killer = subprocess.run(
        [*killing, *asked, "--concurrency", "2"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert killer.returncode == 0, killer.stderr
    assert len(set(json.loads(killer.stdout.splitlines()[-1]))) > 3
    assert 10 < len(held(tmp_path / "run")) < 240
    last = simulate(tmp_path, *asked, "--concurrency", "64")
    assert last.returncode == 0, last.stderr
    assert "the last --add 230 was not finished: going on to 240" in last.stderr
    unkilled = simulate(tmp_path, *MINE[:-1], "unkilled", "--n", "240", "--concurrency", "64")
    assert unkilled.returncode == 0
    ids = [c["id"] for c in held(tmp_path / "run")]
    assert len(ids) == 240
    assert {c["id"] for c in held(tmp_path / "unkilled")} == {*ids}
    [entry] = json.loads((tmp_path / "run/manifest.json").read_text())["grown"]
    assert (entry["before"], entry["n"]) == (10, 240)
