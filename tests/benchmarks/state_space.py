"""Linear recurrences whose states are cut while they learn, beside some cut afterwards, small ones and whole ones.

    python -m tests.benchmarks.state_space [--tasks digits pixels listops policy] [--quick] [--json FILE]

Tasks: 8 x 8 digits of scikit-learn, a row a step (``digits``) or a pixel a step (``pixels``, sequential MNIST's small
sister); nested operations on digits: minimum, maximum, median, sum modulo 10 (``listops``, after Nangia and Bowman,
2018); decisions that follow a mood which earlier words have left (``policy``). Each is learned from several seeds,
which also deal out what is held out. Values are means over seeds; ± is half of a 95 % t interval of the mean of
differences seed by seed.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.stats import t as student
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from convsim.seeds import child_seed
from convsim.shoppers.policies.histories import Histories
from convsim.shoppers.policies.model import TAU, fit_model
from convsim.shoppers.policies.points import find_points
from convsim.shoppers.policies.recurrence.network import Learning, Network, Shape, learn
from convsim.shoppers.policies.recurrent import inputs_of
from convsim.shoppers.policies.table import ACCEPT, LEAVE, Columns, Table
from tests.benchmarks.rows import Row, report, with_json
from tests.unit.shoppers.policies.known import moody_world

FULL, DURING = "whole", "cut while learning"
STEPS, ROUNDS = 5, 6


@dataclass(frozen=True)
class Task:
    """What is learned, and how well."""

    shape: Shape
    learning: Learning
    n: int
    """Sequences that are learned from."""
    loss_of: Callable[[Network, np.ndarray], torch.Tensor]
    score: Callable[[Network], float]
    """Of what is held out."""
    measure: str
    beside: tuple[tuple[str, float], ...] = ()
    """Other methods, and their scores."""


def classes(inputs: np.ndarray, lengths: np.ndarray, labels: np.ndarray, *, seed: int, held: int) -> Task:
    """Tell the class of a sequence by the mean of the outputs over its steps."""
    order = np.random.default_rng(seed).permutation(len(labels))
    out, rest = order[:held], order[held:]
    x, y, n = torch.from_numpy(inputs.astype(np.float32)), torch.from_numpy(labels), torch.from_numpy(lengths)
    inside = (torch.arange(x.shape[1]) < n[:, None])[:, :, None]

    def logits(network: Network, rows: np.ndarray) -> torch.Tensor:
        return (network(x[rows]) * inside[rows]).sum(1) / n[rows, None]

    def score(network: Network) -> float:
        with torch.no_grad():
            return float((logits(network, out).argmax(1) == y[out]).double().mean())

    shape = Shape(x.shape[2], int(labels.max()) + 1, width=16, states=64)
    return Task(
        shape, Learning(20), len(rest), lambda network, rows: cross_entropy(logits(network, rest[rows]), y[rest[rows]]),
        score, "accuracy",
    )  # fmt: skip


def digits(seed: int, *, by_pixel: bool = False) -> Task:
    """Tell digits that are read row by row, or pixel by pixel."""
    from sklearn.datasets import load_digits

    data = load_digits()
    steps = data.data.reshape(len(data.data), 64 if by_pixel else 8, -1) / 16
    task = classes(
        steps, np.full(len(steps), steps.shape[1]), data.target.astype(np.int64), seed=seed, held=540
    )
    return replace(task, learning=replace(task.learning, epochs=20)) if by_pixel else task


OPERATIONS: dict[str, Callable[[list[int]], int]] = {
    "min": min,
    "max": max,
    "med": lambda values: int(np.median(values)),
    "sum": lambda values: sum(values) % 10,
}
LONGEST = 24


def listops(seed: int, *, n: int = 1800) -> Task:
    """Tell what nested operations on digits come to."""
    rng = np.random.default_rng(child_seed(seed, "listops"))
    tokens = [*map(str, range(10)), *OPERATIONS, ")"]

    def drawn(depth: int) -> tuple[list[str], int]:
        if depth == 0 or (depth == 1 and rng.random() < 0.6):
            digit = int(rng.integers(10))
            return [str(digit)], digit
        name = str(rng.choice([*OPERATIONS]))
        parts = [drawn(depth - 1) for _ in range(int(rng.integers(2, 5)))]
        return [name, *(token for said, _ in parts for token in said), ")"], OPERATIONS[name](
            [value for _, value in parts]
        )

    found: list[tuple[list[str], int]] = []
    while len(found) < n:
        said, value = drawn(2)
        if len(said) <= LONGEST:
            found.append((said, value))
    inputs = np.zeros((n, LONGEST, len(tokens)))
    for row, (said, _) in enumerate(found):
        inputs[row, np.arange(len(said)), [tokens.index(token) for token in said]] = 1
    lengths = np.asarray([len(said) for said, _ in found])
    return classes(inputs, lengths, np.asarray([value for _, value in found]), seed=seed, held=n // 3)


def policy(seed: int, *, n_users: int = 240) -> Task:
    """Forecast decisions that follow a mood; the network stands alone, without the regressions of the kind ``ssm``."""
    world = moody_world(1.5, n_users=n_users, seed=seed)
    points = find_points(world.conversations, language="en", infer_endings=False).points
    table = Table.of(points, "en", histories=True)
    order = np.random.default_rng(seed).permutation(n_users)
    is_out = np.isin(table.units, order[: n_users // 3])
    train, held = (table.take(np.flatnonzero(rows)) for rows in (~is_out, is_out))
    columns = Columns.of(train)

    def laid_out(part: Table) -> tuple[Histories, torch.Tensor]:
        assert part.histories is not None
        inputs = part.histories.padded(
            inputs_of(part.histories, columns), np.arange(part.histories.n_sequences)
        )
        return part.histories, torch.from_numpy(inputs.astype(np.float32))

    def losses(network: Network, part: Table, told: torch.Tensor) -> torch.Tensor:
        ended = torch.from_numpy(part.ended.astype(np.float32))
        known = torch.from_numpy(((part.moves == ACCEPT) | (part.moves == LEAVE)).astype(np.float32))
        accepted = torch.from_numpy((part.moves == ACCEPT).astype(np.float32))
        of_end = binary_cross_entropy_with_logits(told[:, 0], ended, reduction="none")
        return of_end + known * binary_cross_entropy_with_logits(told[:, 1], accepted, reduction="none")

    (of_train, x), (of_held, x_held) = laid_out(train), laid_out(held)

    def loss_of(network: Network, rows: np.ndarray) -> torch.Tensor:
        points_of = np.flatnonzero(np.isin(of_train.sequence, rows))
        at = np.searchsorted(np.sort(rows), of_train.sequence[points_of])
        told = network(x[np.sort(rows)])[at, of_train.step[points_of]]
        return losses(network, train.take(points_of), told).mean()

    def score(network: Network) -> float:
        with torch.no_grad():
            told = network(x_held)[of_held.sequence, of_held.step]
            return float(losses(network, held, told).mean())

    def of_shares(shares: np.ndarray) -> float:
        return float(-np.log(shares[np.arange(len(held.moves)), held.moves]).mean())

    beside = tuple(
        (kind, of_shares(fit_model(kind, train, language="en", seed=seed).forecast(held.features)))
        for kind in ("hazard", "trees")
    )
    truth = ("who knows the truth", of_shares(np.asarray(world.told)[is_out]))
    shape = Shape(x.shape[2], 2, width=16, states=32)
    return Task(shape, Learning(24), of_train.n_sequences, loss_of, score, "log loss", (*beside, truth))


TASKS: dict[str, Callable[[int], Task]] = {
    "digits": digits,
    "pixels": lambda seed: digits(seed, by_pixel=True),
    "listops": listops,
    "policy": policy,
}


def learned_in_each_way(task: Task, tau: float, seed: int) -> Iterator[tuple[str, Network, float | None]]:
    """Yield each way to a small recurrence, its network, and the seconds of the processor that learning took."""

    def trained(shape: Shape, tau: float) -> tuple[Network, float]:
        begun = time.process_time()
        found = learn(shape, replace(task.learning, tau=tau), task.n, loss_of=task.loss_of, seed=seed).network
        return found, time.process_time() - begun

    whole, seconds = trained(task.shape, 0)
    yield FULL, whole, seconds
    during, seconds = trained(task.shape, tau)
    yield DURING, during, seconds
    few = round(sum(during.states) / len(during.states))
    yield "small from the start", *trained(replace(task.shape, states=few), 0)
    for name, how in (
        ("cut afterwards, balanced", "balanced"),
        ("cut afterwards, by magnitude", "magnitude"),
    ):
        cut = copy.deepcopy(whole)
        cut.cut_to(during.states, "balanced" if how == "balanced" else "magnitude")
        yield name, cut, None


def step_ratio(task: Task, small: Network, whole: Network) -> float:
    """Return the processor's time of a step over that of the whole network: alternating, the least of each."""
    rows = np.arange(min(task.n, task.learning.batch))
    least = [np.inf, np.inf]
    networks = [copy.deepcopy(each).train() for each in (small, whole)]
    optimisers = [each.optimiser(task.learning) for each in networks]
    for _ in range(ROUNDS):
        for place, (network, optimiser) in enumerate(zip(networks, optimisers, strict=True)):
            begun = time.process_time()
            for _ in range(STEPS):
                optimiser.zero_grad()
                task.loss_of(network, rows).backward()
                optimiser.step()
            least[place] = min(least[place], time.process_time() - begun)
    return least[0] / least[1]


def measured(
    name: str, make: Callable[[int], Task], *, tau: float, seeds: int, epochs: int | None
) -> Iterator[Row]:
    """Learn one task from several seeds, and yield what was found."""
    found: dict[str, list[tuple[float, float, float | None]]] = {}
    beside: dict[str, list[float]] = {}
    ratios = []
    for seed in range(seeds):
        task = make(seed)
        if epochs is not None:
            task = replace(task, learning=replace(task.learning, epochs=epochs))
        networks: dict[str, Network] = {}
        for way, network, seconds in learned_in_each_way(task, tau, seed):
            networks[way] = network
            found.setdefault(way, []).append((task.score(network), float(np.mean(network.states)), seconds))
        ratios.append(step_ratio(task, networks[DURING], networks[FULL]))
        for other, score in task.beside:
            beside.setdefault(other, []).append(score)
        print(name, seed, {way: each[-1][:2] for way, each in found.items()}, flush=True)
    scores = {way: [score for score, _, _ in each] for way, each in found.items()}
    seconds_whole = sum(seconds or 0 for _, _, seconds in found[FULL])
    for way, each in found.items():
        case = f"{name}, {way}"
        yield from _with_error(case, task.measure, scores[way], scores[FULL])
        yield Row(
            case=case, measure="states of a block", unit="", value=float(np.mean([n for _, n, _ in each]))
        )
        spent = [seconds for _, _, seconds in each if seconds is not None]
        if spent:
            yield Row(
                case=case, measure="processor's time to learn", unit="s", value=float(np.mean(spent)), beside=FULL,
                ratio=sum(spent) / seconds_whole,
            )  # fmt: skip
    for other, others in beside.items():
        yield from _with_error(f"{name}, {other}", task.measure, others, scores[FULL])
    median = float(np.median(ratios))
    yield Row(case=f"{name}, {DURING}", measure="time of a step, in the end", unit="of whole", value=median)


def _with_error(case: str, measure: str, scores: list[float], whole: list[float]) -> Iterator[Row]:
    yield Row(case=case, measure=measure, unit="", value=float(np.mean(scores)))
    away = np.asarray(scores) - np.asarray(whole)
    if away.any() and len(away) > 1:
        half = float(student.ppf(0.975, len(away) - 1) * away.std(ddof=1) / np.sqrt(len(away)))
        yield Row(
            case=case, measure=f"{measure} less the whole's", unit=f"± {half:.3g}", value=float(away.mean())
        )


def main() -> None:
    """Read the command line, and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", choices=[*TASKS], default=[*TASKS])
    parser.add_argument("--tau", type=float, default=TAU, help="of the energy that may be cut")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--quick", action="store_true", help="two seeds and six epochs of digits and decisions"
    )
    with_json(parser)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    tasks, seeds, epochs = (["digits", "policy"], 2, 6) if asked.quick else (asked.tasks, asked.seeds, None)
    rows = [
        row
        for name in tasks
        for row in measured(name, TASKS[name], tau=asked.tau, seeds=seeds, epochs=epochs)
    ]
    report(rows, asked.json)


if __name__ == "__main__":
    main()
