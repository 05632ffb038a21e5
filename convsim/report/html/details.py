"""Reads a finding's details, which are JSON of any shape: a part that is not as expected is as if it were not there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from convsim.contracts import Finding

MAX_MAGNITUDE = 1e9
"""A larger number cannot be drawn beside others."""


def a_number(value: object) -> float | None:
    """Return a finite number that can be drawn, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and abs(value) <= MAX_MAGNITUDE else None


def an_interval(value: object) -> tuple[float, float] | None:
    """Return a pair of numbers in order, else None."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        return None
    low, high = a_number(value[0]), a_number(value[1])
    return (low, high) if low is not None and high is not None and low <= high else None


def an_object(value: object) -> Mapping[str, JsonValue]:
    """Return a JSON object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def a_list(value: object) -> Sequence[JsonValue]:
    """Return a JSON list, else an empty one."""
    return value if isinstance(value, list | tuple) else ()


def a_part(finding: Finding, *path: str) -> Mapping[str, JsonValue]:
    """Return the object at ``path`` in a finding's details, else an empty one."""
    found: object = finding.details
    for step in path:
        found = an_object(found).get(step)
    return an_object(found)


def all_numbers(values: object) -> list[float] | None:
    """Return a list of numbers, or None where any is missing."""
    found = [a_number(value) for value in a_list(values)]
    known = [value for value in found if value is not None]
    return known if known and len(known) == len(found) else None
