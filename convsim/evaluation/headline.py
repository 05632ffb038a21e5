"""The verdicts that a scorecard leads with: one a family of questions, and one of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from convsim.schema import FAILING, Finding, Headline, HeadlineName, Needs

STANDS_ON: dict[HeadlineName, tuple[str, str]] = {
    "habits": ("marginals", "all_metrics"),
    "words": ("humanlikeness", "hls"),
    "coherence": ("coherence", "all_coherence"),
    "diversity": ("copies", "diversity"),
    "reactions": ("counterfactual", "reaction_ratio"),
}
"""The finding that each headline is, by validator and metric, in the order in which headlines are shown."""
ELSE: dict[HeadlineName, tuple[str, str]] = {"coherence": ("transitions", "act_transitions")}
"""What a headline stands on where its own finding is not there, as in cards of earlier versions."""
JUDGED_TOO: dict[str, HeadlineName] = {
    "coherence": "coherence",
    "transitions": "coherence",
    "consistency": "coherence",
    "joint": "habits",
    "by_stratum": "habits",
    "endings": "habits",
    "disclosure": "habits",
    "leakage": "coherence",
    "typography": "words",
    "diversity": "diversity",
}
"""The validators of whose findings none may fail if a headline is to pass, and the headline.

Each asks a few questions, which a simulator like people fails in at most one card of twenty, all of them together; of
the many metrics of ``marginals`` and views of ``humanlikeness`` a single one may differ.
"""
PASSING = frozenset({"aligned", "reacts_as_people"})
SINGULAR = frozenset({"coherence", "diversity"})


def headlines_of(findings: Iterable[Finding]) -> tuple[Headline, ...]:
    """Return the headlines of the families that were asked about.

    A headline is the verdict of the finding that it stands on, unless another of its family fails (``JUDGED_TOO``):
    then it is that one's. A family of which nothing fails, and whose finding is not there, has none.
    """
    by_name = {(f.validator, f.metric): f for f in findings if not f.is_control}
    found: list[Headline] = []
    for name, stands_on in STANDS_ON.items():
        main = by_name.get(stands_on) or by_name.get(ELSE.get(name, stands_on))
        failing = [
            f for f in by_name.values() if JUDGED_TOO.get(f.validator) == name and f.verdict in FAILING
        ]
        if failing and (main is None or main.verdict not in FAILING):
            found.append(_failed_by(name, failing))
        elif main is not None:
            found.append(_headline(name, main))
    return tuple(found)


def _failed_by(name: HeadlineName, failing: Sequence[Finding]) -> Headline:
    first = min(failing, key=lambda f: 1.0 if f.p_adjusted is None else f.p_adjusted)
    others = f"; {len(failing) - 1} more of this family differ" if len(failing) > 1 else ""
    made = _headline(name, first)
    return made.model_copy(update={"reason": f"{first.validator}/{first.metric}: {made.reason}{others}"})


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
