"""A run that is killed has written what it measured, and one that goes on adds to it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.commands import Started, forks
from tests.end_to_end.runs import prepare
from tests.unit.models.loopback import Loopback, answering, chat, slow


def meter(folder: Path) -> dict[str, Any]:
    """The one endpoint that the manifest has measures of; empty before there are any."""
    file = folder / "run/manifest.json"
    found = json.loads(file.read_text())["measured"]["endpoints"] if b"measured" in bytes_of(file) else {}
    return dict(*found.values()) if found else {}


def bytes_of(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""


async def until(done: Any, what: str) -> None:
    for _ in range(6_000):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(what)


def started(folder: Path, server: Loopback) -> Started:
    return forks().start(
        "simulate", "--shopper", "mine:Brief", "--agent", "openai_chat", "--set", "model.model=m", "--set",
        f"model.base_url={server.base_url}", "--model", "openai_compatible", "--personas", "people.toml",
        "--catalogue", "items.jsonl", "--n", "60", "--concurrency", "2", "--no-check", "--out", "run", cwd=folder,
        env=prepare(folder),
    )  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
async def test_a_killed_run_keeps_its_measures_and_the_next_call_adds_to_them(tmp_path: Path) -> None:
    async with answering(lambda _: slow(chat("these?"), 0.05)) as server:
        process = started(tmp_path, server)
        await until(lambda: meter(tmp_path).get("requests", 0) > 4, "no measures are written")
        os.kill(process.pid, signal.SIGKILL)
        killed = await asyncio.to_thread(process.ended)
        await until(lambda: not server.busy, "the server still answers")
        asked, kept = len(server.requests), meter(tmp_path)
        assert "missing" not in killed.stderr
        assert "outcome" not in json.loads((tmp_path / "run/manifest.json").read_text())
        assert 4 < kept["requests"] <= asked < 120
        assert kept["input_tokens"] == 11 * kept["latency_s"]["n"] > 0
        done = await asyncio.to_thread(started(tmp_path, server).ended)
        assert done.returncode == 0, done.stderr
        whole = meter(tmp_path)
        assert whole["requests"] == kept["requests"] + len(server.requests) - asked
        assert whole["latency_s"]["n"] + sum(whole["failures"].values()) == whole["requests"]
    assert bytes_of(tmp_path / "run/conversations.jsonl").count(b"\n") == 60
