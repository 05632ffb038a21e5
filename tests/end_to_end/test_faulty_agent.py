"""One run with an agent that goes wrong in another way in each conversation: each is a record with its reason."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.end_to_end import faulty_agent
from tests.end_to_end.commands import typed
from tests.end_to_end.runs import prepare
from tests.end_to_end.test_faulty_server import LONG_S, N_FINE, SHORT_S, by_persona, is_late, misfits, people

ANSWERS = {name: reason for name, (_, reason) in faulty_agent.ANSWERS.items()}
AGENTS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "python": (
        ("--agent", "tests.end_to_end.faulty_agent:reply"),
        ANSWERS | {name: reason for name, (_, reason) in faulty_agent.CALLS.items()},
    ),
    "command": (
        (
            "--agent", "command", "--set", f"agent.command={sys.executable} -S -E {faulty_agent.__file__}",
            "--set", "agent.processes=64",
        ),
        ANSWERS | {name: reason for name, (_, reason) in faulty_agent.PROGRAM.items()},
    ),
}  # fmt: skip


@pytest.mark.parametrize("agent", AGENTS)
def test_whatever_an_agent_does_each_conversation_is_a_record_and_the_others_are_held(
    tmp_path: Path, agent: str
) -> None:
    expected = {mode: reason for mode, reason in AGENTS[agent][1].items() if not is_late(reason)}
    hold_and_check(tmp_path, agent, expected, n_fine=N_FINE, timeout_s=LONG_S)


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_that_never_comes_to_an_end_is_a_record_after_its_time(tmp_path: Path, agent: str) -> None:
    expected = {mode: reason for mode, reason in AGENTS[agent][1].items() if is_late(reason)}
    assert expected
    hold_and_check(tmp_path, agent, expected, n_fine=0, timeout_s=SHORT_S)


def hold_and_check(
    tmp_path: Path, agent: str, expected: Mapping[str, str], *, n_fine: int, timeout_s: int
) -> None:
    plugins = (*AGENTS[agent][0], "--set", f"agent.timeout_s={timeout_s}")
    env = prepare(tmp_path)
    (tmp_path / "people.toml").write_text(people(expected, n_fine=n_fine), encoding="utf-8")
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
    held = by_persona(tmp_path / "run")
    assert len(held) == n
    wrong = misfits(held, expected)
    assert not wrong, "\n".join(wrong)
    assert {c.failure.actor for c in held.values() if c.failure is not None} == {"agent"}
