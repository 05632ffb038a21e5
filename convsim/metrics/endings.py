"""How conversations ended: the arithmetic that the metrics of one ending have in common."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from convsim.schema import Columns
from convsim.schema.conversation import Ending

if TYPE_CHECKING:
    from convsim.schema.columns import FloatArray

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
