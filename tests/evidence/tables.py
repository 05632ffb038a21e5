"""Tables and proportions of the page, and rows by what was asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from convsim.stats.proportions import wilson_limits

Z = 1.96


def as_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def in_how_many(happened: Sequence[bool]) -> str:
    """Say in how many of the runs something happened, with Wilson's 95 % interval of the proportion."""
    n, k = len(happened), sum(happened)
    low, high = proportion_limits(k, n)
    return f"{k} of {n} [{low:.2f}, {high:.2f}]"


def proportion_limits(k: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of the proportion ``k`` of ``n``."""
    low, high = (float(limit) for limit in wilson_limits(np.asarray(k / n), np.asarray(n), Z))
    return max(0.0, low), high


def with_interval(measured: Mapping[str, Any]) -> str:
    """Write an estimate and its interval, where there are any."""
    if measured["estimate"] is None:
        return "-"
    if measured["interval"] is None:
        return f"{measured['estimate']:.3f}"
    low, high = measured["interval"]
    return f"{measured['estimate']:.2f} [{low:.2f}, {high:.2f}]"


def by(rows: Iterable[dict[str, Any]], *names: str) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """Return what was found, by what was asked under these names."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[tuple(row["asked"][name] for name in names)].append(row["found"])
    return groups
