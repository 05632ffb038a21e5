"""Checks an agent's settings before anything is started or sent."""

from __future__ import annotations

from convsim.errors import InputError

MAX_TIMEOUT_S = 86_400.0


def check_timeout(agent: str, value: object) -> None:
    """Check ``timeout_s``: seconds, more than none and at most a day; raises InputError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_TIMEOUT_S:
        raise InputError(
            f"{agent}: timeout_s must be seconds above 0, up to {MAX_TIMEOUT_S:g}, but is {value!r}"
        )


def check_whole(agent: str, setting: str, value: object, *, low: int, high: int) -> None:
    """Check that a setting is a whole number from ``low`` to ``high``; raises InputError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{agent}: {setting} must be a whole number from {low} to {high}, but is {value!r}")
