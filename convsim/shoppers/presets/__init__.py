"""Shoppers that others trained, asked as their authors document it."""

from convsim.shoppers.presets.cue import CUE
from convsim.shoppers.presets.role_players import Ditto, OSim
from convsim.shoppers.presets.userlm import UserLM

__all__ = ["CUE", "Ditto", "OSim", "UserLM"]
