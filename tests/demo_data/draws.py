"""Seeded draws that come out the same on every platform and every Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import TypeVar

from convsim.seeds import child_seed

T = TypeVar("T")


class Draws:
    """One stream of draws, named below a seed.

    Only ``Random.random`` is used, which Python promises never to change: the committed demo data must come
    out byte for byte.
    """

    def __init__(self, seed: int, *names: str | int) -> None:
        self.unit = Random(child_seed(seed, *names)).random
        """Draw a number from 0 to 1."""

    def chance(self, probability: float) -> bool:
        """Tell whether something of that probability happens."""
        return self.unit() < probability

    def below(self, limit: int) -> int:
        """Draw a whole number from 0 to ``limit`` - 1."""
        return int(self.unit() * limit)

    def pick(self, options: Sequence[T]) -> T:
        """Pick one option, each as likely as the next."""
        return options[self.below(len(options))]

    def weighted(self, weights: Mapping[str, float]) -> str:
        """Pick one name, as likely as its weight."""
        point = self.unit() * sum(weights.values())
        for name, weight in weights.items():
            point -= weight
            if point < 0:
                return name
        return [name for name, weight in weights.items() if weight > 0][-1]

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """Pick ``count`` different options, or all where there are fewer, in a drawn order."""
        left = list(options)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]

    def noise(self) -> float:
        """Draw a number from -1 to 1, small ones more often."""
        return self.unit() + self.unit() - 1.0
