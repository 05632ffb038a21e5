"""The verdicts that a scorecard leads with: one a family of questions, and one of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from convsim.schema import FAILING, Finding, Headline, HeadlineName, Needs

STANDS_ON: dict[HeadlineName, tuple[str, str]] = {
    "habits": ("marginals", "all_metrics"),
    "words": ("humanlikeness", "hls"),
    "coherence": ("transitions", "act_transitions"),
    "diversity": ("copies", "diversity"),
    "reactions": ("counterfactual", "reaction_ratio"),
}
"""The finding that each headline is, by validator and metric, in the order in which headlines are shown."""
PASSING = frozenset({"aligned", "reacts_as_people"})


def headlines_of(findings: Iterable[Finding]) -> tuple[Headline, ...]:
    """Return the headlines of the families that were asked about; a family without its finding has none."""
    by_name = {(f.validator, f.metric): f for f in findings if not f.is_control}
    return tuple(
        _headline(name, by_name[stands_on]) for name, stands_on in STANDS_ON.items() if stands_on in by_name
    )


def overall(headlines: Sequence[Headline]) -> Headline | None:
    """Sum the headlines up: failing if one fails, passing if all pass, else undecided; None where there are none."""
    if not headlines:
        return None
    failing = [each for each in headlines if each.verdict in FAILING]
    broken = [each.name for each in headlines if each.verdict == "failed"]
    waiting = [each for each in headlines if each.verdict == "undecided"]
    alike = [each.name for each in headlines if each.verdict in PASSING]
    if failing:
        return Headline(
            name="all",
            verdict=failing[0].verdict if len(failing) == 1 else "different",
            reason=f"not like people in {_listed([each.name for each in failing])}{_beside(alike, 'like people in')}",
        )
    if broken:
        return Headline(
            name="all",
            verdict="failed",
            reason=f"{_listed(broken)} could not be judged{_beside(alike, 'like people in')}",
        )
    if waiting:
        return Headline(
            name="all",
            verdict="undecided",
            reason=f"{_listed([each.name for each in waiting])} {'needs' if len(waiting) == 1 else 'need'} more data"
            f"{_beside(alike, 'like people in')}",
            needs=_most([each.needs for each in waiting]),
        )
    return Headline(
        name="all", verdict="aligned", reason=f"like people in {_listed(alike)}, within the margins stated"
    )


def _headline(name: HeadlineName, finding: Finding) -> Headline:
    needs = finding.details.get("needs") if finding.verdict == "undecided" else None
    return Headline(
        name=name,
        verdict=finding.verdict,
        reason=finding.reason,
        validator=finding.validator,
        metric=finding.metric,
        needs=Needs.model_validate(needs) if needs is not None else None,
    )


def _most(needs: Sequence[Needs | None]) -> Needs | None:
    """Return what decides all: people before simulated, the larger number; None where one is not known."""
    known = [each for each in needs if each is not None]
    if len(known) < len(needs):
        return None
    return max(known, key=lambda each: (each.side == "people", each.more))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _beside(names: Sequence[str], said: str) -> str:
    return f"; {said} {_listed(names)}" if names else ""
