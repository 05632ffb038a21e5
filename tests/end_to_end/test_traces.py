"""Traces of commands: sent to a collector where the environment says so, and nothing of OpenTelemetry without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from convsim.io import read
from tests.end_to_end.commands import typed
from tests.end_to_end.runs import held, prepare

REPOSITORY = Path(__file__).parents[2]
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
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in prepare(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def collector(httpserver: HTTPServer) -> list[ExportTraceServiceRequest]:
    got: list[ExportTraceServiceRequest] = []

    def take(request: Request) -> Response:
        got.append(ExportTraceServiceRequest.FromString(request.get_data()))
        return Response(b"", content_type="application/x-protobuf")

    httpserver.expect_request("/v1/traces").respond_with_handler(take)
    return got


def test_a_command_sends_its_spans_to_the_collector_that_the_environment_names(
    folder: Path,
    collector: list[ExportTraceServiceRequest],
    httpserver: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", httpserver.url_for("/").rstrip("/"))
    assert typed(*COMMAND, "--out", "run").returncode == 0
    resources = [each for request in collector for each in request.resource_spans]
    services = {
        a.value.string_value
        for each in resources
        for a in each.resource.attributes
        if a.key == "service.name"
    }
    assert services == {"convsim"}
    names = [span.name for each in resources for scope in each.scope_spans for span in scope.spans]
    assert sorted(names) == sorted(
        ["convsim.study"] + 2 * ["convsim.conversation"] + 6 * ["convsim.turn"] + 4 * ["invoke_agent slow"]
    )


def test_spans_on_the_console_go_to_stderr(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    ran = typed(*COMMAND, "--out", "run")
    assert ran.returncode == 0
    assert ran.stdout == ""
    assert '"name": "convsim.study"' in ran.stderr


def test_a_collector_that_cannot_be_reached_loses_spans_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    ran = typed(*COMMAND, "--out", "run")
    assert ran.returncode == 0
    assert len(read(folder / "run").conversations) == 2
    (warned,) = [line for line in ran.stderr.splitlines() if line.startswith("warning")]
    assert warned.startswith("warning: spans are lost: ")
    assert len(ran.stderr.splitlines()) == 3


def test_an_exporter_that_is_not_installed_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "jaegger")
    ran = typed(*COMMAND, "--out", "run")
    assert ran.returncode == 2
    assert ran.stderr.startswith(
        "error: OTEL_TRACES_EXPORTER: no exporter of traces is installed as 'jaegger'"
    )
    assert len(ran.stderr.splitlines()) == 1
    assert not (folder / "run").exists()


WITHOUT = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(f"blocked: {name}", name=name)
sys.meta_path.insert(0, Blocked())
from convsim.cli import main
main()
"""
LOADED = """
import atexit, sys
atexit.register(lambda: print(sorted(n for n in sys.modules if n.startswith("opentelemetry")), file=sys.stderr))
from convsim.cli import main
main()
"""


def ended(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-c", script, *arguments]
    return subprocess.run(call, capture_output=True, text=True, env={**os.environ}, check=False)


def test_without_the_sdk_a_command_does_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = typed(*COMMAND, "--out", "with")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    without = ended(WITHOUT, *COMMAND, "--out", "without")
    assert (without.returncode, without.stdout) == (with_it.returncode, with_it.stdout) == (0, "")
    assert without.stderr == with_it.stderr.replace("with:", "without:")
    one, other = ([{**each, "usage": None} for each in held(folder / name)] for name in ("without", "with"))
    assert one == other


@pytest.mark.parametrize("arguments", [("--help",), COMMAND], ids=["help", "simulate"])
def test_nothing_of_opentelemetry_is_imported_where_nobody_asks_for_it(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    assert ended(LOADED, *arguments).stderr.splitlines()[-1] == "[]"


ELSEWHERE = """
import json, sys
from convsim._exporting import Trace, going_on
from convsim._tracing import span
with going_on(Trace(*json.loads(sys.argv[1]))):
    with span("convsim.validator"):
        pass
"""


def test_a_worker_exports_its_spans_under_that_of_whoever_asked_for_its_work(
    collector: list[ExportTraceServiceRequest], httpserver: HTTPServer
) -> None:
    asked = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    environment = {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": httpserver.url_for("/").rstrip("/"),
    }
    headers = {"traceparent": f"00-{asked[0]}-{asked[1]}-01"}
    done = ended(ELSEWHERE, json.dumps([environment, headers]))
    assert (done.returncode, done.stderr) == (0, "")
    (request,) = collector
    [one] = [s for each in request.resource_spans for scope in each.scope_spans for s in scope.spans]
    assert (one.name, one.trace_id.hex(), one.parent_span_id.hex()) == ("convsim.validator", *asked)
