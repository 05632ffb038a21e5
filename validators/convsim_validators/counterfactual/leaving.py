"""After which replies users could leave, and after which they did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from convsim.schema.conversation import Conversation, Ending, Turn
from convsim.stats.discriminator import BoolArray
from convsim.stats.resampling import IntArray

Event = Literal["left", "ended"]
CHOSEN: dict[Event, frozenset[Ending]] = {
    "left": frozenset({"left", "accepted"}),
    "ended": frozenset({"left", "accepted", "unknown"}),
}
"""Endings that are the user's answer to the last reply."""
COUNTED: dict[Event, frozenset[Ending]] = {"left": frozenset({"left"}), "ended": CHOSEN["ended"]}
UNKNOWN_SHARE = 0.5
"""Where more than this share of either side's endings is unknown, leaving cannot be told from accepting."""


@dataclass(frozen=True)
class Leaving:
    """The replies of one side's conversations, in flat columns; one row a reply after which the user could leave."""

    conversation_of: IntArray
    """Shape (replies,): index into the conversations."""
    turn: IntArray
    """Shape (replies,): 0 for the first turn."""
    event: BoolArray
    """Shape (replies,): whether the user left after it."""
    faulty: BoolArray
    """Shape (replies,): whether some fault acted on it."""

    @classmethod
    def of(cls, conversations: Sequence[Conversation], event: Event) -> Leaving:
        """Lay the replies of conversations flat."""
        owners: list[int] = []
        turns: list[int] = []
        events: list[bool] = []
        faulty: list[bool] = []
        for index, conversation in enumerate(conversations):
            answered = _met(conversation, event)
            owners += [index] * len(answered)
            turns += range(len(answered))
            faulty += map(_fault_acted, answered)
            if answered:
                events += [False] * (len(answered) - 1)
                events.append(conversation.ending in COUNTED[event])
        return cls(
            np.asarray(owners, np.int64),
            np.asarray(turns, np.int64),
            np.asarray(events, bool),
            np.asarray(faulty, bool),
        )


def event_to_count(*sides: Sequence[Conversation]) -> Event:
    """Choose what counts: leaving, or any end by the user where a side's endings are mostly unknown."""
    for side in sides:
        if sum(conversation.ending == "unknown" for conversation in side) > UNKNOWN_SHARE * len(side):
            return "ended"
    return "left"


def _met(conversation: Conversation, event: Event) -> list[Turn]:
    """Return the answered turns after whose reply the user chose whether to stay.

    Where the limit or the agent ended the conversation right after a reply, the user was never asked; where the ending
    is unknown, so is the answer to the last reply.
    """
    turns = list(conversation.turns())
    answered = [turn for turn in turns if turn.assistant]
    went_on = bool(turns) and not turns[-1].assistant and conversation.ending != "unknown"
    return answered if conversation.ending in CHOSEN[event] or went_on else answered[:-1]


def _fault_acted(turn: Turn) -> bool:
    return any(fault.acted for message in turn.assistant for fault in message.faults)
