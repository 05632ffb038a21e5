"""Asks a chat model for an agent's next message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from convsim._async import in_time
from convsim._text import one_line
from convsim.errors import AgentError, ModelError
from convsim.schema.conversation import Usage
from convsim.schema.protocols import ChatMessage, ChatModel
from convsim.seeds import child_seed


class Said(NamedTuple):
    """What the model said, and what it cost."""

    text: str
    usage: Usage


class Asking(Protocol):
    """The settings of an agent that asks a model."""

    name: str
    model: ChatModel
    max_tokens: int
    temperature: float
    timeout_s: float


async def ask_model(agent: Asking, messages: Sequence[ChatMessage], *, seed: int) -> Said:
    """Return the model's next message.

    Raises:
        AgentError: The model failed, was late, said nothing, or its filter held the answer back.
    """
    async with in_time(agent.name, agent.timeout_s, AgentError):
        try:
            completion = await agent.model.complete(
                messages,
                max_tokens=agent.max_tokens,
                temperature=agent.temperature,
                seed=child_seed(seed, "agent"),
            )
        except ModelError as error:
            raise AgentError(
                f"{agent.name}: the model {agent.model.name} failed: {one_line(error)}"
            ) from error
    if completion.finish_reason == "content_filter":
        raise AgentError(f"{agent.name}: the model {agent.model.name} held its answer back (content_filter)")
    if not completion.text.strip():
        raise AgentError(f"{agent.name}: the model {agent.model.name} said nothing")
    usage = Usage(
        input_tokens=completion.input_tokens,
        output_tokens=completion.output_tokens,
        seconds=completion.seconds,
        cost_usd=completion.cost_usd,
    )
    return Said(completion.text.strip(), usage)
