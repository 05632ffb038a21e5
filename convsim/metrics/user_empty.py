"""Metric: how often the user sends nothing."""

from convsim.schema import Metric

USER_EMPTY = Metric(
    name="user_empty",
    unit="share of messages",
    level="turn",
    description="Share of the user's messages that are nothing but white space; undefined without any.",
    source="convsim: a count that the other shares leave out.",
    measure=lambda columns: columns.mean_over_user(columns.user_is_empty),
)
