"""What was found, in a sentence or two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convsim._text import plain
from convsim.evaluation.layout import (
    WORDS_VIEW,
    in_section,
    is_shift_of_one_metric,
    without_section,
)
from convsim.evaluation.scorecard import Scorecard
from convsim.report.tables import VERDICTS, measured, number
from convsim.schema import FAILING, Finding, Verdict
from convsim.schema.details import (
    AgreementDetails,
    AnyReactionDetails,
    BlindTestDetails,
    DiscriminatorDetails,
    JointDetails,
    ShiftDetails,
)

SHOWN: tuple[Verdict, ...] = (
    "reacts_as_people", "does_not_react", "under_reacts", "over_reacts", "reacts_wrong_way", "undecided",
)  # fmt: skip
N_NAMED = 4


def headline(card: Scorecard) -> str:
    """Say in a sentence or two what was found."""
    judged = card.judged
    sentences = [
        *_habits(in_section(judged, "habits")),
        *(_discriminator_sentence(f) for f in in_section(judged, "likeness") if f.metric == WORDS_VIEW),
        *_shifts(in_section(judged, "shifts")),
        *_ladder(in_section(judged, "ladder")),
        *_relations(in_section(judged, "relations")),
        *_people(in_section(judged, "blind_test")),
        *_others([*in_section(judged, "prevalence"), *without_section(judged)]),
        *_failed(card.failed),
    ]
    if sentences:
        return " ".join(sentences)
    shown = "1 finding is" if len(card.findings) == 1 else f"{len(card.findings)} findings are"
    return (
        f"Nothing was judged: {shown} shown for context only." if card.findings else "Nothing was compared."
    )


def _habits(findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        counts = {v: sum(f.verdict == v for f in findings) for v in ("different", "aligned", "undecided")}
        yield (
            f"Of {len(findings)} metrics, {counts['different']} differ from people's, {counts['aligned']} are "
            f"aligned and {counts['undecided']} are undecided."
        )


def _shifts(findings: Sequence[Finding]) -> Iterator[str]:
    metrics = [f for f in findings if is_shift_of_one_metric(f)]
    if not metrics:
        return
    established = [f for f in metrics if _established(f)]
    yield f"People changed in {len(established)} of {len(metrics)} metrics{_names(established)}."
    counted = [(v, sum(f.verdict == v for f in metrics)) for v in SHOWN]
    yield f"The simulated shoppers: {', '.join(f'{VERDICTS[v]} {n}' for v, n in counted if n)}."
    for finding in findings:
        if isinstance(finding.details, AgreementDetails) and finding.estimate is not None:
            yield f"Where people changed, {finding.estimate:.0%} of the simulated shifts go the same way."
        if isinstance(finding.details, JointDetails) and finding.verdict == "different":
            yield f"Taken together, the shifts differ (p = {number(finding.p_value)})."


def _established(finding: Finding) -> bool:
    shift = finding.details.human_shift if isinstance(finding.details, ShiftDetails) else None
    return shift is not None and shift.established is True


def _ladder(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        if isinstance(finding.details, AnyReactionDetails):
            fault = plain(finding.details.fault, limit=80)
            said = {"aligned": "The shoppers react to", "does_not_react": "The shoppers do not react to"}
            yield f"{said.get(finding.verdict, 'It is undecided whether the shoppers react to')} {fault}."
    wrong = [f for f in findings if f.verdict == "reacts_wrong_way"]
    if wrong:
        yield f"Contrary to what people would do{_names(wrong)}."


def _relations(findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        asked = [f for f in findings if f.estimate is not None]
        held = sum(f.verdict == "aligned" for f in asked)
        broken = [f for f in asked if f.verdict in FAILING]
        yield (
            f"Of {len(findings)} relations, {len(asked)} could be asked: hold {held}, broken "
            f"{len(broken)}{_names(broken)}, undecided {len(asked) - held - len(broken)}."
        )


def _people(findings: Sequence[Finding]) -> Iterator[str]:
    """Say how well people told simulated shoppers from human ones, each simulator in a sentence."""
    for finding in findings:
        if not isinstance(finding.details, BlindTestDetails) or finding.estimate is None:
            continue
        said = {"different": "People tell", "aligned": "People hardly tell"}
        opening = said.get(finding.verdict, "It is undecided whether people tell")
        who = plain(finding.details.simulator or "the simulated shoppers", limit=80)
        low, high = finding.interval or (None, None)
        yield (
            f"{opening} {who} from human ones: accuracy {number(finding.estimate)} "
            f"[{number(low)}, {number(high)}], chance 0.5."
        )


def _others(findings: Sequence[Finding]) -> Iterator[str]:
    """Say what other validators found: a single finding as it is, several by their verdicts."""
    for validator in dict.fromkeys(f.validator for f in findings if f.verdict != "failed"):
        found = [f for f in findings if f.validator == validator and f.verdict != "failed"]
        named = plain(validator, limit=80)
        if len(found) == 1:
            said = measured(found[0])
            yield (
                f"{named}: {plain(found[0].metric, limit=80)} is {VERDICTS[found[0].verdict]}"
                f"{f' ({plain(said)})' if said else ''}."
            )
            continue
        counts = {verdict: [f for f in found if f.verdict == verdict] for verdict in VERDICTS}
        listed = [
            f"{len(these)} {VERDICTS[verdict]}{_names(these) if verdict in FAILING else ''}"
            for verdict, these in counts.items()
            if these
        ]
        yield f"{named}: of {len(found)} findings, {', '.join(listed)}."


def _failed(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings[:N_NAMED]:
        names = dict.fromkeys(plain(name, limit=80) for name in (finding.validator, finding.metric))
        yield f"{': '.join(names)} failed, and nothing is known of it."
    if len(findings) > N_NAMED:
        yield f"{len(findings) - N_NAMED} more failed."


def _names(findings: Sequence[Finding]) -> str:
    named = [plain(f.metric).replace("_", " ") for f in findings[:N_NAMED]]
    more = f" and {len(findings) - N_NAMED} more" if len(findings) > N_NAMED else ""
    return f" ({', '.join(named)}{more})" if named else ""


def _discriminator_sentence(finding: Finding) -> str:
    fitted = finding.details if isinstance(finding.details, DiscriminatorDetails) else None
    if fitted is None or fitted.accuracy is None:
        return f"Human-likeness is undecided: {finding.reason}."
    verdicts: dict[str, str] = {
        "different": "A reader of the words alone tells the simulated shoppers from people",
        "aligned": "A reader of the words alone hardly tells the simulated shoppers from people",
    }
    opening = verdicts.get(
        finding.verdict, "It is undecided whether words tell the simulated shoppers from people"
    )
    return (
        f"{opening}: accuracy {number(fitted.accuracy)} "
        f"(people from people {number(fitted.control_accuracy)}, chance 0.5), "
        f"human-likeness score {number(finding.estimate)}."
    )
