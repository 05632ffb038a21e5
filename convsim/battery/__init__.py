"""Comparisons: sides of conversations in, a scorecard out."""

from convsim.battery.comparison import avalidate, default_validators, find_validators, validate
from convsim.battery.counterfactual import check_relations, counterfactual, dose_response
from convsim.battery.scorecard import FailOn, Scorecard, SideSummary
from convsim.battery.severity_zero import check_severity_zero
from convsim.battery.side_by_side import Comparison, compare

__all__ = [
    "Comparison",
    "FailOn",
    "Scorecard",
    "SideSummary",
    "avalidate",
    "check_relations",
    "check_severity_zero",
    "compare",
    "counterfactual",
    "default_validators",
    "dose_response",
    "find_validators",
    "validate",
]
