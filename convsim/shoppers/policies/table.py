"""Decision points as arrays, and the scales that features are brought to before anything is learned from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.schema.record import Name, Number, Record
from convsim.shoppers.policies.features import FEATURES, features_of
from convsim.shoppers.policies.histories import Histories
from convsim.shoppers.policies.points import Point

GO_ON, ACCEPT, LEAVE, END = range(4)
MOVES = ("say", "accept", "leave", "end")
MISSING = " missing"
"""Ends the name of a column that says that a feature cannot be told."""
TINY = 1e-12
"""A standard deviation below is none."""


@dataclass(frozen=True)
class Table:
    """Decision points, what could be seen at each, and what was done there."""

    points: Sequence[Point]
    features: FloatArray
    """Shape (points, features); NaN where a feature cannot be told."""
    moves: IntArray
    """Shape (points,): places in ``MOVES``."""
    units: IntArray
    """Shape (points,): the user, numbered from 0."""
    histories: Histories | None = None
    """What led to each point; None where nothing is asked of that."""

    @classmethod
    def of(cls, points: Sequence[Point], language: str | None, *, histories: bool = False) -> Table:
        """Look at each point, and at what led to it where ``histories`` are asked for, by a language's word lists."""
        known: dict[str, int] = {}
        units = np.asarray([known.setdefault(p.unit, len(known)) for p in points], np.int64)
        features = [features_of(p.seen, p.persona, language) for p in points]
        moves = np.asarray([MOVES.index(p.move) for p in points], np.int64)
        return cls(
            points,
            np.asarray(features).reshape(len(points), len(FEATURES)),
            moves,
            units,
            Histories.of(points, language) if histories else None,
        )

    def take(self, rows: IntArray) -> Table:
        """Return some of the points."""
        return Table(
            [self.points[row] for row in rows],
            self.features[rows],
            self.moves[rows],
            self.units[rows],
            None if self.histories is None else self.histories.take(rows),
        )

    @property
    def ended(self) -> BoolArray:
        """Shape (points,): where the person did not go on."""
        return np.asarray(self.moves != GO_ON)

    @property
    def turns(self) -> IntArray:
        """Shape (points,)."""
        return np.asarray([p.turn for p in self.points], np.int64)

    @property
    def n_units(self) -> int:
        """How many users there are."""
        return len(np.unique(self.units))


class Feature(Record):
    """One feature as it was where a policy was learned."""

    name: Name
    mean: Number
    scale: Number
    low: Number
    high: Number
    """What is below ``low`` or above ``high``, the least and most that was met, is taken for that."""
    sometimes_missing: bool
    """Whether it could not be told at some point: then it has a column that says so."""


@dataclass(frozen=True)
class Columns:
    """The features that vary, and how each becomes columns."""

    features: tuple[Feature, ...]

    @classmethod
    def of(cls, table: Table) -> Columns:
        """Keep the features that are not the same, or missing, at every point."""
        found = []
        for name, values in zip(FEATURES, table.features.T, strict=True):
            known = values[~np.isnan(values)]
            is_missing = len(known) < len(values)
            if not len(known) or (np.ptp(known) < TINY and not is_missing):
                continue
            spread = float(known.std())
            found.append(
                Feature(
                    name=name, mean=float(known.mean()), scale=spread if spread > TINY else 1.0,
                    low=float(known.min()), high=float(known.max()), sometimes_missing=is_missing,
                )
            )  # fmt: skip
        return cls(tuple(found))

    @property
    def dropped(self) -> tuple[str, ...]:
        """Names of the features that never vary."""
        kept = {feature.name for feature in self.features}
        return tuple(name for name in FEATURES if name not in kept)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the standardised columns."""
        missing = (f"{f.name}{MISSING}" for f in self.features if f.sometimes_missing)
        return (*(f.name for f in self.features), *missing)

    def within(self, features: FloatArray) -> FloatArray:
        """Return the features that vary, within the range that was met; shape (points, kept)."""
        places = [*FEATURES]
        kept = features[:, [places.index(f.name) for f in self.features]]
        low, high = (np.asarray([getattr(f, side) for f in self.features]) for side in ("low", "high"))
        return np.asarray(np.clip(kept, low, high))

    def standardised(self, features: FloatArray) -> FloatArray:
        """Return columns of mean 0 and deviation 1, 0 where missing, and those that say what is missing.

        Shape (points, ``names``).
        """
        kept = self.within(features)
        mean, scale = (np.asarray([getattr(f, side) for f in self.features]) for side in ("mean", "scale"))
        missing = np.isnan(kept)
        told = np.where(missing, 0.0, (kept - mean) / scale)
        sometimes = [f.sometimes_missing for f in self.features]
        return np.concatenate([told, missing[:, sometimes].astype(np.float64)], axis=1)
