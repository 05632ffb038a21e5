"""How the rows of a sample hang together: which columns part them into conversations, and who speaks in turn there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from convsim.io.table.profile import Column
from convsim.io.table.times import number_of

NEARLY = 0.95
MOST_TURNS = 200
FIRST_TURNS = (0, 1)


@dataclass(frozen=True)
class Groups:
    """The rows of a sample by the values of a column, each in the file's order."""

    column: Column
    rows: tuple[tuple[int, ...], ...] = field(repr=False)

    @classmethod
    def of(cls, column: Column) -> Groups:
        """Part the rows; those without a value are in none."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for at, cell in enumerate(column.cells):
            if cell.strip():
                found[cell].append(at)
        return cls(column, tuple(map(tuple, found.values())))

    @cached_property
    def size(self) -> float:
        """The mean number of rows of a group."""
        return sum(map(len, self.rows)) / max(1, len(self.rows))

    @cached_property
    def blocks(self) -> float:
        """The proportion of groups whose rows stand together."""
        together = sum(rows[-1] - rows[0] + 1 == len(rows) for rows in self.rows)
        return together / max(1, len(self.rows))

    def both(self, speaker: Column) -> float:
        """Return the proportion of groups of two rows and more in which several speak."""
        large = [rows for rows in self.rows if len(rows) > 1]
        several = sum(len({speaker.cells[at] for at in rows}) > 1 for rows in large)
        return several / max(1, len(large))

    def alternation(self, speaker: Column) -> float:
        """Return how much more often speakers change than by chance: 1 is always, 0 as if rows were shuffled."""
        changes = pairs = 0
        expected = 0.0
        for rows in self.rows:
            said = [speaker.cells[at] for at in rows]
            n = len(said)
            if n > 1:
                changes += sum(a != b for a, b in pairwise(said))
                pairs += n - 1
                same = sum(k * (k - 1) for k in Counter(said).values()) / (n * (n - 1))
                expected += (n - 1) * (1 - same)
        return (changes - expected) / (pairs - expected) if pairs > expected else float(changes == pairs > 0)

    def constant(self, column: Column) -> float:
        """Return the proportion of groups of two rows and more in which a column has one value."""
        large = [rows for rows in self.rows if len(rows) > 1]
        return sum(len({column.cells[at] for at in rows}) == 1 for rows in large) / max(1, len(large))

    def counts_turns(self, column: Column) -> bool:
        """Tell whether a column numbers the rows of each group, without gaps, from about the same number on."""
        good = 0
        for rows in self.rows:
            numbers = {number_of(column.cells[at]) for at in rows}
            known = [number for number in numbers if number is not None]
            if len(known) == len(rows) == max(known) - min(known) + 1 and min(known) in FIRST_TURNS:
                good += 1
        return self.size > 1 and good >= NEARLY * len(self.rows)

    def rises(self, keys: Sequence[float | None]) -> float:
        """Return the proportion of neighbours in groups of which the later is not before the earlier."""
        pairs = good = 0
        for rows in self.rows:
            found = [keys[at] for at in rows]
            for earlier, later in pairwise(found):
                if earlier is not None and later is not None:
                    pairs += 1
                    good += earlier <= later
        return good / max(1, pairs)

    def refines(self, other: Column) -> bool:
        """Tell whether all rows of each group have one value of another column."""
        return all(len({other.cells[at] for at in rows}) == 1 for rows in self.rows)


def is_turn_number(column: Column) -> bool:
    """Tell whether a column looks like numbers of turns: whole, from 0 or 1, each at most as often as the last."""
    if not column.numbers or column.distinct > MOST_TURNS:
        return False
    counts: Counter[float] = Counter()
    for cell, n in column.counts.items():
        counts[number_of(cell) or 0.0] += n
    numbers = sorted(counts)
    if numbers[0] not in FIRST_TURNS or any(number != int(number) for number in numbers):
        return False
    falling = sum(counts[a] >= counts[b] for a, b in pairwise(numbers))
    return len(numbers) > 1 and falling >= NEARLY * (len(numbers) - 1)
