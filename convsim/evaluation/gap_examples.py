"""Which conversations show a gap: typical ones of the simulator on its side of the gap, and one of people."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal

import numpy as np

from convsim.evaluation.knobs import Direction
from convsim.metrics import FAMILY_METRICS, METRICS, measure_family
from convsim.schema import Corpus, Metric
from convsim.schema.arrays import FloatArray
from convsim.schema.conversation import Conversation
from convsim.schema.gap import Example

N_EXAMPLES = 3
FAR, MIDDLE, NEAR = 0.8, 0.5, 0.1
"""Quantiles of a side's values at which examples are taken."""
MAX_MEASURED = 60
"""Messages of a conversation that are looked at for the one that shows the gap best."""
Which = Literal["most", "first", "last"]


def examples(
    real: Corpus,
    simulated: Corpus,
    metric: str,
    direction: Direction | None,
    *,
    which: Which,
    known: Collection[str] = (),
) -> tuple[Example, ...]:
    """Return up to three conversations of the simulator, then one of people.

    Of the simulator those nearest to its 80 % point in the direction of the gap: a fifth of its conversations lie as
    far out or further, so that they show the habit clearly and are no freaks, which the most extreme ones mostly are (a
    loop, a broken answer). Where it varies too little, those nearest to its median, which look alike; too much, those
    at its 10 and 90 % points. Of people the one nearest to their median, or, where the simulator varies too little, to
    whichever of their 10 and 90 % points lies further from it. Among equals, those not in ``known``, which other gaps
    have shown, come first, then shorter ones.

    Args:
        real: People's conversations.
        simulated: The simulator's.
        metric: In which they differ.
        direction: Where the simulator lies; None where distributions differ in shape alone.
        which: Which message is shown.
        known: Ids of conversations shown already.
    """
    if metric in FAMILY_METRICS:
        real, simulated = measure_family(real, simulated, [FAMILY_METRICS[metric]])
    if any(metric not in side.table for side in (real, simulated)):
        return ()
    sides = [np.asarray(side.table[metric], np.float64) for side in (real, simulated)]
    if any(np.isnan(values).all() for values in sides):
        return ()
    people, simulator = (np.nanquantile(values, MIDDLE) for values in sides)
    if direction == "narrower":
        at, human = [MIDDLE] * N_EXAMPLES, _further_end(sides[0], simulator)
    elif direction == "wider":
        at, human = [NEAR, 1 - NEAR], people
    else:
        at, human = [1 - FAR if direction == "less" else FAR] * N_EXAMPLES, people
    ends = [float(np.nanquantile(sides[1], each)) for each in at]
    picked = _nearest(simulated, sides[1], ends, known)
    shown = [("simulated", simulated, row, sides[1][row]) for row in picked]
    shown += [("people", real, row, sides[0][row]) for row in _nearest(real, sides[0], [float(human)], known)]
    measured = real.metrics[metric]
    return tuple(
        Example(
            side=side,
            conversation=corpus.conversations[row].id,
            message=message_that_shows(
                corpus.conversations[row], measured, which, largest=direction != "less"
            ),
            value=float(value),
        )
        for side, corpus, row, value in shown
    )


def _further_end(values: FloatArray, middle: float) -> float:
    ends = [float(np.nanquantile(values, each)) for each in (NEAR, 1 - NEAR)]
    return max(ends, key=lambda end: abs(end - middle))


def _nearest(
    corpus: Corpus, values: FloatArray, targets: Sequence[float], known: Collection[str]
) -> Iterator[int]:
    """Yield for each target the row whose value is nearest and that was not yielded before."""
    defined = np.flatnonzero(~np.isnan(values))
    ids = {row: corpus.conversations[row].id for row in defined.tolist()}
    order = {row: (id_ in known, len(corpus.conversations[row].messages), id_) for row, id_ in ids.items()}
    for target in targets:
        if not order:
            return
        row = min(order, key=lambda n: (abs(float(values[n]) - target), *order[n]))
        del order[row]
        yield row


def message_that_shows(
    conversation: Conversation, metric: Metric, which: Which, *, largest: bool
) -> int | None:
    """Return which message shows a metric best; None where the user said nothing.

    The one with the most (or least) of it by itself; of a metric that looks back, such as repeats, the one with which
    the conversation's value first is at its end. Where the metric is not built in, whose price is not known, the first.
    """
    said = [n for n, message in enumerate(conversation.messages) if message.role == "user"][:MAX_MEASURED]
    if not said:
        return None
    if which == "last":
        return said[-1]
    if which == "first" or {**METRICS, **FAMILY_METRICS}.get(metric.name) is not metric:
        return said[0]
    alone = [metric(_with(conversation, n, n + 1)) for n in said]
    values = (
        alone
        if any(each is not None for each in alone)
        else [metric(_with(conversation, 0, n + 1)) for n in said]
    )
    defined = [(value, -place) for place, value in enumerate(values) if value is not None]
    if not defined:
        return said[0]
    best = max(defined) if largest else min(defined, key=lambda each: (each[0], -each[1]))
    return said[-best[1]]


def _with(conversation: Conversation, start: int, end: int) -> Conversation:
    """Return the conversation with a part of its messages alone."""
    return conversation.model_copy(update={"messages": conversation.messages[start:end]})
