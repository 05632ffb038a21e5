"""Metric: how often the user takes an item."""

from functools import partial

from convsim.metrics.endings import ended
from convsim.schema import Metric

ACCEPTED = Metric(
    name="accepted",
    unit="share of conversations",
    level="conversation",
    description=(
        "1 if the conversation ended with an item accepted, 0 if the user left, the agent ended it or the turns ran "
        "out; undefined where the ending is unknown or a side failed."
    ),
    source="convsim: the recorded ending, no reading of the text.",
    measure=partial(ended, ending="accepted"),
)
