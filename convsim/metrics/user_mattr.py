"""Metric: how varied the user's words are, whatever their number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import nan
from typing import TYPE_CHECKING

from convsim.schema import Columns, Metric

if TYPE_CHECKING:
    from convsim.schema.columns import FloatArray

WINDOW = 10
"""User words a window.

Covington and McFall use hundreds, for prose. Shoppers write 20 to 60 words a chat, and a window must fit in
the short chats too, or the metric would speak of long chats alone: in four public sets of people's chats with
shops and recommenders, 10 words leave 0 to 19 % of the conversations undefined, 20 words up to 45 %. Narrower
windows would hold no repetition in more and more chats, and tell nothing of them.
"""


def moving_average_type_token_ratio(words: Sequence[str], window: int) -> float:
    """Mean share of different words in each run of ``window`` words; NaN for fewer words.

    Each word is counted, in one pass, in the windows in which it stands first of its kind.
    """
    starts = len(words) - window + 1
    if starts < 1:
        return nan
    types = 0
    last: dict[str, int] = {}
    for place, word in enumerate(words):
        earliest = max(last.get(word, -1) + 1, place - window + 1)
        latest = min(place, starts - 1)
        types += max(0, latest - earliest + 1)
        last[word] = place
    return types / (starts * window)


def _measure(columns: Columns) -> FloatArray:
    import numpy as np

    conversations = columns.by_conversation(columns.user_words)
    ratios = (
        moving_average_type_token_ratio(list(chain.from_iterable(words)), WINDOW) for words in conversations
    )
    return np.fromiter(ratios, np.float64, columns.n)


USER_MATTR = Metric(
    name="user_mattr",
    unit="different words per word",
    level="conversation",
    description=(
        f"Moving-average type-token ratio over windows of {WINDOW} words of the user's messages, joined and "
        f"in lower case; undefined with fewer than {WINDOW} words."
    ),
    source=(
        "Covington and McFall (2010), Cutting the Gordian knot: the moving-average type-token ratio (MATTR), "
        "Journal of Quantitative Linguistics 17(2); with a window for short chats."
    ),
    measure=_measure,
)
