"""What models were asked and what they answered, noted while a conversation is held."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

from convsim._text import one_line, shown
from convsim.errors import InputError, ModelError
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


@contextmanager
def heard(models: Iterable[ChatModel]) -> Iterator[None]:
    """Let calls of these models be noted; each stays the object that it is, with its price and its kind.

    Raises:
        InputError: A model does not let itself be heard.
    """
    changed: list[tuple[ChatModel, str]] = []
    try:
        for model in models:
            for method, asking in ASKING.items():
                if hasattr(model, method):
                    try:
                        # Past the dataclass that may be frozen; only this object is changed, and only for a while.
                        object.__setattr__(model, method, _noting(model, getattr(model, method), asking))
                    except AttributeError as error:
                        raise InputError(
                            f"--record: the model {shown(model)} has fixed attributes (__slots__) and cannot be heard"
                        ) from error
                    changed.append((model, method))
        yield
    finally:
        for model, method in changed:
            object.__delattr__(model, method)


def _noting(
    model: ChatModel, method: Callable[..., Awaitable[Any]], asking: Callable[..., Asked]
) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def asked(*words: Any, **settings: Any) -> Any:
        noted = _hearing.get()
        if noted is None or _asking.get():
            return await method(*words, **settings)
        place = {"actor": noted.actor, "message": noted.message, "model": model.name}
        token = _asking.set(True)
        answer: Completion | None = None
        error: str | None = None
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
            if answer is not None or error is not None:
                noted.calls.append(
                    Call(asked=asking(*words, **settings), answer=answer, error=error, **place)
                )

    return asked


def _to_complete(messages: Any, **settings: Any) -> Asked:
    return Asked.to_complete(messages, **{"stop": (), "schema": None, **settings})


def _to_continue(text: str, **settings: Any) -> Asked:
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
