"""A deep linear recurrence as plain arrays: learned by torch, asked by NumPy alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from convsim.schema.arrays import FloatArray
from convsim.schema.record import Count, Number, Record
from convsim.shoppers.balanced_truncation import ComplexArray
from convsim.shoppers.policies.histories import Histories
from convsim.shoppers.policies.logistic import expit
from convsim.shoppers.policies.monotone import Part
from convsim.shoppers.policies.table import MISSING, Columns

EPSILON = 1e-5
"""Added to a variance that is divided by."""
AT_A_TIME = 256
"""Sequences."""


class StatesCut(Record):
    """States that were cut while a recurrence learned."""

    step: Count
    """Steps of the optimiser before."""
    states: tuple[Count, ...]
    """Complex states of each block afterwards."""


class Recurrence(Record):
    """What a recurrence was like, and what it adds for users who were left out."""

    tau: Number
    """Proportion of the energy of each block's states that a cut may take; 0 for no cuts."""
    states_before: tuple[Count, ...]
    states: tuple[Count, ...]
    """Of each block in the end; none where the history adds nothing."""
    cuts: tuple[StatesCut, ...]
    epochs: Count
    """Chosen by users who were left out."""
    steps: Count
    adds_to: tuple[Part, ...]
    """Parts whose forecasts of users who were left out it makes better by two standard errors."""
    gain: Number
    """Nats of a decision by which it is better than the regressions alone, for users who were left out within the
    training; of the epochs that are best for them."""

    def line(self) -> str:
        """Say it in one plain line."""
        if not self.adds_to:
            return (
                "the history of a conversation adds nothing to what is seen now, for users who were left out: the "
                "policy decides by its regressions alone"
            )
        sizes = [" + ".join(map(str, each)) for each in (self.states_before, self.states)]
        cut = (
            f"cut from {sizes[0]} to {sizes[1]} after steps {', '.join(str(each.step) for each in self.cuts)} of "
            f"{self.steps} (tau {self.tau:g})"
            if self.cuts
            else f"{sizes[1]}, none cut (tau {self.tau:g})"
        )
        return f"the history of a conversation tells more of {' and '.join(self.adds_to)}; states: {cut}"


@dataclass(frozen=True)
class Block:
    """u + (V s + v) * sigmoid(W s + w), where s = silu(Re(C x) + D * n), x[k] = Lambda x[k-1] + B n[k], n = norm(u)."""

    scale: FloatArray
    """Shape (width,), of the normed input; and so is ``shift``, which is added, and ``skip``, which is D."""
    shift: FloatArray
    skip: FloatArray
    eigenvalues: ComplexArray
    """Shape (states,): each below 1 in absolute value."""
    inputs: ComplexArray
    """Shape (states, width)."""
    outputs: ComplexArray
    """Shape (width, states)."""
    gated: FloatArray
    """Shape (2 width, width): V, then W."""
    gated_bias: FloatArray
    """Shape (2 width,)."""

    def __call__(self, u: FloatArray) -> FloatArray:
        """Return what comes out for sequences; both of shape (sequences, steps, width)."""
        centred = u - u.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        normed = centred / np.sqrt(variance + EPSILON) * self.scale + self.shift
        x = normed @ self.inputs.T
        for step in range(1, u.shape[1]):
            x[:, step] += self.eigenvalues * x[:, step - 1]
        y = (x @ self.outputs.T).real + normed * self.skip
        y = y * expit(y)
        value, gate = np.split(y @ self.gated.T + self.gated_bias, 2, axis=-1)
        return np.asarray(u + value * expit(gate))


@dataclass(frozen=True)
class Recurrent:
    """Linear recurrent units one above the other; step k of what comes out depends on the steps up to k alone.

    Source:
        Orvieto et al. (2023), Resurrecting recurrent neural networks for long sequences, ICML (arXiv 2303.06349). We
        fold their normalisation into B, and have layer norms and gated units as their deep models have.
    """

    encoder: FloatArray
    """Shape (width, inputs)."""
    encoder_bias: FloatArray
    blocks: tuple[Block, ...]
    head: FloatArray
    """Shape (outputs, width)."""
    head_bias: FloatArray

    def __call__(self, inputs: FloatArray) -> FloatArray:
        """Return outputs at each step, shape (sequences, steps, outputs), of inputs (sequences, steps, inputs)."""
        u = inputs @ self.encoder.T + self.encoder_bias
        for block in self.blocks:
            u = block(u)
        return np.asarray(u @ self.head.T + self.head_bias)

    @property
    def states(self) -> tuple[int, ...]:
        """Complex states of each block."""
        return tuple(len(block.eigenvalues) for block in self.blocks)

    def added(self, histories: Histories, columns: Columns, *, held: Collection[str] = ()) -> FloatArray:
        """Return what it adds to the log odds of each decision, shape (points, outputs); ``inputs_of`` has ``held``."""
        steps = inputs_of(histories, columns, held=held)
        found = np.zeros((len(histories.sequence), len(self.head)))
        for begin in range(0, histories.n_sequences, AT_A_TIME):
            sequences = np.arange(begin, min(begin + AT_A_TIME, histories.n_sequences))
            told = self(histories.padded(steps, sequences))
            here = (histories.sequence >= begin) & (histories.sequence < begin + AT_A_TIME)
            found[here] = told[histories.sequence[here] - begin, histories.step[here]]
        return found


def inputs_of(histories: Histories, columns: Columns, *, held: Collection[str] = ()) -> FloatArray:
    """Return what a recurrence is told at each step, shape (steps, columns and words).

    Args:
        histories: The sequences.
        columns: The features that vary.
        held: Features whose direction is held. Of these it is told at each step what they were a step before, and
            nothing at the first: what they are now moves a decision through the regressions alone, which hold it.
    """
    told = columns.standardised(histories.features)
    late = [place for place, name in enumerate(columns.names) if name.removesuffix(MISSING) in held]
    if late:
        before = np.concatenate([np.zeros((1, len(late))), told[:-1, late]])
        before[histories.starts[:-1]] = 0.0
        told[:, late] = before
    return np.concatenate([told, np.log1p(histories.words)], axis=1)
