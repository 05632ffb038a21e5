"""Holds conversations."""

from convsim.engine.exchange import hold, reply_of
from convsim.engine.planned import Arm, Planned
from convsim.engine.runner import Limits, Progress, hold_all

__all__ = ["Arm", "Limits", "Planned", "Progress", "hold", "hold_all", "reply_of"]
