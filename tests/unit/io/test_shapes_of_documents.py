"""Documents of tau2-bench, tau-bench and DialogueKit in each shape: one file, a folder, one dialogue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from convsim.errors import TranscriptError
from convsim.io import read
from tests.unit.io.made import jsonl, written

INFO = {
    "user_info": {"implementation": "user_simulator", "llm": "x"},
    "agent_info": {"implementation": "llm_agent", "llm": "x"},
    "environment_info": {"domain_name": "airline"},
}
MESSAGES = [
    {"role": "assistant", "content": "Hi! How can I help you today?"}, {"role": "user", "content": "cancel my trip"},
    {"role": "assistant", "content": "done"}, {"role": "user", "content": "###STOP###"},
]  # fmt: skip


def simulation(id: str) -> dict[str, Any]:
    return {"id": id, "task_id": "0", "termination_reason": "user_stop", "messages": MESSAGES}


def tau2_folder(folder: Path, *ids: str, **index: Any) -> Path:
    """Write tau2's directory format: its results, and a file for each simulation."""
    (folder / "simulations").mkdir(parents=True)
    written(folder / "results.json", {"info": INFO, "tasks": [], **index})
    for id in ids:
        written(folder / "simulations" / f"{id}.json", simulation(id))
    return folder


def test_a_run_of_tau2_is_read_as_a_folder_and_in_its_directory_format(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    written(
        whole / "results.json",
        {"info": INFO, "tasks": [], "simulations": [simulation("s1"), simulation("s2")]},
    )
    apart = tau2_folder(tmp_path / "apart", "s1", "s2", simulation_index=[{"id": "s1"}, {"id": "s2"}])
    for path in (whole, whole / "results.json", apart, apart / "results.json"):
        for reader in (None, "tau2") if path != whole else (None,):
            found = read(path, reader=reader)
            assert (found.format, [c.id for c in found]) == ("tau2", ["s1", "s2"])
            assert [m.content for m in found[0].messages] == [m["content"] for m in MESSAGES[:3]]
            assert found[0].simulator == "user_simulator on x"
            assert found.path == path


def test_a_folder_of_several_runs_of_tau2_is_all_of_them(tmp_path: Path) -> None:
    for name, id in (("a", "s1"), ("b", "s2")):
        written(tmp_path / f"{name}.json", {"info": INFO, "tasks": [], "simulations": [simulation(id)]})
    assert [c.id for c in read(tmp_path)] == ["s1", "s2"]
    written(tmp_path / "c.json", {"info": INFO, "tasks": [], "simulations": [simulation("s1")]})
    with pytest.raises(TranscriptError, match=r"c\.json: id: must be unique, but 's1' is in two files"):
        read(tmp_path)
    written(tmp_path / "c.json", {"notes": 1})
    with pytest.raises(TranscriptError, match=r"c\.json: is not of the format tau2"):
        read(tmp_path)
    found = read(tmp_path, skip_bad_lines=True)
    assert (len(found), found.skipped) == (2, 1)


def test_simulations_that_an_index_names_must_be_there(tmp_path: Path) -> None:
    folder = tau2_folder(tmp_path / "run", "s1", simulation_index=[{"id": "s1"}, {"id": "s2"}])
    with pytest.raises(
        TranscriptError, match="simulation_index: names 2 simulations, but simulations holds 1"
    ):
        read(folder)


TALK = [{"participant": "AGENT", "utterance": "Hi"}, {"participant": "USER", "utterance": "a comedy"}]
AGENT, USER = {"id": "A", "type": "BOT"}, {"id": "13", "type": "SIMULATOR"}
ONE = {"conversation ID": "1", "conversation": TALK, "agent": AGENT, "user": USER}
SHAPES = {
    "list": [ONE],
    "one dialogue": ONE,
    "documented": {
        "agent": AGENT,
        "user": USER,
        "dialogues": [{"conversation_id": "1", "conversation": TALK}],
    },
}


@pytest.mark.parametrize("reader", [None, "dialoguekit"])
@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_of_dialoguekit_is_read(shape: str, reader: str | None, tmp_path: Path) -> None:
    (conversation,) = read(written(tmp_path / "x.json", SHAPES[shape]), reader=reader)
    assert (conversation.id, conversation.agent, conversation.simulator) == ("1", "A", "13")
    assert [(m.role, m.content) for m in conversation.messages] == [("assistant", "Hi"), ("user", "a comedy")]


def test_dialogues_on_lines_and_in_files_are_one_export(tmp_path: Path) -> None:
    two = [ONE, {**ONE, "conversation ID": "2"}]
    assert [c.id for c in read(jsonl(tmp_path / "x.jsonl", *two))] == ["1", "2"]
    folder = tmp_path / "logs"
    folder.mkdir()
    for number, dialogue in enumerate(two):
        written(folder / f"{number}.json", dialogue)
    found = read(folder)
    assert (found.format, [c.id for c in found]) == ("dialoguekit", ["1", "2"])


def test_what_is_wrong_in_a_documented_export_is_told_with_its_place(tmp_path: Path) -> None:
    wrong = {
        "agent": AGENT,
        "user": USER,
        "dialogues": [{"conversation": TALK}, {"conversation": [{"utterance": "x"}]}],
    }
    with pytest.raises(TranscriptError, match=r"dialogues\[1\]\.conversation\[0\]\.participant: is required"):
        read(written(tmp_path / "x.json", wrong))


def test_trajectories_of_tau_bench_are_read_with_their_tools_failures_and_tokens(tmp_path: Path) -> None:
    called = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    traj = [
        {"role": "system", "content": "You are an agent."}, {"role": "user", "content": "cancel my trip"}, called,
        {"role": "tool", "tool_call_id": "1", "name": "cancel", "content": "{}"},
        {"role": "assistant", "content": "done"}, {"role": "user", "content": "thanks ###STOP###"},
    ]  # fmt: skip
    rows = [
        {"task_id": 0, "reward": 1.0, "info": {"task": {}}, "traj": traj, "trial": 0},
        {
            "task_id": 0,
            "reward": 0.0,
            "info": {"error": "rate\nlimit", "traceback": "…"},
            "traj": [],
            "trial": 1,
        },
    ]
    found = read(written(tmp_path / "gpt-4o-airline.json", rows))
    assert (found.format, [c.id for c in found]) == ("tau-bench", ["tau-bench-0-0", "tau-bench-0-1"])
    assert [m.role for m in found[0].messages] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert found[0].messages[-1].content == "thanks"
    assert (found[0].task, found[0].simulator, found[0].metadata["reward"]) == ("0", "tau-bench user", 1.0)
    assert found[1].failure is not None
    assert found[1].failure.reason == "tau-bench: rate limit"
    assert json.loads(found[0].to_json())["metadata"]["stop_tokens"] == ["###STOP###"]


def test_documents_on_lines_are_read_as_documents(tmp_path: Path) -> None:
    runs = [{"info": INFO, "tasks": [], "simulations": [simulation(id)]} for id in ("s1", "s2")]
    found = read(jsonl(tmp_path / "runs.jsonl", *runs))
    assert (found.format, [c.id for c in found]) == ("tau2", ["s1", "s2"])
    assert read(jsonl(tmp_path / "run.jsonl", runs[0])).format == "tau2"
