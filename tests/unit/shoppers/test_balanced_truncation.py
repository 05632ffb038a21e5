"""What a recurrence loses when states are cut: against SciPy's Lyapunov solver, and the gain at every frequency."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solve_discrete_lyapunov

from convsim.shoppers import balanced_truncation
from convsim.shoppers.balanced_truncation import (
    TINY,
    DiagonalSystem,
    gramians,
    hankel_singular_values,
    rank_keeping,
    truncate,
)

FREQUENCIES = np.concatenate([np.linspace(-np.pi, np.pi, 401), np.geomspace(1e-4, 1e-1, 60)])


def made(eigenvalues: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> DiagonalSystem:
    return DiagonalSystem(*(np.asarray(each, np.complex128) for each in (eigenvalues, inputs, outputs)))


def drawn(seed: int, n: int = 12, *, m: int = 2, p: int = 3, largest: float = 0.98) -> DiagonalSystem:
    rng = np.random.default_rng(seed)
    radius, angle = largest * np.sqrt(rng.random(n)), rng.uniform(-np.pi, np.pi, n)
    b, c = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape) for shape in ((n, m), (p, n)))
    return made(radius * np.exp(1j * angle), b, c * 10.0 ** -rng.uniform(0, 4, n))


def gain(first: DiagonalSystem, second: DiagonalSystem, *, real_output: bool = False) -> float:
    """Return the largest singular value of the difference of two systems over a grid of frequencies."""

    def response(system: DiagonalSystem, z: complex) -> np.ndarray:
        def at(point: complex) -> np.ndarray:
            return (system.outputs / (1 - system.eigenvalues / point)) @ system.inputs

        return (at(z) + at(z.conjugate()).conj()) / 2 if real_output else at(z)

    points = np.exp(1j * FREQUENCIES)
    return max(float(np.linalg.norm(response(first, z) - response(second, z), 2)) for z in points)


def run(system: DiagonalSystem, inputs: np.ndarray) -> np.ndarray:
    state, outputs = np.zeros(system.n_states, np.complex128), []
    for each in inputs:
        state = system.eigenvalues * state + system.inputs @ each
        outputs.append(system.outputs @ state)
    return np.asarray(outputs)


def as_real(system: DiagonalSystem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Write Re x and Im x as the states of a real system whose output is the real part."""
    a, b, c = np.diag(system.eigenvalues), system.inputs, system.outputs
    return (
        np.block([[a.real, -a.imag], [a.imag, a.real]]),
        np.concatenate([b.real, b.imag]),
        np.concatenate([c.real, -c.imag], axis=1),
    )


@pytest.mark.parametrize("seed", range(4))
def test_gramians_are_those_of_scipys_lyapunov_solver(seed: int) -> None:
    system = drawn(seed)
    found, a = gramians(system), np.diag(system.eigenvalues)
    reached = solve_discrete_lyapunov(a, system.inputs @ system.inputs.conj().T)
    seen = solve_discrete_lyapunov(a.conj().T, system.outputs.conj().T @ system.outputs)
    np.testing.assert_allclose(found.controllability, reached, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.observability, seen, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("real_output", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_hankel_values_are_the_roots_of_the_eigenvalues_of_both_gramians(
    seed: int, real_output: bool
) -> None:
    system = drawn(seed, 6)
    a, b, c = as_real(system) if real_output else (np.diag(system.eigenvalues), system.inputs, system.outputs)
    reached = solve_discrete_lyapunov(a, b @ b.conj().T)
    seen = solve_discrete_lyapunov(a.conj().T, c.conj().T @ c)
    expected = np.sqrt(np.sort(np.linalg.eigvals(reached @ seen).real.clip(0))[::-1])
    found = hankel_singular_values(system, real_output=real_output)
    sound = expected > 1e-5 * expected[0]
    assert sound.sum() >= 4
    np.testing.assert_allclose(found[sound], expected[sound], rtol=1e-5)


def test_one_state_by_hand() -> None:
    # |b|^2 = 4, |c|^2 = 9, 1 - .6^2 = .64: the only value is 2 * 3 / .64.
    system = made(np.array([0.6j]), np.array([[2.0 + 0j]]), np.array([[3.0 + 0j]]))
    np.testing.assert_allclose(hankel_singular_values(system), [6 / 0.64])


@pytest.mark.parametrize("real_output", [False, True])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 14), data=st.data())
def test_what_is_cut_bounds_the_error_at_every_frequency(
    real_output: bool, seed: int, n: int, data: st.DataObject
) -> None:
    system = drawn(seed, n)
    rank = data.draw(st.integers(1, n * (2 if real_output else 1)))
    cut = truncate(system, rank, real_output=real_output)
    assert cut.system.n_states <= n
    assert np.abs(cut.system.eigenvalues).max() < 1
    error = gain(system, cut.system, real_output=real_output)
    assert error <= cut.bound * (1 + 1e-6) + 1e-6 * cut.hankel[0]
    if cut.rank < len(cut.hankel) and cut.hankel[cut.rank] > 1e-4 * cut.hankel[0]:
        # No system of that rank comes nearer than the first value that was cut; the bound is no empty one.
        assert error >= cut.hankel[cut.rank] * 0.5


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 12))
def test_values_do_not_depend_on_how_states_are_scaled_turned_or_ordered(seed: int, n: int) -> None:
    system, rng = drawn(seed, n), np.random.default_rng(seed)
    by = 10.0 ** rng.uniform(-3, 3, n) * np.exp(1j * rng.uniform(-np.pi, np.pi, n))
    order = rng.permutation(n)
    same = made(
        system.eigenvalues[order], (system.inputs * by[:, None])[order], (system.outputs / by)[:, order]
    )
    for real_output in (False, True):
        one, other = (hankel_singular_values(s, real_output=real_output) for s in (system, same))
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=10 * TINY * one[0])


@pytest.mark.parametrize("real_output", [False, True])
def test_states_that_do_nothing_are_cut_without_an_error(real_output: bool) -> None:
    system = drawn(3, 5)
    silent = np.zeros((3, 4), np.complex128)
    unreached = np.zeros((4, 2), np.complex128)
    padded = made(
        np.concatenate([system.eigenvalues, drawn(4, 4).eigenvalues, drawn(5, 4).eigenvalues]),
        np.concatenate([system.inputs, drawn(6, 4).inputs, unreached]),
        np.concatenate([system.outputs, silent, drawn(7, 4).outputs], axis=1),
    )
    tidied = truncate(padded, rank_keeping(hankel_singular_values(padded), 0), real_output=False)
    assert tidied.system.n_states <= 5
    inputs = np.random.default_rng(0).standard_normal((60, 2))
    np.testing.assert_allclose(run(tidied.system, inputs), run(system, inputs), atol=1e-5)
    if real_output:
        values = hankel_singular_values(padded, real_output=True)
        tidied = truncate(padded, rank_keeping(values, 0), real_output=True)
        assert tidied.system.n_states <= 10
        np.testing.assert_allclose(run(tidied.system, inputs).real, run(system, inputs).real, atol=1e-5)


def test_the_real_part_needs_one_state_for_a_real_mode_and_nothing_for_what_only_the_imaginary_part_shows() -> (
    None
):
    unseen = made(np.array([0.9 + 0j]), np.array([[1.0 + 0j]]), np.array([[1j]]))
    assert hankel_singular_values(unseen)[0] > 5
    np.testing.assert_allclose(hankel_singular_values(unseen, real_output=True), 0, atol=1e-6)
    both = made(np.array([0.9, 0.5], np.complex128), np.ones((2, 1)) + 0j, np.array([[1j, 1.0]]))
    cut = truncate(both, 1, real_output=True)
    np.testing.assert_allclose(cut.system.eigenvalues, [0.5], atol=1e-9)
    assert cut.bound < 1e-6


def test_a_system_with_its_conjugate_pairs_written_out_stays_real() -> None:
    half = drawn(11, 4)
    pairs = made(
        np.concatenate([half.eigenvalues, half.eigenvalues.conj()]),
        np.concatenate([half.inputs, half.inputs.conj()]),
        np.concatenate([half.outputs, half.outputs.conj()], axis=1),
    )
    values = hankel_singular_values(pairs)
    twice = made(half.eigenvalues, half.inputs, half.outputs * 2)
    as_real_part = hankel_singular_values(twice, real_output=True)
    np.testing.assert_allclose(values, as_real_part, rtol=1e-6, atol=1e-7 * values[0])
    cut = truncate(pairs, 5)
    inputs = np.random.default_rng(1).standard_normal((40, 2))
    assert np.abs(run(cut.system, inputs).imag).max() < 1e-8 * np.abs(run(cut.system, inputs)).max()


def test_what_cannot_be_made_diagonal_keeps_one_value_more(monkeypatch: pytest.MonkeyPatch) -> None:
    # Between a system that is cut to a conjugate pair and one that is cut to two real modes lies one that is cut to a
    # double eigenvalue with a single eigenvector.
    def between(t: float) -> DiagonalSystem:
        return made(
            np.array([0.8 * np.exp(1.2j * (1 - t)), 0.5 * np.exp(0.8j * (1 - t)), 0.3 + 0.2j]),
            np.array([[1.0], [1.0], [0.1]]) + 0j, np.array([[1.0, -0.5, 0.1]]) + 0j,
        )  # fmt: skip

    low, high = 0.0, 1.0
    with monkeypatch.context() as patched:
        patched.setattr(balanced_truncation, "MOST_CONDITION", np.inf)
        assert truncate(between(low), 2, real_output=True).system.n_states == 1
        assert truncate(between(high), 2, real_output=True).system.n_states == 2
        while (middle := (low + high) / 2) not in (low, high):
            is_pair = truncate(between(middle), 2, real_output=True).system.n_states == 1
            low, high = (middle, high) if is_pair else (low, middle)
    assert truncate(between(0.0), 2, real_output=True).rank == 2
    chain = between(low)
    cut = truncate(chain, 2, real_output=True)
    assert cut.rank > 2
    assert gain(chain, cut.system, real_output=True) <= cut.bound * (1 + 1e-6) + 1e-9


def test_a_cut_that_parts_equal_values_is_stable() -> None:
    # Two states that neither share inputs nor outputs, of equal values, and the all-pass pair of a pole.
    twins = made(np.array([0.7, 0.7j]), np.eye(2) + 0j, np.eye(2) + 0j)
    cut = truncate(twins, 1)
    assert np.abs(cut.system.eigenvalues).max() < 1
    assert gain(twins, cut.system) <= cut.bound * (1 + 1e-9)


@pytest.mark.parametrize("real_output", [False, True])
def test_a_system_that_does_nothing_keeps_one_state(real_output: bool) -> None:
    system = drawn(2, 4)
    idle = made(system.eigenvalues, system.inputs * 0, system.outputs)
    values = hankel_singular_values(idle, real_output=real_output)
    assert rank_keeping(values, 0.5) == 1
    cut = truncate(idle, 1, real_output=real_output)
    assert (cut.system.n_states, cut.bound) == (1, 0.0)
    assert not run(cut.system, np.ones((5, 2))).any()


def test_the_energy_is_the_sum_of_values() -> None:
    values = np.array([6.0, 3.0, 0.9, 0.1])
    assert [rank_keeping(values, tau) for tau in (0, 0.005, 0.01, 0.05, 0.1, 0.39, 0.4, 0.9)] == [
        4, 4, 3, 3, 2, 2, 1, 1,
    ]  # fmt: skip
    assert rank_keeping(np.array([1.0, 1e-12]), 0) == 1
    for tau in (-0.1, 1.0, float("nan")):
        with pytest.raises(ValueError, match="tau must be from 0 to below 1"):
            rank_keeping(values, tau)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30), st.floats(0, 0.999), st.floats(0, 0.999))
def test_a_larger_tau_never_keeps_more_and_one_value_always_stays(
    found: list[float], one: float, other: float
) -> None:
    values = np.sort(np.asarray(found))[::-1]
    small, large = sorted((one, other))
    assert 1 <= rank_keeping(values, large) <= rank_keeping(values, small) <= len(values)


def test_what_is_no_stable_system_is_refused() -> None:
    one = np.ones((1, 1), np.complex128)
    for eigenvalues, inputs, outputs, said in (
        (np.ones(1), one, one, r"below 1, but one is 1"),
        (np.zeros(0), np.zeros((0, 1)), np.zeros((1, 0)), "n >= 1 states"),
        (np.zeros(2), one, one, "n >= 1 states"),
        (np.zeros(1), one * np.nan, one, "finite"),
    ):
        with pytest.raises(ValueError, match=said):
            made(eigenvalues.astype(np.complex128), inputs, outputs)
    for rank, real_output in ((0, False), (4, False), (7, True)):
        with pytest.raises(ValueError, match="rank must be from 1 to"):
            truncate(drawn(1, 3), rank, real_output=real_output)
