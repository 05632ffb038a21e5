"""Chooses which attention heads and neurons stay when so many parameters are to go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from convsim.schema.arrays import FloatArray

NEURONS_AT_A_TIME = 64
"""Into how many moves all neurons of a layer come apart, at least, so that heads and neurons are weighed in turn."""


class Widths(NamedTuple):
    """How wide every layer is; ``heads`` share each of the key/value heads."""

    groups: int
    """Key/value heads."""
    heads: int
    """Attention heads that share one of them."""
    neurons: int


class Scores(NamedTuple):
    """How much the loss of each sequence would move, to the first order, if a unit were faded out."""

    heads: FloatArray
    """Shape (sequences, layers, key/value heads, heads of each)."""
    neurons: FloatArray
    """Shape (sequences, layers, neurons)."""


class Prices(NamedTuple):
    """Parameters of one unit in all layers together."""

    group: int
    """A key/value head, without the attention heads that share it."""
    head: int
    neuron: int

    def of(self, widths: Widths) -> int:
        """Return the parameters of layers of some widths."""
        return widths.groups * (self.group + widths.heads * self.head) + widths.neurons * self.neuron


@dataclass
class Choice:
    """Which units of each layer stay; layers lose as many each, but each its own."""

    groups: list[list[int]]
    heads: list[dict[int, list[int]]]
    """By key/value head, of each layer."""
    neurons: list[list[int]]

    @property
    def widths(self) -> Widths:
        """How wide the layers are now."""
        return self.widths_with(len(self.neurons[0]))

    def widths_with(self, neurons: int) -> Widths:
        """How wide the layers are with so many neurons."""
        return Widths(len(self.groups[0]), len(self.heads[0][self.groups[0][0]]), neurons)


def choose_units(scores: Scores, prices: Prices, *, parameters: int, allowed: set[tuple[int, int]]) -> Choice:
    """Choose units to keep, until they have no more than ``parameters``, or all but the last are gone.

    Again and again the cheapest move is made: the one with the least importance of what goes, a parameter. A move takes
    from each layer its least important key/value head with all heads that share it, or of each key/value head the least
    important head, or some least important neurons; it takes no more than is to go, unless all neurons but one have
    gone: neurons then come back. The importance of a unit is the mean over sequences of its squared
    score; heads of one key/value head are added before they are squared, as they go together.

    Args:
        scores: Of every unit.
        prices: Of every unit.
        parameters: To come to.
        allowed: Pairs of key/value heads and heads of each that the configuration can say.
    """
    n_layers, n_groups, n_heads = scores.heads.shape[1:]
    n_neurons = scores.neurons.shape[2]
    importance = np.square(scores.neurons).mean(0)
    order = np.argsort(importance, axis=1, kind="stable")
    lost = np.take_along_axis(importance, order, 1).sum(0).cumsum()
    choice = Choice(
        [[*range(n_groups)] for _ in range(n_layers)],
        [{group: [*range(n_heads)] for group in range(n_groups)} for _ in range(n_layers)],
        [],
    )
    gone, at_a_time = 0, max(1, n_neurons // NEURONS_AT_A_TIME)
    while True:
        widths = choice.widths_with(n_neurons - gone)
        excess = prices.of(widths) - parameters
        if excess <= 0:
            break
        moves = _head_moves(scores, choice, widths, prices, allowed)
        if some := min(at_a_time, widths.neurons - 1, excess // prices.neuron):
            before = lost[gone - 1] if gone else 0.0
            moves.append((float(lost[gone + some - 1] - before), some * prices.neuron, some))
        fitting = [move for move in moves if move[1] <= excess]
        if not fitting and widths.neurons == 1:
            fitting = sorted(moves, key=lambda move: move[1])[:1]
        if not fitting:
            break
        _, _, best = min(fitting, key=lambda move: move[0] / move[1])
        if isinstance(best, int):
            gone += best
        else:
            choice.groups, choice.heads = best.groups, best.heads
            widths = choice.widths_with(n_neurons - gone)
            # Heads that had to go as no neurons were left make room for neurons again.
            gone -= min(gone, max(0, parameters - prices.of(widths)) // prices.neuron)
    choice.neurons = [sorted(map(int, row[gone:])) for row in order]
    return choice


def _head_moves(
    scores: Scores, choice: Choice, widths: Widths, prices: Prices, allowed: set[tuple[int, int]]
) -> list[tuple[float, int, Choice | int]]:
    """Return what can be done to the heads next: importance lost, parameters saved, and what stays."""
    moves: list[tuple[float, int, Choice | int]] = []
    fewer = [n for n in range(1, widths.groups) if (n, widths.heads) in allowed]
    if fewer:
        cost, kept = 0.0, []
        for layer, groups in enumerate(choice.groups):
            of = {
                g: float(np.square(scores.heads[:, layer, g, choice.heads[layer][g]].sum(1)).mean())
                for g in groups
            }
            ranked = sorted(groups, key=lambda g, of=of: of[g])  # type: ignore[misc]
            going = ranked[: widths.groups - fewer[-1]]
            cost += sum(of[g] for g in going)
            kept.append([g for g in groups if g not in going])
        saved = prices.of(widths) - prices.of(widths._replace(groups=fewer[-1]))
        moves.append((cost, saved, Choice(kept, choice.heads, [])))
    fewer = [n for n in range(1, widths.heads) if (widths.groups, n) in allowed]
    if fewer:
        cost, left = 0.0, []
        for layer, groups in enumerate(choice.groups):
            stay: dict[int, list[int]] = {}
            for g in groups:
                own = choice.heads[layer][g]
                of = dict(zip(own, np.square(scores.heads[:, layer, g, own]).mean(0), strict=True))
                ranked = sorted(own, key=lambda h, of=of: of[h])  # type: ignore[misc]
                going = ranked[: widths.heads - fewer[-1]]
                cost += float(sum(of[h] for h in going))
                stay[g] = [h for h in own if h not in going]
            left.append(stay)
        saved = prices.of(widths) - prices.of(widths._replace(heads=fewer[-1]))
        moves.append((cost, saved, Choice(choice.groups, left, [])))
    return moves
