"""What metamorphic relations measure beside the catalogue: too special for every table."""

from collections.abc import Mapping

from convsim.metrics.items import ACCEPTS_DEALBREAKER, MENTIONS
from convsim.schema import Metric

RELATION_METRICS: Mapping[str, Metric] = {**MENTIONS, ACCEPTS_DEALBREAKER.name: ACCEPTS_DEALBREAKER}
