"""The bodies of requests, for both of OpenAI's APIs, as a server has been found to take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, TypedDict, cast

from pydantic import BaseModel, JsonValue

from convsim.models.roles import alternating, folded
from convsim.schema.chat_model import ChatMessage

Body = dict[str, JsonValue]
N_SCHEMAS = 256
"""Schemas whose form is kept: what is asked again and again is made once."""
Api = Literal["chat", "responses", "azure"]
SEEDS = 2**31
"""Seeds are sent modulo this: some servers keep them in 32 bits."""
LIMITS: Mapping[str, tuple[str, ...]] = {
    "chat": ("max_tokens", "max_completion_tokens"),
    "azure": ("max_tokens", "max_completion_tokens"),
    "responses": ("max_output_tokens",),
}
"""What the bound of an answer is called, by API, the usual name first."""
PARAMETERS = (
    "max_tokens",
    "temperature",
    "top_p",
    "seed",
    "stop",
    "response_format",
    "stream",
    "stream_options",
)
"""What may be left out or renamed."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked: a chat, or a text to continue, where there are no messages."""

    messages: Sequence[ChatMessage] = ()
    text: str = ""
    max_tokens: int
    temperature: float
    seed: int
    stop: Sequence[str] = ()
    schema: type[BaseModel] | None = None
    top_p: float | None = None
    """None sends none: the server's own holds."""


class Change(TypedDict, total=False):
    """What of the ways becomes another; names that are left out join those that are already."""

    omit: frozenset[str]
    folds_system: bool
    alternates: bool
    streams: bool
    room: int
    coldest: float


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How a server is asked: what it is not sent, what is sent under another name, and in which form the chat."""

    omit: frozenset[str] = frozenset()
    rename: tuple[tuple[str, str], ...] = ()
    folds_system: bool = False
    alternates: bool = False
    streams: bool = False
    room: int = 0
    """Tokens beyond each limit, for thinking."""
    coldest: float = 0.0
    """The lowest temperature that is sent."""

    def but(self, change: Change) -> Ways:
        """Return a copy with a change."""
        changed = replace(self, **change)
        return replace(changed, omit=changed.omit | self.omit)

    def chat(self, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
        """Return a chat in the form that the server takes."""
        shaped = folded(messages) if self.folds_system else list(messages)
        return alternating(shaped) if self.alternates else shaped


def body_of(
    request: Request, ways: Ways, *, model: str, api: Api, more: Mapping[str, JsonValue]
) -> tuple[str, Body]:
    """Return the path below the base address, and the body; ``more`` is sent along where nothing else is called so."""
    if not request.messages:
        path, form = "/completions", "chat"
        body: Body = {"prompt": request.text}
    elif api == "responses":
        path, form = "/responses", "responses"
        body = _of_response(request, ways)
    else:
        path, form = "/chat/completions", "chat"
        body = {"messages": [_said(message) for message in ways.chat(request.messages)]}
        if request.schema is not None:
            body["response_format"] = {"type": "json_schema", "json_schema": _form(request.schema)}
    body |= {"model": model, "temperature": max(request.temperature, ways.coldest)}
    if request.top_p is not None and "top_p" not in more:
        body["top_p"] = request.top_p
    if form == "chat":
        body["seed"] = request.seed % SEEDS
        if request.stop:
            body["stop"] = list(request.stop)
    if ways.streams:
        body["stream"] = True
        if form == "chat":
            body["stream_options"] = {"include_usage": True}
    renamed = dict(ways.rename)
    body = {
        renamed.get(name, name): value
        for name, value in body.items()
        if ways.omit.isdisjoint((name, renamed.get(name, name)))
    }
    limit = limit_name(ways, api, more)
    if limit is not None:
        body[limit] = request.max_tokens + ways.room
    given = {name: value for name, value in more.items() if name not in ways.omit}
    return path, {**given, **body}


def limit_name(ways: Ways, api: Api, more: Mapping[str, JsonValue] = {}) -> str | None:
    """Return what the bound of an answer is sent as; None where the server takes none, or the user gives one."""
    names = LIMITS[api]
    if any(name in more for name in names):
        return None
    renamed = dict(ways.rename)
    ordered = [*(renamed[name] for name in names if name in renamed), *names]
    return next((name for name in ordered if name not in ways.omit), None)


def _of_response(request: Request, ways: Ways) -> Body:
    """Write a chat as the Responses API has it: what the system says is its ``instructions``."""
    messages = ways.chat(request.messages)
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    body: Body = {
        "input": [_said(message) for message in messages if message.role != "system"],
        "store": False,
    }
    if system:
        body["instructions"] = system
    if request.schema is not None:
        body["text"] = {"format": {"type": "json_schema", **_form(request.schema)}}
    return body


def _said(message: ChatMessage) -> Body:
    return {"role": message.role, "content": message.content}


@lru_cache(N_SCHEMAS)
def _form(schema: type[BaseModel]) -> Body:
    """Return OpenAI's strict form of ``schema``, in which every key is required and no other is allowed."""
    import openai

    function = openai.pydantic_function_tool(schema)["function"]
    form = {"name": function["name"], "schema": function["parameters"], "strict": True}
    return cast(Body, form)
