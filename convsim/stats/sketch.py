"""Quantiles of many amounts out of a small record that can be merged: logarithmic buckets of known relative error."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field, computed_field

from convsim.schema.record import Record, Spending, Tokens

RELATIVE_ERROR = 0.01
"""Of each quantile, at most."""
GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
"""How much wider than its lower end each bucket reaches."""
LEAST, MOST = 1e-6, 1e6
"""What lies beyond is counted with these: 1,383 buckets at most."""
LOWEST, HIGHEST = (math.ceil(math.log(amount) / math.log(GAMMA)) for amount in (LEAST, MOST))
"""The buckets of these."""
SHOWN = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
"""The quantiles that are written beside the buckets, for people to read."""


class Sketch(Record):
    """How amounts of at least 0, such as seconds, are distributed; equal whatever the order, and however it was merged.

    A bucket ``i`` counts amounts above ``GAMMA ** (i - 1)`` and up to ``GAMMA ** i``. ``p50``, ``p90`` and ``p99`` are
    written along, null where nothing was counted, and not read back.

    Source:
        Masson, Rim and Lee (2019), DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees,
        PVLDB 12(12), section 2. Ours collapses no buckets, since its range is bounded.
    """

    n: Tokens = 0
    total: Spending = 0.0
    max: Spending | None = None
    min: Spending | None = None
    buckets: dict[Annotated[int, Field(ge=LOWEST, le=HIGHEST)], Tokens] = Field(default_factory=dict)

    @classmethod
    def _with_unknown_keys(cls, data: dict[str, Any]) -> dict[str, Any]:
        return super()._with_unknown_keys({key: value for key, value in data.items() if key not in SHOWN})

    @computed_field  # type: ignore[prop-decorator]
    @property
    def p50(self) -> float | None:
        """The median."""
        return self.quantile(SHOWN["p50"])

    @computed_field  # type: ignore[prop-decorator]
    @property
    def p90(self) -> float | None:
        """What nine tenths lie below."""
        return self.quantile(SHOWN["p90"])

    @computed_field  # type: ignore[prop-decorator]
    @property
    def p99(self) -> float | None:
        """What 99 per cent lie below."""
        return self.quantile(SHOWN["p99"])

    def quantile(self, q: float) -> float | None:
        """Return the lower ``q`` quantile, within ``RELATIVE_ERROR`` of it from ``LEAST`` to ``MOST``; None of nothing.

        Raises:
            ValueError: ``q`` is outside 0 to 1.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"a quantile is from 0 to 1, but got {q}")
        if self.min is None or self.max is None:
            return None
        rank, seen = math.floor(q * (self.n - 1)), 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen > rank:
                return min(max(2 * GAMMA**bucket / (GAMMA + 1), self.min), self.max)
        return self.max

    @classmethod
    def merged(cls, sketches: Iterable[Sketch]) -> Sketch:
        """Return the sketch of all amounts together, as if they had been counted in one."""
        every = [each for each in sketches if each.n]
        counts: Counter[int] = Counter()
        for each in every:
            counts.update(each.buckets)
        return cls(
            n=sum(each.n for each in every),
            total=math.fsum(each.total for each in every),
            max=max((each.max for each in every if each.max is not None), default=None),
            min=min((each.min for each in every if each.min is not None), default=None),
            buckets=dict(sorted(counts.items())),
        )


@dataclass
class Sketching:
    """A sketch in the making."""

    total: float = 0.0
    least: float = math.inf
    most: float = 0.0
    counts: Counter[int] = field(default_factory=Counter)

    def add(self, amount: float) -> None:
        """Count one amount; one below 0, of a clock that was set back, is 0."""
        amount = max(0.0, amount)
        self.total += amount
        self.least, self.most = min(self.least, amount), max(self.most, amount)
        self.counts[math.ceil(math.log(min(max(amount, LEAST), MOST)) / math.log(GAMMA))] += 1

    @property
    def so_far(self) -> Sketch:
        """What has been counted."""
        n = self.counts.total()
        if not n:
            return Sketch()
        buckets = dict(sorted(self.counts.items()))
        return Sketch(n=n, total=self.total, max=self.most, min=self.least, buckets=buckets)
