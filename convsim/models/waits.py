"""How long a server asks to wait: by its headers, by a field of its answer, or in its words."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from email.utils import mktime_tz, parsedate_tz

from convsim._text import MAX_READ

UNITS = {"ms": 0.001, "milli": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
"""Seconds of a unit, by how its name begins; the longest beginning counts."""
AMOUNT = (
    r"\d{1,9}(?:\.\d{1,9})?\s?"
    r"(?:milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h)(?![a-z])"
)
AMOUNTS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s?([a-z]+)")
IN_WORDS = re.compile(
    rf"\b(?:again|retry|retrying|retried|wait|available|resets?)\b[^.\d\n]{{0,40}}?(?P<time>{AMOUNT}(?:,?\s?(?:and\s)?{AMOUNT}){{0,3}})",
    re.IGNORECASE,
)
BARE = re.compile(r"\bretry[-_ ]?after\W{1,3}(?P<time>\d{1,9}(?:\.\d{1,9})?)(?![\w.])", re.IGNORECASE)
FIELD = re.compile(
    r"^retry[_-]?(?:after|delay|in)(?P<unit>[_-]?(?:ms|milliseconds|s|sec|seconds))?$", re.IGNORECASE
)
MAX_DEPTH = 8


def asked_wait(headers: Mapping[str, str], said: object = None) -> float | None:
    """Read the seconds to wait from ``retry-after-ms`` or ``retry-after``, a number or a date, or what was answered.

    Args:
        headers: Of the answer, by their names in lower case.
        said: The error that was answered, as JSON has it: ``{"retryDelay": "38s"}``, or "try again in 1m30s".

    Returns:
        Seconds, at least 0; None where no wait is stated.

    Source: RFC 9110, section 10.2.3; the milliseconds are OpenAI's own; ``retryDelay`` is google.rpc.RetryInfo's.
    """
    for name, divisor in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "nan")) / divisor
        except ValueError:
            date = parsedate_tz(headers[name])
            try:
                seconds = mktime_tz(date) - time.time() if date else math.nan
            except (ValueError, OverflowError):
                seconds = math.nan
        if not math.isnan(seconds):
            return max(0.0, seconds)
    return next((seconds for seconds in _said(said, 0)), None)


def _said(said: object, depth: int) -> Iterator[float]:
    """Yield the waits that are stated, those of fields first."""
    if isinstance(said, Mapping) and depth < MAX_DEPTH:
        for name, value in said.items():
            if isinstance(name, str) and (found := FIELD.match(name)):
                yield from _of_field(value, found["unit"])
        for value in said.values():
            yield from _said(value, depth + 1)
    elif isinstance(said, list | tuple) and depth < MAX_DEPTH:
        for value in said:
            yield from _said(value, depth + 1)
    elif isinstance(said, str):
        text = said[:MAX_READ]
        if found := IN_WORDS.search(text):
            yield _seconds(found["time"])
        elif found := BARE.search(text):
            yield float(found["time"])


def _of_field(value: object, unit: str | None) -> Iterator[float]:
    if isinstance(value, str) and AMOUNTS.search(value.lower()):
        yield _seconds(value)
        return
    try:
        seconds = (
            float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
        )
    except (ValueError, OverflowError):
        return
    if not math.isnan(seconds):
        yield max(0.0, seconds / (1000 if unit and unit.lstrip("_-").lower().startswith("m") else 1))


def _seconds(text: str) -> float:
    return sum(float(number) * _unit(name) for number, name in AMOUNTS.findall(text.lower()))


def _unit(name: str) -> float:
    known = [beginning for beginning in UNITS if name.startswith(beginning)]
    return UNITS[max(known, key=len)] if known else 1.0
