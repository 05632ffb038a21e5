"""``convsim tune``: weights of runs and personas from real files, and a study that ``simulate`` runs."""

import json
import os
import tomllib
from pathlib import Path

import numpy as np
import pytest

from convsim.io import write
from tests.end_to_end.commands import REPOSITORY, typed
from tests.populations import crowd, talker

METRICS = ("--metrics", "turns,user_words_per_turn,user_no_final_punctuation", "--validators", "marginals")
PLUGINS = '''
"""A shopper that writes so many words in so many turns."""
from dataclasses import dataclass

from convsim.schema import AgentReply, UserMove
from convsim.seeds import generator


@dataclass
class Talker:
    words: int = 5
    turns: int = 2
    name = "talker"
    learned_from = None

    async def speak(self, conversation, persona, *, seed):
        rng = generator(seed, "talker")
        said = sum(1 for message in conversation.messages if message.role == "user")
        if said and rng.random() < 1 / self.turns:
            return UserMove(action="leave")
        text = " ".join(f"w{rng.integers(500)}" for _ in range(max(1, int(rng.poisson(self.words)))))
        return UserMove(action="say", text=f"{text.capitalize()}." if rng.random() < self.words / 20 else text)


class Shop:
    name = "shop"

    async def reply(self, conversation, *, seed):
        return AgentReply(content="This one?")
'''
PERSONAS = "".join(f'[[persona]]\nid = "p{i}"\nneed = "boots {i}"\n' for i in range(40))


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Return a folder with people who are half wordy and half curt, personas and a shopper."""
    (tmp_path / "mine.py").write_text(PLUGINS)
    (tmp_path / "people.toml").write_text(PERSONAS)
    write(tmp_path / "real.jsonl", crowd(np.random.default_rng(1), 160, wordy=0.5, prefix="h"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (tmp_path, REPOSITORY))))
    monkeypatch.chdir(tmp_path)
    return Path(tmp_path)


def simulated(name: str, words: int, turns: int, n: int = 80) -> None:
    done = typed(
        "simulate", "--shopper", "mine:Talker", "--agent", "mine:Shop", "--personas", "people.toml", "--n", n,
        "--max-turns", 12, "--set", f"shopper.words={words}", "--set", f"shopper.turns={turns}", "--out", name,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_two_runs_become_a_study_that_simulate_runs(folder):
    simulated("wordy", 16, 4)
    simulated("curt", 5, 2)
    done = typed("tune", "real.jsonl", "wordy", "curt", "--out", "tuned.toml", *METRICS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("tuned: distance to held-out people 0.")
    found = json.loads((folder / "tuned.json").read_text())
    study = tomllib.loads((folder / "tuned.toml").read_text())
    assert [each["name"] for each in study["mixture"]] == ["wordy", "curt"]
    weights = [each["weight"] for each in study["mixture"]]
    assert weights == [round(part["weight"], 4) for part in found["parts"]]
    assert study["mixture"][0]["shopper"] == {"name": "mine:Talker", "words": 16, "turns": 4}
    assert study["data"] == {"personas": "people.toml"}
    held = typed("simulate", "tuned.toml", "--n", 20, "--out", "mixed")
    assert held.returncode == 0, held.stderr
    lines = [json.loads(line) for line in (folder / "mixed/conversations.jsonl").read_text().splitlines()]
    of_wordy = sum(line["metadata"]["component"] == "wordy" for line in lines)
    assert len(lines) == 20
    assert abs(of_wordy - 20 * weights[0]) <= 1
    again = typed("tune", "real.jsonl", "wordy", "curt", "--out", "tuned.toml")
    assert (again.returncode, again.stderr.count("exists already")) == (2, 1)


def test_personas_of_one_run_become_weights_of_a_study(folder):
    rng = np.random.default_rng(4)
    simulated("run", 5, 2, n=1)
    # The run's conversations are put in its place: six personas are wordy, thirty-six are not.
    kept = [
        talker(rng, f"s{i}-{k}", wordy=i % 7 == 0, simulated=True, persona=f"p{i}")
        for i in range(42)
        for k in range(4)
    ]
    write(folder / "run/conversations.jsonl", kept)
    manifest = json.loads((folder / "run/manifest.json").read_text())
    manifest["plan"]["personas"] = [f"p{i}" for i in range(43)]
    (folder / "run/manifest.json").write_text(json.dumps(manifest))
    done = typed("tune", "real.jsonl", "run", "--out", "tuned.toml", "--format", "md", *METRICS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("**tuned: distance")
    weights = tomllib.loads((folder / "tuned.toml").read_text())["data"]["persona_weights"]
    assert len(weights) == 43
    assert weights["p42"] == 0
    assert min(weights[f"p{i}"] for i in range(0, 42, 7)) > 1 / 42 > weights["p1"]


def test_nothing_gained_writes_no_study(folder):
    write(folder / "a.jsonl", crowd(np.random.default_rng(7), 60, wordy=0.5, prefix="a", simulated=True))
    write(folder / "b.jsonl", crowd(np.random.default_rng(8), 60, wordy=0.5, prefix="b", simulated=True))
    done = typed("tune", "real.jsonl", "a.jsonl", "b.jsonl", "--out", "tuned.toml", *METRICS)
    assert done.returncode == 0
    assert done.stdout.startswith("nothing gained: ")
    assert "tuned.toml is not written: nothing was gained" in done.stderr
    assert not (folder / "tuned.toml").exists()
    assert json.loads((folder / "tuned.json").read_text())["outcome"] == "nothing_gained"


def test_a_file_without_a_manifest_says_what_is_lacking(folder):
    write(folder / "a.jsonl", crowd(np.random.default_rng(7), 60, wordy=0.0, prefix="a", simulated=True))
    write(folder / "b.jsonl", crowd(np.random.default_rng(8), 60, wordy=1.0, prefix="b", simulated=True))
    done = typed("tune", "real.jsonl", "a.jsonl", "b.jsonl", "--out", "tuned.toml", *METRICS)
    assert (done.returncode, done.stdout[:6]) == (0, "tuned:")
    assert "tuned.toml is not written: a is no run folder, so its settings are not known" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("real.jsonl", "a.jsonl", "--out", "tuned.json"), "must end in .toml"),
        (("few.jsonl", "a.jsonl", "b.jsonl", "--out", "tuned.toml"), "at least 30 are needed in each half"),
        (("real.jsonl", "a.jsonl", "--over", "runs", "--out", "tuned.toml"), "one run is no mixture"),
        (
            ("real.jsonl", "a.jsonl", "b.jsonl", "--name", "x", "--out", "tuned.toml"),
            "--name was given 1 times",
        ),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(folder, arguments, said):
    rng = np.random.default_rng(9)
    write(folder / "few.jsonl", crowd(rng, 40, wordy=0.5, prefix="f"))
    for name in ("a", "b"):
        write(folder / f"{name}.jsonl", crowd(rng, 30, wordy=0.5, prefix=name, simulated=True))
    done = typed("tune", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2
    assert not list(folder.glob("tuned*"))


STUDY = """
[study]
n = 30
max_turns = 12
[shopper]
name = "mine:Talker"
words = 40
[agent]
name = "mine:Shop"
[data]
personas = "people.toml"
"""
GRID = '[grid]\n"shopper.words" = [40, 2, 11]\n"shopper.turns" = [3]\n'


def test_a_grid_is_searched_and_its_winner_becomes_a_study(folder):
    (folder / "study.toml").write_text(STUDY)
    (folder / "grid.toml").write_text(GRID)
    search = ("tune", "real.jsonl", "--study", "study.toml", "--grid", "grid.toml", "--out", "tuned.toml",
              "--runs", "tried", "--rounds", "12,20", *METRICS[:2])  # fmt: skip
    dry = typed(*search, "--dry-run")
    # 3 x 12 + 2 x 8, then 20 more of the winner, and 28 of the first, which went out after 12.
    assert (dry.returncode, dry.stderr) == (0, "3 candidates, at most 100 conversations, seed 0\n")
    assert not (folder / "tried").exists()
    done = typed(*search)
    assert done.returncode == 0, done.stderr
    assert "tuned: distance to held-out people" in done.stdout
    assert "settings: words=11, turns=3" in " ".join(done.stdout.split())
    made = tomllib.loads((folder / "tuned.toml").read_text())
    assert made["shopper"] == {"name": "mine:Talker", "words": 11, "turns": 3}
    assert made["data"] == {"personas": "people.toml"}
    held = {
        path.parent.name: len(path.read_text().splitlines())
        for path in folder.glob("tried/*/conversations.jsonl")
    }
    assert sorted(held.values()) == [20, 40, 40]
    before = {path: path.read_bytes() for path in folder.glob("tried/*/conversations.jsonl")}
    again = typed(*search, "--force")
    assert again.stdout == done.stdout
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("grid", "more", "said"),
    [
        ('[grid]\n"shopper.words" = [5]\n', (), "1 candidates; from 2 to 64"),
        ('[grid]\n"agent.k" = [1, 2]\n', (), "expected shopper.SETTING or model.SETTING"),
        ('[grid]\n"shopper.words" = 5\n', (), "expected a list of values"),
        (
            "[grid]\n" + "".join(f'"shopper.s{i}" = [1, 2]\n' for i in range(7)),
            (),
            "128 combinations; at most 64",
        ),
        ("[[candidate]]\n[[candidate]]\n", (), "two candidates have the same settings"),
        (GRID, ("--rounds", "12,12"), "expected growing numbers"),
        (GRID, ("--rounds", "many"), "expected numbers divided by commas"),
        (GRID, ("run",), "expected runs, or --study"),
    ],
)
def test_a_grid_that_cannot_be_searched_is_refused(folder, grid, more, said):
    (folder / "study.toml").write_text(STUDY)
    (folder / "grid.toml").write_text(grid)
    done = typed(
        "tune", "real.jsonl", "--study", "study.toml", "--grid", "grid.toml", "--out", "tuned.toml", *more
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert said in done.stderr
    assert not (folder / "tuned.toml").exists()
