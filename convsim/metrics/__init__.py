"""What is counted in a conversation: a family of metrics a file, all in ``METRICS``, measured by ``measure``."""

from convsim.metrics.catalogue import (
    COHERENCE_METRICS,
    CONSISTENCY_METRICS,
    DISCLOSURE_METRICS,
    FAMILY_METRICS,
    METRICS,
    RELATION_METRICS,
)
from convsim.metrics.decorator import metric
from convsim.metrics.items import MENTIONS
from convsim.metrics.labels import ACTS, act_names
from convsim.metrics.registry import MetricLike, Metrics, find_metrics
from convsim.metrics.table import measure, measure_both, measure_family

__all__ = [
    "ACTS",
    "COHERENCE_METRICS",
    "CONSISTENCY_METRICS",
    "DISCLOSURE_METRICS",
    "FAMILY_METRICS",
    "MENTIONS",
    "METRICS",
    "RELATION_METRICS",
    "MetricLike",
    "Metrics",
    "act_names",
    "find_metrics",
    "measure",
    "measure_both",
    "measure_family",
    "metric",
]
