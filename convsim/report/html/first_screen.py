"""The first screen of the page: a verdict in plain words, one number beside people's, what differs, what to do next."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from convsim._text import listed, plain
from convsim.evaluation import Scorecard, SideSummary
from convsim.evaluation.headline import JUDGED_TOO, STANDS_ON
from convsim.evaluation.layout import WORDS_VIEW, in_section, is_shift_of_one_metric
from convsim.report.answers import Answer, answers, is_told_by_format, kind_of_whole
from convsim.report.gaps import MAX_WORDS
from convsim.report.headline import headline
from convsim.report.html.explained import explanations
from convsim.report.html.giveaways import Giveaway
from convsim.report.html.text import metric_name
from convsim.report.tables import Kind, is_not_measured, kind_of_verdict, number, percent
from convsim.schema import Finding, Gap
from convsim.schema.details import DiscriminatorDetails, FormatDetails, RatioDetails

N_DIFFERENCES = 4
N_STEPS = 5
N_WORDS = 3
MAX_PATH = 60
FORMAT_FIRST = "Format alone tells the sides apart, before a word is read."
COPIES = "These shoppers copy the people they are judged on."
IN_PART = "These shoppers behave like people only in part."
IN_WORDS: dict[Kind, str] = {
    "different": "These shoppers do not behave like people.",
    "alike": "These shoppers behave like people, as far as was tested.",
    "undecided": "More data are needed to say whether these shoppers behave like people.",
    "failed": "Whether these shoppers behave like people could not be judged.",
}
REACTIONS_IN_WORDS: dict[Kind, str] = {
    "different": "These shoppers do not react as people do.",
    "alike": "These shoppers react as people do, as far as was tested.",
    "undecided": "More data are needed to say whether these shoppers react as people do.",
    "failed": "Whether these shoppers react as people do could not be judged.",
}
COUNTED: dict[str, str] = {
    "different": "differ",
    "alike": "alike",
    "undecided": "need more data",
    "failed": "failed",
    "control": "cannot be measured",
}
"""What a light counts, in the order in which it is drawn."""


@dataclass(frozen=True)
class KeyNumber:
    """The one number of a report, and the same of people."""

    shown: str
    name: str
    people: str


@dataclass(frozen=True)
class Light:
    """One headline: its verdict and, where it is about several questions, how many have which."""

    answer: Answer
    counts: Sequence[tuple[str, int, str]] = ()
    """Kind, number, and how that is said."""
    words: Sequence[str] = ()
    """What gives the simulator away."""


@dataclass(frozen=True)
class Difference:
    """What differs, with both levels; ``explained`` says what was measured."""

    words: str
    levels: str
    explained: str


@dataclass(frozen=True)
class Step:
    """What to do; of ``parts``, those that are true are code."""

    parts: Sequence[tuple[str, bool]]
    command: str = ""


@dataclass(frozen=True)
class FirstScreen:
    """What a reader sees before scrolling."""

    verdict: str
    kind: Kind | None
    lead: str
    number: KeyNumber | None
    lights: Sequence[Light]
    differences: Sequence[Difference]
    steps: Sequence[Step]


def first_screen(card: Scorecard, giveaways: Sequence[Giveaway]) -> FirstScreen:
    """Prepare the first screen; where there is no headline, its verdict is all that was found, in sentences."""
    explained = explanations(card.findings)
    return FirstScreen(
        verdict=_verdict(card),
        kind=kind_of_whole(card),
        lead=_lead(card) if card.headlines else "",
        number=_number(card.judged),
        lights=[_light(card, each, giveaways) for each in answers(card)],
        differences=[_difference(gap, explained) for gap in card.gaps[:N_DIFFERENCES]],
        steps=[*_steps(card)][:N_STEPS],
    )


def _verdict(card: Scorecard) -> str:
    kind = kind_of_whole(card)
    if kind is None:
        return headline(card)
    if card.headlines[-1].verdict == "copies":
        return COPIES
    families = card.headlines[:-1]
    if [each.name for each in families] == ["reactions"]:
        return REACTIONS_IN_WORDS[kind]
    partly = kind == "different" and any(kind_of_verdict(each.verdict) == "alike" for each in families)
    return IN_PART if partly else IN_WORDS[kind]


def _lead(card: Scorecard) -> str:
    """Say what stands behind the verdict: how well words tell the sides apart, or how people and shoppers changed."""
    first = [FORMAT_FIRST] if is_told_by_format(card) else []
    recognised = [*map(_recognised, _of_words(card.judged))]
    shifts = [
        f
        for f in in_section(card.findings, "shifts")
        if not isinstance(f.details, RatioDetails) and not f.is_control
    ]
    changed = [headline(card.but(findings=tuple(shifts)))] if shifts else []
    return " ".join(filter(None, [*first, *recognised, *changed]))


def _of_words(findings: Sequence[Finding]) -> list[Finding]:
    return [f for f in in_section(findings, "recognition") if f.metric == WORDS_VIEW]


def _recognised(finding: Finding) -> str:
    details = finding.details
    if not isinstance(details, DiscriminatorDetails) or details.accuracy is None:
        return ""
    return f"A classifier that sees only their words is right in {percent(details.accuracy)} of cases (guessing: 50 %)."


def _number(judged: Sequence[Finding]) -> KeyNumber | None:
    for finding in _of_words(judged):
        if finding.estimate is not None:
            return KeyNumber(percent(finding.estimate), "human-likeness", "people: 50 %")
    for finding in in_section(judged, "shifts"):
        if isinstance(finding.details, RatioDetails) and finding.estimate is not None:
            return KeyNumber(number(round(finding.estimate, 2) + 0.0), "of people’s reaction", "people: 1")
    return None


def _light(card: Scorecard, answer: Answer, giveaways: Sequence[Giveaway]) -> Light:
    if answer.name == "words":
        words = [word.feature for word in giveaways if word.side == "simulated"][:N_WORDS]
        return Light(answer, words=words if answer.kind == "different" else ())
    counts = Counter(
        "control" if is_not_measured(finding) else kind_of_verdict(finding.verdict)
        for finding in _family(card.judged, answer.name)
    )
    return Light(answer, [(kind, n, said) for kind, said in COUNTED.items() if (n := counts[kind])])


def _family(judged: Sequence[Finding], name: str) -> list[Finding]:
    """Return the single questions of a headline: the habits, the metrics that may shift, or all of its validators."""
    if name == "habits":
        return in_section(judged, "habits")
    if name == "reactions":
        return [*filter(is_shift_of_one_metric, in_section(judged, "shifts"))]
    stands_on = {(validator, metric) for of, (validator, metric) in STANDS_ON.items() if of == name}
    return [f for f in judged if (f.validator, f.metric) in stands_on or JUDGED_TOO.get(f.validator) == name]


def _difference(gap: Gap, explained: dict[tuple[str, str], str]) -> Difference:
    words = " ".join(plain(gap.words, limit=MAX_WORDS).split())
    what, _, levels = words.partition(": ") if gap.kind == "metric" else (words, "", "")
    return Difference(f"{what[:1].upper()}{what[1:]}", levels, explained.get((gap.validator, gap.name), ""))


def _steps(card: Scorecard) -> Iterator[Step]:
    """Yield what moves the largest differences, what needs more data, and what was not asked, in this order."""
    if advice := _advice(card.findings):
        yield _step(f"{advice[:1].upper()}{advice[1:]}.")
    knobs = [plain(gap.knob, limit=MAX_WORDS) for gap in card.gaps[:N_DIFFERENCES] if gap.knob]
    for knob in [*dict.fromkeys(knob.partition(";")[0] for knob in knobs)][: N_WORDS - bool(advice)]:
        yield _step(f"{knob[:1].upper()}{knob[1:]}.")
    yield from _lacking(card)
    if card.real is None:
        return
    real, sim = _path(card.real, "REAL"), _path(card.simulated, "SIM")
    if not in_section(card.findings, "shifts"):
        both = len(set(card.real.arms) & set(card.simulated.arms)) > 1
        needs = "" if both else " (that needs two arms on both sides)"
        asked = f"convsim counterfactual {real} {sim} --control ARM --treatment ARM"
        yield _step(f"Test whether they react to a worse agent as people do{needs}.", asked)
    if [each.name for each in card.headlines[:-1]] == ["reactions"]:
        yield _step("Compare their habits and words, too.", f"convsim validate {real} {sim}")
    not_measured = [f for f in card.judged if is_not_measured(f)]
    if not_measured:
        named = listed([metric_name(f.metric) for f in not_measured], N_WORDS)
        yield _step(f"Add what is missing to measure {named}: a side has no such values (see Warnings).")


def _advice(findings: Sequence[Finding]) -> str:
    """Return what to do about formats that tell the sides apart; empty where they do not."""
    for finding in findings:
        if isinstance(finding.details, FormatDetails) and finding.verdict == "different":
            return "; ".join(plain(each, limit=MAX_WORDS) for each in finding.details.advice[:2])
    return ""


def _lacking(card: Scorecard) -> Iterator[Step]:
    """Say for each headline that needs more data how much more, of which side, and what tells or adds it."""
    for each in card.headlines[:-1]:
        if each.verdict != "undecided":
            continue
        said = (
            f"To decide on {each.name}, add {each.needs.words if each.needs and each.needs.more else 'data'}."
        )
        if each.needs and each.needs.side == "simulated" and each.needs.more:
            yield _step(said, f"convsim simulate … --out RUN --add {each.needs.more}")
        else:
            yield _step(said, f"convsim plan {_path(card.real, 'REAL')}")


def _step(words: str, command: str = "") -> Step:
    """Cut the words at their backquotes: what stands between two is code."""
    return Step([(part, place % 2 == 1) for place, part in enumerate(words.split("`")) if part], command)


def _path(side: SideSummary | None, otherwise: str) -> str:
    """Return a side's file as a command line has it; a stand-in where it is unknown, long or not to be printed."""
    path = side.path if side else None
    return shlex.quote(path) if path and len(path) <= MAX_PATH and plain(path) == path else otherwise
