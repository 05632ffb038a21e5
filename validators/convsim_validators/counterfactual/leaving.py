"""How often users leave after a reply: counts by arm, turn and whether a fault acted, with their resamples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import JsonValue

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.schema.conversation import Conversation, Ending, Turn
from convsim.stats.ecdf import Cells
from convsim.stats.survival import survival
from convsim_validators.counterfactual.two_arm import ArmSide

Event = Literal["left", "ended"]
CHOSEN: dict[Event, frozenset[Ending]] = {
    "left": frozenset({"left", "accepted"}),
    "ended": frozenset({"left", "accepted", "unknown"}),
}
"""Endings that are the user's answer to the last reply."""
COUNTED: dict[Event, frozenset[Ending]] = {"left": frozenset({"left"}), "ended": CHOSEN["ended"]}
UNKNOWN_SHARE = 0.5
"""Where more than this proportion of either side's endings is unknown, leaving cannot be told from accepting."""


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


MAX_TURNS = 40
"""Turns of a curve; hazards count later ones too."""
CONTROL, TREATED = 0, 1
BARE, FAULTY = 0, 1
STAYED, LEFT = 0, 1


@dataclass(frozen=True)
class Hazard:
    """Departures per turn at risk."""

    counts: FloatArray
    """Shape (outcomes, 1 + replicates), the first as observed."""

    @property
    def events(self) -> int:
        """Departures."""
        return int(self.counts[LEFT, 0])

    @property
    def at_risk(self) -> int:
        """Replies after which the user could leave."""
        return int(self.counts[:, 0].sum())

    def describe(self) -> JsonValue:
        """Return counts, hazard and 95 % interval; null where nothing was at risk."""
        hazards = ratio_of(self.counts)
        known = hazards[1:][~np.isnan(hazards[1:])]
        return {
            "events": self.events,
            "at_risk": self.at_risk,
            "hazard": float(hazards[0]) if self.at_risk else None,
            "interval": np.quantile(known, [0.025, 0.975]).tolist() if len(known) else None,
        }


@dataclass(frozen=True)
class Hazards:
    """One side's replies, counted by arm, turn, fault and outcome."""

    counts: FloatArray
    """Shape (arms, turns, faults, outcomes, 1 + replicates), the first replicate as observed; the last turn holds all
    beyond ``MAX_TURNS``."""

    @classmethod
    def of(cls, leaving: Leaving, side: ArmSide) -> Hazards:
        """Count the replies of a side's conversations under each of its draws."""
        turn = np.minimum(leaving.turn, MAX_TURNS)
        shape = (2, int(turn.max(initial=0)) + 1, 2, 2)
        owner = leaving.conversation_of
        where = (side.arm_of[owner], turn, leaving.faulty.astype(np.int64), leaving.event.astype(np.int64))
        cells = Cells.of(
            np.ravel_multi_index(where, shape),
            side.unit_of[owner],
            n_cells=int(np.prod(shape)),
            n_units=len(side.weights),
        )
        counted = np.asarray(cells.by_unit @ side.weights, np.float64)
        return cls(counted.reshape(*shape, -1))

    def of_arm(self, arm: int) -> Hazard:
        """Return the hazard in one arm."""
        return Hazard(self.counts[arm].sum(axis=(0, 1)))

    def after(self, fault: int) -> Hazard:
        """Return the hazard within the treated arm after replies on which a fault acted, or none did."""
        return Hazard(self.counts[TREATED, :, fault].sum(axis=0))

    def curve(self, arm: int) -> list[JsonValue]:
        """Return the Kaplan-Meier curve of one arm, turn by turn as long as anybody is at risk."""
        counts = self.counts[arm, :MAX_TURNS].sum(axis=1)
        at_risk, events = counts.sum(axis=1), counts[:, LEFT]
        stays = survival(at_risk, events)
        low, high = np.quantile(stays[:, 1:], [0.025, 0.975], axis=1)
        return [
            {
                "turn": turn + 1,
                "at_risk": int(at_risk[turn, 0]),
                "events": int(events[turn, 0]),
                "survival": float(stays[turn, 0]),
                "interval": [float(low[turn]), float(high[turn])],
            }
            for turn in range(len(at_risk))
            if at_risk[turn, 0]
        ]


def ratio_of(counts: FloatArray) -> FloatArray:
    """Return departures per turn at risk for counts of shape (outcomes, ...); NaN where nothing is at risk."""
    at_risk = counts.sum(axis=0)
    hazards: FloatArray = np.divide(
        counts[LEFT], at_risk, out=np.full_like(at_risk, np.nan), where=at_risk > 0
    )
    return hazards
