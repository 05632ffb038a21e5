"""Measures conversations: one row a conversation, one column a metric."""

from __future__ import annotations

from collections.abc import Sequence

from convsim.contracts import Columns, Corpus
from convsim.conversation import Conversation
from convsim.metrics.catalogue import METRICS


def measure(conversations: Sequence[Conversation]) -> Corpus:
    """Measure every metric of the catalogue on every conversation, failed ones included: drop those before.

    The table has shape (n, metrics), the conversations' ids as index, and NaN where a metric is undefined.
    """
    import pandas as pd

    columns = Columns.of(conversations)
    measured = {name: metric.measure(columns) for name, metric in METRICS.items()}
    ids = pd.Index([conversation.id for conversation in conversations], dtype=object, name="conversation")
    return Corpus(conversations, pd.DataFrame(measured, index=ids), METRICS)
