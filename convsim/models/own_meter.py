"""Counts the calls of models that do not count them where they are made, as a model of somebody's own does not."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from convsim.models.metering import IN_PROCESS, measured_call, used_as_told
from convsim.schema.chat_model import ChatModel, Choice, Completion, NothingSaidError

OWN_METER = "has_own_meter"
"""What a class says whose calls are counted by itself, or that asks nobody."""

_counting: ContextVar[ChatModel | None] = ContextVar("the model whose call is being counted", default=None)


def has_own_meter(model: ChatModel) -> bool:
    """Tell whether a model's calls are counted where they are made."""
    return bool(getattr(type(model), OWN_METER, False))


def counted(model: ChatModel, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return a model's method that counts its calls: how long they took, how they failed, and the tokens it tells.

    What the model asks of itself meanwhile is part of the call.
    """
    stated = getattr(model, "base_url", None)
    address = stated if isinstance(stated, str) and stated else IN_PROCESS

    @functools.wraps(method)
    async def asked(*words: Any, **settings: Any) -> Any:
        if _counting.get() is model:
            return await method(*words, **settings)
        token = _counting.set(model)
        name = str(model.name)
        try:
            with measured_call(name, address):
                said = await method(*words, **settings)
        except NothingSaidError as nothing:
            used_as_told(name, address, nothing.completion)
            raise
        finally:
            _counting.reset(token)
        completion = said.completion if isinstance(said, Choice) else said
        if isinstance(completion, Completion):
            used_as_told(name, address, completion)
        return said

    return asked
