"""Is a task or language of people never simulated?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np
from pydantic import JsonValue

from convsim.schema.conversation import Conversation
from convsim.stats.equivalence import normal_quantile
from convsim.stats.proportions import wilson_limits
from convsim_validators.by_stratum.grouping import MIN_UNITS, Grouping, shown

N_EXAMPLES = 3


@dataclass(frozen=True)
class Missing:
    """The groups of people that no simulated conversation has.

    H0, for each group that 8 units of people have or more: whoever has it is as likely to be simulated as to be real.
    The probability that all of them fell to the people is that of a hypergeometric distribution (one side of Fisher's
    exact test), times the number of groups asked about.
    """

    grouping: Grouping

    @classmethod
    def of(cls, grouping: Grouping) -> Missing | None:
        """Look for them; None where a side names no groups, or the sides have none in common."""
        real, simulated = grouping.n_units
        return cls(grouping) if real.keys() & simulated.keys() else None

    @cached_property
    def n(self) -> tuple[int, int]:
        """By side: units that have a group."""
        real, simulated = (
            len({unit for group, unit in zip(groups, units, strict=True) if group is not None})
            for groups, units in zip(self.grouping.of_rows, self.grouping.units, strict=True)
        )
        return real, simulated

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The groups of people that are missing, the most common first."""
        real, simulated = self.grouping.n_units
        return tuple(sorted(real.keys() - simulated.keys(), key=lambda name: (-real[name], name)))

    @property
    def only_simulated(self) -> tuple[str, ...]:
        """The groups that no person has."""
        real, simulated = self.grouping.n_units
        return tuple(sorted(simulated.keys() - real.keys()))

    @cached_property
    def proportion(self) -> float:
        """The proportion of people, by unit, with a conversation in a group that is missing."""
        missing = {
            unit
            for group, unit in zip(self.grouping.of_rows[0], self.grouping.units[0], strict=True)
            if group in self.names
        }
        return len(missing) / self.n[0]

    @cached_property
    def p_value(self) -> float:
        """Of the group that is least likely to be missing by chance, corrected for the number of groups."""
        from scipy.stats import hypergeom

        real = self.grouping.n_units[0]
        asked = [name for name, n in real.items() if n >= MIN_UNITS]
        missing = [real[name] for name in asked if name in self.names]
        if not missing:
            return 1.0
        chance = float(hypergeom.pmf(0, sum(self.n), max(missing), self.n[1]))
        return min(1.0, chance * len(asked))

    def upper(self, alpha: float) -> float:
        """Return the upper limit of the proportion of people in missing groups, with error rate ``alpha``."""
        _, high = wilson_limits(self.proportion, float(self.n[0]), normal_quantile(1 - alpha))
        return min(1.0, float(high))

    def least_people(self, margin: float, alpha: float) -> int:
        """Return how many people, of whom none is missing, bring the upper limit within a margin above 0."""
        z = normal_quantile(1 - alpha)
        return ceil(z**2 * (1 - margin) / margin) if margin else self.n[0] + 1

    @property
    def told(self) -> str:
        """Say which are missing, and how common they are."""
        named = ", ".join(map(shown, self.names[:3])) + (
            f" and {len(self.names) - 3} more" if len(self.names) > 3 else ""
        )
        verb = "is" if len(self.names) == 1 else "are"
        plural = "" if len(self.names) == 1 else "s"
        return f"the {self.grouping.kind}{plural} {named} of {self.proportion:.0%} of people {verb} never simulated"

    def examples(self, people: Sequence[Conversation]) -> list[JsonValue]:
        """Return conversations of people in the most common group that is missing."""
        rows = np.flatnonzero(self.grouping.of_rows[0] == self.names[0])[:N_EXAMPLES]
        return [
            {"side": "people", "conversation": people[int(row)].id, "message": None, "value": None}
            for row in rows
        ]
