"""A run on a machine whose ``nvidia-smi`` is of no use ends as it would without, and says why nothing is known."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from tests.end_to_end.commands import forks
from tests.end_to_end.runs import prepare
from tests.unit.models.loopback import chat, loopback


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("trap '' TERM INT; touch asked; sleep 600", "nvidia-smi did not tell the power twice in the run"),
        (
            "touch asked; echo 'Failed to initialize NVML'; exit 9",
            "nvidia-smi tells no power: 'Failed to initialize NVML'",
        ),
    ],
    ids=["hangs", "fails"],
)
async def test_a_program_on_the_path_that_is_of_no_use_changes_nothing_but_the_reason(
    tmp_path: Path, script: str, said: str
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "bin/nvidia-smi").chmod(0o755)
    env = prepare(tmp_path)
    env["PATH"] = os.pathsep.join([str(tmp_path / "bin"), env["PATH"]])
    async with loopback(chat("these?")) as server:
        process = forks().start(
            "simulate", "--shopper", "mine:Brief", "--agent", "openai_chat", "--set", "model.model=m", "--set",
            f"model.base_url={server.base_url}", "--model", "openai_compatible", "--personas", "people.toml",
            "--catalogue", "items.jsonl", "--n", "4", "--no-check", "--out", "run", cwd=tmp_path, env=env,
        )  # fmt: skip
        done = await asyncio.to_thread(process.ended)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "asked").exists()
    gpus = json.loads((tmp_path / "run/manifest.json").read_text())["measured"]["energy"]["gpus"]
    assert (gpus.get("wh"), gpus["reason"]) == (None, said)
    assert "nvidia" not in done.stderr
