"""The longest runs of words that texts share with others, exactly and in little more than linear time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convsim.schema.arrays import IntArray


def longest_shared_runs(texts: Sequence[Sequence[str]], others: Sequence[Sequence[str]]) -> IntArray:
    """Return the length of the longest run of words of each text that stands, in this order, in one of ``others``.

    Places are ranked by the words that follow them, twice as many in each round. In the order of all of them, what is
    most like a place stands next to it.

    Args:
        texts: The words of each.
        others: The words of those that are looked in.

    Returns:
        Shape (texts,): in words; 0 where no word is shared.

    Source:
        Manber and Myers (1993), Suffix arrays: a new method for on-line string searches (prefix doubling).
    """
    longest = np.zeros(len(texts), np.int64)
    everything = [*texts, *others]
    lengths = np.asarray([len(text) for text in everything], np.int64)
    if not lengths.sum() or not len(others):
        return longest
    numbers: dict[str, int] = {}
    # An end of a text has a number of its own, so that no run goes on beyond it.
    ranks = [
        np.asarray(
            [
                number
                for place, text in enumerate(everything)
                for number in (*(numbers.setdefault(word, len(numbers)) for word in text), -1 - place)
            ],
            np.int64,
        )
    ]
    ranks[0] = np.unique(ranks[0], return_inverse=True)[1].astype(np.int64)
    n = len(ranks[0])
    reach = 1
    while reach < lengths.max() and int(ranks[-1].max()) < n - 1:
        later = np.append(ranks[-1][reach:], np.full(reach, -1))[:n]
        ranks.append(np.unique(ranks[-1] * (n + 1) + later + 1, return_inverse=True)[1].astype(np.int64))
        reach *= 2
    text_of = np.repeat(np.arange(len(everything)), lengths + 1)
    order = np.argsort(ranks[-1], kind="stable")
    is_other = text_of[order] >= len(texts)
    at = np.arange(n)
    before = np.maximum.accumulate(np.where(is_other, at, -1))
    after = np.minimum.accumulate(np.where(is_other, at, n)[::-1])[::-1]
    asked = np.flatnonzero(~is_other)
    for neighbour in (before[asked], after[asked]):
        there = (neighbour >= 0) & (neighbour < n)
        mine, theirs = order[asked[there]], order[neighbour[there]]
        np.maximum.at(longest, text_of[mine], _common(ranks, mine, theirs))
    return longest


def _common(ranks: Sequence[IntArray], first: IntArray, second: IntArray) -> IntArray:
    """Return how many words from each of two places are the same."""
    n = len(ranks[0])
    shared = np.zeros(len(first), np.int64)
    for power in range(len(ranks) - 1, -1, -1):
        while True:
            mine, theirs = first + shared, second + shared
            same = (mine < n) & (theirs < n)
            same[same] = ranks[power][mine[same]] == ranks[power][theirs[same]]
            if not same.any():
                break
            shared[same] += 2**power
    return shared
