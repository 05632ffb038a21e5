"""One run with an agent that goes wrong in another way in each conversation: each is a record with its reason."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from convsim import read
from tests.end_to_end import faulty_agent
from tests.end_to_end.commands import typed
from tests.end_to_end.runs import prepare
from tests.end_to_end.test_faulty_server import misfits, people

ANSWERS = {name: reason for name, (_, reason) in faulty_agent.ANSWERS.items()}
AGENTS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "python": (
        ("--agent", "tests.end_to_end.faulty_agent:reply", "--set", "agent.timeout_s=2"),
        ANSWERS | {name: reason for name, (_, reason) in faulty_agent.CALLS.items()},
    ),
    "command": (
        (
            "--agent", "command", "--set", f"agent.command={sys.executable} -S -E {faulty_agent.__file__}",
            "--set", "agent.processes=64", "--set", "agent.timeout_s=2",
        ),
        ANSWERS | {name: reason for name, (_, reason) in faulty_agent.PROGRAM.items()},
    ),
}  # fmt: skip


@pytest.mark.parametrize("agent", AGENTS)
def test_whatever_an_agent_does_each_conversation_is_a_record_and_the_others_are_held(
    tmp_path: Path, agent: str
) -> None:
    plugins, expected = AGENTS[agent]
    env = prepare(tmp_path)
    (tmp_path / "people.toml").write_text(people([*expected]), encoding="utf-8")
    n = (tmp_path / "people.toml").read_text().count("[[persona]]")
    asked = (
        "simulate",
        "--shopper",
        "mine:Brief",
        *plugins,
        "--personas",
        "people.toml",
        "--n",
        n,
        "--max-turns",
        2,
    )
    done = typed(
        *asked, "--concurrency", 16, "--out", "run", cwd=tmp_path, env={**env, "PATH": os.environ["PATH"]}
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 3, done.stderr  # more than 5 % have failed
    held = {c.persona.id: c for c in read(tmp_path / "run").conversations if c.persona is not None}
    assert len(held) == n
    wrong = misfits(held, expected)
    assert not wrong, "\n".join(wrong)
    assert {c.failure.actor for c in held.values() if c.failure is not None} == {"agent"}
