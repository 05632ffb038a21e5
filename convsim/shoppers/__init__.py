"""Simulated shoppers."""

from convsim.shoppers.finetuned import SFT
from convsim.shoppers.hybrid import Hybrid
from convsim.shoppers.icl import ICL
from convsim.shoppers.presets import CUE, Ditto, OSim, UserLM
from convsim.shoppers.prompted import Prompted
from convsim.shoppers.python import PythonShopper
from convsim.shoppers.replay import Replay
from convsim.shoppers.resample import Resample

__all__ = [
    "CUE",
    "ICL",
    "SFT",
    "Ditto",
    "Hybrid",
    "OSim",
    "Prompted",
    "PythonShopper",
    "Replay",
    "Resample",
    "UserLM",
]
