"""Faults of somebody's own in a run: on the command line, and in a STUDY.toml."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.end_to_end.validating import convsim

MODULE = """
def shouting(reply):
    return reply.content.upper(), "shouted"

def broken(reply):
    return reply.nothing
"""


@pytest.fixture
def mine(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "somebodys.py").write_text(MODULE, encoding="utf-8")
    return {"PYTHONPATH": str(tmp_path)}


def held(folder: Path) -> list[dict]:
    lines = (folder / "conversations.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_function_degrades_an_arm_and_is_recorded(mine: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = convsim(
        "simulate", "--n", 4, "--arm", "good", "--fault", "somebodys:shouting=1", "--max-turns", 3, "--out", out,
        **mine,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    arms = Counter((c["arm"], c.get("fault")) for c in held(out))
    assert arms == {("good", None): 4, ("somebodys:shouting", "somebodys:shouting"): 4}
    for conversation in held(out):
        for message in conversation["messages"]:
            if message["role"] == "assistant" and conversation.get("fault"):
                assert message["content"] == message["content"].upper()
                [fault] = message["faults"]
                assert fault == {
                    "name": "somebodys:shouting", "severity": 1.0, "acted": True, "detail": "shouted",
                }  # fmt: skip


def test_one_that_raises_is_a_failure_with_a_reason(mine: dict[str, str], tmp_path: Path) -> None:
    study = tmp_path / "STUDY.toml"
    arm = '[[arm]]\nname = "mine"\nfault = "somebodys:broken"\n'
    study.write_text(f'[study]\nname = "s"\nn = 3\nmax_turns = 3\n{arm}', encoding="utf-8")
    done = convsim("simulate", study, "--out", tmp_path / "run", **mine)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    for conversation in held(tmp_path / "run"):
        assert conversation["ending"] == "agent_failed"
        assert "the fault broken raised AttributeError" in conversation["failure"]["reason"]


@pytest.mark.parametrize(
    ("said", "why"),
    [("rude_txt=0.5", "did you mean rude_text"), ("somebodys:nothing=1", "somebodys:nothing")],
)
def test_a_fault_that_there_is_not_is_one_line_and_exit_2(
    mine: dict[str, str], tmp_path: Path, said: str, why: str
) -> None:
    done = convsim("simulate", "--n", 2, "--fault", said, "--out", tmp_path / "run", **mine)
    assert done.returncode == 2
    [error] = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert why in error
    assert not (tmp_path / "run").exists()
