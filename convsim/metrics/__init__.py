"""What is counted in a conversation: one metric a file, all in ``METRICS``, measured by ``measure``."""

from convsim.metrics.catalogue import METRICS
from convsim.metrics.table import measure, measure_both

__all__ = ["METRICS", "measure", "measure_both"]
