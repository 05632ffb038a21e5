"""Runs where the clock goes backwards, and runs that go on in another folder of another machine."""

from __future__ import annotations

import itertools
import json
import shutil
import time
from pathlib import Path

import pytest

from convsim import Study, read, validate
from convsim.schema.conversation import Conversation
from tests.doubles import Obliging, Told, people, say


def study(n: int = 6) -> Study:
    return Study(Told(lambda turn: say()), Obliging(), people(n), seed=1, n=n, max_turns=2)


def without_times(folder: Path) -> list[Conversation]:
    held = sorted(read(folder).conversations, key=lambda c: c.id)
    return [c.model_copy(update={"usage": c.usage.model_copy(update={"seconds": 0.0})}) for c in held]


def cut(folder: Path, lines: int) -> None:
    """Leave so many whole conversations and a half one, as a kill does."""
    file = folder / "conversations.jsonl"
    kept = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(kept[:lines]) + kept[lines][:40])


def test_a_clock_that_goes_back_an_hour_at_each_look_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert study().run(tmp_path / "usual").held == 6
    looks, start = itertools.count(), time.time()
    monkeypatch.setattr(time, "time", lambda: start - 3600.0 * next(looks))
    monkeypatch.setattr(time, "time_ns", lambda: int((start - 3600.0 * next(looks)) * 1e9))
    assert study().run(tmp_path / "backwards").held == 6
    cut(tmp_path / "backwards", 2)
    assert study().run(tmp_path / "backwards").held == 4
    assert without_times(tmp_path / "backwards") == without_times(tmp_path / "usual")
    assert all(c.usage.seconds >= 0 for c in read(tmp_path / "backwards").conversations)
    real, back = read(tmp_path / "usual"), read(tmp_path / "backwards")
    assert validate(real, back, validators=["marginals"], seed=1).findings


def test_a_run_goes_on_in_another_folder_of_another_machine(tmp_path: Path) -> None:
    assert study().run(tmp_path / "usual").held == 6
    first, moved = tmp_path / "here" / "run", tmp_path / "on another disk" / "later"
    study().run(first)
    cut(first, 3)
    moved.parent.mkdir()
    shutil.move(first, moved)
    manifest = moved / "manifest.json"
    other = {"platform": "Windows-11", "python": "3.14.0", "git": None, "command": ["simulate"]}
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **other}), encoding="utf-8")
    outcome = study().run(moved)
    assert (outcome.held, outcome.missing) == (3, 0)
    assert without_times(moved) == without_times(tmp_path / "usual")
    assert str(first) not in manifest.read_text()
