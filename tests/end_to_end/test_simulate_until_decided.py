"""``convsim simulate --until-decided HEADLINE``: looks a line each, over servers, through kills, and mistakes."""

import asyncio
import json
import random
import subprocess
import sys

import pytest

from convsim.cli import main
from tests.end_to_end.commands import typed
from tests.end_to_end.runs import REPOSITORY, held, prepare, simulate
from tests.hanging import SECONDS
from tests.unit.models.loopback import answering, chat

ITEMS = [{"id": "b1", "title": "Red rain boots"}]
WORDS = (
    "rain",
    "red",
    "boots",
    "size",
    "cheap",
    "warm",
    "for",
    "my",
    "dog",
    "garden",
    "wedding",
    "blue",
    "green",
)
LOOKING = ("--until-decided", "diversity", "--judged-on", "judged.jsonl", "--n", "40", "--at-most", "90")
MINE = ("--shopper", "mine:Brief", "--agent", "mine:Slow", "--personas", "people.toml")


def conversation(number: int, name: str) -> str:
    """Write a conversation of a person who says what nobody else says."""
    rng = random.Random(f"{name}{number}")
    said = [{"role": "user", "content": " ".join(rng.choices(WORDS, k=9)) + f" {number}"} for _ in range(3)]
    answered = [{"role": "assistant", "content": "this one?", "items": ITEMS} for _ in said]
    turns = [message for turn in zip(said, answered, strict=True) for message in turn]
    return json.dumps({"id": f"{name}{number}", "user": f"{name}{number}", "messages": turns})


@pytest.fixture
def folder(tmp_path):
    """Two halves of people: whom a shopper may learn from, and whom it is judged on."""
    prepare(tmp_path)
    for name, n in (("learned", 70), ("judged", 60), ("few", 29)):
        (tmp_path / f"{name}.jsonl").write_text("".join(f"{conversation(i, name)}\n" for i in range(n)))
    return tmp_path


@pytest.fixture
def here(folder, monkeypatch, capsys):
    """Type ``convsim simulate`` in this process: exit status, stdout and stderr."""
    monkeypatch.chdir(folder)

    def run(*asked: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["convsim", "simulate", *asked])
        with pytest.raises(SystemExit) as stopped:
            main()
        return int(stopped.value.code or 0), *capsys.readouterr()

    return run


def looks_at(run) -> list[dict]:
    [question] = json.loads((run / "looks.json").read_text())["questions"]
    return [{key: value for key, value in look.items() if key != "at"} for look in question["looks"]]


def test_a_shopper_that_learned_from_one_half_is_looked_at_on_the_other_until_it_is_decided(folder, here):
    learned = ("--shopper", "resample", "--real", "learned.jsonl", "--catalogue", "items.jsonl")
    code, printed, said = here(*learned, *LOOKING, "--out", "run", "--dry-run")
    assert (code, printed.splitlines()[0]) == (0, "90 conversations, 90 per arm: good")
    assert "looks at 40, 60, 90 conversations per arm" in said
    assert not (folder / "run").exists()
    done = typed("simulate", *learned, *LOOKING, "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    looks = looks_at(folder / "run")
    assert [look["n"] for look in looks] == [40, 60, 90][: len(looks)]
    told = [line for line in done.stderr.splitlines() if line.startswith("look ")]
    assert [line.split(":")[0] for line in told] == [
        f"look {k} of 3, {look['n']} conversations per arm" for k, look in enumerate(looks, start=1)
    ]
    assert all(look["reason"] in line for look, line in zip(looks, told, strict=True))
    assert len(held(folder / "run")) == looks[-1]["n"]
    before = (folder / "run/looks.json").read_bytes()
    code, _, said = here(*learned, *LOOKING, "--out", "run")
    assert code == 0
    assert [line for line in said.splitlines() if line.startswith("look ")] == [
        f"{t} (taken before)" for t in told
    ]
    assert "ran " not in said
    assert (folder / "run/looks.json").read_bytes() == before


MISTAKES = {
    "learned from them": (
        ("--shopper", "resample", "--real", "judged.jsonl", *LOOKING[:2]),
        "not judged on people that it learned from: divide them with convsim data split",
    ),
    "too few people": (("--until-decided", "habits", "--judged-on", "few.jsonl"), "29 people are too few"),
    "no people": (("--until-decided", "habits"), "needs people to judge on: name them with --judged-on FILE"),
    "no headline": (
        ("--until-decided", "style"),
        "is not one of 'habits', 'words', 'coherence', 'diversity'",
    ),
    "too few at first": ((*LOOKING, "--n", "20"), "--n 20: a first look needs at least 30"),
    "one arm": (("--until-decided", "reactions", "--judged-on", "judged.jsonl"), "reactions need two arms"),
    "both ways to grow": ((*LOOKING, "--add", "5"), "--add and --until-decided exclude one another"),
    "a bound of nothing": (("--at-most", "50"), "--at-most needs --until-decided"),
    "people for nothing": (("--judged-on", "judged.jsonl"), "--judged-on needs --until-decided"),
    "an arm for nothing": (("--control", "good"), "--control needs --until-decided"),
    "an unknown annotator": ((*LOOKING, "--annotate", "nobody"), "nobody"),
}


def test_a_mistake_is_exit_2_before_anything_is_held(folder, here):
    study = (
        "--personas",
        "people.toml",
        "--catalogue",
        "items.jsonl",
        "--real",
        "learned.jsonl",
        "--out",
        "run",
    )
    for name, (asked, problem) in MISTAKES.items():
        given = study if name != "no people" else (*study[:4], *study[6:])
        code, printed, said = here(*given, *asked)
        assert (code, printed, said.splitlines()[-1][:7]) == (2, "", "error: "), name
        assert problem in said.splitlines()[-1], name
        assert not (folder / "run").exists(), name


async def test_looks_over_a_server_stop_at_the_budget_and_the_same_command_goes_on(folder):
    (folder / "prices.toml").write_text('[[price]]\nmodel = "m"\ninput = 0.0\noutput = 1000.0\n')
    said = iter(range(10**6))

    def answer(request):
        choice = "leave" if len(request.body["messages"]) > 3 else "continue"
        wants = "response_format" in request.body
        return chat(json.dumps({"choice": choice}) if wants else f"boots for rain number {next(said)}")

    async with answering(answer) as server, asyncio.timeout(SECONDS):

        async def run(*more: str) -> subprocess.CompletedProcess[str]:
            return await asyncio.to_thread(
                typed, "simulate", "--shopper", "prompted", "--model", "openai_compatible", "--personas", "people.toml",
                "--catalogue", "items.jsonl", "--set", "model.model=m", "--set", f"model.base_url={server.base_url}",
                "--set", "model.prices=prices.toml", "--max-turns", "2", "--no-check", "--out", "run",
                *LOOKING, "--n", "30", "--at-most", "45", *more,
                cwd=folder,
            )  # fmt: skip

        poor = await run("--budget-usd", "0.05", "--concurrency", "1")
        assert poor.returncode == 3, poor.stderr
        assert "conversations are missing (the budget is spent)" in poor.stderr
        asked = len(server.requests)
        rich = await run()
        assert rich.returncode == 0, rich.stderr
        assert len(server.requests) > asked
    looks = looks_at(folder / "run")
    assert len(held(folder / "run")) == looks[-1]["n"]
    assert looks[-1]["cost_usd"] > 0
    assert f"cost ${looks[-1]['cost_usd']:.4f}" in rich.stderr
    # Two personas are too few users for a verdict.
    assert [look["verdict"] for look in looks] == ["undecided", "undecided"]
    assert "diversity not decided at the last look, and these looks cannot be taken again" in rich.stderr


@pytest.mark.faults
def test_killed_at_random_moments_the_looks_are_those_of_a_run_that_was_not(folder):
    environment = {**prepare(folder), "SLOW_S": "0.02"}
    # Two personas are too few for a verdict, so that all looks are taken.
    asked = (*MINE, *LOOKING, "--concurrency", "2", "--out", "run")
    moments = [random.Random(23 + i).uniform(0.0, 0.6) for i in range(14)]
    killing = [sys.executable, str(REPOSITORY / "tests/end_to_end/kills.py"), json.dumps(moments)]
    killer = subprocess.run(
        [*killing, *asked],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert killer.returncode == 0, killer.stderr
    assert len(set(json.loads(killer.stdout.splitlines()[-1]))) > 3
    last = simulate(folder, *asked)
    assert last.returncode == 0, last.stderr
    unkilled = simulate(folder, *asked[:-1], "unkilled")
    assert unkilled.returncode == 0
    assert looks_at(folder / "run") == looks_at(folder / "unkilled")
    assert sorted(c["id"] for c in held(folder / "run")) == sorted(c["id"] for c in held(folder / "unkilled"))
