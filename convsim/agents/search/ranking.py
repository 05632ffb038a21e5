"""Which items to show: those that meet every wish, or else the nearest, but never what was refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from convsim.agents.search.shelf import Shelf
from convsim.agents.search.wishes import Facet, Wishes
from convsim.schema.catalogue import CatalogueItem
from convsim.text.folding import phrase_in

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

HARD: tuple[Facet, ...] = ("kind", "category", "sizes", "colors", "material")
"""What an item must meet to fit, beside the price."""
WEIGHTS = {"kind": 10, "category": 10, "sizes": 2, "price": 2, "colors": 1, "material": 1}
"""How heavily what is not met counts against an item that is only near."""
OTHER_KIND = 10
"""Counts from here on mean something else than was asked for; shown only where nothing nearer is left."""
SOFT: dict[Facet, float] = {"occasion": 0.5, "brand": 0.5}
"""What only lifts an item, in units of the best text match: an occasion names one use of many."""


@dataclass(frozen=True)
class Found:
    """What a search found, the best first; ``unmet`` is what the first item misses, such as "price"."""

    items: tuple[CatalogueItem, ...]
    unmet: tuple[str, ...] = ()
    n_fitting: int = 0


def find(shelf: Shelf, wishes: Wishes, n: int) -> Found:
    """Return at most ``n`` items for ``wishes``; ties keep the catalogue's order.

    Nothing is found where nothing was asked for that the catalogue knows.
    """
    import numpy as np

    relevance = shelf.relevance(wishes.words)
    if not wishes.known and not wishes.judgements and not relevance.any():
        return Found(())
    score = relevance + _lift(shelf, wishes) - _excess(shelf, wishes)
    unmet = _unmet(shelf, wishes)
    broken = np.zeros(len(shelf.catalogue))
    for name, mask in unmet.items():
        broken += WEIGHTS[name] * mask
    rows = np.flatnonzero(_allowed(shelf, wishes))
    n_fitting = int((broken[rows] == 0).sum())
    nearest = float(broken[rows].min(initial=np.inf))
    rows = rows[broken[rows] <= (0 if n_fitting else max(nearest, OTHER_KIND - 1))]
    best = rows[np.lexsort((rows, -score[rows], broken[rows]))][:n]
    missing = tuple(name for name, mask in unmet.items() if len(best) and mask[best[0]])
    return Found(tuple(shelf.catalogue.items[row] for row in best), missing, n_fitting)


def _unmet(shelf: Shelf, wishes: Wishes) -> dict[str, npt.NDArray[np.bool_]]:
    """Return, for each thing that an item must meet, which items do not."""
    import numpy as np

    unmet: dict[str, npt.NDArray[np.bool_]] = {
        facet: ~np.logical_or.reduce([shelf.having(facet, wish.phrase) for wish in wishes.wanted[facet]])
        for facet in HARD
        if facet in wishes.wanted
    }
    if not wishes.budget:
        return unmet
    floor, ceiling = wishes.budget.floor, wishes.budget.ceiling
    suits = np.isfinite(shelf.prices)
    if floor is not None:
        suits &= shelf.prices >= floor
    if ceiling is not None:
        suits &= (shelf.prices < ceiling) if wishes.budget.below else (shelf.prices <= ceiling)
    return {**unmet, "price": ~suits}


def _allowed(shelf: Shelf, wishes: Wishes) -> npt.NDArray[np.bool_]:
    """Return which items were neither refused nor set aside.

    A later wish lifts a refusal only where it names the very thing or a narrower one: "no leather" holds
    against "brown", but not against "vegan leather".
    """
    import numpy as np

    allowed = np.ones(len(shelf.catalogue), dtype=bool)
    said = wishes.judgements
    refused = {
        (judgement.facet, judgement.phrase): at for at, judgement in enumerate(said) if not judgement.wanted
    }
    wanted = {
        (judgement.facet, judgement.phrase): at for at, judgement in enumerate(said) if judgement.wanted
    }
    for (facet, phrase), at in refused.items():
        barred = shelf.having(facet, phrase).copy()
        for (other, narrower), later in wanted.items():
            if later > at and other == facet and phrase_in(phrase, narrower):
                barred &= ~shelf.having(facet, narrower)
        allowed &= ~barred
    allowed[[row for item in wishes.set_aside if (row := shelf.row_of.get(item)) is not None]] = False
    return allowed


def _lift(shelf: Shelf, wishes: Wishes) -> npt.NDArray[np.float64]:
    import numpy as np

    lift = np.zeros(len(shelf.catalogue))
    for facet, weight in SOFT.items():
        for wish in wishes.wanted.get(facet, ()):
            lift += weight * shelf.having(facet, wish.phrase)
    return lift


def _excess(shelf: Shelf, wishes: Wishes) -> npt.NDArray[np.float64]:
    """Return by what share of the ceiling each price lies above it, at most 1; unknown prices count as 1."""
    import numpy as np

    if not wishes.budget.ceiling:
        return np.zeros(len(shelf.catalogue))
    above = np.nan_to_num((shelf.prices - wishes.budget.ceiling) / wishes.budget.ceiling, nan=1.0)
    return np.clip(above, 0.0, 1.0)
