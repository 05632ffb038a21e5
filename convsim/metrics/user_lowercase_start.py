"""Metric: how often the user starts without a capital."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from convsim.schema import Columns, Metric
from convsim.schema.columns import WORD

if TYPE_CHECKING:
    from convsim.schema.columns import FloatArray


def _starts_in_lower_case(text: str) -> float:
    word = WORD.search(text)
    if word is None:
        return nan
    # Titlecase, not islower(): Georgian letters are lower case, yet no sentence starts with another form.
    first = word[0][0]
    if first != first.title():
        return 1.0
    return 0.0 if first != first.lower() else nan


def _measure(columns: Columns) -> FloatArray:
    return columns.mean_over_user(map(_starts_in_lower_case, columns.user_texts))


USER_LOWERCASE_START = Metric(
    name="user_lowercase_start",
    unit="share of messages",
    level="turn",
    description=(
        "Share of the user's messages whose first word starts with a small letter, among those where it "
        "starts with a letter that has a capital: no word, a digit first, or a script without case leave a "
        "message out."
    ),
    source="convsim: a typing habit of chats.",
    measure=_measure,
)
