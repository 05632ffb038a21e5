"""Which of the items shown is taken: a conditional logit over what tells them apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema.arrays import FloatArray
from convsim.schema.conversation import Conversation, Item
from convsim.schema.persona import Persona
from convsim.shoppers.policies.features import (
    breaks,
    fit,
    items_shown_last,
    price_of,
    price_to_budget,
    proportion_in,
    read_text,
    words_of_item,
)
from convsim.shoppers.policies.logistic import folds_of, softmax
from convsim.shoppers.policies.points import Point
from convsim.stats.forecasts import UnitMean

if TYPE_CHECKING:
    from numpy.random import Generator

ITEM_FEATURES: Mapping[str, str] = {
    "is_first": "1 if it was shown first, else 0",
    "rank": "log of its place, from 1",
    "fit": "proportion of the persona's wishes that hold of it",
    "limits_broken": "1 if it breaks a dealbreaker or the budget, else 0",
    "price_to_budget": "log(price / budget)",
    "price": "log(price / the mean price of those shown)",
    "need_in_item": "proportion of the need's content words that it has",
    "said_in_item": "proportion of the content words of all that the user said that it has",
    "last_said_in_item": "proportion of the content words of the user's last message that it has",
    "seen_before": "1 if it was shown before, else 0",
}
"""By name: what each is. What cannot be told of an item is taken for the mean of those shown beside it."""
PENALTIES = (0.1, 1.0, 10.0, 100.0)
"""Of squared weights, that are tried; a choice's log loss counts 1."""
FEWEST_CHOICES = 20
"""Items accepted among several, below which nothing is learned of which one is taken."""
MOST = 1e3


@dataclass(frozen=True)
class Choice:
    """One acceptance: what tells the items apart that were shown, and which were taken."""

    features: FloatArray
    """Shape (items, item features); the mean over the items is 0, and nothing is NaN."""
    taken: FloatArray
    """Shape (items,): adds up to 1 over those that were taken."""


@dataclass(frozen=True)
class ItemChoice:
    """Scores of items that are linear in what tells them apart."""

    weights: FloatArray
    """Shape (item features,), of features divided by ``scales``."""
    scales: FloatArray
    """Shape (item features,)."""

    def probabilities(self, features: FloatArray) -> FloatArray:
        """Return how likely each item is to be the one, given that one is taken; shape (items,)."""
        return softmax(features / self.scales @ self.weights)


def item_features(
    items: Sequence[Item], seen: Conversation, persona: Persona, language: str | None
) -> FloatArray:
    """Return what tells items apart, less its mean over them; shape (items, item features)."""
    agents = [m for m in seen.messages if m.role == "assistant"]
    last = next((n for n in reversed(range(len(agents))) if agents[n].items), 0)
    before = {item.id for m in agents[:last] for item in m.items}
    user = [m.content for m in seen.user_messages]
    need = read_text(persona.need, language).content
    said = [read_text(text, language).content for text in user]
    everything = frozenset().union(*said)
    prices = [price_of(item) for item in items]
    found = np.asarray(
        [
            [
                float(rank == 0), math.log(rank + 1), fit(item, persona), breaks(item, persona),
                price_to_budget(item, persona), math.log(price) if price and price > 0 else math.nan,
                proportion_in(need, there := words_of_item(item, language)), proportion_in(everything, there),
                proportion_in(said[-1] if said else frozenset(), there), float(item.id in before),
            ]
            for rank, (item, price) in enumerate(zip(items, prices, strict=True))
        ],
        np.float64,
    ).reshape(len(items), len(ITEM_FEATURES))  # fmt: skip
    there_is = ~np.isnan(found)
    means = np.where(there_is, found, 0).sum(axis=0) / np.maximum(there_is.sum(axis=0), 1)
    centred = np.where(there_is, found, means) - means
    return np.asarray(centred - centred.mean(axis=0) if len(items) else centred)


def choice_at(point: Point, language: str | None) -> Choice | None:
    """Return the choice that a person made; None where they took nothing, or it was not one of several shown last."""
    items = items_shown_last(point.seen)
    taken = np.asarray([item.id in point.taken for item in items], np.float64)
    if len(items) < 2 or not taken.any():
        return None
    return Choice(item_features(items, point.seen, point.persona, language), taken / taken.sum())


def fit_choice(choices: Sequence[Choice], units: Sequence[int], rng: Generator) -> ItemChoice | None:
    """Fit with the penalty that forecasts best what other users took.

    Returns:
        None where there are too few choices, or those of users who were left out are not forecast better than by
        chance by a standard error.

    Source:
        McFadden (1974), Conditional logit analysis of qualitative choice behavior; the 1 SE rule of Breiman, Friedman,
        Olshen and Stone (1984), Classification and regression trees, 3.4.3.
    """
    if len(choices) < FEWEST_CHOICES:
        return None
    of_choice = np.asarray(units, np.int64)
    gains = np.zeros((len(PENALTIES), len(choices)))
    for out in folds_of(of_choice, rng):
        learned = [choice for choice, is_out in zip(choices, out, strict=True) if not is_out]
        if not learned:
            continue
        for place, penalty in enumerate(PENALTIES):
            fitted = _fitted(learned, penalty)
            for row in np.flatnonzero(out).tolist():
                told, taken = fitted.probabilities(choices[row].features), choices[row].taken
                gains[place, row] = float(taken @ np.log(told.clip(1e-12))) + math.log(len(taken))
    best = int(gains.sum(axis=1).argmax())
    gain = UnitMean.of(gains[best], of_choice)
    return _fitted(choices, PENALTIES[best]) if gain.estimate > gain.error else None


def _fitted(choices: Sequence[Choice], penalty: float) -> ItemChoice:
    from scipy.optimize import minimize

    everything = np.concatenate([choice.features for choice in choices])
    taken = np.concatenate([choice.taken for choice in choices])
    spread = everything.std(axis=0)
    scales = np.where(spread > 1e-9, spread, 1.0)
    x = everything / scales
    starts = np.cumsum([0, *(len(choice.taken) for choice in choices)])[:-1]
    sizes = np.asarray([len(choice.taken) for choice in choices])

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        score = x @ weights
        raised = np.exp(score - np.repeat(np.maximum.reduceat(score, starts), sizes))
        told = raised / np.repeat(np.add.reduceat(raised, starts), sizes)
        value = -float(taken @ np.log(told.clip(1e-300))) + penalty / 2 * float(weights @ weights)
        return value, (told - taken) @ x + penalty * weights

    found = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B")
    return ItemChoice(np.clip(found.x, -MOST, MOST), scales)
