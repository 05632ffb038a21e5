"""What may tell the outcome or the arm too early: first messages, and what the agent does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.stats.ngrams import word_ngrams
from convsim.stats.sides import Sides
from convsim_validators.leakage.predictability import Predictability

MIN_OF_CLASS = 10
"""Users or conversations with an outcome, or in an arm, below which that is not told from the others."""
MAX_CLASSES = 6
"""The largest arms that are told apart; bounds time."""
KNOWN_ENDINGS = frozenset({"accepted", "left", "agent_ended", "turn_limit"})

Classes = Sequence[str | None]
"""Of both sides' conversations, the real ones first; None where it is not known."""


class _Known(NamedTuple):
    rows: IntArray
    """Shape (rows,): of both sides."""
    classes: npt.NDArray[np.object_]
    """Shape (rows,)."""


def outcomes(sides: Sides) -> Classes:
    """Return whether each conversation ended with an accepted item."""
    endings = [c.ending for side in (sides.real, sides.simulated) for c in side.conversations]
    named = {True: "accepted", False: "not accepted"}
    return [named[ending == "accepted"] if ending in KNOWN_ENDINGS else None for ending in endings]


def arms(sides: Sides) -> Classes:
    """Return each conversation's arm."""
    return [c.arm for side in (sides.real, sides.simulated) for c in side.conversations]


def first_messages(sides: Sides, classes: Classes, what: str) -> Predictability | str:
    """Return the words of first messages, and the classes that they may tell; or why nothing can be told."""
    texts = [c.first_words for side in (sides.real, sides.simulated) for c in side.conversations]
    usable = np.asarray(
        [bool(text) and kind is not None for text, kind in zip(texts, classes, strict=True)], bool
    )
    known = _known(sides, classes, usable, what)
    if isinstance(known, str):
        return known
    rows = known.rows
    kept, is_real = np.ones(len(rows), bool), sides.is_human[rows]
    view = word_ngrams([texts[row] for row in rows], int(is_real.sum()), sides.unit_of[rows], kept, {})
    if not len(view.names):
        return "no word stands in the first messages of two users"
    return Predictability(view.features, view.names, known.classes, is_real, sides.unit_of[rows], rows)


def controls(sides: Sides, classes: Classes) -> Predictability | str:
    """Return the ranks of what the agent does, and the outcomes that it may tell; or why nothing can be told."""
    from scipy.stats import rankdata

    known = _known(sides, classes, np.asarray([kind is not None for kind in classes], bool), "outcome")
    if isinstance(known, str):
        return known
    rows = known.rows
    columns: list[FloatArray] = []
    names: list[str] = []
    for name, metric in sides.real.metrics.items():
        if metric.role != "control" or name not in sides.simulated.metrics:
            continue
        both = [np.asarray(side.table[name], np.float64) for side in (sides.real, sides.simulated)]
        values = np.concatenate(both)[rows]
        if not np.isnan(values).any() and len(np.unique(values)) > 1:
            columns.append(rankdata(values) / len(values) - 0.5)
            names.append(name)
    if not names:
        return "no control is known of every conversation and varies"
    return Predictability(
        np.column_stack(columns), names, known.classes, sides.is_human[rows], sides.unit_of[rows], rows
    )


def _known(sides: Sides, classes: Classes, usable: BoolArray, what: str) -> _Known | str:
    """Return the rows of classes that enough units of both sides have; or why these are too few."""
    by_side = (("real", sides.is_human), ("simulated", ~sides.is_human))
    if lacking := [name for name, side in by_side if not usable[side].any()]:
        return f"the {what} is not recorded in the {' or '.join(lacking)} conversations with a first message"
    units: dict[str, tuple[set[int], set[int]]] = {}
    for row in np.flatnonzero(usable).tolist():
        of_class = units.setdefault(str(classes[row]), (set(), set()))
        of_class[0 if sides.is_human[row] else 1].add(int(sides.unit_of[row]))
    least = {kind: min(map(len, both)) for kind, both in units.items()}
    enough = sorted(
        (kind for kind, n in least.items() if n >= MIN_OF_CLASS), key=lambda kind: (-least[kind], kind)
    )
    if len(enough) < 2:
        return (
            f"{len(enough)} of {len(units)} {what}s have {MIN_OF_CLASS} users or conversations on both sides; at "
            "least two are needed"
        )
    told = set(enough[:MAX_CLASSES])
    rows = np.asarray([row for row in np.flatnonzero(usable).tolist() if str(classes[row]) in told], np.int64)
    return _Known(rows, np.asarray([str(classes[row]) for row in rows], object))
