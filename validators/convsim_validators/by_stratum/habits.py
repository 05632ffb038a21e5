"""How far habits lie apart within each group, all groups and habits together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from pydantic import JsonValue

from convsim.schema import Corpus
from convsim.schema.arrays import FloatArray
from convsim.stats.contrasts import Contrast, Contrasts
from convsim.stats.equivalence import Margins
from convsim.stats.joint_equivalence import Joint, JointRule
from convsim.stats.multiplicity import studentised
from convsim.stats.resampling import Design, Weights
from convsim_validators.by_stratum.grouping import MIN_UNITS, Grouping
from convsim_validators.metric_tests.all_metrics import Together
from convsim_validators.metric_tests.column import Column


class Cell(NamedTuple):
    """One habit in one group."""

    metric: str
    group: str
    column: Column
    contrast: Contrast

    @property
    def name(self) -> str:
        """Of the two together."""
        return f"{self.metric} in {self.group}"

    @property
    def apart(self) -> float:
        """How far the sides lie apart, in location or in spread, whichever is more."""
        return float(np.abs(self.contrast.estimates).max())

    def examples(self, sides: tuple[Corpus, Corpus], grouping: Grouping) -> list[JsonValue]:
        """Return three simulated conversations of the group, the most unlike people's, and a usual one of people."""
        direction = float(self.contrast.estimates[0]) or 1.0
        shown: list[JsonValue] = []
        usual = float(np.median(self.column.values[0]))
        for place, (name, n) in enumerate((("simulated", 3), ("people", 1))):
            values = np.asarray(sides[place].table[self.metric], np.float64)
            rows = np.flatnonzero(grouping.rows(self.group)[place] & ~np.isnan(values))
            order = (
                -np.sign(direction) * values[rows] if name == "simulated" else np.abs(values[rows] - usual)
            )
            for row in rows[np.argsort(order, kind="stable")[:n]]:
                conversation = sides[place].conversations[int(row)].id
                value = float(values[row])
                shown.append({"side": name, "conversation": conversation, "message": None, "value": value})
        return shown


@dataclass(frozen=True)
class Habits:
    """The habits of each group that both sides have."""

    cells: Sequence[Cell]
    together: Together
    """All of them as one number, and what dealing the sides anew says of it."""
    pooled: float
    """The distance of the same habits when groups are not told apart."""

    @classmethod
    def of(
        cls,
        sides: tuple[Corpus, Corpus],
        grouping: Grouping,
        names: Sequence[str],
        design: Design,
        dealt: Weights,
        *,
        rule: JointRule,
        margins: Margins,
        seed: int,
    ) -> Habits | None:
        """Compare the sides within each group; None where no habit of two groups can be compared.

        The statistic is the largest of three, each on the scale of its own dealings: the sum of squared differences in
        rank over groups and habits, which sees many small ones; the largest of these, which sees one habit in one
        group; and the largest mean over groups of a habit's Kolmogorov-Smirnov distance.
        """
        cells: list[Cell] = []
        deltas: list[FloatArray] = []
        distances: list[FloatArray] = []
        for metric in names:
            values = tuple(np.asarray(side.table[metric], np.float64) for side in sides)
            within = [
                cell for group in grouping.names if (cell := _cell(metric, group, values, grouping, design))
            ]
            if not within:
                continue
            under = [cell.column.dealt(dealt) for cell in within]
            cells += within
            deltas += [each.deltas for each in under]
            distances.append(np.mean([each.distances for each in under], axis=0))
        if len({cell.group for cell in cells}) < 2:
            return None
        statistics = [
            Together.add_up(deltas),
            np.abs(np.stack(deltas)).max(axis=0),
            studentised(np.stack(distances)).max(axis=0),
        ]
        strata = design.real.stratum_of, design.simulated.stratum_of
        together = Together(
            Contrasts(
                tuple(cell.name for cell in cells), {cell.name: cell.contrast for cell in cells}, strata
            ),
            rule,
            (margins,) * len(cells),
            (len(sides[0]), len(sides[1])),
            (design.real.n_units, design.simulated.n_units),
            studentised(np.stack(statistics)).max(axis=0),
            seed,
        )
        return cls(cells, together, _pooled({cell.metric for cell in cells}, sides, design))

    @cached_property
    def distance(self) -> dict[str, float]:
        """The distance of each group's habits, the worst simulated group first."""
        found = {group: self._joint_of(group).distance for group in {cell.group for cell in self.cells}}
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def furthest(self, group: str) -> Cell:
        """Return the habit that differs most in a group."""
        return max((cell for cell in self.cells if cell.group == group), key=lambda cell: cell.apart)

    def _joint_of(self, group: str) -> Joint:
        of_group = [cell for cell in self.cells if cell.group == group]
        contrasts = self.together.contrasts
        return Joint.of(
            Contrasts(
                tuple(cell.name for cell in of_group),
                {cell.name: cell.contrast for cell in of_group},
                contrasts.strata,
            )
        )


def _cell(
    metric: str, group: str, values: tuple[FloatArray, ...], grouping: Grouping, design: Design
) -> Cell | None:
    real, simulated = (
        np.where(rows, column, np.nan) for rows, column in zip(grouping.rows(group), values, strict=True)
    )
    if np.isnan(real).all() or np.isnan(simulated).all():
        return None
    column = Column.of_values((real, simulated), design)
    if min(column.n_units) < MIN_UNITS or len(column.real.counts) < 2:
        return None
    return Cell(metric, group, column, Contrast.of(column.real, column.simulated))


def _pooled(metrics: set[str], sides: tuple[Corpus, Corpus], design: Design) -> float:
    columns = {name: Column.of(*sides, name, design) for name in sorted(metrics)}
    contrasts = {name: Contrast.of(column.real, column.simulated) for name, column in columns.items()}
    strata = design.real.stratum_of, design.simulated.stratum_of
    return Joint.of(Contrasts(tuple(contrasts), contrasts, strata)).distance
