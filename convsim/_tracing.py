"""OpenTelemetry spans where the program has a tracer provider; elsewhere nothing is imported, and nothing happens."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from json import dumps
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from convsim._secrets import know_environment, without_keys
from convsim._text import one_line, plain

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer, TracerProvider

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""OpenTelemetry's own variable that allows texts of messages in spans."""
CAPTURED = frozenset({"true", "span_only", "span_and_event"})
MAX_VALUE_CHARACTERS, MAX_REASON_CHARACTERS = 1_000, 500
MAX_MESSAGE_CHARACTERS, MAX_MESSAGES = 2_000, 20
"""Of the texts of a span, where they are allowed: characters of a message, and messages, the newest."""

Value = str | bool | int | float | Sequence[str] | None
Said = tuple[str, str]
"""A message: its role and its text."""


class Span:
    """A span where nobody traces: entering it, and all that is said of it, does nothing."""

    is_recording: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def set(self, attributes: Mapping[str, Value]) -> None:
        """Add attributes; those that are None are left out."""

    def fail(self, reason: str, kind: str) -> None:
        """Mark it as failed, with the reason and ``error.type``."""

    def say(self, attribute: str, messages: Iterable[Said], *, finish_reason: str | None = None) -> None:
        """Add messages' texts, where the user allows them, as OpenTelemetry's conventions write messages."""


UNTRACED = Span()
_tracers: dict[str, tuple[TracerProvider, Tracer]] = {}


def span(name: str, attributes: Mapping[str, Value] | None = None, *, is_client: bool = False) -> Span:
    """Return a span to be entered with ``with``; its parent is the one that is current, also in threads of convsim's.

    What is raised inside marks it as failed, with the reason. Texts are redacted and cut.

    Args:
        name: What is done, without what differs each time.
        attributes: What is known of it beforehand.
        is_client: Whether it asks another service.
    """
    tracer = _tracer()
    return UNTRACED if tracer is None else _Recorded(tracer, name, attributes or {}, is_client=is_client)


def is_traced() -> bool:
    """Tell whether spans are made: the program, or the command line, has set a tracer provider."""
    return _tracer() is not None


def _tracer() -> Tracer | None:
    # Whoever has set a provider has imported this module: nobody pays for it who does not use it.
    api = sys.modules.get("opentelemetry.trace")
    if api is None:
        return None
    provider = api.get_tracer_provider()
    if isinstance(provider, api.ProxyTracerProvider):
        return None
    known = _tracers.get("convsim")
    if known is None or known[0] is not provider:
        know_environment()
        known = _tracers["convsim"] = (provider, provider.get_tracer("convsim"))
    return known[1]


class _Recorded(Span):
    def __init__(self, tracer: Tracer, name: str, attributes: Mapping[str, Value], *, is_client: bool):
        from opentelemetry.trace import SpanKind

        self._span = tracer.start_span(
            one_line(_safe(name, MAX_VALUE_CHARACTERS)),
            kind=SpanKind.CLIENT if is_client else SpanKind.INTERNAL,
        )
        self.is_recording = self._span.is_recording()
        self._token: Token[Context] | None = None
        self.set(attributes)

    def __enter__(self) -> Self:
        from opentelemetry import context, trace

        self._token = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        from opentelemetry import context

        if raised is not None:
            self.fail(_said_of(raised), type(raised).__qualname__)
        if self._token is not None:
            context.detach(self._token)
        self._span.end()

    def set(self, attributes: Mapping[str, Value]) -> None:
        if self.is_recording:
            for name, value in attributes.items():
                if value is not None:
                    self._span.set_attribute(name, _bounded(value))

    def fail(self, reason: str, kind: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        self._span.set_attribute("error.type", kind)
        said = " ".join(plain(_safe(reason, MAX_REASON_CHARACTERS), limit=MAX_REASON_CHARACTERS).split())
        self._span.set_status(Status(StatusCode.ERROR, said))

    def say(self, attribute: str, messages: Iterable[Said], *, finish_reason: str | None = None) -> None:
        if not self.is_recording or os.environ.get(CAPTURE, "").lower() not in CAPTURED:
            return
        ended = {} if finish_reason is None else {"finish_reason": finish_reason}
        told = [
            {"role": role, "parts": [{"type": "text", "content": _cut(text)}], **ended}
            for role, text in [*messages][-MAX_MESSAGES:]
        ]
        self._span.set_attribute(attribute, dumps(told, ensure_ascii=False))


def _said_of(raised: BaseException) -> str:
    try:
        return str(raised) or type(raised).__name__
    except Exception:  # somebody else's __str__
        return type(raised).__name__


def _bounded(value: str | bool | int | float | Sequence[str]) -> Any:
    if isinstance(value, str):
        return _safe(value, MAX_VALUE_CHARACTERS)[:MAX_VALUE_CHARACTERS]
    return value if isinstance(value, bool | int | float) else [_bounded(each) for each in value]


def _safe(text: str, limit: int) -> str:
    """Take secrets out of a text of which ``limit`` characters are kept; only its beginning, for that takes time."""
    return without_keys(text[: 10 * limit])


def _cut(text: str) -> str:
    said = _safe(text, MAX_MESSAGE_CHARACTERS)
    return said if len(said) <= MAX_MESSAGE_CHARACTERS else said[:MAX_MESSAGE_CHARACTERS] + "…"


_handing_on: ContextVar[bool] = ContextVar(
    "whether models are told of the trace, as an agent is", default=False
)


@contextmanager
def handing_on() -> Iterator[None]:
    """Let models that are asked within it be told of the trace: they are an agent that somebody tests."""
    token = _handing_on.set(True)
    try:
        yield
    finally:
        _handing_on.reset(token)


def handed_on() -> dict[str, str]:
    """Return the headers of the trace for a model's server, which has none of them unless it is an agent."""
    return trace_headers() if _handing_on.get() else {}


def trace_headers() -> dict[str, str]:
    """Return the headers that let a service put its spans under the current one, as the program's propagators write it.

    By default that is ``traceparent``. Source: W3C Trace Context.
    """
    if _tracer() is None:
        return {}
    from opentelemetry import propagate

    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers
