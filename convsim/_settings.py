"""Checks a plugin's settings when it is made, before anything is started or sent."""

from __future__ import annotations

from convsim.errors import InputError

MAX_TIMEOUT_S = 86_400.0


def check_timeout(owner: str, value: object) -> None:
    """Check ``timeout_s``: seconds, more than none and at most a day; raises InputError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_TIMEOUT_S:
        raise InputError(
            f"{owner}: timeout_s must be seconds above 0, up to {MAX_TIMEOUT_S:g}, but is {value!r}"
        )


def check_whole(owner: str, setting: str, value: object, *, low: int, high: int | None = None) -> None:
    """Check that a setting is a whole number from ``low`` to ``high``; raises InputError."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int)
        or value < low
        or (high is not None and value > high)
    ):
        upwards = "" if high is None else f" to {high}"
        raise InputError(f"{owner}: {setting} must be a whole number from {low}{upwards}, but is {value!r}")


def check_temperature(owner: str, value: object) -> None:
    """Check that a temperature is a number from 0; raises InputError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise InputError(f"{owner}: temperature must be a number from 0, but is {value!r}")


def check_top_p(owner: str, value: object) -> None:
    """Check that ``top_p`` is a number above 0 and at most 1; raises InputError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise InputError(f"{owner}: top_p must be a number above 0, up to 1, but is {value!r}")
