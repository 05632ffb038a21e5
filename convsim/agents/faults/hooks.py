"""Where a fault takes hold of a reply: in what the agent hears, in what it answers, or in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from convsim.agents.faults.draws import Draws
from convsim.agents.faults.heard import Heard
from convsim.agents.faults.stock import Stock
from convsim.schema.conversation import Conversation
from convsim.schema.protocols import AgentReply

REPLY = "reply"
"""The unit of a fault that a whole reply has or has not."""
NOT_DRAWN = "not drawn for this reply"
MAX_LISTED = 12
"""How many words or items a record names."""

T = TypeVar("T")


@dataclass(frozen=True)
class Scene:
    """One reply that a fault may degrade: the conversation as it was held, the shop's stock, the fault's draws."""

    conversation: Conversation
    stock: Stock | None
    draws: Draws


@dataclass(frozen=True)
class Draft:
    """A reply on its way; ``own_words`` is false once a fault has put other words in the place of the agent's."""

    reply: AgentReply
    own_words: bool = True


class Done(NamedTuple, Generic[T]):
    """What came of a fault, and what it did, in words for its record."""

    result: T
    detail: str


class NotDone(NamedTuple):
    """Why a fault left everything as it was."""

    reason: str


@dataclass(frozen=True)
class Hearing:
    """A fault of what the agent hears, so that what it says stays true of what it shows."""

    name: str
    unit: str
    alter: Callable[[Heard, Scene], Done[Heard] | NotDone]


@dataclass(frozen=True)
class Answering:
    """A fault of what the agent answered."""

    name: str
    unit: str
    alter: Callable[[Draft, Scene], Done[Draft] | NotDone]


@dataclass(frozen=True)
class Silencing:
    """A fault that answers in the agent's place, which is not asked."""

    name: str
    unit: str
    answer: Callable[[Scene], Done[AgentReply]]


AnyFault = Hearing | Answering | Silencing


def listed(parts: list[str], *, separator: str = ", ") -> str:
    """Name the first parts of a list, and how many more there are."""
    more = f" and {len(parts) - MAX_LISTED} more" if len(parts) > MAX_LISTED else ""
    return separator.join(parts[:MAX_LISTED]) + more
