"""What was found, in a sentence or two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convsim.battery.scorecard import Scorecard
from convsim.contracts import FAILING, Finding, Verdict
from convsim.plain import plain
from convsim.report.reactions import WHOLE
from convsim.report.words import VERDICTS, number

SHOWN: tuple[Verdict, ...] = (
    "reacts_as_people", "does_not_react", "under_reacts", "over_reacts", "reacts_wrong_way", "undecided",
)  # fmt: skip
N_NAMED = 4


def headline(card: Scorecard) -> str:
    """Say in a sentence or two what was found."""
    judged = card.judged
    sentences = [
        *_habits([f for f in judged if f.validator == "marginals"]),
        *(_discriminator_sentence(f) for f in judged if f.metric == "hls"),
        *_shifts([f for f in judged if f.validator == "counterfactual"]),
        *_ladder([f for f in judged if f.validator == "dose_response"]),
        *_relations([f for f in judged if f.validator == "relations"]),
        *_people([f for f in judged if f.validator == "arena"]),
    ]
    return " ".join(sentences) or f"{len(judged)} findings."


def _habits(findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        counts = {v: sum(f.verdict == v for f in findings) for v in ("different", "aligned", "undecided")}
        yield (
            f"Of {len(findings)} metrics, {counts['different']} differ from people's, {counts['aligned']} are "
            f"aligned and {counts['undecided']} are undecided."
        )


def _shifts(findings: Sequence[Finding]) -> Iterator[str]:
    metrics = [f for f in findings if f.metric not in WHOLE]
    if not metrics:
        return
    established = [f for f in metrics if _established(f)]
    yield f"People changed in {len(established)} of {len(metrics)} metrics{_names(established)}."
    counted = [(v, sum(f.verdict == v for f in metrics)) for v in SHOWN]
    yield f"The simulated shoppers: {', '.join(f'{VERDICTS[v]} {n}' for v, n in counted if n)}."
    for finding in findings:
        if finding.metric == "directional_agreement" and finding.estimate is not None:
            yield f"Where people changed, {finding.estimate:.0%} of the simulated shifts go the same way."
        if finding.metric == "joint" and finding.verdict == "different":
            yield f"Taken together, the shifts differ (p = {number(finding.p_value)})."


def _established(finding: Finding) -> bool:
    shift = finding.details.get("human_shift")
    return isinstance(shift, dict) and shift.get("established") is True


def _ladder(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        if finding.metric == "any_reaction":
            fault = plain(str(finding.details.get("fault", "-")), limit=80)
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
        if finding.metric.partition(":")[0] != "accuracy" or finding.estimate is None:
            continue
        said = {"different": "People tell", "aligned": "People hardly tell"}
        opening = said.get(finding.verdict, "It is undecided whether people tell")
        who = plain(str(finding.details.get("simulator") or "the simulated shoppers"), limit=80)
        low, high = finding.interval or (None, None)
        yield (
            f"{opening} {who} from human ones: accuracy {number(finding.estimate)} "
            f"[{number(low)}, {number(high)}], chance 0.5."
        )


def _names(findings: Sequence[Finding]) -> str:
    named = [plain(f.metric).replace("_", " ") for f in findings[:N_NAMED]]
    more = f" and {len(findings) - N_NAMED} more" if len(findings) > N_NAMED else ""
    return f" ({', '.join(named)}{more})" if named else ""


def _discriminator_sentence(finding: Finding) -> str:
    accuracy, control = finding.details.get("accuracy"), finding.details.get("control_accuracy")
    if accuracy is None:
        return f"Human-likeness is undecided: {finding.reason}."
    verdicts: dict[str, str] = {
        "different": "A reader of the words alone tells the simulated shoppers from people",
        "aligned": "A reader of the words alone hardly tells the simulated shoppers from people",
    }
    opening = verdicts.get(
        finding.verdict, "It is undecided whether words tell the simulated shoppers from people"
    )
    return (
        f"{opening}: accuracy {number(accuracy)} (people from people {number(control)}, chance 0.5), "
        f"human-likeness score {number(finding.estimate)}."
    )
