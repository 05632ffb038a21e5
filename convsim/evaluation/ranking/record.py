"""The document of a ranking: levels of systems, the pairs that people tell apart, what simulators make of them."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import ConfigDict, Field

from convsim.evaluation.scorecard import MadeBy, SideSummary
from convsim.schema import Estimate, Needs
from convsim.schema.finding import FAILING
from convsim.schema.record import Count, Flag, Name, Number, Record, Text

OrderVerdict = Literal["aligned", "different", "undecided"]
RankingFailOn = Literal["different", "undecided"]
Relation = Literal["kept", "same_way", "opposite_way", "reversed", "tied", "added"]
"""What a simulator makes of a pair. Of one that people tell apart: ``kept`` and ``reversed`` are shown beyond chance,
``same_way`` and ``opposite_way`` (or equal) only by level. Of one that they do not: ``added`` is shown by the simulator
alone, ``tied`` by neither."""


class PeopleAgainstPeople(Record):
    """The same number for random halves of the people: its mean, and what one split in twenty is worse than."""

    mean: Number
    limit: Number
    """The 5 % point of agreement, the 95 % point of errors."""


class Expected(Record):
    """A number that is to be expected: its mean, and what one draw in forty is below."""

    mean: Number
    limit: Number


class RankedNumber(Estimate):
    """One number of a simulator with its 95 % interval, and people against people; null with a reason."""

    people: PeopleAgainstPeople | None = None
    reason: Text = ""
    """Why it is not known."""


class Level(Estimate):
    """The mean outcome of one system on one side, with its 95 % interval."""

    n: Count
    """Conversations."""
    n_units: Count
    """Users, or what else is independent, that had them."""


class SystemLevels(Record):
    """One system: how people rate it, and how simulated shoppers do."""

    name: Name
    people: Level | None
    """Null where nothing is held against people."""
    simulated: Level


class Pair(Record):
    """Two systems, the better one first: by people's level, or as it is known."""

    better: Name
    worse: Name
    people: Estimate | None = None
    """By how much the better one is better, with its 95 % interval; null where the order is known beforehand."""
    p_adjusted: Number | None = None
    """Of people's difference, corrected for all pairs (Holm)."""
    told: Flag
    """Whether people tell the two apart beyond chance, or their order is known."""
    simulated: Estimate
    """The same difference in the simulator; below 0 where it is the other way round."""
    relation: Relation


class KnownOrder(Record):
    """Whether outcomes rise along systems whose order is known."""

    order: tuple[Name, ...]
    """The best first."""
    p_falling: Number
    """Of H0 "outcomes do not depend on the system", against their getting worse from the best to the worst."""
    p_rising: Number
    """The same, against the opposite."""


class SimulatorRanking(Record):
    """How one simulator orders the systems."""

    name: Name
    side: SideSummary
    verdict: OrderVerdict
    reason: Text
    needs: Needs | None = None
    """How much more would decide in four of five cases if levels stay as they are; null where that is not known."""
    systems: tuple[SystemLevels, ...]
    """The best first."""
    pairs: tuple[Pair, ...]
    agreement: RankedNumber
    """Of the pairs that are told apart, the proportion that has the same order in the simulator."""
    kept: RankedNumber
    """The same, and the simulator shows it beyond chance."""
    kept_at_half: Expected | None = None
    """The proportion that a simulator with half of people's differences, and its own conversations, would keep."""
    opposite: RankedNumber
    """The proportion that has the opposite order."""
    tau_b: RankedNumber
    """Kendall's, where systems that people cannot tell apart are tied; null for two systems."""
    most_tau_b: Number | None = None
    """The largest that an order without ties can have with people's."""
    spearman: RankedNumber
    level_error: RankedNumber
    """Mean over systems of the absolute difference between simulated and people's levels."""
    calibration_error: RankedNumber
    """The same over systems and tasks, weighted by people's conversations; rare tasks are one."""
    bias: RankedNumber
    """Mean over systems of simulated less people's level: with two values, the error of the success rate."""
    failure_mix: RankedNumber
    """Total variation distance between how conversations that went badly end, or what is said in them."""
    failure_mix_of: Literal["endings", "acts"] | None = None
    known_order: KnownOrder | None = None
    """Null where the order is people's."""
    warnings: tuple[Text, ...] = ()

    @property
    def told(self) -> tuple[Pair, ...]:
        """The pairs that people tell apart, or whose order is known."""
        return tuple(pair for pair in self.pairs if pair.told)


class Ranking(Record):
    """What ``ranking.json`` holds."""

    model_config = ConfigDict(populate_by_name=True)
    schema_: Literal["convsim.ranking/1"] = Field("convsim.ranking/1", alias="schema")
    real: SideSummary | None
    """Null where an order is known and no people are asked."""
    by: Name
    """What tells systems apart, such as ``agent``."""
    outcome: Name
    unit: Text
    """Of levels and differences."""
    labelled_by: Text | None = None
    """Who gave the outcome, where it is a label."""
    better: Literal["higher", "lower"]
    two_valued: Flag
    seed: int
    made_by: MadeBy | None = None
    question: Text
    null_hypothesis: Text
    source: Text
    warnings: tuple[Text, ...] = ()
    simulators: tuple[SimulatorRanking, ...]

    def failing(self, fail_on: RankingFailOn) -> tuple[SimulatorRanking, ...]:
        """Return the simulators that a gate at ``fail_on`` fails on; ``undecided`` includes ``different``."""
        verdicts = FAILING if fail_on == "different" else FAILING | {"undecided"}
        return tuple(each for each in self.simulators if each.verdict in verdicts)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``ranking.json`` holds, as JSON has it."""
        return self.model_dump(mode="json", by_alias=True)

    def to_json(self) -> str:
        """Return the document as indented JSON with a final newline."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def __str__(self) -> str:
        from convsim.report.ranking import ranking_text

        return ranking_text(self)

    def __repr__(self) -> str:
        verdicts = ", ".join(f"{each.name[:40]!r} {each.verdict}" for each in self.simulators)
        return f"Ranking(by {self.by}, {self.outcome}: {verdicts})"
