"""Checks a shopper's settings when it is made, before anything is asked."""

from __future__ import annotations

from convsim.errors import InputError


def check_whole(shopper: str, setting: str, value: object, *, low: int) -> None:
    """Check that a setting is a whole number from ``low``; raises InputError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise InputError(f"{shopper}: {setting} must be a whole number from {low}, but is {value!r}")


def check_temperature(shopper: str, value: object) -> None:
    """Check that a temperature is a number from 0; raises InputError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise InputError(f"{shopper}: temperature must be a number from 0, but is {value!r}")
