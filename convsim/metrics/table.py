"""Measures conversations: one row a conversation, one column a metric."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING, NamedTuple

from convsim._loggers import logger_of
from convsim._progress import step
from convsim._text import one_line
from convsim.errors import PluginError
from convsim.io import Source, Transcripts, read_source
from convsim.metrics.kept_table import KeptTable, Measured
from convsim.metrics.labels import common_label_metrics, label_metrics
from convsim.metrics.language import nowhere
from convsim.metrics.registry import BUILT_IN, MetricLike, Metrics, find_metrics
from convsim.schema import Columns, Corpus, Metric
from convsim.schema.conversation import Conversation
from convsim.stats.tasks import in_tasks
from convsim.text.lexicons import Lexicon

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

LOG = logger_of("convsim.metrics")
WORDS_OF_A_CONVERSATION = 100
"""About so many are looked at by each metric."""


def measure(
    conversations: Source, *, metrics: MetricLike | Iterable[MetricLike] | Metrics | None = None
) -> Corpus:
    """Measure every metric of the catalogue, and every numeric label, on every conversation.

    Failed conversations are measured too: drop them before. The table has shape (n, metrics), the conversations' ids as
    index, and NaN where a metric is undefined; ``undefined`` says why one is for all of them, such as one of words in a
    language without a word list. A metric of yours that raises has no column: ``failed`` says why.

    Args:
        conversations: What is measured: a path, a run folder, what ``convsim.read`` returned, or conversations.
        metrics: Measure these alone: names, ``module:thing``, metrics or functions of one conversation; with a "+"
            before a name, or "default" among them, beside the built-in ones.

    Raises:
        PluginError: No such metric.
        InputError: The conversations cannot be read.
    """
    chosen = find_metrics(metrics)
    read = read_source(conversations)
    measured = read.conversations if isinstance(read, Transcripts) else read
    labels = label_metrics(measured)
    chosen.check(labels)
    return _measured(measured, chosen.of(labels), chosen.lexicon)


def measure_both(
    real: Sequence[Conversation],
    simulated: Sequence[Conversation],
    *,
    metrics: Metrics | None = None,
    kept: tuple[KeptTable | None, KeptTable | None] = (None, None),
) -> tuple[Corpus, Corpus]:
    """Measure two sides that are to be compared: labels by the same source on both, wherever they share one.

    Args:
        real: The one side.
        simulated: The other side.
        metrics: What is measured; by default the catalogue and every label.
        kept: Where each side's table is kept, if anywhere: what was measured before is not measured again.

    Raises:
        PluginError: A metric is named that there is not, on either side.
    """
    chosen = metrics or Metrics()
    here, there = common_label_metrics(real, simulated)
    chosen.check([*here, *there])
    with step("measuring metrics"):
        return _in_one_language(
            _measured(real, chosen.of(here), chosen.lexicon, kept[0]),
            _measured(simulated, chosen.of(there), chosen.lexicon, kept[1]),
        )


def measure_family(real: Corpus, simulated: Corpus, metrics: Iterable[Metric]) -> tuple[Corpus, Corpus]:
    """Return two sides with these built-in metrics alone in their tables, as a validator that judges them needs it.

    What a table has already is taken from it.

    Args:
        real: The one side.
        simulated: The other side.
        metrics: Built-in ones that are not measured for every table.
    """
    wanted = {metric.name: metric for metric in metrics}
    sides = (real, simulated)
    pieces = [
        _Asked(
            side.columns, [name for name, metric in wanted.items() if side.metrics.get(name) is not metric]
        )
        for side in sides
    ]
    words = WORDS_OF_A_CONVERSATION * max(map(len, sides))
    measured = in_tasks(_measure, pieces, shared=wanted, n_numbers=words)
    return _in_one_language(
        *(_with_these_alone(side, wanted, values) for side, values in zip(sides, measured, strict=True))
    )


class _Asked(NamedTuple):
    """Conversations, and which metrics of them are wanted."""

    columns: Columns
    names: Sequence[str]


class _Values(NamedTuple):
    """A metric of each conversation, and why it is undefined in all of them, if so."""

    values: FloatArray
    undefined: str | None


def _measure(metrics: Mapping[str, Metric], asked: _Asked) -> dict[str, _Values]:
    measured = {}
    for name in asked.names:
        reason = metrics[name].why_undefined(asked.columns) if asked.columns.n else None
        values = nowhere(asked.columns) if reason else metrics[name].measure(asked.columns)
        measured[name] = _Values(values, reason or None)
    return measured


def _with_these_alone(side: Corpus, metrics: Mapping[str, Metric], measured: Mapping[str, _Values]) -> Corpus:
    import pandas as pd

    values = {
        name: measured[name].values if name in measured else side.table[name].to_numpy() for name in metrics
    }
    reasons = {
        name: measured[name].undefined if name in measured else side.undefined.get(name) for name in metrics
    }
    undefined = {name: reason for name, reason in reasons.items() if reason is not None}
    language = side.language or side.columns.language
    table = pd.DataFrame(values, index=side.table.index)
    return replace(side, table=table, metrics=dict(metrics), undefined=undefined, language=language)


def _in_one_language(real: Corpus, simulated: Corpus) -> tuple[Corpus, Corpus]:
    """Return both sides with what stands on words undefined where they are in different languages."""
    spoken = [side.language.code if side.language else None for side in (real, simulated)]
    if None in spoken or spoken[0] == spoken[1]:
        return real, simulated
    reason = f"the real side is {real.language}, the simulated side {simulated.language}"
    names = [
        name for name, metric in real.metrics.items() if metric.undefined_for and name in simulated.metrics
    ]
    apart = dict.fromkeys(names, f"{reason}, and it compares sides of one language")
    there, here = (
        replace(
            side, table=side.table.assign(**dict.fromkeys(names, nan)), undefined={**side.undefined, **apart}
        )
        for side in (simulated, real)
    )
    return here, there


def _measured(
    conversations: Sequence[Conversation],
    metrics: Mapping[str, Metric],
    lexicon: Lexicon,
    kept: KeptTable | None = None,
) -> Corpus:
    import pandas as pd

    key = kept.key(metrics, lexicon) if kept else None
    before = kept.read(key, metrics) if kept and key else None
    columns = None
    if before is None or not metrics.keys() <= before.values.keys():
        columns = Columns.of(conversations, lexicon=lexicon)
    measured: dict[str, FloatArray] = {}
    failed: dict[str, str] = {}
    undefined: dict[str, str] = {}
    for name, metric in metrics.items():
        if before is not None and name in before.values:
            measured[name] = before.values[name]
            if name in before.undefined:
                undefined[name] = before.undefined[name]
            continue
        assert columns is not None
        if columns.n and (reason := metric.why_undefined(columns)):
            measured[name], undefined[name] = nowhere(columns), reason
            continue
        if BUILT_IN.get(name) is metric or metric.label:
            measured[name] = metric.measure(columns)
            continue
        try:
            measured[name] = _checked(metric.measure(columns), columns.n)
        except (
            Exception,
            SystemExit,
        ) as error:  # somebody else's metric: whatever it raises is its own failure
            LOG.exception("the metric %s failed", name)
            kind = "" if isinstance(error, PluginError) else f"it raised {type(error).__name__}: "
            failed[name] = f"the metric {name} failed: {kind}{one_line(error)}"
    language = before.language if before else columns.language if columns else None
    if kept and not before and key and key == kept.key(metrics, lexicon):  # nothing was edited meanwhile
        kept.write(key, metrics, Measured(measured, undefined, language))
    ids = pd.Index([conversation.id for conversation in conversations], dtype=object, name="conversation")
    table = pd.DataFrame(measured, index=ids)
    return Corpus(
        conversations, table, {name: metrics[name] for name in measured}, failed, undefined, language,
        lexicon=lexicon, flat=columns,
    )  # fmt: skip


def _checked(values: object, n: int) -> FloatArray:
    """Return a column as it may stand in the table; raises PluginError."""
    import numpy as np

    column: FloatArray = np.asarray(values, np.float64)
    if column.shape != (n,):
        raise PluginError(f"measure must return an array of shape ({n},), but it has {column.shape}")
    if np.isinf(column).any():
        raise PluginError(
            "measure must return finite numbers, and NaN where undefined, but it returned infinity"
        )
    return column
