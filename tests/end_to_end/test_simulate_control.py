"""Who has ``convsim simulate`` in hand: real signals, agents that do not let go, what is missing, how it ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.commands import Started, forks, typed
from tests.end_to_end.runs import command, held, prepare, simulate
from tests.end_to_end.validating import line, written
from tests.unit.models.loopback import loopback, whole

ASKED = ("--shopper", "mine:Brief", "--catalogue", "items.jsonl", "--personas", "people.toml", "--out", "run")
AGENTS = """
import asyncio, threading, time
from pathlib import Path


async def swallows(conversation):
    Path("asked").touch()
    while True:
        try:
            await asyncio.sleep(0.05)
        except:
            pass


async def blocks(conversation):
    Path("asked").touch()
    time.sleep(3600)


def hangs(conversation):
    Path("asked").touch()
    time.sleep(3600)


def leaves_a_thread(conversation):
    threading.Thread(target=time.sleep, args=(3600,), daemon=False).start()
    return "this one?"


def fails_now_and_then(conversation):
    if conversation.id[0] in "01":
        raise RuntimeError("out of order")
    return "this one?"
"""


def wait_for(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def started(folder: Path, *arguments: object) -> Started:
    env = prepare(folder)
    (folder / "agents.py").write_text(AGENTS)
    return forks().start("simulate", *arguments, cwd=folder, env=env)


def interrupt(process: Started) -> None:
    """Send the first Ctrl-C, and wait until it says that it has heard it."""
    os.kill(process.pid, signal.SIGINT)
    wait_for(lambda: "Ctrl-C again stops them" in process.said(), process.said())


def lines(folder: Path) -> int:
    file = folder / "run/conversations.jsonl"
    return file.read_bytes().count(b"\n") if file.exists() else 0


def test_an_interrupt_is_heard_where_nothing_waits_for_a_network(tmp_path):
    process = started(tmp_path, "--n", "400", "--max-turns", "8", "--concurrency", "4", "--out", "run")
    wait_for(lambda: lines(tmp_path) > 3, "no conversation")
    os.kill(process.pid, signal.SIGINT)
    result = process.ended()
    assert result.returncode == 3, result.stderr
    assert "conversations are missing (interrupted); run the same command again to continue" in result.stderr
    assert len(held(tmp_path / "run")) < 400


@pytest.mark.parametrize("agent", ["swallows", "blocks", "hangs"])
def test_a_second_interrupt_ends_the_process_whatever_the_agent_does(tmp_path, agent):
    process = started(tmp_path, *ASKED, "--agent", f"agents:{agent}", "--n", "4")
    wait_for((tmp_path / "asked").exists, "the agent was not asked")
    interrupt(process)
    os.kill(process.pid, signal.SIGINT)
    result = process.ended()
    assert result.returncode == 3, result.stderr
    assert "4 conversations are missing (interrupted)" in result.stderr
    assert "Traceback" not in result.stderr


def test_exit_3_while_too_many_of_the_folder_have_failed_unless_that_is_allowed(tmp_path):
    prepare(tmp_path)
    (tmp_path / "agents.py").write_text(AGENTS)
    asked = (*ASKED, "--agent", "agents:fails_now_and_then", "--n", "16")
    first = simulate(tmp_path, *asked)
    failed = sum("failure" in c for c in held(tmp_path / "run"))
    assert 1 <= failed < 8  # so far from all
    assert first.returncode == 3
    assert f"{failed} of the 16 conversations in run have failed: more than 5 %" in first.stderr
    again = simulate(tmp_path, *asked)
    assert again.returncode == 3
    assert "ran 0 of 16 conversations (16 were done before)" in again.stderr
    assert simulate(tmp_path, *asked, "--allow-failures").returncode == 0


GOOD = whole(200, b'{"content": "this one?"}')


@pytest.mark.faults
def test_threads_that_an_agent_leaves_behind_do_not_keep_the_process(tmp_path):
    result = started(tmp_path, *ASKED, "--agent", "agents:leaves_a_thread", "--n", "2").ended()
    assert result.returncode == 0, result.stderr
    assert len(held(tmp_path / "run")) == 2


MODEL = ("--shopper", "prompted", "--model", "openai_compatible", "--set", "model.model=m")
ELSEWHERE = (*MODEL, "--set", "model.base_url=http://192.0.2.1/v1", "--set", "model.api_key_env=NOT_SET")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (ELSEWHERE, "needs a key: the variable NOT_SET is not set"),
        (
            (*ELSEWHERE[2:], "--shopper", "mine:Brief", "--agent", "openai_chat"),
            "needs a key: the variable NOT_SET is not set",
        ),
        (
            (*ELSEWHERE[2:], "--shopper", "mine:Brief", "--agent", "openai_chat", "--fault", "rude_text=0.5"),
            "needs a key: the variable NOT_SET is not set",
        ),
        (
            ("--shopper", "prompted", "--model", "recorded", "--set", "model.store=nowhere.jsonl"),
            "the store nowhere.jsonl cannot be read",
        ),
    ],
    ids=["shopper", "agent", "degraded agent", "recordings"],
)
def test_what_every_conversation_lacks_is_told_before_the_first_one(tmp_path, asked, says):
    shared = ("--catalogue", "items.jsonl", "--personas", "people.toml", "--out", "run", "--n", "4")
    result = simulate(tmp_path, *asked, *shared)
    assert result.returncode == 2, result.stderr
    said = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(said) == 1
    assert says in said[0]
    assert not (tmp_path / "run").exists()


def test_what_an_annotator_lacks_is_told_before_it_is_asked(tmp_path):
    file = written(tmp_path / "talk.jsonl", [line(n) for n in range(3)])
    out = tmp_path / "out.jsonl"
    result = typed("annotate", file, "--with", "judge", "--out", out, *ELSEWHERE[2:], cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: http://192.0.2.1/v1 needs a key")
    assert [path.name for path in tmp_path.iterdir()] == ["talk.jsonl"]


@pytest.mark.skipif(os.name == "nt", reason="there is no such limit")
def test_more_conversations_than_file_handles_raise_the_soft_limit_first(tmp_path):
    import resource

    process = started(tmp_path, *ASKED, "--agent", "agents:hangs", "--n", "600", "--concurrency", "512")
    try:
        wait_for((tmp_path / "asked").exists, "the agent was not asked")
        soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        assert soft >= min(hard, 2048)
        assert ("concurrency 512 is lowered" in process.said()) == (hard < 2048)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.ended()


@pytest.mark.faults
@pytest.mark.skipif(os.name == "nt", reason="there is no such limit")
async def test_too_few_file_handles_lower_the_concurrency_with_a_line_and_nothing_fails(tmp_path):
    async with loopback(GOOD) as server:
        asked = command(
            *ASKED, "--agent", "http", "--set", f"agent.url=http://127.0.0.1:{server.port}/", "--n", "300",
            "--concurrency", "512",
        )  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", 'ulimit -n 256; exec "$@"', "sh", *asked, cwd=tmp_path, env=prepare(tmp_path),
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, said = await process.communicate()
    assert process.returncode == 0, said
    lowered = re.search(rb"concurrency 512 is lowered to (\d+): .* only 256 files .* \(ulimit -n\)", said)
    assert lowered
    assert 10 < int(lowered[1]) < 128
    assert not any("failure" in c for c in held(tmp_path / "run"))
