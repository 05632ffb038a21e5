"""Traces of a command: exported where OpenTelemetry's own environment variables say so."""

from __future__ import annotations

import logging

import typer

from convsim._exporting import provide_as_asked
from convsim.cli.crash import say


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
    provider = provide_as_asked()
    if provider is None:
        return
    complaints = logging.getLogger("opentelemetry")
    complaints.addHandler(_Lost())
    complaints.propagate = False
    context.call_on_close(provider.shutdown)
