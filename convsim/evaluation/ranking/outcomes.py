"""What is ranked by: one number a conversation, of the same kind on all sides, added up by user, system and task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from convsim._text import listed, nearest, one_line
from convsim.errors import InputError
from convsim.metrics import ACTS, METRICS, Metrics, find_metrics, measure, measure_both
from convsim.metrics.labels import acts_by_message, common_label_metrics, find_origins
from convsim.metrics.outcome import KNOWN
from convsim.schema import Corpus, Metric, mix_differs
from convsim.schema.corpus import refused_labels
from convsim.stats.group_levels import GroupLevels
from convsim.stats.units import Key, linked

if TYPE_CHECKING:
    from convsim.schema.arrays import BoolArray, FloatArray, IntArray
    from convsim.schema.conversation import Conversation

N_NAMED = 12
PEOPLE = "people"
LARGEST = 1e100
OTHER = "\x1e"
"""The task of all conversations whose tasks are too rare to be looked at one by one."""
MIN_A_CELL = 4
"""Conversations of a task for each system, on average, from which on its levels are compared by themselves."""
MOST_CELLS = 300
"""Bounds memory, whatever number of tasks there is."""
MixOf = Literal["endings", "acts"]


@dataclass(frozen=True)
class Outcome:
    """One side's outcomes: what has no number, or names no system, is left out."""

    corpus: Corpus
    """The conversations that take part."""
    metric: Metric
    values: FloatArray
    """Shape (n,): the larger, the better; with the other sign where lower is better."""
    systems: tuple[str, ...]
    """Shape (n,): the system of each conversation."""
    side: str
    """What the side is called."""
    higher_is_better: bool
    warnings: tuple[str, ...]

    @classmethod
    def of(
        cls,
        corpus: Corpus,
        name: str,
        systems: Sequence[str | None],
        side: str,
        *,
        higher_is_better: bool,
        sides: Sequence[Sequence[Conversation]],
    ) -> Outcome:
        """Keep the conversations with a number and a system.

        Args:
            corpus: One side, measured.
            name: The metric.
            systems: Shape (n,): of its conversations.
            side: What it is called.
            higher_is_better: Whether more is better.
            sides: All sides, whose labels are named where there is nothing to rank by.

        Raises:
            InputError: None has a number, or one is too large to be squared.
        """
        values = corpus.table[name].to_numpy(np.float64)
        if np.isnan(values).all():
            nothing = "no conversation has a number for it"
            why = corpus.undefined.get(name) or corpus.failed.get(name) or nothing
            raise InputError(
                f"the outcome {one_line(name)} of {side} is not recorded: {why}; {_there_are(sides)}"
            )
        if np.nanmax(np.abs(values)) > LARGEST:
            raise InputError(
                f"the outcome {one_line(name)} of {side} has the value {np.nanmax(np.abs(values)):g}; at most "
                f"{LARGEST:g} can be ranked by"
            )
        stated = np.asarray([system is not None for system in systems])
        kept = np.flatnonzero(~np.isnan(values) & stated)
        lacking = {
            "without a number for the outcome": int(np.isnan(values).sum()),
            "that name no system": int((~stated).sum()),
        }
        warnings = [
            f"{side}: {n} of {len(values)} conversations {what} are left out"
            for what, n in lacking.items()
            if n
        ]
        part = corpus.take(kept)
        named = tuple(str(systems[int(row)]) for row in kept)
        better = values[kept] if higher_is_better else -values[kept]
        return cls(part, corpus.metrics[name], better, named, side, higher_is_better, tuple(warnings))

    def keep(self, systems: Sequence[str]) -> Outcome:
        """Return the part with these systems."""
        rows = [row for row, system in enumerate(self.systems) if system in systems]
        named = tuple(self.systems[row] for row in rows)
        return replace(self, corpus=self.corpus.take(rows), values=self.values[rows], systems=named)

    @property
    def sign(self) -> int:
        """What turns values and differences of them into the outcome's own unit."""
        return 1 if self.higher_is_better else -1

    @property
    def two_valued(self) -> bool:
        """Whether an outcome is a success or none: all values are 0 or 1."""
        return bool(np.isin(np.abs(self.values), (0.0, 1.0)).all())

    @cached_property
    def unit_of(self) -> IntArray:
        """Shape (n,): the user, else the persona, else the conversation; a conversation stated twice is one."""
        keys = [
            (Key("unit", unit), *((Key("text", c.fingerprint),) if c.first_words else ()))
            for unit, c in zip(self.corpus.units, self.corpus.conversations, strict=True)
        ]
        order = self.corpus.by_contents
        unit_of = np.empty(len(keys), np.int64)
        unit_of[order] = linked([keys[row] for row in order])
        return unit_of

    @property
    def n_units(self) -> int:
        """Independent units of the side."""
        return int(self.unit_of.max(initial=-1)) + 1

    @cached_property
    def units_by_system(self) -> dict[str, int]:
        """How many units met each system; in an order that neither names nor the order of lines moves."""
        order = [self.systems[row] for row in self.corpus.by_contents]
        met: dict[str, set[int]] = {name: set() for name in dict.fromkeys(order)}
        for system, unit in zip(self.systems, self.unit_of, strict=True):
            met[system].add(int(unit))
        return {name: len(units) for name, units in met.items()}

    def levels(self, systems: Sequence[str]) -> GroupLevels:
        """Add outcomes up by unit and system, in the order of ``systems``."""
        return self._added_up(self.systems, systems)

    def cells(self, systems: Sequence[str], tasks: Sequence[str]) -> GroupLevels:
        """Add outcomes up by unit, system and task; all other tasks are one."""
        named = [task if (task := c.task or "-") in tasks else OTHER for c in self.corpus.conversations]
        of_rows = [f"{system}\x1f{task}" for system, task in zip(self.systems, named, strict=True)]
        return self._added_up(
            of_rows, [f"{system}\x1f{task}" for system in systems for task in (*tasks, OTHER)]
        )

    def _added_up(self, of_rows: Sequence[str], groups: Sequence[str]) -> GroupLevels:
        number = {group: place for place, group in enumerate(groups)}
        group_of = np.asarray([number[group] for group in of_rows], np.int64)
        return GroupLevels.of(self.values, group_of, self.unit_of, (self.n_units, len(groups)))

    def mixed_tasks(self) -> str | None:
        """Warn where systems were met in other proportions of tasks, which their levels hold too."""
        tasks = [c.task or "-" for c in self.corpus.conversations]
        by_system: dict[str, Counter[str]] = {}
        for system, task in zip(self.systems, tasks, strict=True):
            by_system.setdefault(system, Counter())[task] += 1
        whole = Counter(tasks)
        for system, counts in by_system.items():
            if mix_differs(counts, whole - counts):
                return (
                    f"{self.side}: {one_line(system)} was met in other tasks than the rest, and levels hold that "
                    "difference too; compare one task with --task"
                )
        return None

    def failures(self, went_badly: BoolArray, kind: MixOf, names: Sequence[str], source: str) -> FloatArray:
        """Count by unit how conversations that went badly end, or the acts of their messages; shape (units, names)."""
        number = {name: place for place, name in enumerate(names)}
        counts = np.zeros((self.n_units, len(names)))
        for row in np.flatnonzero(went_badly):
            for name in _named(self.corpus.conversations[int(row)], kind, source):
                if name in number:
                    counts[self.unit_of[row], number[name]] += 1
        return counts


def common_tasks(people: Outcome, simulated: Outcome, n_systems: int) -> list[str]:
    """Return the tasks that both sides met several times for each system, the most frequent first, up to a bound."""
    counts = [Counter(c.task or "-" for c in each.corpus.conversations) for each in (people, simulated)]
    least = MIN_A_CELL * n_systems
    often = [task for task, n in counts[0].most_common() if min(n, counts[1][task]) >= least]
    return often[: MOST_CELLS // n_systems]


def outcomes_of_two(
    people: Sequence[Conversation], simulated: Sequence[Conversation], outcome: str, *, simulator: str
) -> tuple[Corpus, Corpus, str]:
    """Measure the outcome on both sides, and return what it is called.

    Raises:
        InputError: There is no such metric or label, or it is not on both sides, or not by the same source and scale.
    """
    here, there = common_label_metrics(people, simulated)
    chosen, name = _chosen(outcome, [(PEOPLE, list(here)), (simulator, list(there))], [people, simulated])
    corpora = measure_both(people, simulated, metrics=chosen)
    if reason := refused_labels(*corpora).get(name):
        raise InputError(f"the outcome {one_line(name)} of {simulator} cannot be compared: {reason}")
    return *corpora, name


def outcome_of_one(
    conversations: Sequence[Conversation], outcome: str, *, simulator: str
) -> tuple[Corpus, str]:
    """Measure the outcome on one side, and return what it is called; raises InputError as ``outcomes_of_two``."""
    labels = list(common_label_metrics(conversations, conversations)[0])
    chosen, name = _chosen(outcome, [(simulator, labels)], [conversations])
    return measure(conversations, metrics=chosen), name


def _chosen(
    outcome: str, labels: Sequence[tuple[str, list[str]]], sides: Sequence[Sequence[Conversation]]
) -> tuple[Metrics, str]:
    """Find the metric that is meant: built in, installed or yours, or a label of conversations or of messages."""
    asked = outcome.strip()
    found = find_metrics([asked]) if asked and not asked.startswith("+") and asked != "default" else Metrics()
    if found.further:
        return found, next(iter(found.further))
    names = (asked, f"{asked}_by_turn")
    for name in names:
        if all(name in of_side for _, of_side in labels):
            return Metrics(default=False, labels=(name,)), name
    having = [side for side, of_side in labels if any(name in of_side for name in names)]
    if having and len(having) == len(labels):
        raise InputError(
            f"the outcome {one_line(asked)} is a label of conversations on one side and of messages on the other; "
            "label both alike"
        )
    if having:
        lacking = next(side for side, _ in labels if side not in having)
        raise InputError(
            f"the outcome {one_line(asked)} is a label of {having[0]} and not of {lacking}: label both alike, or "
            f"choose another; {_there_are(sides)}"
        )
    every = [c for side in sides for c in side]
    if any(asked in c.labels or any(asked in m.labels for m in c.user_messages) for c in every):
        raise InputError(
            f"the label {one_line(asked)} has no numbers, and cannot be ranked by; {_there_are(sides)}"
        )
    meant = nearest(asked, [*METRICS, *(name for _, of_side in labels for name in of_side)])
    said = f"; did you mean {one_line(meant)}?" if meant else ""
    raise InputError(f"there is no metric or label {one_line(asked)!r} to rank by{said}; {_there_are(sides)}")


def _there_are(sides: Sequence[Sequence[Conversation]]) -> str:
    """Name the labels that all sides have."""
    names = [{name for (name, _) in find_origins(side) if name != ACTS} for side in sides]
    common = sorted(set.intersection(*names)) if names else []
    has = listed([one_line(name) for name in common], N_NAMED)
    return f"labels that can be ranked by: {has or 'none'}; or a metric, such as accepted or turns"


@dataclass(frozen=True)
class FailureMix:
    """How conversations that went badly end on both sides, or what is said in them."""

    kind: MixOf
    people: FloatArray
    """Shape (units, names)."""
    simulated: FloatArray

    @classmethod
    def of(cls, people: Outcome, simulated: Outcome, *, two_valued: bool) -> FailureMix | str:
        """Count both sides; a reason where nothing is recorded.

        Badly went what has the worse of two values, else what is worse than people's median.
        """
        values = (people.values, simulated.values)
        bound = max(each.max() for each in values) if two_valued else float(np.median(people.values))
        badly = [each < bound for each in values]
        if not all(each.any() for each in badly):
            return "no conversation went badly on one of the sides"
        sides = (people.corpus.conversations, simulated.corpus.conversations)
        sources = [dict(find_origins(side)).get((ACTS, "message"), ()) for side in sides]
        shared = [origin.source for origin in sources[0] if origin in sources[1]]
        kinds: list[tuple[MixOf, str]] = [("endings", "")]
        kinds += [("acts", source) for source in shared[:1]]
        for kind, source in kinds:
            seen = [
                {name for row in np.flatnonzero(rows) for name in _named(side[int(row)], kind, source)}
                for side, rows in zip(sides, badly, strict=True)
            ]
            if all(seen):
                names = sorted(seen[0] | seen[1])
                return cls(kind, *(
                    each.failures(rows, kind, names, source)
                    for each, rows in zip((people, simulated), badly, strict=True)
                ))  # fmt: skip
        return "neither endings nor acts are recorded on both sides"


def _named(conversation: Conversation, kind: MixOf, source: str) -> list[str]:
    if kind == "endings":
        return [conversation.ending] if conversation.ending in KNOWN else []
    origins = find_origins([conversation]).get((ACTS, "message"), ())
    return [
        act for origin in origins if origin.source == source
        for acts in acts_by_message(conversation, origin) for act in acts
    ]  # fmt: skip
