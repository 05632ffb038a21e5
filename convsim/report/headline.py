"""What was found, in a sentence or two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convsim._text import listed, plain
from convsim.evaluation.layout import (
    ALL_METRICS,
    WORDS_VIEW,
    in_section,
    is_shift_of_one_metric,
    without_section,
)
from convsim.evaluation.scorecard import Scorecard
from convsim.report.tables import (
    VERDICTS,
    counted,
    is_not_measured,
    measured,
    number,
    percent,
    verdict_and_needs,
    verdict_words,
)
from convsim.schema import FAILING, Finding, Verdict
from convsim.schema.details import (
    AgreementDetails,
    AnyReactionDetails,
    BlindTestDetails,
    DiscriminatorDetails,
    JointDetails,
    RatioDetails,
    ShiftDetails,
)

SHIFTS: dict[Verdict, str] = {
    "reacts_as_people": "react as people do",
    "does_not_react": "fail to react",
    "under_reacts": "under-react",
    "over_reacts": "over-react",
    "reacts_wrong_way": "react the wrong way",
}
N_NAMED = 4


def headline(card: Scorecard) -> str:
    """Say in a sentence or two what was found."""
    judged = card.judged
    sentences = [
        *_copies(in_section(judged, "copying")),
        *_together(judged),
        *_habits(in_section(judged, "habits"), one_by_one=any(map(_is_together, judged))),
        *(_discriminator_sentence(f) for f in in_section(judged, "recognition") if f.metric == WORDS_VIEW),
        *_shifts(in_section(judged, "shifts")),
        *_ladder(in_section(judged, "ladder")),
        *_relations(in_section(judged, "relations")),
        *_people(in_section(judged, "blind_test")),
        *_others(
            [*in_section(judged, "prevalence"), *(f for f in without_section(judged) if not _is_together(f))]
        ),
        *_failed(card.failed),
    ]
    sentences = sentences or [*_others(in_section(judged, "copying"))]
    if sentences:
        return " ".join(sentences)
    shown = "1 finding is" if len(card.findings) == 1 else f"{len(card.findings)} findings are"
    return (
        f"Nothing was judged: {shown} shown for context only." if card.findings else "Nothing was compared."
    )


def _copies(findings: Sequence[Finding]) -> Iterator[str]:
    """Say that something was copied, and nothing where nothing was: what is original is no praise."""
    for finding in findings:
        if finding.verdict == "copies":
            yield f"Simulated shoppers copy the people they are judged on: {plain(finding.reason, limit=400)}."
        elif finding.verdict in FAILING:
            yield "Simulated shoppers repeat one another more than people do."


def _habits(findings: Sequence[Finding], *, one_by_one: bool) -> Iterator[str]:
    if findings:
        counts = {v: sum(f.verdict == v for f in findings) for v in ("different", "aligned", "undecided")}
        not_measured = sum(map(is_not_measured, findings))
        lacking = f"; {not_measured} cannot be measured" if not_measured else ""
        differ = "differs" if counts["different"] == 1 else "differ"
        yield (
            f"{'One by one, ' if one_by_one else ''}{counts['different']} of "
            f"{counted(len(findings), 'habit', 'habits')} {differ} from people's, "
            f"{counted(counts['aligned'], 'is', 'are')} alike and "
            f"{counted(counts['undecided'] - not_measured, 'needs', 'need')} more data{lacking}."
        )


def _is_together(finding: Finding) -> bool:
    return (finding.validator, finding.metric) == ALL_METRICS and finding.verdict != "failed"


TOGETHER: dict[Verdict, str] = {
    "aligned": "On average, habits are like people's.",
    "different": "All together, habits differ from people's.",
    "undecided": "All together, habits need more data.",
}


def _together(findings: Sequence[Finding]) -> Iterator[str]:
    """Say whether habits are like people's all together: on average, whatever one of them does."""
    for finding in filter(_is_together, findings):
        yield TOGETHER[finding.verdict]


def ratio_line(finding: Finding) -> str:
    """Write the reaction ratio in a line: with its interval, the verdict, how much more would decide, and its scale."""
    limits = [*map(_two_places, finding.interval)] if finding.interval else []
    ratio = f"{_two_places(finding.estimate)} [{', '.join(limits)}]" if limits else "–"
    return f"reaction ratio {ratio}: {verdict_and_needs(finding)}; 1 = as people, 0 = does not react"


def _shifts(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        if isinstance(finding.details, RatioDetails):
            yield f"{_capital(ratio_line(finding))}."
    metrics = [f for f in findings if is_shift_of_one_metric(f)]
    if not metrics:
        return
    established = [f for f in metrics if _established(f)]
    yield f"People changed in {len(established)} of {counted(len(metrics), 'metric', 'metrics')}{_names(established)}."
    told = [f"{words} in {n}" for v, words in SHIFTS.items() if (n := sum(f.verdict == v for f in metrics))]
    undecided = sum(f.verdict == "undecided" for f in metrics)
    more = f"{counted(undecided, 'metric needs', 'metrics need')} more data"
    if told:
        yield f"Simulated shoppers {_listed(told)}{f'; {more}' if undecided else ''}."
    else:
        yield f"For simulated shoppers, {more}."
    for finding in findings:
        if isinstance(finding.details, AgreementDetails) and finding.estimate is not None:
            yield f"Where people changed, {percent(finding.estimate)} of the simulated shifts go the same way."
        if isinstance(finding.details, JointDetails) and finding.verdict == "different":
            yield f"Over all metrics together, the shifts differ from people's (p = {number(finding.p_value)})."


def _established(finding: Finding) -> bool:
    shift = finding.details.human_shift if isinstance(finding.details, ShiftDetails) else None
    return shift is not None and shift.established is True


def _ladder(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        if isinstance(finding.details, AnyReactionDetails):
            fault = plain(finding.details.fault, limit=80)
            openings = {"aligned": "The shoppers react to", "does_not_react": "The shoppers do not react to"}
            opening = openings.get(
                finding.verdict, "More data are needed to tell whether the shoppers react to"
            )
            yield f'{opening} the fault "{fault}".'
    wrong = [f for f in findings if f.verdict == "reacts_wrong_way"]
    if wrong:
        yield (
            f"In {counted(len(wrong), 'metric', 'metrics')} they react the wrong way, against what is expected of "
            f"people{_names(wrong)}."
        )


def _relations(findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        tested = [f for f in findings if f.estimate is not None]
        held = sum(f.verdict == "aligned" for f in tested)
        broken = [f for f in tested if f.verdict in FAILING]
        yield (
            f"{len(tested)} of {counted(len(findings), 'relation', 'relations')} could be tested: "
            f"{counted(held, 'holds', 'hold')}, {counted(len(broken), 'is', 'are')} broken{_names(broken)}, "
            f"{counted(len(tested) - held - len(broken), 'needs', 'need')} more data."
        )


def _people(findings: Sequence[Finding]) -> Iterator[str]:
    """Say how well raters told simulated shoppers from people, each simulator in a sentence."""
    for finding in findings:
        if not isinstance(finding.details, BlindTestDetails) or finding.estimate is None:
            continue
        openings = {"different": "Raters tell", "aligned": "Raters hardly tell"}
        opening = openings.get(finding.verdict, "More data are needed to say whether raters tell")
        who = plain(finding.details.simulator or "the simulated shoppers", limit=80)
        limits = finding.interval
        within = f", 95 % interval {percent(limits[0])} to {percent(limits[1])}" if limits else ""
        yield f"{opening} {who} from people: {percent(finding.estimate)} right (guessing: 50 %{within})."


def _others(findings: Sequence[Finding]) -> Iterator[str]:
    """Say what other validators found: a single finding as it is, several by their verdicts."""
    for validator in dict.fromkeys(f.validator for f in findings if f.verdict != "failed"):
        found = [f for f in findings if f.validator == validator and f.verdict != "failed"]
        named = plain(validator, limit=80)
        if len(found) == 1:
            said = measured(found[0])
            yield (
                f"{named}: {plain(found[0].metric, limit=80)}: {verdict_words(found[0])}"
                f"{f' ({plain(said)})' if said else ''}."
            )
            continue
        counts = {verdict: [f for f in found if f.verdict == verdict] for verdict in VERDICTS}
        listed = [
            f"{_count(verdict, len(these))}{_names(these) if verdict in FAILING else ''}"
            for verdict, these in counts.items()
            if these
        ]
        yield f"{named}: of {len(found)} findings, {', '.join(listed)}."


def _count(verdict: Verdict, n: int) -> str:
    return (
        counted(n, "needs", "need") + " more data" if verdict == "undecided" else f"{n} {VERDICTS[verdict]}"
    )


def _failed(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings[:N_NAMED]:
        names = dict.fromkeys(plain(name, limit=80) for name in (finding.validator, finding.metric))
        yield f"{': '.join(names)} failed and gave no result."
    if len(findings) > N_NAMED:
        yield f"{len(findings) - N_NAMED} more failed."


def _names(findings: Sequence[Finding]) -> str:
    named = [plain(f.metric).replace("_", " ") for f in findings]
    return f" ({listed(named, N_NAMED)})" if named else ""


def _discriminator_sentence(finding: Finding) -> str:
    fitted = finding.details if isinstance(finding.details, DiscriminatorDetails) else None
    if fitted is None or fitted.accuracy is None:
        return f"The human-likeness score (HLS) needs more data: {finding.reason}."
    if finding.estimate is None:
        return f"There is no human-likeness score (HLS): {finding.reason}."
    openings: dict[str, str] = {
        "different": "From their words alone, a classifier tells simulated shoppers from people",
        "aligned": "From their words alone, a classifier hardly tells simulated shoppers from people",
    }
    opening = openings.get(
        finding.verdict, "More data are needed to say whether their words tell simulated shoppers from people"
    )
    baseline = (
        f"; two groups of people: {percent(fitted.control_accuracy)}" if fitted.control_accuracy else ""
    )
    return (
        f"{opening}: {percent(fitted.accuracy)} right (guessing: 50 %{baseline}). "
        f"Human-likeness score (HLS) {percent(finding.estimate)}; 50 % is best."
    )


def _two_places(value: float | None) -> str:
    return number(value) if value is None or abs(value) >= 100 else f"{value:.2f}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
