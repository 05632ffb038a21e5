"""Results in real trackers, read back: MLflow's database and server, and the files of Weights & Biases offline."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import convsim
from convsim.errors import TrackingError
from convsim.evaluation import Scorecard
from tests.compared import comparison, simulator
from tests.end_to_end.commands import typed
from tests.end_to_end.runs import prepare
from tests.reports import card, finding

# What other packages warn of is theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore")
NOT_INSTALLED = "the extra {0} is not installed: pip install 'convsim[{0}]'"
COMMAND = (
    "simulate",
    "--shopper",
    "mine:Brief",
    "--agent",
    "mine:Slow",
    "--personas",
    "people.toml",
    "--n",
    "2",
)


@pytest.fixture
def found() -> Scorecard:
    waiting = finding(
        "humanlikeness", "hls", estimate=0.4, verdict="undecided", reason="needs 60 more people"
    )
    return card(finding("marginals", "all_metrics", estimate=0.31), waiting)


@pytest.fixture
def mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """MLflow with a database of its own."""
    pytest.importorskip("sqlalchemy", reason=NOT_INSTALLED.format("mlflow"))
    mlflow = pytest.importorskip("mlflow", reason=NOT_INSTALLED.format("mlflow"))
    monkeypatch.chdir(tmp_path)  # where it puts artifacts
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    yield mlflow
    mlflow.set_tracking_uri(before)


def test_a_scorecard_is_a_run_of_mlflow(mlflow: Any, found: Scorecard, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("page")
    run_id = convsim.log_to("mlflow", found, folder=tmp_path, name="nightly")
    client = mlflow.MlflowClient()
    run = client.get_run(run_id)
    assert (run.info.run_name, run.info.status) == ("nightly", "FINISHED")
    assert run.data.metrics["joint_distance"] == 0.31
    assert "human_likeness_score" not in run.data.metrics
    assert run.data.tags["absent.human_likeness_score"] == "undecided: needs 60 more people"
    assert run.data.tags["verdict"] == "different"
    assert run.data.params["seed"] == "1"
    assert {each.path for each in client.list_artifacts(run_id)} == {"findings.json", "report.html"}
    kept = client.download_artifacts(run_id, "findings.json", str(tmp_path))
    assert json.loads(Path(kept).read_text()) == found.to_dict()


def test_it_goes_into_the_run_that_is_active(mlflow: Any, found: Scorecard) -> None:
    with mlflow.start_run(run_name="mine") as mine:
        assert convsim.log_to("mlflow", found) == mine.info.run_id
        assert mlflow.active_run().info.run_id == mine.info.run_id
    assert mlflow.MlflowClient().get_run(mine.info.run_id).data.metrics["joint_distance"] == 0.31


def test_a_comparison_is_a_run_with_one_below_it_for_each_simulator(mlflow: Any) -> None:
    above = convsim.log_to("mlflow", comparison(simulator("one"), simulator("two")))
    assert mlflow.active_run() is None
    below = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{above}'")
    assert sorted(below["tags.mlflow.runName"]) == ["one", "two"]
    assert set(below["metrics.mean_distance"]) == {0.225}


def test_a_command_logs_to_a_real_server(
    mlflow: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in prepare(tmp_path).items():
        monkeypatch.setenv(name, value)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    call = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    stores = [
        "--backend-store-uri",
        f"sqlite:///{tmp_path}/server.db",
        "--artifacts-destination",
        str(tmp_path / "kept"),
    ]
    with subprocess.Popen([*call, *stores], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(f"{url}/health", server)
            monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
            ran = typed(*COMMAND, "--out", "run", "--log-to", "mlflow")
            assert ran.returncode == 0, ran.stderr
            assert ran.stdout == ""
            run_id = ran.stderr.splitlines()[-1].removeprefix("logged to mlflow as run ")
            mlflow.set_tracking_uri(url)
            run = mlflow.MlflowClient().get_run(run_id)
            assert run.data.metrics["conversations"] == 2
            assert run.data.params["shopper"] == "brief"
            assert [each.path for each in mlflow.MlflowClient().list_artifacts(run_id)] == ["manifest.json"]
        finally:
            server.terminate()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server ended")


def test_a_server_that_is_not_there_is_one_line_and_the_run_is_complete(
    mlflow: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in prepare(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    ran = typed(*COMMAND, "--out", "run", "--log-to", "mlflow")
    assert ran.returncode == 3
    last = ran.stderr.splitlines()[-1]
    assert last.startswith("error: mlflow did not take the results: ")
    assert last.endswith("; they are complete in run")
    assert len(convsim.read(tmp_path / "run").conversations) == 2


@pytest.fixture
def wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Weights & Biases without a network."""
    wandb = pytest.importorskip("wandb", reason=NOT_INSTALLED.format("wandb"))
    told = {"MODE": "offline", "SILENT": "true"}
    told |= {name: str(tmp_path) for name in ("DIR", "DATA_DIR", "CACHE_DIR")}
    for name, value in told.items():
        monkeypatch.setenv(f"WANDB_{name}", str(value))
    yield wandb
    wandb.teardown()


def records(folder: Path) -> dict[str, list[Any]]:
    """Read what was written offline, by kind: a log in LevelDB's format, of the package's own messages.

    Source: leveldb/doc/log_format.md; the head of seven bytes is W&B's.
    """
    import wandb
    from wandb.proto.wandb_internal_pb2 import Record

    wandb.teardown()  # waits for the process that writes
    found: dict[str, list[Any]] = {}
    for path in sorted(folder.glob("wandb/offline-run-*/*.wandb")):
        data, at, whole = path.read_bytes(), 7, b""
        while at + 7 <= len(data):
            if (left := 32_768 - at % 32_768) < 7:
                at += left
                continue
            length, kind = struct.unpack("<HB", data[at + 4 : at + 7])
            whole += data[at + 7 : at + 7 + length]
            at += 7 + length
            if kind in (1, 4):  # whole, or the last part
                record, whole = Record.FromString(whole), b""
                name = record.WhichOneof("record_type")
                found.setdefault(name, []).append(getattr(record, name))
    return found


def updates(written: list[Any]) -> dict[str, Any]:
    return {each.key: json.loads(each.value_json) for one in written for each in one.update if each.key}


def test_a_scorecard_is_a_run_of_wandb(wandb: Any, found: Scorecard, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("page")
    run_id = convsim.log_to("wandb", found, folder=tmp_path, name="nightly")
    kept = records(tmp_path)
    (run,) = kept["run"]
    assert (run.run_id, run.display_name, run.job_type) == (run_id, "nightly", "scorecard")
    assert "verdict: different" in run.tags
    summary = updates(kept["summary"])
    assert summary["joint_distance"] == 0.31
    assert "human_likeness_score" not in summary
    assert summary["absent.human_likeness_score"] == "undecided: needs 60 more people"
    assert updates(kept["config"])["seed"] == 1
    (artifact,) = kept["artifact"]
    assert {entry.path for entry in artifact.manifest.contents} == {"findings.json", "report.html"}


def test_a_comparison_is_a_group_of_wandb(wandb: Any, tmp_path: Path) -> None:
    convsim.log_to("wandb", comparison(simulator("one"), simulator("two")))
    runs = records(tmp_path)["run"]
    assert {(run.display_name, run.run_group) for run in runs} == {
        ("one", "comparison"), ("two", "comparison"), ("comparison", "comparison"),
    }  # fmt: skip


def test_without_a_key_wandb_is_one_line(
    wandb: Any, found: Scorecard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HOME", str(tmp_path))  # where a key might lie
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(TrackingError, match="wandb did not take the results: "):
        convsim.log_to("wandb", found)
