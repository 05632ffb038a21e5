"""A catalogue made ready to be searched: BM25 over its texts, and which items have which value."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from convsim.agents.search.vocabulary import ATTRIBUTES, Vocabulary, values_of
from convsim.agents.search.wishes import Facet, Phrase
from convsim.schema.catalogue import Catalogue, CatalogueItem
from convsim.text.constraints import one_spelling
from convsim.text.english import english
from convsim.text.folding import words_of

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
