"""Traces of a command: exported where OpenTelemetry's own environment variables say so."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

import typer

from convsim._text import listed, nearest, shown
from convsim.cli.crash import say
from convsim.errors import InputError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

EXPORTERS = "OTEL_TRACES_EXPORTER"
GROUP = "opentelemetry_traces_exporter"
OTLP = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
"""What is called ``otlp``, by the protocol that the environment names; without one it is the first."""


class _Lost(logging.Handler):
    """Says once, in one line, that spans are lost, and why: the last of the passing troubles before."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._why, self._said = "", False

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.ERROR:
            self._why = f" ({record.getMessage()})"
        elif not self._said:
            self._said = True
            say(f"spans are lost: {record.getMessage()}{self._why}", kind="warning")


def trace_as_asked(context: typer.Context) -> None:
    """Export spans as ``OTEL_TRACES_EXPORTER`` says; without it, or without OpenTelemetry's SDK, nothing is traced.

    What is left is exported when the command ends. Where the process has a tracer provider already, as under
    ``opentelemetry-instrument``, that is left alone.

    Raises:
        InputError: No exporter of that name is installed.
    """
    wanted = [name for word in os.environ.get(EXPORTERS, "").split(",") if (name := word.strip())]
    if wanted in ([], ["none"]):
        return
    try:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        return
    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return
    exporters = [_exporter(name) for name in wanted]
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "convsim"}))
    complaints = logging.getLogger("opentelemetry")
    complaints.addHandler(_Lost())
    complaints.propagate = False
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    context.call_on_close(provider.shutdown)
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


def _exporter(name: str) -> SpanExporter:
    if name == "console":  # on stderr, since results go to stdout
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr)
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get(
        "OTEL_EXPORTER_OTLP_PROTOCOL"
    )
    meant = OTLP.get(protocol or "http/protobuf", name) if name == "otlp" else name
    from importlib.metadata import entry_points

    installed = {each.name: each for each in entry_points(group=GROUP)}
    if meant not in installed:
        known = sorted({*installed, "console", "otlp", "none"})
        near = nearest(name, known)
        raise InputError(
            f"{EXPORTERS}: no exporter of traces is installed as {shown(meant)}; there are {listed(known, 8)}"
            + (f"; did you mean {near}?" if near and near != name else "")
        )
    exporter: SpanExporter = installed[meant].load()()
    return exporter
