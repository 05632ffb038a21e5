"""A catalogue made ready to be searched: BM25 over its texts, and which items meet every wish."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from convsim.agents.search.preferences import Facet, Phrase, Wishes
from convsim.agents.search.vocabulary import ATTRIBUTES, Vocabulary, values_of
from convsim.schema.catalogue import Catalogue, CatalogueItem
from convsim.text.constraints import one_spelling
from convsim.text.english import english
from convsim.text.folding import phrase_in, words_of

if TYPE_CHECKING:
    import bm25s
    import numpy as np
    import numpy.typing as npt

TITLE_WEIGHT = 3
"""How often a title's words are counted for each time that a description's are."""
DECAY = 0.7
"""How much a message weighs against the one after it."""


@dataclass
class Shelf:
    """What a search needs of a catalogue; made at the first search, since a large one takes a second."""

    catalogue: Catalogue
    _masks: dict[tuple[Facet, Phrase], npt.NDArray[np.bool_]] = field(default_factory=dict, repr=False)
    _values: dict[Facet, list[str]] = field(default_factory=dict, repr=False)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words that the catalogue itself uses."""
        return Vocabulary.of(self.catalogue)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The place of each id in the catalogue."""
        return {item.id: row for row, item in enumerate(self.catalogue.items)}

    @cached_property
    def price_of(self) -> dict[str, float | None]:
        """The price of each id."""
        return {item.id: item.price for item in self.catalogue.items}

    @cached_property
    def prices(self) -> npt.NDArray[np.float64]:
        """Shape (n,): the prices in the catalogue's order, NaN where unknown."""
        import numpy as np

        return np.asarray([np.nan if item.price is None else item.price for item in self.catalogue.items])

    @cached_property
    def offered(self) -> frozenset[Facet]:
        """The facets that some item has a value of."""
        facets: tuple[Facet, ...] = (*ATTRIBUTES, "sizes")
        return frozenset(
            facet for facet in facets if any(values_of(item, facet) for item in self.catalogue.items)
        )

    def having(self, facet: Facet, phrase: Phrase) -> npt.NDArray[np.bool_]:
        """Return shape (n,): which items have that phrase in a value of ``facet``, or in the title.

        A size must be the very size.
        """
        import numpy as np

        key = (facet, phrase)
        if key not in self._masks:
            rows = self._sizes.get(phrase[0], []) if facet == "sizes" else self._rows(facet, " ".join(phrase))
            self._masks[key] = np.zeros(len(self.catalogue), dtype=bool)
            self._masks[key][rows] = True
        return self._masks[key]

    def relevance(self, words: Sequence[Sequence[str]]) -> npt.NDArray[np.float64]:
        """Return shape (n,): BM25 of the messages' words, the newest last and weighing most, at most 1.

        Summed in the order of the words, so that the same words give the same numbers in every process.
        """
        import numpy as np

        known, _ = self._numbered
        total = np.zeros(len(self.catalogue))
        for age, message in enumerate(reversed(words)):
            if asked := [word for word in dict.fromkeys(message) if word in known]:
                total += DECAY**age * self._index.get_scores(asked)
        highest = float(total.max(initial=0.0))
        return total / highest if highest > 0 else total

    def _rows(self, facet: Facet, phrase: str) -> list[int]:
        sought = f" {phrase} "
        if facet == "kind":
            kinds = [sought, *(f" {kind} " for kind in english().narrower.get(phrase, ()))]
            return [row for row, title in enumerate(self._titles) if any(kind in title for kind in kinds)]
        if facet not in self._values:
            self._values[facet] = [_folded(values_of(item, facet)) for item in self.catalogue.items]
        texts = zip(self._titles, self._values[facet], strict=True)
        return [row for row, (title, values) in enumerate(texts) if sought in title or sought in values]

    @cached_property
    def _titles(self) -> list[str]:
        return [_folded((item.title,)) for item in self.catalogue.items]

    @cached_property
    def _sizes(self) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = {}
        for row, item in enumerate(self.catalogue.items):
            for size in dict.fromkeys(map(one_spelling, item.list_of("sizes"))):
                rows.setdefault(size, []).append(row)
        return rows

    @cached_property
    def _numbered(self) -> tuple[dict[str, int], list[list[int]]]:
        """Number the words of all texts; bm25s would do so in the order of a set, which differs between processes."""
        numbers: dict[str, int] = {}
        texts = [
            [numbers.setdefault(word, len(numbers)) for word in _searched(item)]
            for item in self.catalogue.items
        ]
        return numbers, texts

    @cached_property
    def _index(self) -> bm25s.BM25:
        with warnings.catch_warnings():
            # Its progress bars warn in a notebook without widgets; none is shown here.
            warnings.simplefilter("ignore")
            import bm25s

        numbers, texts = self._numbered
        index = bm25s.BM25()
        index.index((texts, dict(numbers)), show_progress=False)
        return index


def _folded(values: Sequence[str]) -> str:
    """Return folded words between spaces, with a bar between two values."""
    return f" {' | '.join(' '.join(words_of(value)) for value in values)} "


def _searched(item: CatalogueItem) -> list[str]:
    attributes = [value for facet in ATTRIBUTES for value in values_of(item, facet)]
    words = list(words_of(item.title)) * TITLE_WEIGHT
    for text in (item.description, *attributes):
        words += words_of(text)
    return [word for word in words if word not in english().ignored]


HARD: tuple[Facet, ...] = ("kind", "category", "sizes", "colors", "material")
"""What an item must meet to fit, beside the price."""
WEIGHTS = {"kind": 10, "category": 10, "sizes": 2, "price": 2, "colors": 1, "material": 1}
"""How heavily what is not met counts against an item that is only near."""
OTHER_KIND = 10
"""Counts from here on mean something else than was asked for; shown only where nothing nearer is left."""
SOFT: dict[Facet, float] = {"occasion": 0.5, "brand": 0.5}
"""What only lifts an item, in units of the best text match: an occasion names one use of many."""


@dataclass(frozen=True)
class Results:
    """The items of a search, the best first; ``unmet`` is what the first item misses, such as "price"."""

    items: tuple[CatalogueItem, ...]
    unmet: tuple[str, ...] = ()
    n_fitting: int = 0


def find(shelf: Shelf, wishes: Wishes, n: int) -> Results:
    """Return at most ``n`` items for ``wishes``; ties keep the catalogue's order.

    Nothing is found where nothing was asked for that the catalogue knows.
    """
    import numpy as np

    relevance = shelf.relevance(wishes.words)
    if not wishes.known and not wishes.judgements and not relevance.any():
        return Results(())
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
    return Results(tuple(shelf.catalogue.items[row] for row in best), missing, n_fitting)


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
    """Return by what proportion of the ceiling each price lies above it, at most 1; unknown prices count as 1."""
    import numpy as np

    if not wishes.budget.ceiling:
        return np.zeros(len(shelf.catalogue))
    above = np.nan_to_num((shelf.prices - wishes.budget.ceiling) / wishes.budget.ceiling, nan=1.0)
    return np.clip(above, 0.0, 1.0)
