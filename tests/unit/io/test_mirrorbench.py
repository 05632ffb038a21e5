"""MirrorBench episodes: one file or a run's folder; the synthetic dialogue, or the real one that it mirrors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convsim.errors import TranscriptError
from convsim.io import read
from convsim.io.formats import mirrorbench as mirrorbench_unit
from tests.unit.io.made import written

PROXY = "proxy:langchain/model-u"
DATASET = "dataset:jsonl/chats"


def spoken(role: str, content: Any, **fields: Any) -> dict[str, Any]:
    return {"role": role, "content": content, "message_id": None, "name": None, "timestamp": None, **fields}


def episode(id: str = "e1", **fields: Any) -> dict[str, Any]:
    spec = {
        "episode_id": id,
        "task_tag": "mirror_conversation",
        "chat_history": [spoken("user", f"real words of {id}", metadata={}), spoken("assistant", "Yes")],
        "references": None,
        "metadata": {"topic": "shoes"},
        "reference_stats": None,
    }
    telemetry = {"tokens_input": 100, "tokens_output": 20, "total_response_time": 1.5, "cost_usd": 0.01}
    return {
        "spec": spec,
        "turns": [spoken("user", f"synthetic words of {id}", metadata={"k": 1}), spoken("assistant", "Fine")],
        "telemetry": [telemetry, None, {**telemetry, "provider": "p"}],
        "judge_verdicts": [],
        "metric_values": {"ttr": {"values": [0.5]}},
        "errors": [],
        **fields,
    }


def run_of(folder: Path, *, metrics: tuple[str, ...] = ("metric:judge/gteval",), proxy: str = PROXY) -> Path:
    """Write a run of two episodes for each metric, as MirrorBench lays it out."""
    for metric in metrics:
        unit = folder / "artifacts" / f"{proxy}|{DATASET}|default|{metric}|0"
        unit.mkdir(parents=True)
        for id in ("e1", "e2"):
            written(unit / f"{id}.json", episode(id))
    return folder


def test_one_episode_is_known_by_its_content(tmp_path: Path) -> None:
    found = read(written(tmp_path / "e1.json", episode()))
    (conversation,) = found.conversations
    assert found.format == "mirrorbench"
    assert (conversation.id, conversation.task) == ("e1", "mirror_conversation")
    assert conversation.simulator == "mirrorbench"
    assert [(m.role, m.content) for m in conversation.messages] == [
        ("user", "synthetic words of e1"),
        ("assistant", "Fine"),
    ]
    assert conversation.messages[0].metadata == {"k": 1}
    assert (conversation.agent, conversation.user, conversation.ending) == (None, None, "unknown")
    assert conversation.metadata["metric_values"] == {"ttr": {"values": [0.5]}}
    assert "lengths cannot be compared" in found.warnings[0]


def test_a_run_folder_tells_who_played_the_user(tmp_path: Path) -> None:
    found = read(run_of(tmp_path / "run"))
    assert found.path == tmp_path / "run"
    assert [c.simulator for c in found.conversations] == [PROXY, PROXY]
    assert [c.id for c in found.conversations] == [f"{PROXY}|{DATASET}|default|0|{id}" for id in ("e1", "e2")]
    assert found.conversations[0].metadata["dataset"] == DATASET


def test_the_hash_of_a_folder_moves_with_its_content(tmp_path: Path) -> None:
    first, same = read(run_of(tmp_path / "a")), read(run_of(tmp_path / "b"))
    assert first.sha256 == same.sha256
    changed = next((tmp_path / "b").rglob("e2.json"))
    written(changed, episode("e2", judge_verdicts=[{"score": 1}]))
    assert read(tmp_path / "b").sha256 != first.sha256


def test_an_episode_is_read_for_one_metric_alone(tmp_path: Path) -> None:
    found = read(run_of(tmp_path / "run", metrics=("metric:judge/gteval", "metric:lexical/mattr")))
    assert len(found.conversations) == 2
    assert found.warnings[-1] == "2 files repeat an episode for another metric and were skipped"


def test_several_proxies_are_kept_apart_and_warned_of(tmp_path: Path) -> None:
    run_of(tmp_path / "run", proxy="proxy:a")
    found = read(run_of(tmp_path / "run", proxy="proxy:b"))
    assert [c.simulator for c in found.conversations] == ["proxy:a", "proxy:a", "proxy:b", "proxy:b"]
    assert "2 user proxies are in this folder: 'proxy:a', 'proxy:b'" in found.warnings[1]


def test_the_folder_of_one_unit_can_be_read_when_it_is_said_what_it_is(tmp_path: Path) -> None:
    run_of(tmp_path / "run", proxy="proxy:a")
    unit = next((tmp_path / "run").rglob("e1.json")).parent
    assert [c.simulator for c in read(unit, reader="mirrorbench").conversations] == ["proxy:a", "proxy:a"]


def test_the_real_dialogues_are_the_people_each_once(tmp_path: Path) -> None:
    run_of(tmp_path / "run", proxy="proxy:a")
    found = read(run_of(tmp_path / "run", proxy="proxy:b"), reader="mirrorbench-people")
    assert [c.user_messages[0].content for c in found.conversations] == [
        "real words of e1",
        "real words of e2",
    ]
    assert [c.simulator for c in found.conversations] == [None, None]
    assert [c.usage for c in found.conversations] == [None, None]
    assert found.warnings == ()


def test_telemetry_is_added_and_a_price_that_lacks_is_null(tmp_path: Path) -> None:
    usage = read(written(tmp_path / "a.json", episode())).conversations[0].usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.seconds) == (200, 40, 3.0)
    assert usage.cost_usd == pytest.approx(0.02)
    telemetry = [{"tokens_input": 3}, {"tokens_input": 4, "cost_usd": 0.5}]
    unpriced = read(written(tmp_path / "b.json", episode(telemetry=telemetry))).conversations[0].usage
    assert unpriced is not None
    assert (unpriced.input_tokens, unpriced.cost_usd) == (7, None)
    assert read(written(tmp_path / "c.json", episode(telemetry=[]))).conversations[0].usage is None


def test_an_episode_with_errors_is_a_failure(tmp_path: Path) -> None:
    run_of(tmp_path / "run")
    written(next((tmp_path / "run").rglob("e1.json")), episode("e1", errors=["no\x07 answer"]))
    failures = [c.failure for c in read(tmp_path / "run").conversations]
    assert failures[0] is not None
    assert (failures[0].reason, failures[1]) == ("MirrorBench: no answer", None)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (episode(turns={}), "turns: must be a list, but is an object"),
        (episode(turns=[spoken("user", 3)]), "turns[0].content: must be text, but is 3"),
        (episode(spec={}), "spec.episode_id: is required, but is missing"),
        (episode(telemetry=[{"cost_usd": -1.0}]), "telemetry[0].cost_usd: must be at least 0, but is -1.0"),
        (episode(turns=[]), "contains no user message in any conversation"),
    ],
)
def test_what_is_malformed_is_told_with_its_place(document: Any, problem: str, tmp_path: Path) -> None:
    path = written(tmp_path / "x.json", document)
    with pytest.raises(TranscriptError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: {problem}"


def test_a_bad_file_of_a_folder_is_named_or_skipped(tmp_path: Path) -> None:
    run_of(tmp_path / "run", proxy="p")
    bad = next((tmp_path / "run").rglob("e2.json"))
    bad.write_text('{"spec": ', encoding="utf-8")
    with pytest.raises(TranscriptError, match=r"run: 'p\|.*\|0/e2\.json': is not JSON"):
        read(tmp_path / "run")
    found = read(tmp_path / "run", skip_bad_lines=True)
    assert (len(found.conversations), found.skipped) == (1, 1)
    written(bad, episode("e2", turns=3))
    with pytest.raises(TranscriptError, match=r"e2\.json': turns: must be a list, but is 3"):
        read(tmp_path / "run")


def test_real_dialogues_that_lack_are_told(tmp_path: Path) -> None:
    document = episode()
    document["spec"]["chat_history"] = []
    path = written(tmp_path / "x.json", document)
    with pytest.raises(TranscriptError, match=r"spec\.chat_history: contains no message"):
        read(path, reader="mirrorbench-people")


def test_ids_that_stand_twice_where_no_folder_tells_are_told(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        written(tmp_path / name, episode("same"))
    with pytest.raises(TranscriptError, match="must be unique, but 'same' occurs twice"):
        read(tmp_path, reader="mirrorbench")


def test_folders_without_or_with_too_many_episodes_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty" / "artifacts").mkdir(parents=True)
    with pytest.raises(TranscriptError, match="contains no MirrorBench episode"):
        read(tmp_path / "empty")
    monkeypatch.setattr(mirrorbench_unit, "MAX_EPISODES", 1)
    with pytest.raises(TranscriptError, match="contains more than 1 episodes or 8 GiB"):
        read(run_of(tmp_path / "run"))


def test_a_run_folder_of_convsim_stays_one_whatever_is_said(tmp_path: Path) -> None:
    line = '{"id": "a", "messages": [{"role": "user", "content": "hi"}]}\n'
    (tmp_path / "conversations.jsonl").write_text(line, encoding="utf-8")
    (tmp_path / "artifacts").mkdir()
    assert read(tmp_path).format == "convsim"
    assert read(tmp_path, reader="mirrorbench").format == "convsim"
