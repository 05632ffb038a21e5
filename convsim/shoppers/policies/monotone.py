"""In which features people's decisions rise or fall: stated beforehand, tested on the people who are learned from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np

from convsim.schema.arrays import BoolArray
from convsim.schema.record import Count, Flag, Name, Number, Record
from convsim.shoppers.policies.features import FEATURES
from convsim.shoppers.policies.table import Table
from convsim.stats.rank_correlation import Ranked, rank_correlation

Part = Literal["end", "accept"]
ALPHA = 0.05
"""One-sided, of each direction by itself: what people do not show is not held against the policy."""
STATED: Mapping[Part, Mapping[str, Literal[1, -1]]] = {
    "end": {
        "complaints": 1,
        "reply_repeated": 1,
        "replies_empty": 1,
        "said_thanks": 1,
        "said_taking": 1,
        "said_giving_up": 1,
    },
    "accept": {
        "fit_best": 1,
        "need_in_items": 1,
        "said_taking": 1,
        "limits_broken": -1,
        "price_to_budget": -1,
        "complaints": -1,
        "said_complaint": -1,
        "said_giving_up": -1,
        "reply_repeated": -1,
        "replies_empty": -1,
    },
}
"""By part of the policy and feature: whether its probability rises (1) or falls (-1), all else being as it is."""


class Direction(Record):
    """Whether people decide in one direction of a feature; if so the policy may not decide in the other."""

    part: Part
    feature: Name
    sign: Literal[1, -1]
    correlation: Number | None = None
    """Spearman's; null where the feature or the decision does not vary."""
    p_value: Number | None = None
    """Of H0 "no correlation, or one of the other sign"; users are the units."""
    n: Count = 0
    """Points at which the feature is known."""
    constrained: Flag = False


def direction_shown(
    part: Part, feature: str, sign: Literal[1, -1], *, table: Table, happened: BoolArray
) -> Direction:
    """Ask whether a decision rises, or falls, with a feature.

    Args:
        part: What is decided.
        feature: By its name.
        sign: The direction.
        table: The points.
        happened: Shape (points,): whether it was decided so.

    Source:
        ``rank_correlation``; its error from what each user adds to it (Liang and Zeger, 1986).
    """
    from scipy.stats import t

    values = table.features[:, [*FEATURES].index(feature)]
    known = ~np.isnan(values)
    values, outcome = values[known], happened[known].astype(np.float64)
    bare = Direction(part=part, feature=feature, sign=sign, n=int(known.sum()))
    unit_of = np.unique(table.units[known], return_inverse=True)[1].ravel()
    n_units = int(unit_of.max(initial=-1)) + 1
    if n_units < 2 or len(np.unique(values)) < 2 or len(np.unique(outcome)) < 2:
        return bare
    correlation, influence = rank_correlation(Ranked.of(values), Ranked.of(outcome))
    of_units = np.bincount(unit_of, influence) / len(values)
    error = math.sqrt(n_units / (n_units - 1) * float(of_units @ of_units))
    if not error > 0:
        return bare
    p_value = float(t.sf(sign * correlation / error, n_units - 1))
    return bare.but(correlation=correlation, p_value=p_value, constrained=p_value <= ALPHA)


def held_of(directions: Iterable[Direction]) -> frozenset[str]:
    """Return the features of which some part of a policy holds the direction."""
    return frozenset(direction.feature for direction in directions if direction.constrained)
