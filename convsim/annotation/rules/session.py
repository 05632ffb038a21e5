"""What a conversation shows by its end, from what its messages show: the last of them count most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from convsim.annotation.rules.language import End

TAKES = "accept_recommendation"
TURNS_DOWN = "reject_recommendation"


def at_the_end(
    acts: Sequence[frozenset[str]], shown: Sequence[Mapping[str, int]], rule: End
) -> Mapping[str, int]:
    """Return 0 or 1 for each experience; ``acts`` and ``shown`` are those of the user messages, in their order.

    ``[end]`` of ``experience.toml`` says how.
    """
    mood = _weighted([values["satisfaction"] - values["frustration"] for values in shown], rule.half)
    confusion = _weighted([values["confusion"] for values in shown], rule.half)
    return {
        "satisfaction": int(mood >= rule.mood),
        "frustration": int(-mood >= rule.mood),
        "confusion": int(confusion >= rule.confusion),
        "purchase_intent": _would_buy(acts, shown),
    }


def _weighted(values: Sequence[int], half: float) -> float:
    return sum(value * half**after for after, value in enumerate(reversed(values)))


def _would_buy(acts: Sequence[frozenset[str]], shown: Sequence[Mapping[str, int]]) -> int:
    for given, values in zip(reversed(acts), reversed(shown), strict=True):
        if values["purchase_intent"]:
            return 1
        if TURNS_DOWN in given:
            return 0
    return 0
