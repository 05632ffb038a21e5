"""Which conversations of two sides hang together: one user, one scenario that both sides met, one text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from convsim.schema import Corpus

if TYPE_CHECKING:
    from numpy.random import Generator

    from convsim.schema.arrays import IntArray

COARSE = 5
"""With this many units on each side a task is a stratum: folds hold it in equal shares. With fewer it is a scenario."""
MAX_SHARE = 1 / 5
"""Of a side's conversations that one scenario or one group may hold: five folds cannot be dealt otherwise."""
MAX_CHARACTERS = 60


class Key(NamedTuple):
    """What a conversation has in common with others."""

    kind: str
    """``unit``, ``task``, ``need``, ``id`` or ``text``."""
    value: str

    def __str__(self) -> str:
        """Return it as reasons name it."""
        short = self.value if len(self.value) <= MAX_CHARACTERS else self.value[: MAX_CHARACTERS - 1] + "…"
        return short if self.kind == "unit" else f"the {self.kind} “{short}”"


def scenario_keys(real: Corpus, simulated: Corpus) -> list[tuple[Key, ...]]:
    """Return the unit of each conversation and the scenarios that it met, real rows first.

    A scenario is the need of a persona, or a task, that a side met in fewer than five units, so that folds cannot hold
    it in equal proportions: trials of one task are twins. It is none where it holds over a fifth of a side's
    conversations (a task of which one side has little is still a task), or where one side has none and the other five
    units or more (as where tasks were recorded on one side alone).
    """
    sides = (real, simulated)
    keys: list[list[Key]] = []
    units: dict[Key, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    rows: dict[Key, Counter[int]] = defaultdict(Counter)
    for number, side in enumerate(sides):
        for conversation, unit in zip(side.conversations, side.units, strict=True):
            of_this = []
            if conversation.persona is not None:
                of_this.append(Key("need", folded(conversation.persona.need)))
            if conversation.task:
                of_this.append(Key("task", conversation.task))
            for key in of_this:
                units[key][number].add(str(unit))
                rows[key][number] += 1
            keys.append(of_this)
    fine = {
        key
        for key, (first, second) in units.items()
        if (min(len(first), len(second)) or max(len(first), len(second))) < COARSE
        and all(rows[key][number] <= MAX_SHARE * len(side) for number, side in enumerate(sides))
    }
    named = [str(unit) for side in sides for unit in side.units]
    return [
        (Key("unit", unit), *(key for key in of_this if key in fine))
        for unit, of_this in zip(named, keys, strict=True)
    ]


def fold_keys(real: Corpus, simulated: Corpus) -> list[tuple[Key, ...]]:
    """Return what keeps two conversations in one fold: all of ``scenario_keys``, the id, and the user's text.

    A text that stands on both sides is learned with one label and met with the other; one that stands twice on one
    side would be recognised by its copy.
    """
    sides = (real, simulated)
    ids = [c.id for side in sides for c in side.conversations]
    texts = [text for side in sides for text in folded_texts(side)]
    return [
        (*of_this, Key("id", number), Key("text", text))
        for of_this, number, text in zip(scenario_keys(real, simulated), ids, texts, strict=True)
    ]


def linked(keys: Sequence[Sequence[Key]]) -> IntArray:
    """Number the groups of rows that are linked by any chain of common keys; shape (rows,), by first occurrence."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    number: dict[Key, int] = {}
    pairs = [
        (row, number.setdefault(key, len(number))) for row, of_this in enumerate(keys) for key in of_this
    ]
    n, m = len(keys), len(number)
    row, column = np.asarray(pairs, np.int64).reshape(-1, 2).T
    graph = coo_matrix((np.ones(len(pairs), np.int8), (row, n + column)), shape=(n + m, n + m))
    component = connected_components(graph, directed=False)[1][:n]
    _, first, group = np.unique(component, return_index=True, return_inverse=True)
    by_occurrence = np.argsort(np.argsort(first))
    return np.asarray(by_occurrence[group], np.int64)


def too_large(keys: Sequence[Sequence[Key]], group: IntArray, n_real: int) -> str | None:
    """Say which group holds over a fifth of a side's conversations, and what links it; None if none does."""
    for name, rows in (("real", slice(0, n_real)), ("simulated", slice(n_real, len(group)))):
        sizes = np.bincount(group[rows])
        if not len(sizes) or sizes.max() <= MAX_SHARE * sizes.sum():
            continue
        members = np.flatnonzero(group == sizes.argmax()).tolist()
        counts = Counter(key for row in members for key in keys[row])
        common, often = max(counts.items(), key=lambda item: (item[1], item[0].kind == "unit"))
        return (
            f"{sizes.max()} of {sizes.sum()} {name} conversations hang together ({common} links {often} of them), and "
            "whoever learns from one of them knows the others; at most a fifth may"
        )
    return None


def some_units(side: Corpus, most: int, rng: Generator) -> IntArray:
    """Return the rows of a side, or of whole units at random where it has too many; the order of lines changes nothing.

    Args:
        side: One side.
        most: Rows that are kept.
        rng: Draws the units.
    """
    if len(side) <= most:
        return np.arange(len(side))
    names, unit_of = np.unique(side.units.astype(str), return_inverse=True)
    sizes = np.bincount(unit_of)
    order = rng.permutation(len(names))
    kept = order[np.cumsum(sizes[order]) <= most]
    if not len(kept):
        return np.arange(most)
    return np.flatnonzero(np.isin(unit_of, kept))


def folded(text: str) -> str:
    """Return a text without what case and white space say."""
    return " ".join(text.casefold().split())


def folded_texts(side: Corpus) -> list[str]:
    """Return the user's side of each conversation without what case and white space say."""
    return [folded(text) for text in side.user_texts]
