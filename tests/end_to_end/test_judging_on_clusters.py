"""Commands that judge on Ray clusters: the same results, other versions on a node, interrupts, and a killed driver."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from convsim.io import write
from convsim.simulation import Workers
from tests.elsewhere import Costly, study
from tests.end_to_end.ray_nodes import REPOSITORY, TOKEN, TwoNodes
from tests.populations import crowd

pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")
pytestmark = pytest.mark.cluster

NO_CONVSIM = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "convsim":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""


def _started(*arguments: object, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "convsim", *map(str, arguments)], cwd=REPOSITORY, text=True,
        env={**os.environ, "PYTHONPATH": _path(), "CONVSIM_NO_CACHE": "1", **(env or {})},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=_hear_interrupts,
    )  # fmt: skip


def _hear_interrupts() -> None:
    """Let Ctrl-C be heard, as on a terminal: it is ignored below whatever a shell runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _path(*first: Path) -> str:
    return os.pathsep.join([*map(str, first), str(REPOSITORY), os.environ.get("PYTHONPATH", "")]).strip(
        os.pathsep
    )


def _done(*arguments: object, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    process = _started(*arguments, env=env)
    out, err = process.communicate()
    return process.returncode, out, err


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """People and a simulator, each in two arms."""
    folder, rng = tmp_path_factory.mktemp("sides"), np.random.default_rng(0)
    paths = folder / "people.jsonl", folder / "shoppers.jsonl"
    for path in paths:
        simulated = path is paths[1]
        held = [
            c.but(arm=arm)
            for arm, wordy in (("good", 0.5), ("bad", 0.8))
            for c in crowd(rng, 20, wordy=wordy, prefix=f"{path.stem}-{arm}-", simulated=simulated)
        ]
        write(path, held)
    return paths


@pytest.fixture(scope="module")
def two_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    cluster = TwoNodes(tmp_path_factory.mktemp("j"))
    yield cluster
    cluster.kill()


def _without_command(document: Any) -> Any:
    if isinstance(document, dict):
        return {name: _without_command(value) for name, value in document.items() if name != "command"}
    return [_without_command(each) for each in document] if isinstance(document, list) else document


@pytest.mark.parametrize(
    ("command", "file"),
    [
        (["compare", "REAL", "SIM", "--control", "good", "--treatment", "bad"], "comparison.json"),
        (["counterfactual", "REAL", "SIM", "--control", "good", "--treatment", "bad"], "findings.json"),
        (["calibrate", "REAL", "--sizes", "8", "--runs", "1", "--null-runs", "1", "--adversaries", "messages_shuffled",
          "--validators", "marginals,typography"], "calibration.json"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)  # fmt: skip
def test_what_a_command_finds_on_a_cluster_is_what_it_finds_here(
    two_nodes: TwoNodes, files: tuple[Path, Path], tmp_path: Path, command: list[str], file: str
):
    named = {"REAL": str(files[0]), "SIM": str(files[1])}
    asked = [named.get(each, each) for each in command]
    found = []
    for name, options in (("here", []), ("there", ["--engine", "ray", "--address", two_nodes.address])):
        code, _, err = _done(*asked, "--out", tmp_path / name, *options, env=TOKEN)
        assert code == 0, err
        found.append(_without_command(json.loads((tmp_path / name / file).read_text(encoding="utf-8"))))
    assert found[0] == found[1]


def _other_version(folder: Path) -> str:
    of = folder / "convsim-0.0.7.dist-info"
    of.mkdir()
    (of / "METADATA").write_text("Metadata-Version: 2.1\nName: convsim\nVersion: 0.0.7\n", encoding="utf-8")
    return f"has convsim 0.0.7 on Python 3.{sys.version_info.minor}, and this process convsim {version('convsim')} on"


def _no_convsim(folder: Path) -> str:
    (folder / "sitecustomize.py").write_text(NO_CONVSIM, encoding="utf-8")
    return "has no convsim: install it there"


@pytest.mark.parametrize("made", [_other_version, _no_convsim])
def test_a_node_with_another_convsim_or_none_is_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, files: tuple[Path, Path], tmp_path: Path, made: Any
):
    there = tmp_path / "there"
    there.mkdir()
    said = made(there)
    cluster = TwoNodes(tmp_path_factory.mktemp("o"), {"PYTHONPATH": _path(there)})
    try:
        code, out, err = _done(
            "validate", *files, "--engine", "ray", "--address", cluster.address, "--out", tmp_path / "out", env=TOKEN
        )  # fmt: skip
    finally:
        cluster.kill()
    assert (code, out) == (3, "")
    assert said in " ".join(err.split())
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def _descendants(pid: int) -> set[int]:
    """The processes below one, wherever in the tree."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def _wait_for_the_end_of(processes: set[int]) -> None:
    while any(_is_running(pid) for pid in processes):
        time.sleep(0.05)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _waiting(files: tuple[Path, Path], tmp_path: Path) -> tuple[subprocess.Popen[str], set[int]]:
    """A validation whose validator waits in a worker, and the processes of its cluster."""
    at = tmp_path / "waits"
    running = _started(
        "validate", *files, "--engine", "ray", "--validators", "tests.elsewhere:Waiting,disclosure", "--out",
        tmp_path / "out", env={"WAITS_AT": str(at)},
    )  # fmt: skip
    while not at.exists() or not at.read_text():
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    below = _descendants(running.pid)
    assert int(at.read_text()) in below
    return running, below


def test_an_interrupt_of_a_validation_stops_the_cluster_and_leaves_nothing_half_written(
    files: tuple[Path, Path], tmp_path: Path
):
    running, below = _waiting(files, tmp_path)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    _, err = running.communicate()
    assert running.returncode == 130
    assert "Traceback" not in err
    _wait_for_the_end_of(below)
    assert not (tmp_path / "out").exists() or not [*(tmp_path / "out").iterdir()]


def test_a_validation_whose_process_is_killed_leaves_no_cluster_and_can_be_run_again(
    files: tuple[Path, Path], tmp_path: Path
):
    running, below = _waiting(files, tmp_path)
    running.kill()
    running.communicate()
    _wait_for_the_end_of(below)
    code, _, err = _done(
        "validate", *files, "--engine", "ray", "--validators", "disclosure", "--out", tmp_path / "out"
    )
    assert code == 0, err
    assert (tmp_path / "out" / "findings.json").exists()


def test_the_budget_of_a_run_on_ray_is_that_of_all_its_workers_together(tmp_path: Path):
    workers = Workers(processes=2, engine="ray")
    held = study(Costly(0.01), n=40, concurrency=4, budget_usd=0.2)
    outcome = held.run(tmp_path / "run", workers=workers)
    assert outcome.stop == "budget"
    assert 0.2 <= outcome.cost_usd < 0.2 + 4 * 0.04  # what was in flight is finished
    assert outcome.held + outcome.missing == 80


def test_spans_of_workers_reach_the_collector_that_the_environment_names_under_those_that_asked(
    files: tuple[Path, Path], httpserver: HTTPServer
):
    got: list[ExportTraceServiceRequest] = []

    def take(request: Request) -> Response:
        got.append(ExportTraceServiceRequest.FromString(request.get_data()))
        return Response(b"", content_type="application/x-protobuf")

    httpserver.expect_request("/v1/traces").respond_with_handler(take)
    code, _, err = _done(
        "validate", *files, "--engine", "ray", "--validators", "disclosure",
        env={"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": httpserver.url_for("/").rstrip("/")},
    )  # fmt: skip
    assert code == 0, err
    spans = [
        span for each in got for of in each.resource_spans for scope in of.scope_spans for span in scope.spans
    ]
    [validator] = [span for span in spans if span.name == "convsim.validator"]
    [judge] = [span for span in spans if span.name == "convsim.judge"]
    assert (validator.trace_id, validator.parent_span_id) == (judge.trace_id, judge.span_id)
