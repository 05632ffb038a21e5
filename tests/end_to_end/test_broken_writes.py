"""Runs whose writing is broken off: by SIGKILL within a line, by a cut at any byte, by a disk that is full."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from convsim._logs import append_line
from tests.elsewhere import calls_of, kept, study
from tests.end_to_end.commands import typed
from tests.end_to_end.validating import NAIVE
from tests.hanging import ended_if_it_hangs

pytestmark = pytest.mark.faults
N = 4
"""Conversations in each of two arms."""


def ids(folder: Path) -> list[str]:
    return [
        json.loads(line)["id"]
        for line in (folder / "conversations.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def last_calls(folder: Path) -> list[str]:
    """Return what models were asked, of each conversation as its last line tells it."""
    return sorted({json.loads(line)["id"]: line for line in calls_of(folder)}.values())


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    study(n=N).run(folder, record=True)
    assert len(ids(folder)) == 2 * N
    return folder


@pytest.mark.parametrize("name", ["conversations.jsonl", "prompts.jsonl"])
def test_cut_within_its_last_two_lines_a_run_goes_on_and_has_each_conversation_once(
    unbroken: Path, tmp_path: Path, name: str
) -> None:
    whole = (unbroken / name).read_bytes()
    lines = whole.splitlines(keepends=True)
    begins = len(whole) - len(b"".join(lines[-2:] if name == "conversations.jsonl" else lines[-1:]))
    # Every byte takes minutes, and the middle of a line is like any other place in it.
    near = {end + n for end in (begins, len(whole) - len(lines[-1]), len(whole)) for n in range(-4, 5)}
    cuts = sorted({*range(begins, len(whole), 61), *near} & {*range(begins, len(whole) + 1)})
    shutil.copytree(unbroken, tmp_path / "run")
    for end in cuts:
        for file in ("conversations.jsonl", "prompts.jsonl"):
            shutil.copy(unbroken / file, tmp_path / "run" / file)
        (tmp_path / "run" / name).write_bytes(whole[:end])
        missing = len(lines) - whole[:end].count(b"\n")
        if (
            name == "prompts.jsonl"
        ):  # what was asked is written before the conversation, which is missing then
            missing, last = 1, json.loads(lines[-1])["id"].encode()
            conversations = (unbroken / "conversations.jsonl").read_bytes().splitlines(keepends=True)
            others = [line for line in conversations if last not in line]
            (tmp_path / "run" / "conversations.jsonl").write_bytes(b"".join(others))
        assert study(n=N).run(tmp_path / "run", record=True).held == missing, end
        assert kept(tmp_path / "run") == kept(unbroken), end
        assert last_calls(tmp_path / "run") == last_calls(unbroken), end


def killed_within(folder: Path, *, after: int, bytes_of_it: int) -> None:
    """Run in a fork that is killed when so many bytes of a line are written, ``after`` so many other lines."""
    child = os.fork()
    if child:
        with ended_if_it_hangs():
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        return
    written = 0

    def until_killed(file: io.FileIO, line: bytes) -> None:
        nonlocal written
        if written == after:
            os.write(file.fileno(), line[:bytes_of_it])
            os.kill(os.getpid(), signal.SIGKILL)
        written += 1
        append_line(file, line)

    with contextlib.suppress(BaseException), patch("convsim.io.run_folder.append_line", until_killed):
        study(n=N).run(folder, record=True)
    os._exit(1)


def test_killed_within_line_after_line_a_run_loses_nothing_that_was_whole_and_doubles_nothing(
    unbroken: Path, tmp_path: Path
) -> None:
    kills = [(after, share) for after in range(0, 4 * N, 3) for share in (0, 1, 40, 400, 10**6)]
    for after, bytes_of_it in kills:
        folder = tmp_path / f"{after}-{bytes_of_it}"
        killed_within(folder, after=after, bytes_of_it=bytes_of_it)
        # Of each conversation what was asked stands before it; one killed before its line's end is held again.
        outcome = study(n=N).run(folder, record=True)
        assert outcome.held == 2 * N - after // 2, (after, bytes_of_it)
        assert kept(folder) == kept(unbroken)
        assert len(set(ids(folder))) == len(ids(folder))
        assert last_calls(folder) == last_calls(unbroken)


def test_killed_within_each_of_its_lines_in_turn_one_run_ends_with_what_was_planned(
    unbroken: Path, tmp_path: Path
) -> None:
    for kill in range(2 * N):
        killed_within(tmp_path / "run", after=kill % 3, bytes_of_it=7 + 50 * kill)
    study(n=N).run(tmp_path / "run", record=True)
    assert kept(tmp_path / "run") == kept(unbroken)
    assert last_calls(tmp_path / "run") == last_calls(unbroken)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 96 KiB, where that is allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(disk)]
    try:
        subprocess.run(mounting, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk may be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


SIMULATE = ("simulate", "--n", "60", "--max-turns", "8", "--out")
MORE = [(), ("--record",), ("--processes", "2")]


@pytest.mark.parametrize("more", MORE, ids=["one process", "recorded", "two processes"])
def test_on_a_full_disk_a_run_says_so_in_one_line_and_with_room_the_same_command_goes_on(
    small_disk: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    (small_disk / "others").write_bytes(b"x" * (48 << 10))
    asked = (*SIMULATE, small_disk / "run", *more)
    full = typed(*asked)
    errors = [line for line in full.stderr.splitlines() if line.startswith("error: ")]
    assert full.returncode == 2, full.stderr
    assert len(errors) == 1
    assert "No space left on device" in errors[0]
    assert "free space and run the same command again" in errors[0] or "--record" in more
    assert "Traceback" not in full.stderr
    before = kept(small_disk / "run")
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    on = typed(*asked)
    assert on.returncode == 0, on.stderr
    after = kept(small_disk / "run")
    assert 0 < len(before) < len(after) == len(set(ids(small_disk / "run"))) == 60
    assert set(before) < set(after)
    assert typed(*SIMULATE, tmp_path / "roomy").returncode == 0
    assert after == kept(tmp_path / "roomy")


def test_on_a_full_disk_labels_are_kept_as_far_as_they_came_and_the_same_command_goes_on(
    small_disk: Path, tmp_path: Path
) -> None:
    (small_disk / "others").write_bytes(b"x" * (64 << 10))
    asked = ("annotate", NAIVE, "--out", small_disk / "labelled.jsonl")
    full = typed(*asked)
    errors = [line for line in full.stderr.splitlines() if line.startswith("error: ")]
    assert full.returncode == 2, full.stderr
    assert len(errors) == 1
    assert "No space left on device" in errors[0]
    assert not (small_disk / "labelled.jsonl").exists()
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    on = typed(*asked)
    assert on.returncode == 0, on.stderr
    assert typed("annotate", NAIVE, "--out", tmp_path / "roomy.jsonl").returncode == 0
    assert (small_disk / "labelled.jsonl").read_bytes() == (tmp_path / "roomy.jsonl").read_bytes()
