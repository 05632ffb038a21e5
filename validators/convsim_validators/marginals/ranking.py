"""Which of several simulators has habits nearest to people's, over the metrics that all of them have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from convsim.schema import Corpus, Standing
from convsim.seeds import child_seed, generator
from convsim.stats.resampling import Design, Side, bootstrap, bootstrap_at_size
from convsim.stats.units import refused_labels
from convsim_validators.marginals.column import MIN_UNITS, Column
from convsim_validators.marginals.mean_distance import MeanDistance, difference

UNIT = "mean KS distance"


@dataclass(frozen=True)
class Placed:
    """What could be measured of several simulators, and why the others could not."""

    real: Corpus
    simulated: Mapping[str, Corpus]
    metrics: list[str]
    """The same for all: of role "metric", labels of one source, and at least ``MIN_UNITS`` units a side have it."""
    distances: dict[str, MeanDistance]
    unplaced: dict[str, str]
    """Reasons, by simulator."""

    @classmethod
    def of(cls, real: Corpus, simulated: Mapping[str, Corpus], *, n_resamples: int, seed: int) -> Placed:
        """Measure each simulator against the same draws of people.

        A simulator with too few units, or without any metric that can be measured, takes no part in the choice of
        metrics, so that it costs the others nothing.
        """
        columns: dict[str, dict[str, Column]] = {}
        unplaced: dict[str, str] = {}
        sides: dict[str, Side] = {}
        for name, corpus in simulated.items():
            n_units = [len(np.unique(side.units.astype(str))) for side in (real, corpus)]
            if min(n_units) < MIN_UNITS:
                unplaced[name] = (
                    f"{n_units[0]} real and {n_units[1]} simulated independent units; at least {MIN_UNITS} a side "
                    "are needed to decide anything"
                )
                continue
            design = Design.of(real, corpus)
            sides[name], columns[name] = design.simulated, _usable(real, corpus, design)
            if not columns[name]:
                del columns[name]
                unplaced[name] = f"no metric can be compared in at least {MIN_UNITS} independent units a side"
        metrics = [m for m in real.metrics if columns and all(m in usable for usable in columns.values())]
        if not metrics:
            nothing = (
                f"no metric can be compared for every simulator in at least {MIN_UNITS} independent units"
            )
            return cls(real, simulated, [], {}, dict.fromkeys(columns, nothing) | unplaced)
        people = Design.of(real, real).real
        real_drawn = bootstrap(people, n_resamples, generator(seed, "bootstrap", "real"))
        distances = {}
        for name, usable in columns.items():
            own = child_seed(seed, "simulator", name)
            sizes = (people.n_units, sides[name].n_units)
            groups = [
                bootstrap_at_size(people, n, n_resamples, generator(own, "floor", group))
                for n, group in zip(sizes, ("first", "second"), strict=True)
            ]
            distances[name] = MeanDistance.of(
                {metric: usable[metric] for metric in metrics},
                (real_drawn, bootstrap(sides[name], n_resamples, generator(own, "bootstrap"))),
                (groups[0], groups[1]),
                seed=own,
            )
        return cls(real, simulated, metrics, distances, unplaced)

    def standings(self, say: Callable[..., Standing]) -> Iterator[Standing]:
        """Yield `mean_distance` of each simulator, then `mean_distance_difference` of each ordered pair.

        Args:
            say: Makes a standing of what is said here; the validator, its version, source and seed are filled in.
        """
        sizes = {
            name: {"n_real": len(self.real), "n_simulated": len(c)} for name, c in self.simulated.items()
        }
        for name in self.simulated:
            said = {
                "metric": "mean_distance",
                "question": "How far are the simulator's habits from people's, on average over metrics?",
                "simulator": name,
                "unit": UNIT,
            }
            yield say(**said, **sizes[name], **self._mean_distance(name))
        for name, against in permutations(self.simulated, 2):
            said = {
                "metric": "mean_distance_difference",
                "question": "Are the simulator's habits further from people's than the other simulator's?",
                "simulator": name,
                "against": against,
                "unit": UNIT,
            }
            yield say(**said, **sizes[name], **self._difference(name, against))

    def _mean_distance(self, name: str) -> dict[str, object]:
        if name in self.unplaced:
            return {"reason": self.unplaced[name], "details": {"metrics": [], "noise_floor": None}}
        placed = self.distances[name]
        mean, q95 = float(placed.floor.mean()), float(np.quantile(placed.floor, 0.95))
        return {
            "estimate": placed.estimate,
            "interval": placed.interval(),
            "reason": f"the mean over {len(self.metrics)} metrics; two groups of people of these sizes differ by "
            f"{mean:.3f} on average, and by less than {q95:.3f} in 95 of 100 cases",
            "details": {"metrics": list(self.metrics), "noise_floor": {"mean": mean, "q95": q95}},
        }

    def _difference(self, name: str, against: str) -> dict[str, object]:
        for which, simulator in (("the simulator", name), ("the other simulator", against)):
            if simulator in self.unplaced:
                return {"reason": f"{which}: {self.unplaced[simulator]}", "details": {"metrics": []}}
        first, second = self.distances[name], self.distances[against]
        estimate, (low, high) = difference(first, second)
        verdict = (
            "the 95 % interval contains 0: neither is shown to be further from people"
            if low <= 0 <= high
            else f"the simulator is {'further from' if low > 0 else 'nearer to'} people than the other"
        )
        return {
            "estimate": estimate,
            "interval": (low, high),
            "reason": f"{verdict}; both are read at the smaller one's number of units",
            "details": {"metrics": list(self.metrics), "at_own_sizes": first.estimate - second.estimate},
        }


def _usable(real: Corpus, simulated: Corpus, design: Design) -> dict[str, Column]:
    refused = refused_labels(real, simulated)
    names = [
        name
        for name, metric in real.metrics.items()
        if metric.role == "metric" and name in simulated.metrics and name not in refused
    ]
    columns = {name: Column.of(real, simulated, name, design) for name in names}
    return {name: column for name, column in columns.items() if min(column.n_units) >= MIN_UNITS}
