"""``convsim train`` as a user types it: what it makes, and a full disk, a kill and an interrupt on the way."""

import contextlib
import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.commands import Forks, Started, environment
from tests.end_to_end.training import (
    assert_says,
    content,
    conversation,
    log,
    one_line_of,
    wait_for,
)
from tests.needs import needed
from tests.unit.models.tiny import make_tiny

needed("torch", "transformers", "accelerate", "peft")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="commands are forked")

LONG = ("--max-steps", 40, "--epochs", 20, "--calibrate", 0)
"""Checkpoints after 10, 20, 30 and 40 steps."""


@pytest.fixture(scope="module")
def shopper(convsim: Forks, base: Path, people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained long enough to say short things."""
    out = tmp_path_factory.mktemp("trained") / "shopper"
    quickly = ("--set", "train.learning_rate=0.01")
    ended = convsim("train", people, "--base", base, "--out", out, *LONG, *quickly)
    assert ended.returncode == 0, ended.stderr
    return out


def outcome(folder: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((folder / "manifest.json").read_text())["outcome"]
    return said


def test_training_talks_on_stderr_alone_and_nothing_of_its_libraries_breaks_in(
    convsim: Forks, base: Path, people: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ended = convsim("train", people, "--base", base, "--out", out, "--max-steps", 3, "--lora", "--seed", 4)
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    said = ended.stderr.splitlines()
    assert said[0] == "seed 4"
    assert said[1].startswith("20 training sequences with ")
    assert said[2].startswith(f"{out}: 3 steps, the best after 3; perplexity of the held-out users' words ")
    assert said[3].startswith("sampling was not calibrated")
    assert "tokens a second" in said[4]
    assert said[5:] == [f"convsim simulate --shopper sft --model {out}"]


def test_on_a_terminal_what_is_said_stands_on_lines_of_its_own_above_the_bar(
    base: Path, people: Path, tmp_path: Path
) -> None:
    screen, terminal = pty.openpty()
    ask = ("train", people, "--base", base, "--out", tmp_path / "out", *LONG)
    terminal_of_its_own = {"TERM": "xterm", "COLUMNS": "200", "_CONVSIM_PROGRESS": "0.01,0.05"}
    process = subprocess.Popen(
        [sys.executable, "-m", "convsim", *map(str, ask)],
        stdout=subprocess.PIPE, stderr=terminal, env={**environment(), **terminal_of_its_own},
    )  # fmt: skip
    os.close(terminal)
    said = b""
    # A terminal whose last writer has gone is at its end, or broken, by the system.
    with process, contextlib.suppress(OSError):
        while read := os.read(screen, 1 << 16):
            said += read
    os.close(screen)
    assert process.returncode == 0, said
    shown = re.sub(r"\x1b\[[0-9;]*m", "", said.decode())
    assert re.search(r"\x1b\[2K\S+ train is working", shown)
    assert re.search(
        r"\x1b\[2K\S+ \S+ training: loss [0-9.]+, held-out perplexity [0-9.]+, [0-9]+ of 40", shown
    )
    assert "\r\x1b[2K20 training sequences" in shown
    assert "model shards" not in shown
    assert "\r\n".join(("", f"convsim simulate --shopper sft --model {tmp_path / 'out'}", "")) in shown


def test_training_again_in_a_finished_folder_changes_nothing(
    convsim: Forks, base: Path, people: Path, shopper: Path
) -> None:
    before = content(shopper)
    ask = ("train", people, "--base", base, "--out", shopper, *LONG)
    same = convsim(*ask, "--set", "train.learning_rate=0.01")
    assert same.returncode == 0, same.stderr
    assert "is already trained; name another --out" in same.stderr
    another = one_line_of(convsim(*ask, "--set", "train.learning_rate=0.02"))
    assert 'settings was {"learning_rate": 0.01} and is now {"learning_rate": 0.02}' in another
    assert content(shopper) == before


def test_conversations_and_users_to_exclude_are_not_learned_from(
    convsim: Forks, base: Path, people: Path, tmp_path: Path
) -> None:
    # The same words under another name, and another conversation of a user of the log.
    exclude = log(tmp_path / "no.jsonl", [conversation(0, id="x", user="y"), conversation(77, user="u1")])
    out = tmp_path / "out"
    ended = convsim("train", people, "--base", base, "--out", out, "--exclude", exclude, "--max-steps", 2)
    assert ended.returncode == 0, ended.stderr
    assert "--exclude: 1 conversations were left out, and 1 more by the same users" in ended.stderr
    assert len(json.loads((out / "shopper.json").read_text())["learned_from"]["conversations"]) == 22


def test_a_base_without_a_template_and_a_short_context_becomes_a_shopper_all_the_same(
    convsim: Forks, people: Path, tmp_path: Path
) -> None:
    base = make_tiny(tmp_path / "base", template=None, context=256)
    ended = convsim("train", people, "--base", base, "--out", tmp_path / "out", "--max-steps", 2)
    assert ended.returncode == 0, ended.stderr
    assert "the base has no chat template, so a plain one is used" in ended.stderr
    assert "conversations were longer than 256 tokens and cut at a message border" in ended.stderr
    assert "Assistant:" in (tmp_path / "out/chat_template.jinja").read_text()


def begun(convsim: Forks, ask: tuple[object, ...], out: Path) -> Started:
    """Start a training and wait for its first checkpoint."""
    started = convsim.start(*ask)
    wait_for((out / "checkpoints/checkpoint-10/whole").exists)
    return started


def assert_ended(again: subprocess.CompletedProcess[str], out: Path) -> None:
    assert again.returncode == 0, again.stderr
    assert (outcome(out)["steps"], outcome(out)["resumed_from"]) == (40, 10)
    assert (out / "shopper.json").exists()
    assert not (out / "checkpoints").exists()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process are Linux's")
def test_a_disk_that_fills_up_leaves_the_last_good_checkpoint_and_the_same_command_goes_on(
    convsim: Forks, base: Path, people: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ask = ("train", people, "--base", base, "--out", out, *LONG)
    started = begun(convsim, ask, out)
    # No file may grow beyond this any more: less than the weights.
    resource.prlimit(started.pid, resource.RLIMIT_FSIZE, (30_000, 30_000))
    refused = one_line_of(started.ended(), status=3)
    assert_says(
        refused,
        r"the checkpoint of step 20 cannot be written to .* \(.*too large.*\); the one of step 10 is kept",
    )
    assert [path.name for path in (out / "checkpoints").iterdir()] == ["checkpoint-10"]
    assert not (out / "shopper.json").exists()
    assert_ended(convsim(*ask), out)


def test_a_training_that_was_killed_is_gone_on_with_by_the_same_command_alone(
    convsim: Forks, base: Path, people: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ask = ("train", people, "--base", base, "--out", out, *LONG)
    started = begun(convsim, ask, out)
    os.kill(started.pid, signal.SIGKILL)
    assert started.ended().returncode == -signal.SIGKILL
    simulate = ("simulate", "--shopper", "sft", "--model", out, "--n", 1, "--out", tmp_path / "run")
    unfinished = one_line_of(convsim(*simulate))
    assert "its training has not finished; run the same convsim train command again" in unfinished
    other = one_line_of(convsim(*ask, "--seed", 9))
    assert "was made with another plan" in other
    assert '"seed": 9' in other
    assert_ended(convsim(*ask), out)


SMALLER = {"prune=0.6": "LlamaForCausalLM", "ssm=0.5": "Mamba2ForCausalLM"}


@pytest.mark.parametrize("how", SMALLER)
def test_a_training_that_was_killed_between_two_cuts_ends_as_one_that_was_not(
    convsim: Forks, people: Path, tmp_path: Path, how: str
) -> None:
    base = make_tiny(tmp_path / "base", kind=SMALLER[how], context=1024)

    def ask(out: str) -> tuple[object, ...]:
        return ("train", people, "--base", base, "--compress", how, "--out", tmp_path / out, *LONG)

    unbroken = convsim(*ask("whole"))
    assert unbroken.returncode == 0, unbroken.stderr
    started = begun(convsim, ask("out"), tmp_path / "out")
    os.kill(started.pid, signal.SIGKILL)
    assert started.ended().returncode == -signal.SIGKILL
    assert_ended(convsim(*ask("out")), tmp_path / "out")
    one, other = (outcome(tmp_path / name) for name in ("whole", "out"))
    assert one["cuts"] == other["cuts"]
    assert [cut["step"] for cut in one["cuts"]] == [3, 6, 8, 11, 13]
    assert one["parameters_before"] > one["parameters_after"] == one["cuts"][-1]["parameters"]
    assert f"{one['parameters_before']:,} -> {one['parameters_after']:,} parameters" in unbroken.stderr
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "out")]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("how", SMALLER)
def test_what_was_made_smaller_talks_to_an_agent(
    convsim: Forks, people: Path, tmp_path: Path, how: str
) -> None:
    base, out = make_tiny(tmp_path / "base", kind=SMALLER[how], context=1024), tmp_path / "out"
    ended = convsim("train", people, "--base", base, "--compress", how, "--out", out, "--max-steps", 6)
    assert ended.returncode == 0, ended.stderr
    simulate = ("simulate", "--shopper", "sft", "--model", out, "--real", people, "--n", 2, "--max-turns", 2)
    held = convsim(*simulate, "--out", tmp_path / "run")
    assert held.returncode in (0, 3), held.stderr
    assert len((tmp_path / "run/conversations.jsonl").read_text().splitlines()) == 2


def test_an_interrupt_is_one_line_and_the_same_command_goes_on(
    convsim: Forks, base: Path, people: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ask = ("train", people, "--base", base, "--out", out, *LONG)
    started = begun(convsim, ask, out)
    os.kill(started.pid, signal.SIGINT)
    stopped = one_line_of(started.ended(), status=3)
    assert (
        stopped == f"error: interrupted; run the same command to continue from the last checkpoint in {out}"
    )
    assert_ended(convsim(*ask), out)


def test_what_was_trained_talks_to_an_agent_and_is_not_judged_on_whom_it_learned_from(
    convsim: Forks, people: Path, shopper: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    simulate = (
        "simulate",
        "--shopper",
        "sft",
        "--model",
        shopper,
        "--real",
        people,
        "--n",
        12,
        "--max-turns",
        2,
    )
    ended = convsim(*simulate, "--set", "shopper.temperature=0.3", "--out", run)
    assert ended.returncode in (0, 3), ended.stderr
    held = [json.loads(line) for line in (run / "conversations.jsonl").read_text().splitlines()]
    assert len(held) == 12
    learned = json.loads((shopper / "shopper.json").read_text())["learned_from"]
    assert all(c["learned_from"] == learned and c["shopper"] == "sft" for c in held)
    assert any("boots" in m["content"] for c in held for m in c["messages"] if m["role"] == "user")
    asked = ("validate", people, run, "--validators", "marginals", "--format", "json", "--allow-failures")
    judged = convsim(*asked)
    assert judged.returncode == 0, judged.stderr
    findings = json.loads(judged.stdout)["findings"]
    assert {finding["verdict"] for finding in findings} == {"undecided"}
    assert any("learned from" in finding["reason"] for finding in findings)
