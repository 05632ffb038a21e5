"""Settings of validators, checked before anything is computed."""

from __future__ import annotations

from convsim.errors import InputError

RESAMPLES = (9, 100_000)
"""Fewer give no p-value worth the name; more do not fit into memory."""


def check_margin(setting: str, value: object, *, low: float, high: float) -> None:
    """Check that a margin is a number from ``low`` to ``high``; raises InputError."""
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        return
    raise InputError(f"{setting} must be a number from {low:g} to {high:g}, but is {repr(value)[:40]}")


def check_resamples(setting: str, value: object) -> None:
    """Check that a number of resamples is whole and within ``RESAMPLES``; raises InputError."""
    low, high = RESAMPLES
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return
    raise InputError(f"{setting} must be a whole number from {low} to {high}, but is {repr(value)[:40]}")
