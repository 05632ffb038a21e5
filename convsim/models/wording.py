"""Words a request for JSON, from the files under ``prompts``."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from importlib import resources
from string import Template

from pydantic import BaseModel

from convsim._text import MAX_LENGTH
from convsim.models.choices import as_json
from convsim.schema.protocols import ChatMessage


class _Example(BaseModel):
    question: str
    options: tuple[str, ...]
    answer: str


class _Examples(BaseModel):
    example: tuple[_Example, ...]


def schema_prompt(messages: Sequence[ChatMessage], schema: type[BaseModel]) -> list[ChatMessage]:
    """Ask, after ``messages``, for JSON of ``schema``."""
    return with_request(messages, _filled("schema", schema=json.dumps(schema.model_json_schema())))


def choice_prompt(messages: Sequence[ChatMessage], options: Sequence[str]) -> list[ChatMessage]:
    """Ask, after ``messages``, for one of ``options``; worked examples come first, after what the system says."""
    system = [message for message in messages if message.role == "system"]
    chat = [message for message in messages if message.role != "system"]
    return [*system, *_examples(), *with_request(chat, _choice_request(options))]


def repair_prompt(prompt: Sequence[ChatMessage], answer: str, problem: str) -> list[ChatMessage]:
    """Tell the model, after ``prompt`` and its ``answer``, what the problem is."""
    shown = ChatMessage(role="assistant", content=answer[: 10 * MAX_LENGTH])
    return [*prompt, shown, ChatMessage(role="user", content=_filled("repair", problem=problem))]


def with_request(messages: Sequence[ChatMessage], request: str) -> list[ChatMessage]:
    """Add ``request`` to a last message of the user, or else after the messages."""
    if not messages or messages[-1].role != "user":
        return [*messages, ChatMessage(role="user", content=request)]
    *before, last = messages
    return [*before, ChatMessage(role="user", content=f"{last.content}\n\n{request}")]


def _choice_request(options: Sequence[str]) -> str:
    return _filled("choice", lines="\n".join(as_json(option) for option in options))


def _examples() -> list[ChatMessage]:
    worked = _Examples.model_validate(tomllib.loads(_file("choice_examples.toml"))).example
    return [
        message
        for one in worked
        for message in (
            ChatMessage(role="user", content=f"{one.question}\n\n{_choice_request(one.options)}"),
            ChatMessage(role="assistant", content=as_json(one.answer)),
        )
    ]


def _filled(name: str, **values: str) -> str:
    return Template(_file(f"{name}.txt").strip()).substitute(values)


def _file(name: str) -> str:
    return resources.files("convsim.models").joinpath("prompts", name).read_text("utf-8")
