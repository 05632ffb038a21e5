"""Where spans go: as OpenTelemetry's own environment variables say, in the process of a command and in its workers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convsim._text import listed, nearest, shown
from convsim._tracing import is_traced, trace_headers
from convsim.errors import InputError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

EXPORTERS = "OTEL_TRACES_EXPORTER"
GROUP = "opentelemetry_traces_exporter"
OTLP = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
"""What is called ``otlp``, by the protocol that the environment names; without one it is the first."""
FLUSHES_WITHIN_MS = 5_000
"""How long a worker waits for its collector after each piece of work."""


def provide_as_asked() -> TracerProvider | None:
    """Set the tracer provider that the environment asks for; None where it asks for none, or there is one already.

    Raises:
        InputError: No exporter of that name is installed.
    """
    wanted = [name for word in os.environ.get(EXPORTERS, "").split(",") if (name := word.strip())]
    if wanted in ([], ["none"]):
        return None
    try:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        return None
    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return None
    exporters = [_exporter(name) for name in wanted]
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "convsim"}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider


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


@dataclass(frozen=True)
class Trace:
    """A trace that goes on in a worker: its exporters' environment, and which span is the parent there."""

    environment: Mapping[str, str]
    headers: Mapping[str, str]


def trace_here() -> Trace | None:
    """Return what a worker needs to go on with the trace; None where nothing is traced, or exported as above."""
    if not is_traced() or not os.environ.get(EXPORTERS):
        return None
    environment = {name: value for name, value in os.environ.items() if name.startswith("OTEL_")}
    return Trace(environment, trace_headers())


@contextmanager
def going_on(trace: Trace | None) -> Iterator[None]:
    """Export what is traced within, in a worker, under the span of whoever asked for its work."""
    if trace is None:
        yield
        return
    os.environ.update(trace.environment)
    try:
        provide_as_asked()
        from opentelemetry import context, propagate
        from opentelemetry.trace import get_tracer_provider
    except (ImportError, InputError):  # a node without them: its spans are lost, and nothing else
        yield
        return
    token = context.attach(propagate.extract(dict(trace.headers)))
    try:
        yield
    finally:
        context.detach(token)
        flush = getattr(get_tracer_provider(), "force_flush", None)
        if flush is not None:
            flush(FLUSHES_WITHIN_MS)
