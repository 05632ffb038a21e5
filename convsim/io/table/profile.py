"""What stands in the columns of a table's first rows: how many values, how long, numbers, times, lists or texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from convsim.io.table.rows import Cells, text_of
from convsim.io.table.times import forms_of, number_of
from convsim.io.table.wording import hints

SEVERAL_WORDS = re.compile(r"\w[^\w\s]*\s\W*\w|[^\W\d_a-zA-Z]{4}")
"""Two words, or four letters in a row of a script that may not part words."""
EXAMPLE_CHARACTERS = 40
MOST_CHARACTERS = 2000
"""No more of a cell is looked at."""
NEARLY = 0.98
MOST_CANDIDATES = 12
"""Columns that are tried for one meaning."""
ALIKE = 0.3
"""Readings whose scores are no further apart are equally good."""
NAMED = 0.6
"""A hint by a name of which one word is it."""
BYTES_OF_WORD = 6
LONG_WORDS = 8
"""Words of a text that is as long as texts need be."""


@dataclass(frozen=True)
class Column:
    """A column's cells in the sample, as texts, and what they are."""

    name: str
    place: int
    cells: tuple[str, ...] = field(repr=False)

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each value stands there, empty ones left out."""
        return Counter(cell for cell in self.cells if cell.strip())

    @cached_property
    def n_filled(self) -> int:
        """How many cells are not empty."""
        return self.counts.total()

    @property
    def filled(self) -> float:
        """The proportion of cells that are not empty."""
        return self.n_filled / len(self.cells)

    @property
    def distinct(self) -> int:
        """How many values there are."""
        return len(self.counts)

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """The forms of time that its values can have."""
        return forms_of(list(self.counts))

    @cached_property
    def numbers(self) -> bool:
        """Tell whether its values are numbers."""
        return bool(self.counts) and self._share(lambda cell: number_of(cell) is not None) >= NEARLY

    @cached_property
    def lists(self) -> bool:
        """Tell whether its values are lists or objects of JSON."""
        return (
            bool(self.counts)
            and self._share(lambda cell: cell[:1] in ("[", "{") and cell[-1:] in ("]", "}")) >= NEARLY
        )

    @cached_property
    def texts(self) -> float:
        """The proportion of values with several words; 0 for numbers, times and lists."""
        if not self.counts or self.numbers or self.forms or self.lists:
            return 0.0
        return self._share(lambda cell: SEVERAL_WORDS.search(cell) is not None)

    @cached_property
    def words(self) -> float:
        """About how many words a cell has, whatever the script."""
        bytes_of = sum(len(cell.encode("utf-8", "replace")) * n for cell, n in self._short)
        return bytes_of / BYTES_OF_WORD / max(1, self.n_filled)

    @property
    def repeats(self) -> bool:
        """Tell whether its values could name what several rows belong to."""
        return 1 < self.distinct <= 0.75 * len(self.cells) and not self.lists and self.texts < 0.5

    @property
    def like_text(self) -> float:
        """How much it is like what people write: many words, different ones, and its name."""
        if self.numbers or self.forms or self.lists or not self.counts:
            return 0.0
        varied = self.distinct / self.n_filled
        long = min(1.0, self.words / LONG_WORDS)
        written = 0.5 * varied + 0.7 * long + 0.3 * self.texts
        return written * min(1.0, 2 * self.filled) + 0.8 * self.hints.get("text", 0.0)

    @property
    def hints(self) -> Mapping[str, float]:
        """What its name can mean."""
        return hints(self.name)

    @property
    def example(self) -> str:
        """One of its usual values, cut."""
        value = next((cell for cell in self.cells if cell.strip()), "")
        value = " ".join(value.split())
        return value if len(value) <= EXAMPLE_CHARACTERS else value[: EXAMPLE_CHARACTERS - 1] + "…"

    @property
    def _short(self) -> list[tuple[str, int]]:
        return [(cell[:MOST_CHARACTERS].strip(), n) for cell, n in self.counts.items()]

    def _share(self, holds: Callable[[str], bool]) -> float:
        return sum(n for cell, n in self._short if holds(cell)) / self.n_filled


def profiled(columns: Sequence[str], sample: Sequence[Cells]) -> list[Column]:
    """Return the columns of some rows."""
    return [
        Column(name, place, tuple(text_of(cells.get(name)) for cells in sample))
        for place, name in enumerate(columns, start=1)
    ]
