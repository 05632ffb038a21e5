"""A team's gate: which headlines and metrics must have which verdicts, within which margins, or fail or warn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import PrivateAttr, ValidationError, model_validator

from convsim._inputs import read_toml
from convsim._text import MAX_LISTED, complaint, listed, nearest, one_line, path_text
from convsim.errors import InputError
from convsim.evaluation.gate_judging import Judging
from convsim.evaluation.gate_margins import ALONE, Owned, Settings, differing, gathered, owned, owner_of
from convsim.evaluation.gate_rules import Asked, Otherwise, Rule, Table, refused
from convsim.evaluation.headline import STANDS_ON
from convsim.evaluation.layout import VIEWS
from convsim.evaluation.scorecard import Scorecard
from convsim.metrics import Metrics
from convsim.metrics.registry import BUILT_IN
from convsim.plugins import installed, make
from convsim.schema import Finding, GateResult, Validator
from convsim.schema.record import Name, Record

if TYPE_CHECKING:
    from convsim.evaluation.comparison import SimulatorReport

NEAR = 0.8
"""How alike a metric's name and a known one are when it is refused before the labels, of any names, are read."""


class Gate(Record):
    """What ``gate.toml`` holds.

    A rule for a metric is for every finding of that name, or of one validator as ``"validator/metric"``, which comes
    first. Without ``[default]`` only what has a table is asked, and copies of the people judged, which always fail.
    """

    default: Otherwise | None = None
    headline: Mapping[Asked, Rule] = {}
    metric: Mapping[Name, Rule] = {}
    _file: str | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _ask_something(self) -> Self:
        for said in (*self.headline.values(), *self.metric.values()):
            if said.with_rest_of(self.default).severity == "ignore" != said.severity:
                raise refused(
                    "a table without a severity takes 'ignore' from [default], and so asks nothing; say which it has"
                )
        severities = {table.rule.severity for table in self.tables} | {
            *([self.default.severity] if self.default else ())
        }
        if severities <= {"ignore"}:
            raise refused("asks nothing; name a headline or metric, such as [headline.habits]")
        return self

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read a gate's file.

        Raises:
            InputError: No such file, not TOML, an unknown key, headline or verdict, or a gate that asks nothing.
        """
        content = read_toml(Path(path), what="the gate")
        try:
            gate = cls.model_validate(content)
        except ValidationError as error:
            said = complaint(error, with_value=True)
            said = said.replace(".[key]", "").replace(f".{ALONE}.{ALONE}:", f".{ALONE}:")
            raise InputError(f"{path}: {said}") from None
        gate._file = path_text(path)
        return gate

    @property
    def tables(self) -> tuple[Table, ...]:
        """The rules, each with what it takes from ``[default]``, in the gate's order."""
        headlines = [
            Table("headline", name, rule.with_rest_of(self.default)) for name, rule in self.headline.items()
        ]
        metrics = [
            Table("metric", name, rule.with_rest_of(self.default)) for name, rule in self.metric.items()
        ]
        return (*headlines, *metrics)

    @property
    def where(self) -> str:
        """How errors call the gate."""
        return self._file or "the gate"

    def settings(self) -> Settings:
        """Return the margins as settings, ``{validator: {setting: value}}``.

        Raises:
            InputError: A validator has no such margin, or one that two tables set differently.
            PluginError: There is no such validator.
        """
        return gathered(self.where, {table.place: margin for table, margin in self._margins()})

    def validators(self, names: Collection[str] | None = None) -> list[Validator]:
        """Make validators with this gate's margins; by default all that need not be asked for."""
        from convsim.evaluation.validation import default_validators

        settings = self.settings()
        return [
            make("validators", name, **settings.get(name, {}))
            for name in (default_validators() if names is None else names)
        ]

    def check(self, asked: Collection[str], metrics: Metrics | None = None) -> None:
        """Check, before anything is read, what can be: margins, and names that can only be slips.

        Args:
            asked: The validators that are asked.
            metrics: What they judge; the built-in metrics by default.

        Raises:
            InputError: As ``settings``; a margin of a validator that is not asked; or no such validator or metric.
        """
        self.settings()
        validators = {*asked, *installed("validators")}
        known = {*BUILT_IN, *VIEWS, *installed("metrics"), *(metrics.further if metrics else ())}
        known |= {metric for _, metric in STANDS_ON.values()}
        for table in self.tables:
            if table.kind == "headline":
                continue
            validator, slash, _ = table.name.partition("/")
            if (
                slash
                and validator not in validators
                and (meant := nearest(validator, validators, cutoff=0.7))
            ):
                problem = f"there is no validator {one_line(validator)!r}; did you mean {meant!r}?"
            elif not slash and table.name not in known and (meant := nearest(table.name, known, cutoff=NEAR)):
                own = f"{owner_of(table.name)[0]}/{one_line(table.name)}"
                problem = (
                    f'there is no such metric; did you mean {meant!r}? (a label of this name is "{own}")'
                )
            else:
                continue
            raise InputError(f"{self.where}: {table.place}: {problem}")
        for table, margin in self._margins():
            if table.kind == "metric" and "/" not in table.name and margin.validator not in asked:
                raise InputError(
                    f"{self.where}: {table.place}: the margin is one of {margin.validator}, which is not asked here; "
                    f"asked: {listed([*asked], MAX_LISTED)}"
                )

    def judge(self, card: Scorecard, *, margins_applied: bool = False) -> GateResult:
        """Tell which headlines and findings have a verdict that does not pass.

        What is asked for and was not judged does not pass.

        Args:
            card: What was found.
            margins_applied: The validators had this gate's margins, or others that win over them, so that no finding's
                margin is looked at.

        Raises:
            InputError: No finding or metric has a name that is asked for; or a finding was judged with another margin.
        """
        if not margins_applied:
            self._check_margins(card.findings)
        return self._judged(Judging(self.tables, self.default, card.findings, card.headlines))

    def judge_simulator(self, report: SimulatorReport) -> GateResult:
        """Judge one simulator of a comparison on both its scorecards, as ``judge`` does with margins applied."""
        cards = [card for card in (report.validation, report.counterfactual) if card is not None]
        findings = tuple(finding for card in cards for finding in card.findings)
        headlines = cards[0].but(findings=findings).headlines if cards else ()
        return self._judged(
            Judging(self.tables, self.default, findings, headlines, not_judged=report.not_judged)
        )

    def _judged(self, judging: Judging) -> GateResult:
        try:
            return GateResult(file=self._file, checks=tuple(judging.checks()))
        except InputError as error:
            raise InputError(f"{self.where}: {error}") from None

    def _margins(self) -> Iterator[tuple[Table, Owned]]:
        """Yield each margin as its validator has it."""
        for table in self.tables:
            if not table.rule.margin:
                continue
            place = f"{self.where}: {table.place}"
            if table.stands_on is None:
                raise InputError(f"{place}: has no margin of its own; give the other headlines theirs")
            yield table, owned(place, table.stands_on, table.rule.margin)

    def _check_margins(self, findings: Sequence[Finding]) -> None:
        for table, margin in self._margins():
            for finding in findings:
                if (finding.validator, finding.metric) != table.stands_on:
                    continue
                if told := differing(finding, margin):
                    raise InputError(
                        f"{self.where}: {table.place}: {told}; judge the conversations anew with this gate, or take "
                        "its margin out"
                    )
