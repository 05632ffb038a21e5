"""Metric: how much the user writes in a turn."""

from convsim.schema import Metric
from convsim.schema.columns import ratio

USER_WORDS_PER_TURN = Metric(
    name="user_words_per_turn",
    unit="words",
    level="turn",
    description="Words of the user over turns; undefined without a turn.",
    source="Meshi et al. (2026), ConvApparel, arXiv 2602.16938: population-level statistical alignment.",
    measure=lambda columns: ratio(columns.sum_over_user(columns.user_word_counts), columns.turns),
)
