"""What models were asked and what they answered: noted while a conversation is held, and spans of a trace."""

from __future__ import annotations

import functools
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MemberDescriptorType
from typing import Any, Literal
from urllib.parse import urlsplit

from convsim._text import one_line, shown
from convsim._tracing import Said, Span, Value, is_traced, span
from convsim.errors import InputError, ModelError
from convsim.models.own_meter import counted, has_own_meter
from convsim.models.scripted import Asked
from convsim.schema.chat_model import ChatMessage, ChatModel, Choice, Completion, NothingSaidError
from convsim.schema.record import Count, Name, Record, Text

Actor = Literal["shopper", "agent"]


class Call(Record):
    """One request to a model and its answer, as the model gave it; ``message`` is the place, from 0, it was for."""

    actor: Actor
    message: Count
    model: Name
    asked: Asked
    answer: Completion | None = None
    error: Text | None = None
    """Why there is no answer."""


class Calls(Record):
    """All calls of one conversation, in their order: one line of a run's ``prompts.jsonl``."""

    id: Name
    calls: tuple[Call, ...]


class Hearing:
    """The calls of one conversation so far, and whose turn it is."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.actor: Actor = "shopper"
        self.message = 0


_hearing: ContextVar[Hearing | None] = ContextVar("the conversation whose calls are noted", default=None)
_asking: ContextVar[bool] = ContextVar("whether a call is being noted that may make others", default=False)


@contextmanager
def hearing() -> Iterator[Hearing]:
    """Note the calls that are made within it of models that are ``heard``."""
    noted = Hearing()
    token = _hearing.set(noted)
    try:
        yield noted
    finally:
        _hearing.reset(token)


def asked_for(actor: Actor, message: int) -> None:
    """Say for whom, and for which message, models are asked from now on."""
    if (noted := _hearing.get()) is not None:
        noted.actor, noted.message = actor, message


@dataclass
class _Listeners:
    """How many studies hear a model at present: the first of them changes it, the last changes it back."""

    n: int = 0
    changed: list[str] = field(default_factory=list)
    """Names of its methods that were changed."""
    own: dict[str, Any] = field(default_factory=dict)
    """Those of them that were attributes of the object itself, as they were."""


_listeners: dict[int, _Listeners] = {}
"""By the model's identity."""
_listening = threading.Lock()


@contextmanager
def heard(models: Iterable[ChatModel], *, record: bool = True) -> Iterator[None]:
    """Let calls of these models be noted, traced and counted; each stays the object that it is, with its price.

    Args:
        models: Whose calls.
        record: Whether a model must let itself be heard. Where it need not be, nothing is done unless there is a trace,
            or it does not count its calls itself; what cannot be heard is then neither traced nor counted.

    Raises:
        InputError: A model does not let itself be heard.
    """
    changed: list[ChatModel] = []
    try:
        for model in models:
            is_wanted = record or is_traced() or not has_own_meter(model)
            if is_wanted and _hear(model, record=record):
                changed.append(model)
        yield
    finally:
        for model in changed:
            _hear_no_more(model)


def _hear(model: ChatModel, *, record: bool) -> bool:
    with _listening:
        listeners = _listeners.get(id(model)) or _Listeners()
        try:
            for name, asking in ASKING.items() if not listeners.n else ():
                if hasattr(model, name):
                    _change(model, name, asking, listeners)
        except AttributeError as error:
            _change_back(model, listeners)
            if not record:
                return False
            raise InputError(
                f"--record: the model {shown(model)} has fixed attributes (__slots__) and cannot be heard"
            ) from error
        listeners.n += 1
        _listeners[id(model)] = listeners
    return True


def _change(model: ChatModel, name: str, asking: Callable[..., Asked], listeners: _Listeners) -> None:
    method = getattr(model, name)
    # A slot holds what belongs to the object, too.
    if name in getattr(model, "__dict__", {}) or isinstance(
        getattr(type(model), name, None), MemberDescriptorType
    ):
        listeners.own[name] = method
    # Past the dataclass that may be frozen; only this object is changed, and only for a while.
    object.__setattr__(
        model, name, _noting(model, name, method if has_own_meter(model) else counted(model, method), asking)
    )
    listeners.changed.append(name)


def _change_back(model: ChatModel, listeners: _Listeners) -> None:
    for name in listeners.changed:
        if name in listeners.own:
            object.__setattr__(model, name, listeners.own[name])
        else:
            object.__delattr__(model, name)


def _hear_no_more(model: ChatModel) -> None:
    with _listening:
        listeners = _listeners[id(model)]
        listeners.n -= 1
        if not listeners.n:
            del _listeners[id(model)]
            _change_back(model, listeners)


def _noting(
    model: ChatModel, name: str, method: Callable[..., Awaitable[Any]], asking: Callable[..., Asked]
) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def asked(*words: Any, **settings: Any) -> Any:
        noted = _hearing.get()
        if _asking.get():
            return await method(*words, **settings)
        place = {} if noted is None else {"actor": noted.actor, "message": noted.message}
        token = _asking.set(True)
        answer: Completion | None = None
        error: str | None = None
        with _call_span(model, name, settings) as traced:
            try:
                said: Completion | Choice = await method(*words, **settings)
                answer = said.completion if isinstance(said, Choice) else said
                return said
            except NothingSaidError as nothing:
                answer, error = nothing.completion, one_line(nothing)
                raise
            except ModelError as failure:
                error = one_line(failure)
                raise
            finally:
                _asking.reset(token)
                if traced.is_recording:
                    _tell(traced, words, answer)
                if noted is not None and (answer is not None or error is not None):
                    asked_as = asking(*words, **settings)
                    noted.calls.append(
                        Call(asked=asked_as, answer=answer, error=error, model=model.name, **place)
                    )

    return asked


REQUESTED = {"max_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p", "seed": "seed"}
"""Settings of a call, and what OpenTelemetry's conventions call them behind ``gen_ai.request.``."""


def _call_span(model: ChatModel, method: str, settings: Mapping[str, object]) -> Span:
    """Return the span of a call. Source: OpenTelemetry's semantic conventions 1.41, spans of GenAI clients."""
    if not is_traced():
        return span("")
    operation = "text_completion" if method == "continue_text" else "chat"
    asked: dict[str, Value] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": getattr(model, "provider", type(model).__name__.lower()),
        "gen_ai.request.model": getattr(model, "model", model.name),
    }
    for setting, name in REQUESTED.items():
        value = settings.get(setting)
        asked[f"gen_ai.request.{name}"] = value if isinstance(value, int | float) else None
    if isinstance(address := getattr(model, "base_url", None), str):
        server = urlsplit(address)
        asked |= {"server.address": server.hostname, "server.port": server.port}
    return span(f"{operation} {asked['gen_ai.request.model']}", asked, is_client=True)


def _tell(traced: Span, words: tuple[Any, ...], answer: Completion | None) -> None:
    """Add what a call has used and, where that is allowed, what was said."""
    asked = words[0] if words else ()
    messages: list[Said] = (
        [("user", asked)] if isinstance(asked, str) else [(m.role, m.content) for m in asked]
    )
    traced.say("gen_ai.input.messages", messages)
    if answer is not None:
        traced.set(
            {
                "gen_ai.usage.input_tokens": answer.input_tokens,
                "gen_ai.usage.output_tokens": answer.output_tokens,
                "gen_ai.response.finish_reasons": [answer.finish_reason],
                "convsim.cost_usd": answer.cost_usd,
            }
        )
        said: list[Said] = [("assistant", answer.text)]
        traced.say("gen_ai.output.messages", said, finish_reason=answer.finish_reason)


def _to_complete(messages: Any, *, top_p: float | None = None, **settings: Any) -> Asked:
    del top_p  # of the model, as a record of a call has it
    return Asked.to_complete(messages, **{"stop": (), "schema": None, **settings})


def _to_continue(text: str, *, top_p: float | None = None, **settings: Any) -> Asked:
    del top_p
    return Asked.to_continue(text, **{"stop": (), **settings})


def _to_draw(messages: Any, openings: Any, *, seed: int) -> Asked:
    return Asked.to_choose(messages, openings, temperature=1.0, seed=seed)


def _to_complete_opened(
    messages: Any, opening: str, *, max_tokens: int, temperature: float, top_p: float, seed: int
) -> Asked:
    begun = [*messages, *([ChatMessage(role="assistant", content=opening)] if opening else [])]
    return _to_complete(begun, max_tokens=max_tokens, temperature=temperature, seed=seed)


ASKING: dict[str, Callable[..., Asked]] = {
    "complete": _to_complete,
    "continue_text": _to_continue,
    "choose": Asked.to_choose,
    "draw_opening": _to_draw,
    "complete_opened": _to_complete_opened,
}
"""How a call of each method of a model is noted."""
