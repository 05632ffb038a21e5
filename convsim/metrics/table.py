"""Measures conversations: one row a conversation, one column a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from convsim.contracts import Columns, Corpus, Metric
from convsim.conversation import Conversation
from convsim.metrics.catalogue import METRICS
from convsim.metrics.labels import common_label_metrics, label_metrics


def measure(conversations: Sequence[Conversation]) -> Corpus:
    """Measure every metric of the catalogue, and every numeric label, on every conversation.

    Failed conversations are measured too: drop them before. The table has shape (n, metrics), the conversations' ids as
    index, and NaN where a metric is undefined.
    """
    return _measured(conversations, {**METRICS, **label_metrics(conversations)})


def measure_both(real: Sequence[Conversation], simulated: Sequence[Conversation]) -> tuple[Corpus, Corpus]:
    """Measure two sides that are to be compared: labels by the same source on both, wherever they share one."""
    labels = common_label_metrics(real, simulated)
    return _measured(real, {**METRICS, **labels[0]}), _measured(simulated, {**METRICS, **labels[1]})


def _measured(conversations: Sequence[Conversation], metrics: Mapping[str, Metric]) -> Corpus:
    import pandas as pd

    columns = Columns.of(conversations)
    measured = {name: metric.measure(columns) for name, metric in metrics.items()}
    ids = pd.Index([conversation.id for conversation in conversations], dtype=object, name="conversation")
    return Corpus(conversations, pd.DataFrame(measured, index=ids), metrics)
