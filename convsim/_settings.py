"""Checks a plugin's settings when it is made, before anything is started or sent."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, get_type_hints

from pydantic import TypeAdapter, ValidationError

from convsim.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

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


def check_settings(model: DataclassInstance) -> None:
    """Compare each field that a caller may set with its annotation.

    Raises:
        InputError: Names the setting, what was found and what was expected.
    """
    hints = get_type_hints(type(model), include_extras=True)
    for field in fields(model):
        if not field.init:
            continue
        value = getattr(model, field.name)
        try:
            TypeAdapter(hints[field.name]).validate_python(value, strict=True)
        except ValidationError as error:
            expected = error.errors()[0]["msg"]
            kind = type(model).__name__
            raise InputError(f"{kind}: {field.name} = {value!r} cannot be used: {expected}") from None


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
