"""What an OpenAI-compatible server answers, as far as it is read here; every other key is ignored."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from convsim._text import one_line
from convsim.errors import ModelError

FinishReason = Literal["stop", "length", "content_filter", "other"]
Tokens = Annotated[int, Field(ge=0)]


class Usage(BaseModel):
    """Tokens of the prompt and of the answer, as the server counts them."""

    prompt_tokens: Tokens
    completion_tokens: Tokens


class _ChatMessage(BaseModel):
    # Thinking that comes apart, as `reasoning_content` or `reasoning`, is one of the keys that are ignored.
    content: str | None = None
    refusal: str | None = None


class _ChatChoice(BaseModel):
    message: _ChatMessage
    finish_reason: str | None = None


class _TextChoice(BaseModel):
    text: str
    finish_reason: str | None = None


class ChatAnswer(BaseModel):
    """The body of ``/chat/completions``."""

    choices: Annotated[list[_ChatChoice], Field(min_length=1)]
    usage: Usage | None = None


class TextAnswer(BaseModel):
    """The body of ``/completions``."""

    choices: Annotated[list[_TextChoice], Field(min_length=1)]
    usage: Usage | None = None


Answer = TypeVar("Answer", ChatAnswer, TextAnswer)


def read_answer(body: bytes, kind: type[Answer], *, who: str) -> Answer:
    """Read a body.

    Raises:
        ModelError: It is not JSON, or not a completion; the reason quotes how it begins.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        begins = one_line(body[:80].decode("utf-8", "replace"))
        where = f"{place}: " if place else ""
        raise ModelError(
            f"{who} answered something other than a completion: {where}{first['msg']}; it begins {begins!r}"
        ) from None


def finish_reason(stated: str | None) -> FinishReason:
    """Map what a server calls the end of an answer to the four reasons that are recorded."""
    match stated:
        case "stop" | "length" | "content_filter":
            return stated
        case _:
            return "other"
