"""An earlier scorecard that a later version of the simulator is held against: whether it fits, and what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from convsim.errors import InputError
from convsim.evaluation.headline import STANDS_ON
from convsim.evaluation.layout import ALL_METRICS, SECTIONS
from convsim.evaluation.scorecard import Scorecard, SideSummary
from convsim.evaluation.scores import measured_together
from convsim.evaluation.sides import Side
from convsim.evaluation.versions import moved_together, together, versions_between
from convsim.metrics import Metrics
from convsim.schema import Finding, Validator
from convsim.schema.conversation import Conversation
from convsim.schema.details import DistanceDetails, ManyMetricsDetails, SquareParts
from convsim.schema.versions import Versions
from convsim.stats.change import Known
from convsim.stats.equivalence import Margins

HABITS = SECTIONS["habits"]
N_HASH = 12
N_NAMED = 5
AGAIN = "make a baseline for these with convsim validate --out DIR"
SHIFTS_AGAIN = "make a baseline for these with convsim counterfactual --out DIR"
RATIO = STANDS_ON["reactions"]


@runtime_checkable
class JudgesHabits(Protocol):
    """The validator of habits, as far as its margins go."""

    joint_margin: float
    spread_margin: float
    version: str

    def margins_of(self, metric: str) -> Margins:
        """Return a metric's margins."""


@dataclass(frozen=True)
class Baseline:
    """An earlier scorecard, and its simulated conversations where they are at hand as they were judged."""

    name: str
    """Its file or folder, as it was named."""
    card: Scorecard
    conversations: Sequence[Conversation] | None = None
    why_not: str = ""
    """Why the conversations are not at hand."""

    def check(
        self, real: SideSummary, validators: Iterable[Validator], metrics: Metrics | None = None
    ) -> None:
        """Check, before anything is computed, that a later scorecard can be held against this one.

        Args:
            real: The people that the later one is held against, as they take part.
            validators: What it asks.
            metrics: What it measures; by default the built-in metrics and every label.

        Raises:
            InputError: It was made with other people, metrics, margins or another version, or lacks what is needed.
        """
        habits = next((v for v in validators if v.name == HABITS and isinstance(v, JudgesHabits)), None)
        if habits is None:
            raise InputError(f"--baseline needs the validator {HABITS}; name it in --validators")
        self._check_people(real)
        details = self._checked_details(habits.version)
        self._check_metrics(metrics or Metrics())
        self._check_margins(habits, details)

    def check_reactions(self, real: SideSummary, arms: tuple[str, str], version: str) -> None:
        """Check, before anything is computed, that a later shift test can be held against this one.

        Args:
            real: The people of both arms, as they take part.
            arms: Control and treatment.
            version: Of the validator of shifts.

        Raises:
            InputError: It was made with other people, arms or another version, or has no reaction ratio.
        """
        self._check_people(real)
        finding = _reactions(self.card)
        if finding is None or finding.interval is None:
            raise self._refuse(f"has no {RATIO[1]} with an interval", command=SHIFTS_AGAIN)
        before = (finding.details.get("control"), finding.details.get("treatment"))
        if before != arms:
            raise self._refuse(
                f"was made from {before[0]} to {before[1]}, and this is from {arms[0]} to {arms[1]}",
                command=SHIFTS_AGAIN,
            )
        if finding.version != version:
            raise self._refuse(
                f"was made by version {finding.version} of {RATIO[0]}, and this is version {version}",
                command=SHIFTS_AGAIN,
            )

    def reactions_against(self, card: Scorecard) -> Versions:
        """Say whether reactions got better or worse since, from both cards' ratios.

        People are the same, which is allowed for by the largest error that the difference may have.
        """
        over = [
            set(shifts) if isinstance(shifts, Mapping) else set()
            for finding in map(_reactions, (self.card, card))
            for shifts in (finding.details.get("shifts_in_human_sd") if finding else None,)
        ]
        same = over[0] == over[1]
        return Versions(
            before=self.name,
            after=card.simulated.path or "this run",
            by="numbers",
            n_paired=0,
            note="" if same else "the ratios are over different metrics, and cannot be compared",
            moved=moved_together(self.card.findings, card.findings, None, {}) if same else (),
        )

    def _refuse(self, problem: str, *, command: str = AGAIN) -> InputError:
        return InputError(f"--baseline {self.name}: {problem}; {command}")

    def _check_people(self, real: SideSummary) -> None:
        before = self.card.real
        if before is None:
            raise self._refuse("nothing is held against people in it")
        if before.sha256 != real.sha256:
            raise self._refuse(
                f"was made with other people: SHA-256 {_short(before.sha256)} there, {_short(real.sha256)} here"
            )
        if (before.n, before.arms, before.tasks) != (real.n, real.arms, real.tasks):
            raise self._refuse(
                f"was made with another part of the people: {before.n:,} conversations there, {real.n:,} here, or "
                "other tasks and arms"
            )

    def _checked_details(self, version: str) -> ManyMetricsDetails:
        finding = next((f for f in self.card.findings if (f.validator, f.metric) == ALL_METRICS), None)
        if finding is None:
            raise self._refuse(f"has no finding {HABITS}/{ALL_METRICS[1]}")
        made_by = f"convsim {self.card.made_by.convsim}" if self.card.made_by else "an earlier convsim"
        if finding.version != version:
            raise self._refuse(
                f"was made by version {finding.version} of {HABITS} ({made_by}), and this is version {version}"
            )
        details = together(self.card.findings)
        if details is None or details.joint_square is None or details.squares_by_metric is None:
            raise self._refuse(f"was made by {made_by}, which did not keep the variances that this needs")
        return details

    def _check_metrics(self, metrics: Metrics) -> None:
        before = {f.metric for f in self._habits() if _of_words(f)}
        now = set(metrics.of({}))
        if before != now:
            lacking, more = sorted(now - before), sorted(before - now)
            said = [f"without {_named(lacking)}"] if lacking else []
            said += [f"with {_named(more)}"] if more else []
            raise self._refuse(f"was made with other metrics: {' and '.join(said)}")

    def _check_margins(self, habits: JudgesHabits, details: ManyMetricsDetails) -> None:
        if details.margin != habits.joint_margin:
            raise self._refuse(
                f"was made with other margins: {details.margin} on average there, {habits.joint_margin} here"
            )
        for finding in self._habits():
            own = finding.details
            margins = habits.margins_of(finding.metric)
            expected = {"ks": margins.ks, "cliffs_delta": margins.delta, "spread": margins.spread}
            if isinstance(own, DistanceDetails) and own.margin is not None and own.margin != expected:
                raise self._refuse(f"was made with other margins of {finding.metric}")

    def _habits(self) -> list[Finding]:
        return [
            f
            for f in self.card.findings
            if f.validator == HABITS and (f.validator, f.metric) != ALL_METRICS and f.verdict != "failed"
        ]

    def against(self, card: Scorecard, real: Side, simulated: Side, metrics: Metrics | None) -> Versions:
        """Say what got better and what got worse since.

        With the conversations of both versions people are shared and personas paired. From the numbers in the file
        alone what both have in common is not known, so that less is shown.

        Args:
            card: The later scorecard.
            real: Its people.
            simulated: Its simulated side.
            metrics: What it measured.
        """
        name = card.simulated.path or "this run"
        if self.conversations is None:
            return self._by_numbers(card, name)
        earlier = Side(self.conversations, self.card.simulated, ())
        sides = {"before": earlier, "after": simulated}
        people, corpora = measured_together(real, sides, metrics or Metrics())
        return versions_between(
            (self.name, self.card.findings, (people, corpora["before"])),
            (name, card.findings, (people, corpora["after"])),
        )

    def _by_numbers(self, card: Scorecard, name: str) -> Versions:
        before, after = together(self.card.findings), together(card.findings)
        whole, squares, note = (
            None,
            {},
            f"{self.why_not}: compared by the numbers in the file, which shows large changes alone",
        )
        if before and after:
            first, second = before.squares_by_metric or {}, after.squares_by_metric or {}
            squares = {m: _known(first[m]).to(_known(second[m])) for m in first if m in second}
            if first.keys() == second.keys() and before.joint_square and after.joint_square:
                whole = _known(before.joint_square).to(_known(after.joint_square))
        return Versions(
            before=self.name,
            after=name,
            by="numbers",
            n_paired=0,
            note=note,
            moved=moved_together(self.card.findings, card.findings, whole, squares),
        )


def _reactions(card: Scorecard) -> Finding | None:
    return next((f for f in card.findings if (f.validator, f.metric) == RATIO), None)


def _known(parts: SquareParts) -> Known:
    return Known(parts.square, parts.people, parts.simulated, parts.noise)


def _of_words(finding: Finding) -> bool:
    """Tell whether a metric is counted, and not read from labels, which come with the conversations."""
    return not isinstance(finding.details, DistanceDetails) or finding.details.label_source is None


def _short(sha256: str | None) -> str:
    return f"{sha256[:N_HASH]}…" if sha256 else "none"


def _named(metrics: Sequence[str]) -> str:
    more = f" and {len(metrics) - N_NAMED} more" if len(metrics) > N_NAMED else ""
    return ", ".join(metrics[:N_NAMED]) + more
