"""Conversations that other processes hold: the same run folder, and nothing lost or doubled when one of them ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from convsim.errors import InputError
from convsim.io import read
from convsim.simulation import Workers, processes
from convsim.simulation.holding import TELL_EVERY_S
from tests.elsewhere import (
    Costly,
    Deadly,
    Exiting,
    Forking,
    Locked,
    Once,
    Stopped,
    calls_of,
    kept,
    study,
)
from tests.hanging import ended_if_it_hangs

TWO = Workers(processes=2)


def test_two_processes_keep_what_one_keeps_with_every_call_and_every_measure(tmp_path: Path):
    one, two = tmp_path / "one", tmp_path / "two"
    study().run(one, record=True)
    outcome = study().run(two, record=True, workers=TWO)
    assert (outcome.held, outcome.missing, outcome.failed) == (24, 0, 0)
    assert kept(one) == kept(two)
    assert calls_of(one) == calls_of(two)
    plans = [json.loads((each / "manifest.json").read_text(encoding="utf-8")) for each in (one, two)]
    assert plans[0]["plan"] == plans[1]["plan"]
    counts = [{who: said["n"] for who, said in plan["measured"]["message_s"].items()} for plan in plans]
    assert counts[0] == counts[1]
    assert counts[1]["agent"] > 0


def test_the_process_that_writes_leaves_it_to_workers_to_make_lines_and_to_check_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    study().run(tmp_path / "one")

    def not_here(conversation: object) -> bytes:
        raise AssertionError("the process that writes makes a line itself")

    monkeypatch.setattr("convsim.io.run_folder.readable_line", not_here)
    outcome = study().run(tmp_path / "two", workers=TWO)
    assert (outcome.held, outcome.failed) == (24, 0)
    assert kept(tmp_path / "one") == kept(tmp_path / "two")


def test_a_part_that_no_other_process_can_have_is_refused_before_anything_is_held(tmp_path: Path):
    with pytest.raises(
        InputError, match=r"the study cannot be sent to other processes .*TypeError.*study file"
    ):
        study(Locked()).run(tmp_path / "run", workers=TWO)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"processes": 0}, "--processes must be at least 1"),
        ({"engine": "dask"}, "--engine must be local or ray"),
        ({"address": "h:1"}, "--address: is of a Ray cluster; add --engine ray"),
    ],
)
def test_workers_that_cannot_be_are_refused(stated: dict[str, Any], said: str):
    with pytest.raises(InputError, match=said):
        Workers(**stated)


@pytest.mark.cluster
def test_what_a_killed_worker_had_in_flight_is_held_by_others_and_nothing_twice(tmp_path: Path):
    one, two = tmp_path / "one", tmp_path / "two"
    study().run(one)
    outcome = study(Deadly(folder=str(tmp_path), times=2)).run(two, workers=TWO)
    assert (tmp_path / "killed-1").exists()
    assert (outcome.held, outcome.missing, outcome.failed) == (24, 0, 0)
    assert kept(two) == kept(one)


@pytest.mark.cluster
@pytest.mark.skipif(os.name == "nt", reason="no process is stopped there")
@pytest.mark.parametrize("kind", [Stopped, Exiting, Forking])
def test_a_worker_that_hangs_or_ends_in_whatever_way_is_replaced(
    kind: type[Once], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(processes, "SILENT_FOR_S", 4 * processes.ALIVE_EVERY_S)
    one, two = tmp_path / "one", tmp_path / "two"
    study().run(one)
    with ended_if_it_hangs(240):
        outcome = study(kind(folder=str(tmp_path))).run(two, workers=TWO)
    assert (tmp_path / "done").exists()
    assert (outcome.held, outcome.missing, outcome.failed) == (24, 0, 0)
    assert kept(two) == kept(one)
    for left in tmp_path.glob("child"):
        os.kill(int(left.read_text()), signal.SIGKILL)


@pytest.mark.cluster
def test_a_killed_worker_has_told_what_it_measured(tmp_path: Path):
    # Each conversation takes longer than workers wait before they tell again: what is kept has been told.
    deadly = Deadly(folder=str(tmp_path), seconds=TELL_EVERY_S, persona="p3")
    study(deadly, n=4, concurrency=2, max_turns=2).run(tmp_path / "run", workers=TWO)
    assert (tmp_path / "killed-0").exists()
    manifest = json.loads((tmp_path / "run/manifest.json").read_text(encoding="utf-8"))
    messages = [m for c in read(tmp_path / "run").conversations for m in c.messages if m.role == "assistant"]
    assert manifest["measured"]["message_s"]["agent"]["n"] >= len(messages) > 4


@pytest.mark.cluster
def test_a_conversation_that_kills_its_worker_three_times_is_a_failure_with_its_reason(tmp_path: Path):
    deadly = Deadly(folder=str(tmp_path), times=6)
    outcome = study(deadly, concurrency=2).run(tmp_path / "run", workers=TWO, fail_fast=False)
    assert outcome.held == 24
    failed = [c for c in read(tmp_path / "run").conversations if c.failure is not None]
    assert {c.persona.id for c in failed} >= {"p3"}
    assert all("was lost 3 times (it was ended by SIGKILL)" in c.failure.reason for c in failed)


@pytest.mark.cluster
def test_the_budget_of_a_run_is_that_of_all_its_workers_together(tmp_path: Path):
    outcome = study(Costly(0.01), n=40, concurrency=4, budget_usd=0.2).run(tmp_path / "run", workers=TWO)
    assert outcome.stop == "budget"
    assert 0.2 <= outcome.cost_usd < 0.2 + 4 * 0.04  # what was in flight is finished
    assert outcome.held + outcome.missing == 80


def test_conversations_that_begin_together_go_to_their_worker_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    sent: list[list[str]] = []
    send = Connection.send

    def sending(pipe: Connection, questions: list[tuple[int, str, object]]) -> None:
        sent.append([what for _, what, _ in questions])
        send(pipe, questions)

    monkeypatch.setattr(Connection, "send", sending)
    held = replace(study(), concurrency=24).run(tmp_path / "run", workers=TWO)
    assert (held.held, held.failed) == (24, 0)
    assert sorted(sent) == [["begin"]] * 2 + [["end"]] * 2 + [["hold"] * 12] * 2


async def test_what_is_said_in_one_round_is_sent_together_but_not_much_of_it():
    sent: list[list[str]] = []
    together = processes._Round(sent.append)
    for said, n_bytes in (("a", 10), ("b", 10), ("c", processes.TOGETHER_BYTES), ("d", 10)):
        together.add(said, n_bytes=n_bytes)
    assert sent == [["a", "b", "c"]]
    await asyncio.sleep(0)
    together.add("e")
    together.end()
    await asyncio.sleep(0)
    assert sent == [["a", "b", "c"], ["d"], ["e"]]
