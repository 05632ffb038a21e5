"""Looks up what a gate asks for among findings and headlines, and says of each whether it passes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn

from convsim._text import listed, nearest, one_line
from convsim.errors import InputError
from convsim.evaluation.gate_margins import owner_of, stated
from convsim.evaluation.gate_rules import Otherwise, Rule, Table
from convsim.evaluation.headline import STANDS_ON
from convsim.evaluation.layout import VIEWS
from convsim.metrics.registry import BUILT_IN
from convsim.plugins import installed
from convsim.schema import Finding, GateCheck, Headline, Needs
from convsim.schema.gate import Kind

MAX_NAMED = 8
AGAINST_COPIES = Rule()
"""No ``[default]`` excuses copies: where people are copied, being like them is no merit."""


@dataclass(frozen=True)
class Judging:
    """The rules of a gate, and what they are held against."""

    tables: Sequence[Table]
    default: Otherwise | None
    findings: Sequence[Finding]
    headlines: Sequence[Headline]
    not_judged: str | None = None
    """Why nothing was judged at all; None where something was."""

    def checks(self) -> Iterator[GateCheck]:
        """Yield a check for each headline and finding that is asked for; raises InputError for a name that is none."""
        for table in self.tables:
            if table.rule.severity != "ignore":
                yield from self._headline(table) if table.kind == "headline" else self._metric(table)
        yield from self._others()

    def _headline(self, table: Table) -> Iterator[GateCheck]:
        found = next((each for each in self.headlines if each.name == table.name), None)
        if found is not None:
            yield self._of_headline(found, table.rule)
        elif table.stands_on is not None:
            yield _check(None, table.rule, "headline", table.name, self._lacking(*table.stands_on))
        else:
            yield _check(None, table.rule, "headline", table.name, self.not_judged or "nothing was judged")

    def _of_headline(self, headline: Headline, rule: Otherwise) -> GateCheck:
        stands_on = (headline.validator, headline.metric)
        finding = next((f for f in self.findings if (f.validator, f.metric) == stands_on), None)
        made = _check(finding, rule, "headline", headline.name, headline.reason)
        return made.but(
            verdict=headline.verdict, passed=headline.verdict in rule.passes, needs=headline.needs
        )

    def _metric(self, table: Table) -> Iterator[GateCheck]:
        found = [finding for finding in self.findings if table.name in _names(finding)]
        if not found:
            if not self._is_known(table):
                self._refuse(table)
            yield _check(None, table.rule, "metric", table.name, self._lacking(*owner_of(table.name)))
        for finding in found:
            exact = _names(finding)[0]
            if exact == table.name or ("metric", exact) not in self._named:
                yield _check(finding, table.rule, "metric", finding.metric, finding.reason)

    def _others(self) -> Iterator[GateCheck]:
        """Check what has no table: all by ``[default]``, and copies always."""
        default = self.default if self.default is not None and self.default.severity != "ignore" else None
        stand_for = {(each.validator, each.metric) for each in self.headlines}
        for headline in self.headlines:
            named = headline.name == "all" or ("headline", headline.name) in self._named
            if default is not None and not named:
                yield self._of_headline(headline, default)
        for finding in self.findings:
            if finding.is_control or any(("metric", name) in self._named for name in _names(finding)):
                continue
            if finding.verdict == "copies":
                yield _check(finding, AGAINST_COPIES, "metric", finding.metric, finding.reason)
            elif default is not None and (finding.validator, finding.metric) not in stand_for:
                yield _check(finding, default, "metric", finding.metric, finding.reason)

    @property
    def _named(self) -> Collection[tuple[str, str]]:
        return {(table.kind, table.name) for table in self.tables}

    def _is_known(self, table: Table) -> bool:
        """Tell whether a metric that no finding has is one all the same, of which nothing was asked or measured."""
        validator, slash, _ = table.name.partition("/")
        if slash and validator in installed("validators"):
            return self.not_judged is not None or not any(f.validator == validator for f in self.findings)
        known = {*BUILT_IN, *VIEWS, *installed("metrics"), *(metric for _, metric in STANDS_ON.values())}
        return self.not_judged is not None or table.name in known

    def _refuse(self, table: Table) -> NoReturn:
        names = dict.fromkeys(one_line(name) for f in self.findings for name in reversed(_names(f)))
        meant = nearest(table.name, names)
        metrics = [*dict.fromkeys(one_line(finding.metric) for finding in self.findings)]
        there = f"did you mean {meant!r}?" if meant else f"there are {listed(metrics, MAX_NAMED) or 'none'}"
        raise InputError(f"{table.place}: no finding is called so; {there}")

    def _lacking(self, validator: str, metric: str) -> str:
        if self.not_judged is not None:
            return f"nothing was judged: {self.not_judged}"
        if any(f.validator == validator for f in self.findings):
            return f"{validator} judged nothing that is called {metric}"
        return f"the validator {validator} was not asked"


def _names(finding: Finding) -> tuple[str, str]:
    """Return what a gate may call a finding, the exact name first."""
    return f"{finding.validator}/{finding.metric}", finding.metric


def _check(finding: Finding | None, rule: Otherwise, kind: Kind, name: str, reason: str) -> GateCheck:
    """Hold a finding, or None where there is none, against a rule; what is shown for context only was not judged."""
    severity: Literal["error", "warning"] = "warning" if rule.severity == "warning" else "error"
    if finding is None:
        return GateCheck(
            kind=kind,
            name=name,
            passes=rule.passes,
            severity=severity,
            passed=False,
            verdict=None,
            reason=reason,
        )
    verdict = None if finding.is_control else finding.verdict
    needs = finding.details.get("needs") if verdict == "undecided" else None
    return GateCheck(
        kind=kind,
        name=name,
        validator=finding.validator,
        passes=rule.passes,
        severity=severity,
        passed=verdict in rule.passes,
        verdict=verdict,
        needs=Needs.model_validate(needs) if isinstance(needs, dict) else None,
        reason="it is shown for context only and never judged" if finding.is_control else reason,
        estimate=finding.estimate,
        unit=finding.unit,
        interval=finding.interval,
        level=finding.level,
        margin=stated(finding),
    )
