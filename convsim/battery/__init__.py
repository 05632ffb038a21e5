"""Comparisons: two sides of conversations in, a scorecard out."""

from convsim.battery.comparison import find_validators, validate
from convsim.battery.scorecard import FailOn, Scorecard, SideSummary

__all__ = ["FailOn", "Scorecard", "SideSummary", "find_validators", "validate"]
