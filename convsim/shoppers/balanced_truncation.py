"""Balanced truncation of diagonal linear recurrences: which states matter to the output, and what cutting others costs.

A system is x[k] = Lambda x[k-1] + B u[k], y[k] = C x[k], with Lambda diagonal and complex. Its Gramians P = Lambda P
Lambda* + B B* and Q = Lambda* Q Lambda + C* C say how strongly inputs reach a state and how strongly a state reaches
the output. The Hankel singular values, the square roots of the eigenvalues of PQ, say both, in whatever coordinates the
state is written. Truncation keeps the directions of the largest.

Source:
    Moore (1981), Principal component analysis in linear systems, IEEE Transactions on Automatic Control 26; Antoulas
    (2005), Approximation of large-scale dynamical systems, chapter 7 (square-root method: 7.3); Al-Saggaf and Franklin
    (1987), An error bound for a discrete reduced order model of a linear multivariable system, same Transactions 32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from convsim.schema.arrays import FloatArray

ComplexArray = npt.NDArray[np.complex128]
TINY = 1e-8
"""Of the largest Hankel singular value: what lies below is rounding, as Gramians hold squares."""
MOST_CONDITION = 1e6
"""Of the eigenvectors of a truncated system, beyond which it is taken not to be diagonalisable."""
MOST_RADIUS = 1 - 1e-9
"""Of an eigenvalue of a truncated system, beyond which it is taken not to be stable."""


@dataclass(frozen=True)
class DiagonalSystem:
    """A stable linear recurrence with a diagonal state matrix.

    Raises:
        ValueError: Shapes do not fit, there is no state, a number is not finite, or an eigenvalue is not inside the
            unit circle.
    """

    eigenvalues: ComplexArray
    """Shape (states,): the diagonal of Lambda, each below 1 in absolute value."""
    inputs: ComplexArray
    """Shape (states, inputs): B."""
    outputs: ComplexArray
    """Shape (outputs, states): C."""

    def __post_init__(self) -> None:
        shapes = tuple(np.shape(each) for each in (self.eigenvalues, self.inputs, self.outputs))
        of_values, of_inputs, of_outputs = shapes
        fits = [len(shape) for shape in shapes] == [1, 2, 2] and of_inputs[0] == of_values[0] == of_outputs[1]
        if not fits or not of_values[0]:
            raise ValueError(
                f"a system needs eigenvalues (n,), inputs (n, m) and outputs (p, n) of n >= 1 states, but got {shapes}"
            )
        if not all(np.isfinite(each).all() for each in (self.eigenvalues, self.inputs, self.outputs)):
            raise ValueError("a system's numbers must be finite")
        if (largest := float(np.abs(self.eigenvalues).max())) >= 1:
            raise ValueError(
                f"a system is stable where every |eigenvalue| is below 1, but one is {largest:g}"
            )

    @property
    def n_states(self) -> int:
        """How many complex states there are."""
        return len(self.eigenvalues)


class Gramians(NamedTuple):
    """How strongly inputs reach states, and states the output; Hermitian and positive semidefinite."""

    controllability: ComplexArray
    """P, shape (states, states)."""
    observability: ComplexArray
    """Q, shape (states, states)."""


class Truncated(NamedTuple):
    """A system with fewer states."""

    system: DiagonalSystem
    hankel: FloatArray
    """All Hankel singular values before, the largest first."""
    rank: int
    """How many of them were kept: the rank asked for, or more where that many could not be brought to diagonal form;
    fewer where the values beyond are rounding."""
    bound: float
    """Of the H-infinity norm of the error: the gain from inputs to the error of the outputs is nowhere above."""


def gramians(system: DiagonalSystem) -> Gramians:
    """Return both Gramians in closed form.

    With eigenvalues l: P_ij = (BB*)_ij / (1 - l_i conj(l_j)) and Q_ij = (C*C)_ij / (1 - conj(l_i) l_j).
    """
    left, b, c = system.eigenvalues[:, None], system.inputs, system.outputs
    steps = 1 - left * left.conj().T
    return Gramians(b @ b.conj().T / steps, c.conj().T @ c / steps.conj())


def hankel_singular_values(system: DiagonalSystem, *, real_output: bool = False) -> FloatArray:
    """Return the Hankel singular values, the largest first.

    Args:
        system: With n complex states.
        real_output: As in ``truncate``.

    Returns:
        Shape (n,), or (2n,) with ``real_output``. Values below ``TINY`` of the largest are rounding.
    """
    return _Balancing.of(_scaled(system), real_output).values


def rank_keeping(hankel: FloatArray, tau: float) -> int:
    """Return the smallest rank that keeps the proportion 1 - ``tau`` of the energy; 1 at least.

    The energy is the sum of the Hankel singular values, not of their squares. It bounds the error: what is cut adds at
    most twice itself to the gain (``Truncated.bound``).

    Args:
        hankel: Shape (n,): the largest first.
        tau: From 0, which keeps all values that are no rounding, to below 1.

    Raises:
        ValueError: ``tau`` is out of range.

    Source:
        Chahine, Nazari, Rus and Rusch (2026), The curious case of in-training compression of state space models,
        ICLR (arXiv 2510.02823); their energy is the same.
    """
    if not 0 <= tau < 1:
        raise ValueError(f"tau must be from 0 to below 1, but is {tau}")
    total = float(hankel.sum())
    if not total > 0:
        return 1
    enough = (1 - tau) * total * (1 - 1e-12)
    rank = int(np.searchsorted(hankel.cumsum(), enough)) + 1
    return max(1, min(rank, _n_sound(hankel)))


def truncate(system: DiagonalSystem, rank: int, *, real_output: bool = False) -> Truncated:
    """Keep the balanced states of the ``rank`` largest Hankel singular values, in diagonal form.

    The square-root method: with P = UU* and Q = VV*, the singular values of V*U are the Hankel singular values, and
    their vectors project the system without a balanced one of full size being made. States are scaled first so that P
    and Q have one diagonal. The truncated matrix is brought to diagonal form by its eigenvectors. Where their condition
    number is above ``MOST_CONDITION`` (it is not diagonalisable, or nearly not), or an eigenvalue is not inside the
    unit circle by rounding or because the cut parts equal values, one value more is kept, and so on; in the end the
    system comes back as it was. So what comes back is stable, and never has more states than before.

    With ``real_output`` inputs are real and the output is Re(C x), as of a linear recurrent unit. That is a real system
    of 2n states, Re x and Im x, which is balanced and cut in real arithmetic: eigenvalues then are real or in conjugate
    pairs, and of a pair one is kept, with twice its output. ``rank`` counts real states; r of them need from r/2 (pairs
    alone) to r complex ones. Without ``real_output`` the complex map is approximated; its bound holds for the real part
    as well, but states may be kept for the imaginary part that nobody looks at. A system that has its conjugate pairs
    written out is complex here; the pairs stay together unless the cut parts equal values.

    Args:
        system: With n states.
        rank: From 1 to n (to 2n with ``real_output``).
        real_output: Whether the output is the real part, and inputs are real.

    Returns:
        A system whose states have one diagonal of P and Q. One whose every Hankel singular value is 0 keeps its first
        state, with nothing for its input or output.

    Raises:
        ValueError: ``rank`` is out of range.
    """
    most = system.n_states * (2 if real_output else 1)
    if not 1 <= rank <= most:
        raise ValueError(f"rank must be from 1 to {most}, but is {rank}")
    scaled = _scaled(system)
    balancing = _Balancing.of(scaled, real_output)
    hankel = balancing.values
    if not hankel[0] > 0:
        first = DiagonalSystem(system.eigenvalues[:1], system.inputs[:1] * 0, system.outputs[:, :1] * 0)
        return Truncated(first, hankel, 1, 0.0)
    for kept in range(min(rank, _n_sound(hankel)), most):
        found = balancing.reduced(kept)
        if found is not None and found.n_states < system.n_states:
            return Truncated(_scaled(found), hankel, kept, 2 * float(hankel[kept:].sum()))
    return Truncated(scaled, hankel, most, 0.0)


def _n_sound(hankel: FloatArray) -> int:
    return max(1, int((hankel > TINY * hankel[0]).sum()))


def _scaled(system: DiagonalSystem) -> DiagonalSystem:
    """Multiply each state by a positive number so that both Gramians have one diagonal; the map stays the same."""
    reached, seen = (np.sqrt(np.real(np.diag(each))) for each in gramians(system))
    scale = np.ones(system.n_states)
    both = (reached > 0) & (seen > 0)
    scale[both] = np.sqrt(seen[both] / reached[both])
    return DiagonalSystem(system.eigenvalues, system.inputs * scale[:, None], system.outputs / scale)


@dataclass(frozen=True)
class _Balancing:
    """A system as full matrices, complex or real, and the factors that project it onto its balanced states."""

    values: FloatArray
    state: ComplexArray | FloatArray
    inputs: ComplexArray | FloatArray
    outputs: ComplexArray | FloatArray
    left: ComplexArray | FloatArray
    """Shape (states, values): a row of its conjugate transpose over the root of a value gives a balanced state."""
    right: ComplexArray | FloatArray

    @classmethod
    def of(cls, system: DiagonalSystem, real_output: bool) -> _Balancing:
        a, b, c = np.diag(system.eigenvalues), system.inputs, system.outputs
        p, q = gramians(system)
        matrices: tuple[ComplexArray | FloatArray, ...] = (a, b, c, p, q)
        if real_output:
            matrices = (
                np.block([[a.real, -a.imag], [a.imag, a.real]]),
                np.concatenate([b.real, b.imag]),
                np.concatenate([c.real, -c.imag], axis=1),
                *_real_gramians(system, Gramians(p, q)),
            )
        state, inputs, outputs, reached, seen = matrices
        u, v = _root(reached), _root(seen)
        w, values, z = np.linalg.svd(v.conj().T @ u)
        return cls(values, state, inputs, outputs, v @ w, u @ z.conj().T)

    def reduced(self, rank: int) -> DiagonalSystem | None:
        """Return the system of the first balanced states; None where it is unstable or cannot be made diagonal."""
        root = np.sqrt(self.values[:rank])
        to_balanced, back = (self.left[:, :rank] / root).conj().T, self.right[:, :rank] / root
        eigenvalues, vectors = np.linalg.eig(to_balanced @ self.state @ back)
        if np.linalg.cond(vectors) > MOST_CONDITION or np.abs(eigenvalues).max() > MOST_RADIUS:
            return None
        inputs = np.linalg.solve(vectors, to_balanced @ self.inputs)
        outputs = self.outputs @ back @ vectors
        if np.isrealobj(self.state):
            # Eigenvalues of a real matrix come in exact conjugate pairs: of each the upper one stands for both.
            upper, twice = eigenvalues.imag >= 0, np.where(eigenvalues.imag > 0, 2.0, 1.0)
            eigenvalues, inputs, outputs = eigenvalues[upper], inputs[upper], (outputs * twice)[:, upper]
        return DiagonalSystem(*(np.asarray(each, np.complex128) for each in (eigenvalues, inputs, outputs)))


def _root(gramian: ComplexArray | FloatArray) -> ComplexArray | FloatArray:
    """Return F with FF* the Gramian, which may be singular."""
    values, vectors = np.linalg.eigh((gramian + gramian.conj().T) / 2)
    return np.asarray(vectors * np.sqrt(values.clip(0)))


def _real_gramians(system: DiagonalSystem, of: Gramians) -> tuple[FloatArray, FloatArray]:
    """Return the Gramians of Re x and Im x, shape (2 states, 2 states), from those of x and of x with itself."""
    left, b, c = system.eigenvalues[:, None], system.inputs, system.outputs
    steps = 1 - left * left.T
    with_itself = Gramians(b @ b.T / steps, c.T @ c / steps)
    p, m = of.controllability, with_itself.controllability
    q, n = of.observability, with_itself.observability
    reached = np.block([[(p + m).real, (m - p).imag], [(p + m).imag, (p - m).real]]) / 2
    seen = np.block([[(q + n).real, -(q + n).imag], [-(n - q).imag, (q - n).real]]) / 2
    return reached, seen
