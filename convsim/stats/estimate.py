"""A number with its interval, or the reason why there is none."""

from __future__ import annotations

from convsim import schema


class Estimate(schema.Estimate):
    """A number with its 95 % interval; ``reason`` says why either is missing."""

    reason: str | None = None
