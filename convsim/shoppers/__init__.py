"""Simulated shoppers."""

from convsim.shoppers.icl import ICL
from convsim.shoppers.prompted import Prompted
from convsim.shoppers.replay import Replay
from convsim.shoppers.resample import Resample

__all__ = ["ICL", "Prompted", "Replay", "Resample"]
