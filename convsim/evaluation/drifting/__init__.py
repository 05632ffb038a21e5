"""Whether people of an earlier time still stand for those of a later one."""

from convsim.evaluation.drifting.drift import adrift, drift
from convsim.evaluation.drifting.record import Drift

__all__ = ["Drift", "adrift", "drift"]
