"""Metrics of the outcome: how a conversation ended."""

from __future__ import annotations

from functools import partial
from math import nan
from typing import TYPE_CHECKING

from convsim.schema import Columns, Metric
from convsim.schema.conversation import Ending

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

KNOWN: frozenset[Ending] = frozenset({"accepted", "left", "agent_ended", "turn_limit"})
"""The endings that say what the user did: broken conversations and unknown endings do not."""


def ended(columns: Columns, *, ending: Ending) -> FloatArray:
    """1 where a conversation ended so, 0 where it ended otherwise, NaN where the ending tells nothing; shape (n,)."""
    import numpy as np

    return np.fromiter(
        (float(c.ending == ending) if c.ending in KNOWN else nan for c in columns.conversations),
        np.float64,
        columns.n,
    )


ACCEPTED = Metric(
    name="accepted",
    unit="proportion of conversations",
    level="conversation",
    description=(
        "1 if the conversation ended with an item accepted, 0 if the user left, the agent ended it or the turns ran "
        "out; undefined where the ending is unknown or a side failed."
    ),
    source="convsim: the recorded ending, no reading of the text.",
    measure=partial(ended, ending="accepted"),
)


LEFT = Metric(
    name="left",
    unit="proportion of conversations",
    level="conversation",
    description=(
        "1 if the user left without an item, 0 if they accepted one, the agent ended the conversation or the turns "
        "ran out; undefined where the ending is unknown or a side failed."
    ),
    source="convsim: the recorded ending, no reading of the text.",
    measure=partial(ended, ending="left"),
)
