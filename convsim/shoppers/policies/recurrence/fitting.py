"""Learns what the history of a conversation adds to regressions on what is seen now, and whether it does."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.seeds import child_seed, generator
from convsim.shoppers.policies.histories import Histories
from convsim.shoppers.policies.logistic import Logistic, fit_at, folds_of
from convsim.shoppers.policies.monotone import Part
from convsim.shoppers.policies.recurrence.network import Learned, Learning, Network, Shape, learn
from convsim.shoppers.policies.recurrent import Recurrence, Recurrent, StatesCut, inputs_of
from convsim.shoppers.policies.table import ACCEPT, LEAVE, Columns, Table
from convsim.stats.forecasts import UnitMean

WIDTH, STATES, N_BLOCKS = 16, 32, 2
EPOCHS, PATIENCE = 30, 6
"""Passes at most, and those that may follow one another without a lower loss of users who were left out."""
FOLDS = 3
"""Of users, by whom the number of passes is chosen and it is asked whether the history tells anything."""
MANY = 1_024
"""Points that are forecast at a time."""
SURELY = 2.0
"""Standard errors by which it must be better for users who were left out: the number of passes is chosen by them."""
PARTS: tuple[Part, ...] = ("end", "accept")


class Regressions(NamedTuple):
    """Those whose log odds the recurrence adds to: by each, how strongly others are fitted, and in which columns."""

    end: Logistic | None
    accept: Logistic | None
    """None where a part does not depend on what is seen now."""


class _Data(NamedTuple):
    columns: FloatArray
    """Shape (points, columns): standardised."""
    inputs: FloatArray
    """Shape (steps, inputs)."""
    histories: Histories
    targets: FloatArray
    """Shape (points, 2): whether it ended, and whether it was accepted; NaN where that is not known or not asked."""

    @classmethod
    def of(cls, table: Table, columns: Columns, *, held: Collection[str], with_accept: bool) -> _Data:
        if table.histories is None:
            raise ValueError("a policy of the kind ssm learns from a table with histories")
        targets = np.full((len(table.points), len(PARTS)), math.nan)
        targets[:, 0] = table.ended
        if with_accept:
            known = (table.moves == ACCEPT) | (table.moves == LEAVE)
            targets[known, 1] = table.moves[known] == ACCEPT
        inputs = inputs_of(table.histories, columns, held=held)
        return cls(columns.standardised(table.features), inputs, table.histories, targets)

    def offsets(self, learned: BoolArray, regressions: Regressions) -> FloatArray:
        """Return the log odds at all points, shape (points, 2), by regressions on those that are learned from."""
        found = np.zeros_like(self.targets)
        for part, regression in enumerate(regressions):
            known = learned & ~np.isnan(self.targets[:, part])
            happened = self.targets[known, part] == 1
            if not known.any():
                continue
            rate = float(happened.mean().clip(1e-3, 1 - 1e-3))
            found[:, part] = math.log(rate / (1 - rate))
            if regression is not None and regression.strength and len(np.unique(happened)) > 1:
                used = self.columns[
                    :, regression.weights != 0
                ]  # without those that had a sign people have not
                fitted = fit_at(used[known], np.asarray(happened), regression.strength)
                found[:, part] = fitted.intercept + used @ fitted.weights
        return found


def fit_recurrence(
    table: Table,
    columns: Columns,
    regressions: Regressions,
    *,
    held: Collection[str] = (),
    with_accept: bool,
    tau: float,
    seed: int,
) -> tuple[Recurrent | None, Recurrence]:
    """Fit what the history adds to the log odds of ending, and of accepting given the end.

    How many passes are made is chosen by users who were left out, in ``FOLDS`` folds; then all are learned from. What
    is added to either part stays where it forecasts users who were left out better by ``SURELY`` standard errors.

    Args:
        table: The points, with their histories.
        columns: The features that vary.
        regressions: What it is added to.
        held: Features whose direction is held, as ``inputs_of`` has them.
        with_accept: Whether accepting may depend on anything.
        tau: The proportion of the energy of states that is cut early in training; 0 cuts nothing.
        seed: Deals users to folds, and draws what training draws.

    Returns:
        The recurrence, None where it adds nothing; and what it was like.

    Raises:
        TrainingError: The loss is not finite.
        ValueError: The table has no histories.
    """
    data = _Data.of(table, columns, held=held, with_accept=with_accept)
    learning = Learning(EPOCHS, tau=tau)
    losses = np.full((EPOCHS + 1, *data.targets.shape), math.inf)
    for fold, out in enumerate(folds_of(table.units, generator(seed, "recurrence", "folds"), FOLDS)):
        told = _Fit(data, ~out, data.offsets(~out, regressions), child_seed(seed, "recurrence", fold))
        told.learn(learning, losses)
    best = int(losses.sum(axis=(1, 2)).argmin())
    gains = losses[0] - losses[best]
    adds_to = []
    for part, name in enumerate(PARTS):
        known = ~np.isnan(data.targets[:, part])
        gain = UnitMean.of(gains[known, part], table.units[known]) if known.any() else None
        if gain is not None and gain.n_units > 1 and gain.estimate > SURELY * gain.error:
            adds_to.append(name)
    found = Recurrence(
        tau=tau, states_before=(STATES,) * N_BLOCKS, states=(), cuts=(), epochs=best, steps=0, adds_to=tuple(adds_to),
        gain=float(gains.sum(axis=1).mean()),
    )  # fmt: skip
    if not adds_to:
        return None, found
    everyone = np.ones(len(table.points), bool)
    fit = _Fit(data, everyone, data.offsets(everyone, regressions), child_seed(seed, "recurrence", "all"))
    learned = fit.learn(replace(learning, epochs=best))
    cuts = tuple(StatesCut(step=step, states=states) for step, states in learned.cuts)
    used = np.asarray([name in adds_to for name in PARTS], np.float64)
    whole = learned.network.exported()
    recurrent = replace(whole, head=whole.head * used[:, None], head_bias=whole.head_bias * used)
    return recurrent, found.but(states=recurrent.states, cuts=cuts, steps=learned.steps)


class _Fit(NamedTuple):
    data: _Data
    learned: BoolArray
    """Shape (points,): from which it learns."""
    offsets: FloatArray
    seed: int

    def learn(self, learning: Learning, losses: FloatArray | None = None) -> Learned:
        """Learn, and write the loss of points that are not learned from, after each epoch, into ``losses``."""
        data, of = self.data, self.data.histories.sequence
        out = np.flatnonzero(~self.learned)
        rows = np.flatnonzero(self.learned)
        rows = rows[of[rows].argsort(kind="stable")]
        sequences, first = np.unique(of[rows], return_index=True)
        points_of = np.split(rows, first[1:])
        waited = 0

        def loss_of(network: Network, chosen: np.ndarray) -> torch.Tensor:
            return self._losses(network, np.concatenate([points_of[each] for each in chosen])).sum(1).mean()

        def after_epoch(epoch: int, network: Network) -> bool:
            nonlocal waited
            if losses is None:
                return True
            with torch.no_grad():
                for some in np.array_split(out, range(MANY, len(out), MANY)):
                    losses[epoch, some] = self._losses(network, some)
            so_far = losses[: epoch + 1, out].sum(axis=(1, 2))
            waited = 0 if so_far.argmin() == epoch else waited + 1
            return waited < PATIENCE

        if losses is not None:
            losses[0, out] = self._losses(None, out)
        shape = Shape(data.inputs.shape[1], len(PARTS), WIDTH, STATES, N_BLOCKS)
        return learn(
            shape, learning, len(sequences), loss_of=loss_of, seed=self.seed, after_epoch=after_epoch
        )

    def _losses(self, network: Network | None, points: IntArray) -> torch.Tensor:
        """Return minus the log likelihood at some points, shape (points, 2); 0 of what is not known."""
        data = self.data
        told = torch.from_numpy(self.offsets[points])
        if network is not None:
            sequences, of = np.unique(data.histories.sequence[points], return_inverse=True)
            outputs = network(
                torch.from_numpy(data.histories.padded(data.inputs, sequences).astype(np.float32))
            )
            told = told + outputs[of.ravel(), data.histories.step[points]]
        targets = data.targets[points]
        known = torch.from_numpy(~np.isnan(targets))
        whole = binary_cross_entropy_with_logits(
            told, torch.from_numpy(np.nan_to_num(targets)), reduction="none"
        )
        return whole * known
