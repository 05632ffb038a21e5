"""The proportion of users who have not left after so many of the agent's replies."""

from __future__ import annotations

import numpy as np

from convsim.schema.arrays import FloatArray


def survival(at_risk: FloatArray, events: FloatArray) -> FloatArray:
    """Return the Kaplan-Meier estimate after each turn.

    Those who were censored are taken to leave later as the others did; where leaving competes with accepting, the curve
    is that of a world in which nobody accepts.

    Args:
        at_risk: Shape (turns, ...): users who got a reply in that turn and could leave after it.
        events: Shape (turns, ...): how many of them did.

    Returns:
        Shape (turns, ...), from 1 down to 0. A turn in which nobody is at risk leaves the curve where it was.

    Source:
        Kaplan and Meier (1958), Nonparametric estimation from incomplete observations, JASA 53, in discrete time.
    """
    hazards = np.divide(events, at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)
    curve: FloatArray = np.cumprod(1 - hazards, axis=0)
    return curve
