"""Metric: how often the user gives a number in digits."""

import re
from functools import partial

from convsim.metrics.shares import share_of_texts
from convsim.schema import Metric

USER_DIGITS = Metric(
    name="user_digits",
    unit="share of messages",
    level="turn",
    description="Share of the user's non-empty messages with a decimal digit of any script: sizes, prices.",
    source="convsim: a surface cue of stated constraints.",
    measure=partial(share_of_texts, holds=re.compile(r"\d").search),
)
