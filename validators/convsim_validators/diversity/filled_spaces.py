"""Precision, recall, density and coverage of a space, against people and of people against people: shown, not asked."""

from __future__ import annotations

import numpy as np
from pydantic import JsonValue

from convsim.seeds import generator
from convsim.stats.crowds import Crowds
from convsim.stats.manifolds import Filled, Space
from convsim_validators.diversity.points import Points

N_PAIRS = 10
MAX_UNITS = 500
"""Of each crowd of a pair: the numbers hardly depend on more, and all pairs of distances are looked at."""


def filled_spaces(points: Points, space: Space, *, seed: int) -> dict[str, JsonValue]:
    """Return by name both levels, people's own being the human baseline, and how many units stood on either side."""
    is_real = points.units.is_real
    n = min(int(is_real.sum()) // 2, int((~is_real).sum()), MAX_UNITS)
    pairs = Crowds.of_equal_size(is_real, n, N_PAIRS, generator(seed, "diversity", "filled"))
    simulated, people = (np.mean(space.filled(pair), axis=0) for pair in pairs)
    levels: dict[str, JsonValue] = {
        name: {"real": float(people[place]), "simulated": float(simulated[place])}
        for place, name in enumerate(Filled._fields)
    }
    return {"spaces": levels, "n_units_of_each": n}
