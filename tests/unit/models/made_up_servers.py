"""Servers and a clock that are arithmetic: a pace is let loose on them, and nothing is waited for."""

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from convsim.models.pace import Pace

UNITS = 40.0
"""Of an answer on average."""


@dataclass
class Served:
    """What becomes of a request: when it ends, and whether it was pushed back, with the wait that is asked for."""

    ends: float
    is_pushed_back: bool = False
    asked_s: float | None = None


Server = Callable[["Simulation", float], Served]
"""Takes a request of so many units."""


@dataclass
class Simulation:
    """Keeps as many requests in flight as a pace allows, and ``most`` of them."""

    server: Server
    pace: Pace
    most: int = 10_000
    seed: int = 1
    spread: float = 0.6
    """Of the lengths of answers, as a coefficient of variation of a log-normal distribution."""
    now: float = 0.0
    on_way: list[tuple[float, int, float, float, Served]] = field(default_factory=list)
    n: int = 0
    limits: list[int] = field(default_factory=list)
    """After each answer."""
    free_at: list[float] = field(default_factory=list)
    """When each place of a server that queues is free."""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def run(self, answers: int) -> None:
        """Go on until so many more requests have been answered."""
        until = self.pace.answered + answers
        while self.pace.answered < until:
            paused = self.pace.paused_until > self.now
            while not paused and self.pace.in_flight < min(self.pace.limit, self.most):
                self._begin()
            if not self.on_way or (paused and self.on_way[0][0] > self.pace.paused_until):
                self.now = self.pace.paused_until
                continue
            self.now, _, begun, units, served = heapq.heappop(self.on_way)
            if served.is_pushed_back:
                self.pace.was_pushed_back(begun, self.now, asked_s=served.asked_s, least_s=0.5, why="429")
            else:
                self.pace.has_answered(begun, self.now, units)
            self.pace.end(self.now)
            self.limits.append(self.pace.limit)

    def _begin(self) -> None:
        sigma = math.sqrt(math.log(1 + self.spread**2))
        units = UNITS * self.rng.lognormvariate(-sigma * sigma / 2, sigma)
        self.n += 1
        self.pace.begin(self.now)
        served = self.server(self, units)
        heapq.heappush(self.on_way, (served.ends, self.n, self.now, units, served))


def queueing(k: int, unit_s: float = 0.02) -> Server:
    """Serve ``k`` at a time, the others in the order in which they came."""

    def serve(simulation: Simulation, units: float) -> Served:
        busy = simulation.free_at
        begins = simulation.now
        if len(busy) >= k:
            begins = max(begins, heapq.heappop(busy))
            while len(busy) >= k:
                begins = max(begins, heapq.heappop(busy))
        heapq.heappush(busy, begins + unit_s * units)
        return Served(begins + unit_s * units)

    return serve


def batching(half: float, unit_s: float = 0.02) -> Server:
    """Take all at once, each slower the more there are: at ``half`` in flight a unit takes twice as long."""

    def serve(simulation: Simulation, units: float) -> Served:
        return Served(simulation.now + unit_s * units * (1 + simulation.pace.in_flight / half))

    return serve


def refusing(k: int, unit_s: float = 0.02, asked_s: float | None = None) -> Server:
    """Serve ``k`` at a time, and push back the others after a moment."""

    def serve(simulation: Simulation, units: float) -> Served:
        taken = sum(not served.is_pushed_back for *_, served in simulation.on_way)
        if taken >= k:
            return Served(simulation.now + 0.01, is_pushed_back=True, asked_s=asked_s)
        return Served(simulation.now + unit_s * units)

    return serve
