"""Metric: how often the user walks out."""

from functools import partial

from convsim.metrics.endings import ended
from convsim.schema import Metric

LEFT = Metric(
    name="left",
    unit="share of conversations",
    level="conversation",
    description=(
        "1 if the user left without an item, 0 if they accepted one, the agent ended the conversation or the turns "
        "ran out; undefined where the ending is unknown or a side failed."
    ),
    source="convsim: the recorded ending, no reading of the text.",
    measure=partial(ended, ending="left"),
)
