"""What findings keep of each conversation: its score, and how the control's scores lie."""

from __future__ import annotations

import numpy as np
from pydantic import JsonValue

from convsim.stats.discriminator import CrossFitted
from convsim_validators.humanlikeness.two_sample import Sides

MAX_SCORES = 20_000
"""Conversations of both sides up to which each one's score is kept."""
N_BINS = 20


def kept_scores(sides: Sides, fitted: CrossFitted, control: CrossFitted) -> dict[str, JsonValue]:
    """Return each conversation's probability of "human" by id, and the control's counts in 20 bins from 0 to 1."""
    probability = fitted.probability.tolist()
    n_real = len(sides.real)
    parts = {"real": (sides.real, probability[:n_real]), "simulated": (sides.simulated, probability[n_real:])}
    details: dict[str, JsonValue] = {}
    if len(probability) <= MAX_SCORES:
        details["conversation_scores"] = {
            name: {c.id: p for c, p in zip(side.conversations, scores, strict=True)}
            for name, (side, scores) in parts.items()
        }
    details["control_histogram"] = {
        half: np.histogram(control.probability[rows], N_BINS, (0, 1))[0].tolist()
        for half, rows in (("first", control.is_human), ("second", ~control.is_human))
    }
    return details
