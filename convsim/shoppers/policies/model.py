"""What a policy is made of: whether one ends, whether one then accepts, which item is taken, which act comes next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from convsim.errors import InputError
from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.seeds import generator
from convsim.shoppers.policies.boosted import Trees, fit_trees
from convsim.shoppers.policies.choosing import ItemChoice, choice_at, fit_choice
from convsim.shoppers.policies.histories import Histories
from convsim.shoppers.policies.logistic import Logistic, Multinomial, expit, fit_logistic, fit_multinomial
from convsim.shoppers.policies.monotone import STATED, Direction, Part, direction_shown, held_of
from convsim.shoppers.policies.recurrent import Recurrence, Recurrent
from convsim.shoppers.policies.table import ACCEPT, LEAVE, TINY, Columns, Table
from convsim.stats.forecasts import UnitMean

Kind = Literal["hazard", "trees", "ssm"]
KINDS: tuple[Kind, ...] = ("hazard", "trees", "ssm")
TAU = 0.1
"""Of the energy of states, which a policy of the kind ``ssm`` cuts early in training if nothing else is said."""
FEWEST_OF_A_CLASS = 5
"""Accepts, or leaves, below which how one ends does not depend on features."""


@dataclass(frozen=True)
class Model:
    """Competing risks in discrete time: P(end), then P(accept given the end); then an item, or the next act.

    Source:
        Allison (1982), Discrete-time methods for the analysis of event histories, Sociological Methodology 13.
    """

    kind: Kind
    columns: Columns
    end: Logistic | Trees
    accept: Logistic | Trees | float
    """A number where it does not depend on features."""
    items: ItemChoice | None
    """None where nothing was learned of which item is taken: then each is as likely."""
    act_names: tuple[str, ...]
    acts: Multinomial | None
    directions: tuple[Direction, ...] = ()
    recurrent: Recurrent | None = None
    """Of the kind ``ssm``: what the history adds to the log odds of both parts; None where it adds nothing."""
    recurrence: Recurrence | None = None
    """How it was learned; None of other kinds, and of a policy that was read."""

    def forecast(self, features: FloatArray, histories: Histories | None = None) -> FloatArray:
        """Return how likely each move is, shape (points, 3): going on, accepting, leaving.

        Args:
            features: Shape (points, features), as ``features_of`` gives them.
            histories: Of the same points; looked at by the kind ``ssm`` alone.

        Raises:
            ValueError: Histories are needed, and are not there.
        """
        added: FloatArray = np.zeros((len(features), 2))
        if self.recurrent is not None:
            if histories is None:
                raise ValueError("a policy of the kind ssm is asked with the histories of its points")
            added = self.recurrent.added(histories, self.columns, held=held_of(self.directions))
        end = self._asked(self.end, features, added[:, 0])
        accept = self._asked(self.accept, features, added[:, 1])
        return np.stack([1 - end, end * accept, end * (1 - accept)], axis=1)

    def next_act(self, features: FloatArray) -> FloatArray | None:
        """Return how likely each of ``act_names`` is to come next, shape (points, acts); None where none is known."""
        return None if self.acts is None else self.acts.probability(self.columns.standardised(features))

    def _asked(self, part: Logistic | Trees | float, features: FloatArray, added: FloatArray) -> FloatArray:
        if isinstance(part, Logistic):
            return part.probability(self.columns.standardised(features), added)
        if isinstance(part, Trees):
            return part.probability(self.columns.within(features))
        if not added.any():
            return np.full(len(features), part)
        rate = min(max(part, TINY), 1 - TINY)
        return expit(np.log(rate / (1 - rate)) + added)


def fit_model(kind: Kind, table: Table, *, language: str | None, seed: int, tau: float = TAU) -> Model:
    """Learn a policy from decision points.

    Args:
        kind: What P(end) and P(accept) are.
        table: The points; somebody goes on and somebody ends. With histories, of the kind ``ssm``.
        language: ISO 639 code of the word lists that are looked at.
        seed: Deals users to folds.
        tau: Of the kind ``ssm``: the proportion of the energy of its states that is cut early in training.

    Raises:
        InputError: Nobody ends, everybody does at once, or nothing varies that could be seen.
    """
    if len(np.unique(table.ended)) < 2:
        what = "ends a conversation" if not table.ended.any() else "goes on after a reply"
        raise InputError(f"there is one kind of decision alone: nobody {what}; give whole conversations")
    columns = Columns.of(table)
    if not columns.features:
        raise InputError(
            "nothing that a shopper could see varies over the decisions in these logs; give more of them"
        )
    known = np.flatnonzero((table.moves == ACCEPT) | (table.moves == LEAVE))
    parts: tuple[tuple[Part, Table, BoolArray], ...] = (
        ("end", table, table.ended),
        ("accept", table.take(known), table.moves[known] == ACCEPT),
    )
    directions = [
        direction_shown(part, feature, sign, table=of_part, happened=happened)
        for part, of_part, happened in parts
        for feature, sign in STATED[part].items()
    ]
    learned = _Learning(kind, columns, directions, seed)
    went_on = np.flatnonzero(~table.ended)
    named = [table.points[row].acts for row in went_on.tolist()]
    act_names, acts = fit_multinomial(
        columns.standardised(table.features[went_on]), named, table.units[went_on], generator(seed, "acts")
    ) or ((), None)
    model = Model(
        kind=kind,
        columns=columns,
        end=learned.part("end", table, table.ended)[0],
        accept=_accept(learned, table.take(known)),
        items=_items(table, language, seed),
        act_names=act_names,
        acts=acts,
        directions=tuple(directions),
    )
    return _with_history(model, table, seed=seed, tau=tau) if kind == "ssm" else model


def _with_history(model: Model, table: Table, *, seed: int, tau: float) -> Model:
    """Add to the regressions what the history of a conversation tells beside them."""
    from convsim.shoppers.policies.recurrence.fitting import Regressions, fit_recurrence

    of_accept = [int((table.moves == move).sum()) for move in (ACCEPT, LEAVE)]
    recurrent, recurrence = fit_recurrence(
        table,
        model.columns,
        Regressions(*(part if isinstance(part, Logistic) else None for part in (model.end, model.accept))),
        held=held_of(model.directions),
        with_accept=min(of_accept) >= FEWEST_OF_A_CLASS,
        tau=tau,
        seed=seed,
    )
    return replace(model, recurrent=recurrent, recurrence=recurrence)


@dataclass(frozen=True)
class _Learning:
    kind: Kind
    columns: Columns
    directions: Sequence[Direction]
    seed: int

    def part(self, part: Part, table: Table, happened: BoolArray) -> tuple[Logistic | Trees, FloatArray]:
        names = [feature.name for feature in self.columns.features]
        signs = {
            names.index(d.feature): d.sign
            for d in self.directions
            if d.part == part and d.constrained and d.feature in names
        }
        rng = generator(self.seed, "folds", part)
        x: FloatArray
        fit: Callable[..., tuple[Logistic | Trees, FloatArray]]
        if self.kind != "trees":
            fit, x = fit_logistic, self.columns.standardised(table.features)
        else:
            fit, x = fit_trees, self.columns.within(table.features)
        return fit(x, happened, table.units, rng, signs=signs)


def _accept(learned: _Learning, table: Table) -> Logistic | Trees | float:
    """Learn who accepts of those who end and of whom is known how.

    It does not depend on features where that is no better for users who were left out by a standard error.

    Source:
        Breiman, Friedman, Olshen and Stone (1984), Classification and regression trees, 3.4.3 (the 1 SE rule).
    """
    accepted = table.moves == ACCEPT
    n, n_accepted = len(accepted), int(accepted.sum())
    if not n:
        raise InputError("nobody says of any conversation whether it was accepted or left")
    if min(n_accepted, n - n_accepted) < FEWEST_OF_A_CLASS:
        return n_accepted / n
    fitted, gains = learned.part("accept", table, np.asarray(accepted))
    gain = UnitMean.of(gains, table.units)
    return fitted if gain.estimate > gain.error else n_accepted / n


def _items(table: Table, language: str | None, seed: int) -> ItemChoice | None:
    rows: IntArray = np.flatnonzero(table.moves == ACCEPT)
    found = [(choice_at(table.points[row], language), int(table.units[row])) for row in rows]
    choices = [(choice, unit) for choice, unit in found if choice is not None]
    return fit_choice(
        [choice for choice, _ in choices], [unit for _, unit in choices], generator(seed, "items")
    )
