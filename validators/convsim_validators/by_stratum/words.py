"""How far the words of the sides lie apart within each group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from pydantic import JsonValue

from convsim.schema import Corpus
from convsim.schema.arrays import FloatArray
from convsim.seeds import generator
from convsim.stats.multiplicity import studentised
from convsim.stats.ngrams import MAX_TEXT, word_ngrams
from convsim.stats.resampling import Design, Weights
from convsim.stats.two_sample import Compared, distances
from convsim.stats.units import some_units
from convsim_validators.by_stratum.grouping import MIN_UNITS, Grouping

MAX_ROWS = 2_000
"""Conversations of a side whose words are compared; of more, whole users at random."""
N_EXAMPLES = 3


class Word(NamedTuple):
    """The word or pair of words that differs most in a group."""

    text: str
    proportions: tuple[float, float]
    """Of the real and the simulated conversations of the group that have it."""


@dataclass(frozen=True)
class Words:
    """The words of both sides, group by group.

    Source:
        ``convsim.stats.two_sample`` for the distances and what they are divided by.
    """

    statistic: FloatArray
    """Shape (1 + permutations,): the mean over groups of the distances within them, on the scale of its dealings."""
    apart: dict[str, float]
    """By group, in standard deviations of its dealings; the furthest first."""
    furthest: dict[str, Word]
    examples: dict[str, list[JsonValue]]
    """By group: conversations that have its word, of the side that has it more."""

    @classmethod
    def of(
        cls, sides: tuple[Corpus, Corpus], grouping: Grouping, design: Design, dealt: Weights, *, seed: int
    ) -> Words | None:
        """Compare word 1-2-grams within each group; None where fewer than two groups have words to compare."""
        kept = [
            some_units(side, MAX_ROWS, generator(seed, "words", name))
            for name, side in zip(("real", "simulated"), sides, strict=True)
        ]
        texts = [
            side.user_texts[int(row)][:MAX_TEXT]
            for side, rows in zip(sides, kept, strict=True)
            for row in rows
        ]
        unit_of = np.concatenate(
            [design.real.unit_of[kept[0]], design.real.n_units + design.simulated.unit_of[kept[1]]]
        )
        if len(texts) < sum(map(len, sides)):  # who was not chosen has no words to be dealt
            chosen, unit_of = np.unique(unit_of, return_inverse=True)
            dealt = dealt[chosen]
        view = word_ngrams(texts, len(kept[0]), unit_of, np.ones(len(texts), bool), {})
        if not len(view.names):
            return None
        is_real = np.arange(len(texts)) < len(kept[0])
        group_of = np.concatenate([of[rows] for of, rows in zip(grouping.of_rows, kept, strict=True)])
        [(compared, _)] = view.compared
        statistics: list[FloatArray] = []
        apart: dict[str, float] = {}
        furthest: dict[str, Word] = {}
        examples: dict[str, list[JsonValue]] = {}
        ids = [
            side.conversations[int(row)].id for side, rows in zip(sides, kept, strict=True) for row in rows
        ]
        for group in grouping.names:
            rows = np.flatnonzero(group_of == group)
            human = is_real[rows]
            if min(len(np.unique(unit_of[rows[side]])) for side in (human, ~human)) < MIN_UNITS:
                continue
            single = compared.single[rows]
            found = distances([Compared(compared.weighed[rows], single)], unit_of[rows], dealt)
            statistics.append(found.studentised)
            apart[group] = float(found.studentised[0])
            if found.largest is not None:
                has = single[:, found.largest[1]].toarray().ravel()  # type: ignore[union-attr]
                of_people, of_simulated = float(has[human].mean()), float(has[~human].mean())
                furthest[group] = Word(view.names[found.largest[1]], (of_people, of_simulated))
                more = human if of_people > of_simulated else ~human
                name = "people" if of_people > of_simulated else "simulated"
                examples[group] = [
                    {"side": name, "conversation": ids[int(row)], "message": None, "value": None}
                    for row in rows[more & (has > 0)][:N_EXAMPLES]
                ]
        if len(statistics) < 2:
            return None
        together = studentised(np.stack([np.mean(statistics, axis=0), np.max(statistics, axis=0)]))
        furthest_first = dict(sorted(apart.items(), key=lambda item: -item[1]))
        return cls(together.max(axis=0), furthest_first, furthest, examples)
