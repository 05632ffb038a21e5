"""What is counted in a conversation: one metric a file, all in ``METRICS``, measured by ``measure``."""

from convsim.metrics.catalogue import METRICS
from convsim.metrics.table import measure

__all__ = ["METRICS", "measure"]
