"""The verdicts that a scorecard leads with: one a family of questions, and one of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

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
SINGULAR = frozenset({"coherence", "diversity"})


def headlines_of(findings: Iterable[Finding]) -> tuple[Headline, ...]:
    """Return the headlines of the families that were asked about; a family without its finding has none."""
    by_name = {(f.validator, f.metric): f for f in findings if not f.is_control}
    return tuple(
        _headline(name, by_name[stands_on]) for name, stands_on in STANDS_ON.items() if stands_on in by_name
    )


def overall(headlines: Sequence[Headline], findings: Iterable[Finding] = ()) -> Headline | None:
    """Sum the headlines up: failing if one fails, passing if all pass, else undecided; None where there are none.

    Where people are copied, being like them is no merit: then the whole is ``copies``, whatever the headlines say.
    """
    if not headlines:
        return None
    by_verdict = {each.name: each.verdict for each in headlines}
    failing = [verdict for verdict in by_verdict.values() if verdict in FAILING]
    waiting = [each.needs for each in headlines if each.verdict == "undecided"]
    reason = "; ".join(_said(headlines))
    if any(finding.verdict == "copies" and not finding.is_control for finding in findings):
        return Headline(
            name="all", verdict="copies", reason=f"copies the people that it is judged on; {reason}"
        )
    if failing:
        return Headline(name="all", verdict=failing[0] if len(failing) == 1 else "different", reason=reason)
    if "failed" in by_verdict.values():
        return Headline(name="all", verdict="failed", reason=reason)
    if waiting:
        return Headline(name="all", verdict="undecided", reason=reason, needs=_most(waiting))
    return Headline(name="all", verdict="aligned", reason=reason)


def _said(headlines: Sequence[Headline]) -> Iterator[str]:
    """Yield what is not like people, what could not be judged, what is like people, and what needs how much more."""
    if failing := [each.name for each in headlines if each.verdict in FAILING]:
        yield f"not like people in {_listed(failing)}"
    if broken := [each.name for each in headlines if each.verdict == "failed"]:
        yield f"{_listed(broken)} could not be judged"
    if alike := [each for each in headlines if each.verdict in PASSING]:
        yield f"like people in {_listed([_on_average(each.name) for each in alike])}"
    waiting: dict[str, list[str]] = {}
    for each in headlines:
        if each.verdict == "undecided":
            waiting.setdefault(each.needs.words if each.needs else "", []).append(each.name)
    for needs, names in waiting.items():
        verb = "needs" if len(names) == 1 and names[0] in SINGULAR else "need"
        yield f"{_listed(names)} {verb} more data{f': {needs}' if needs else ''}"


def _on_average(name: str) -> str:
    return f"{name} (on average)" if name == "habits" else name


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
