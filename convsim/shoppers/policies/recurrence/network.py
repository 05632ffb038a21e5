"""A deep linear recurrence in torch, and how its states are cut while it learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from convsim.errors import TrainingError
from convsim.schema.arrays import FloatArray
from convsim.shoppers.balanced_truncation import (
    DiagonalSystem,
    gramians,
    hankel_singular_values,
    rank_keeping,
    truncate,
)
from convsim.shoppers.policies.recurrent import EPSILON, Block, Recurrent

SMALLEST_RADIUS = 1e-6
"""Of an eigenvalue that is learned: its logarithm is."""
WORTH = 0.95
"""A cut leaves at most this proportion of the states, else it waits."""


@dataclass(frozen=True)
class Shape:
    """How large a network is, and how its states begin."""

    n_inputs: int
    n_outputs: int
    width: int
    states: int
    """Complex ones of each block."""
    n_blocks: int = 2
    radius: tuple[float, float] = (0.4, 0.99)
    """Eigenvalues begin with an absolute value between, uniform over the ring."""
    dropout: float = 0.1


@dataclass(frozen=True)
class Learning:
    """How a network learns."""

    epochs: int
    batch: int = 64
    rate: float = 6e-3
    decay: float = 0.05
    """Of weights, but not of the recurrences."""
    tau: float = 0.0
    """Of the energy of each block's states, which is cut after each of ``cut_after``; 0 cuts nothing."""
    cut_after: tuple[int, ...] = (1, 2, 3, 4)
    """Epochs."""


class Cut(NamedTuple):
    """States that were cut while a network learned."""

    step: int
    states: tuple[int, ...]
    """Of each block, afterwards."""


@dataclass
class Learned:
    """A network that has learned, and what happened to it."""

    network: Network
    steps: int = 0
    cuts: list[Cut] = field(default_factory=list)


class Unit(nn.Module):  # type: ignore[misc]
    """A linear recurrent unit with a diagonal complex state: stable whatever is learned, as |l| = exp(-exp(nu))."""

    def __init__(self, width: int, system: DiagonalSystem):
        super().__init__()
        self.skip = nn.Parameter(torch.ones(width))
        # Each state is scaled to a variance of 1 under white inputs.
        size = np.sqrt(np.real(np.diag(gramians(system).controllability)))
        size = np.where(size > 0, size, 1.0)
        inputs, outputs = system.inputs / size[:, None], system.outputs * size
        radius = np.abs(system.eigenvalues).clip(SMALLEST_RADIUS)
        self.nu = _parameter(np.log(-np.log(radius)))
        self.theta = _parameter(np.angle(system.eigenvalues))
        self.inputs_re, self.inputs_im = _parameter(inputs.real), _parameter(inputs.imag)
        self.outputs_re, self.outputs_im = _parameter(outputs.real), _parameter(outputs.imag)

    @property
    def recurrence(self) -> list[nn.Parameter]:
        """What is replaced where states are cut."""
        return [self.nu, self.theta, self.inputs_re, self.inputs_im, self.outputs_re, self.outputs_im]

    def system(self) -> DiagonalSystem:
        """Return the recurrence as it is now."""
        nu, theta, *rest = (each.detach().double().numpy() for each in self.recurrence)
        return DiagonalSystem(
            np.exp(-np.exp(nu) + 1j * theta), rest[0] + 1j * rest[1], rest[2] + 1j * rest[3]
        )

    def forward(self, u: Tensor) -> Tensor:
        """Return outputs of inputs, both (sequences, steps, width): a scan of log2(steps) rounds."""
        power = torch.exp(torch.complex(-torch.exp(self.nu), self.theta))
        x = torch.complex(u @ self.inputs_re.T, u @ self.inputs_im.T)
        shift = 1
        while shift < u.shape[1]:
            x = torch.cat([x[:, :shift], x[:, shift:] + power * x[:, :-shift]], dim=1)
            power, shift = power * power, 2 * shift
        return x.real @ self.outputs_re.T - x.imag @ self.outputs_im.T + u * self.skip


class Network(nn.Module):  # type: ignore[misc]
    """What ``Recurrent`` is, while it learns; its head begins at 0."""

    def __init__(self, shape: Shape, *, seed: int):
        super().__init__()
        self.shape, self._generator = shape, torch.Generator().manual_seed(seed)
        rng = np.random.default_rng(seed)
        width = shape.width
        self.encoder = _linear(shape.n_inputs, width, rng)
        self.norms = nn.ModuleList([nn.LayerNorm(width, eps=EPSILON) for _ in range(shape.n_blocks)])
        self.units = nn.ModuleList([Unit(width, _drawn(shape, rng)) for _ in range(shape.n_blocks)])
        self.gates = nn.ModuleList([_linear(width, 2 * width, rng) for _ in range(shape.n_blocks)])
        self.head = _linear(width, shape.n_outputs, rng)
        nn.init.zeros_(self.head.weight)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return outputs at each step, shape (sequences, steps, outputs)."""
        u = self.encoder(inputs)
        for norm, unit, gates in zip(self.norms, self.units, self.gates, strict=True):
            y = self._dropped(nn.functional.silu(unit(norm(u))))
            value, gate = gates(y).chunk(2, dim=-1)
            u = u + self._dropped(value * torch.sigmoid(gate))
        told: Tensor = self.head(u)
        return told

    def _dropped(self, values: Tensor) -> Tensor:
        """Drop the same columns at all steps of a sequence; by a generator of its own, so that a seed is enough."""
        if not self.training or not self.shape.dropout:
            return values
        kept = (
            torch.rand(values.shape[0], 1, values.shape[2], generator=self._generator) >= self.shape.dropout
        )
        return values * kept / (1 - self.shape.dropout)

    @property
    def states(self) -> tuple[int, ...]:
        """Complex states of each block."""
        return tuple(len(unit.nu) for unit in self._units())

    def _units(self) -> list[Unit]:
        return [unit for unit in self.units if isinstance(unit, Unit)]

    def cut(self, tau: float) -> bool:
        """Cut each block to the smallest rank that keeps 1 - ``tau`` of its energy, and tell whether any was.

        Inputs of a block are real and its output is a real part, so the real system is balanced. A block that would
        keep more than ``WORTH`` of its states stays as it is; every block keeps 1 state at least.
        """

        def smaller(system: DiagonalSystem) -> DiagonalSystem:
            values = hankel_singular_values(system, real_output=True)
            found = truncate(system, rank_keeping(values, tau), real_output=True).system
            return found if found.n_states <= WORTH * system.n_states else system

        return self._replace([smaller(unit.system()) for unit in self._units()])

    def cut_to(self, states: Sequence[int], how: Literal["balanced", "magnitude"]) -> bool:
        """Cut each block to at most so many states: balanced, or those of the largest |l| |b| |c| / (1 - |l|^2)."""
        found = []
        for unit, most in zip(self._units(), states, strict=True):
            system = unit.system()
            if how == "balanced":
                ranks = range(min(2 * most, 2 * system.n_states), 0, -1)
                cuts = (truncate(system, rank, real_output=True).system for rank in ranks)
                found.append(next(each for each in cuts if each.n_states <= most))
            else:
                at = np.sort(_magnitudes(system).argsort()[::-1][:most])
                found.append(DiagonalSystem(system.eigenvalues[at], system.inputs[at], system.outputs[:, at]))
        return self._replace(found)

    def _replace(self, systems: Sequence[DiagonalSystem]) -> bool:
        before = self.states
        for place, (unit, system) in enumerate(zip(self._units(), systems, strict=True)):
            if system.n_states < len(unit.nu):
                made = Unit(self.shape.width, system)
                made.skip = unit.skip
                self.units[place] = made
        return self.states != before

    def optimiser(self, learning: Learning, before: torch.optim.Optimizer | None = None) -> torch.optim.AdamW:
        """Return AdamW over what is learned now; what was there ``before`` keeps its moments, what is new has none."""
        recurrent = [each for unit in self._units() for each in unit.recurrence]
        known = {id(each) for each in recurrent}
        rest = [each for each in self.parameters() if id(each) not in known]
        made = torch.optim.AdamW(
            [
                {"params": recurrent, "lr": learning.rate / 2, "weight_decay": 0.0},
                {"params": rest, "lr": learning.rate, "weight_decay": learning.decay},
            ]
        )
        if before is not None:
            made.state.update({each: before.state[each] for each in rest if each in before.state})
        return made

    def exported(self) -> Recurrent:
        """Return the network as plain arrays."""
        blocks = []
        for norm, unit, gates in zip(self.norms, self._units(), self.gates, strict=True):
            system = unit.system()
            blocks.append(
                Block(
                    _array(norm.weight), _array(norm.bias), _array(unit.skip), system.eigenvalues, system.inputs,
                    system.outputs, _array(gates.weight), _array(gates.bias),
                )
            )  # fmt: skip
        return Recurrent(
            _array(self.encoder.weight), _array(self.encoder.bias), tuple(blocks), _array(self.head.weight),
            _array(self.head.bias),
        )  # fmt: skip


def learn(
    shape: Shape,
    learning: Learning,
    n: int,
    *,
    loss_of: Callable[[Network, np.ndarray], Tensor],
    seed: int,
    after_epoch: Callable[[int, Network], bool] = lambda epoch, network: True,
) -> Learned:
    """Train a network on one thread.

    Args:
        shape: How large it begins.
        learning: How it learns.
        n: How many sequences there are.
        loss_of: The mean loss of some of them, by their numbers, shape (batch,).
        seed: Draws what it begins with, the order of sequences, and dropout.
        after_epoch: Is told the number of each epoch, from 1, and the network; whether to go on.

    Raises:
        TrainingError: The loss is not finite.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        network = Network(shape, seed=seed)
        learned = Learned(network)
        optimiser, order = network.optimiser(learning), np.random.default_rng([seed, 1])
        for epoch in range(1, learning.epochs + 1):
            network.train()
            for rows in np.array_split(order.permutation(n), max(1, round(n / learning.batch))):
                optimiser.zero_grad()
                loss = loss_of(network, rows)
                learned.steps += 1
                if not bool(torch.isfinite(loss)):
                    raise TrainingError(
                        f"the loss is not a finite number at step {learned.steps} of the recurrent policy; look for "
                        "extreme numbers in the logs, or train the kind hazard"
                    )
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimiser.step()
            if learning.tau and epoch in learning.cut_after and network.cut(learning.tau):
                learned.cuts.append(Cut(learned.steps, network.states))
                optimiser = network.optimiser(learning, optimiser)
            network.eval()
            if not after_epoch(epoch, network):
                break
        network.eval()
        return learned
    finally:
        torch.set_num_threads(threads)


def _magnitudes(system: DiagonalSystem) -> FloatArray:
    sizes = np.linalg.norm(system.inputs, axis=1) * np.linalg.norm(system.outputs, axis=0)
    return np.asarray(sizes / (1 - np.abs(system.eigenvalues) ** 2))


def _drawn(shape: Shape, rng: np.random.Generator) -> DiagonalSystem:
    low, high = shape.radius
    n, width = shape.states, shape.width
    radius = np.sqrt(rng.uniform(low**2, high**2, n))
    angle = rng.uniform(0, np.pi, n)

    def normal(*size: int) -> np.ndarray:
        return rng.standard_normal(size) + 1j * rng.standard_normal(size)

    inputs = normal(n, width) / np.sqrt(2 * width) * np.sqrt(1 - radius**2)[:, None]
    return DiagonalSystem(radius * np.exp(1j * angle), inputs, normal(width, n) / np.sqrt(n))


def _linear(n_inputs: int, n_outputs: int, rng: np.random.Generator) -> nn.Linear:
    made: nn.Linear = nn.utils.skip_init(nn.Linear, n_inputs, n_outputs)
    with torch.no_grad():
        made.weight.copy_(torch.from_numpy(rng.standard_normal((n_outputs, n_inputs)) / np.sqrt(n_inputs)))
        made.bias.zero_()
    return made


def _parameter(values: np.ndarray) -> nn.Parameter:
    return nn.Parameter(torch.tensor(values, dtype=torch.float32))


def _array(values: Tensor) -> FloatArray:
    return np.array(values.detach().numpy(), np.float64)
