"""Experiment trackers: what was found, logged where a team keeps its experiments."""

from convsim.tracking.loggers import Tracker, check_tracker, log_to

__all__ = ["Tracker", "check_tracker", "log_to"]
