"""The answer that every report begins with: a line for the whole, and a line for each headline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text

from convsim._text import plain
from convsim.evaluation.headline import STANDS_ON
from convsim.evaluation.scorecard import Scorecard
from convsim.report.tables import (
    KIND_STYLES,
    MARKS,
    ON_AVERAGE,
    VERDICTS,
    Kind,
    filled,
    kind_of_verdict,
    number,
    percent,
)
from convsim.schema import Finding, Headline
from convsim.schema.details import (
    DiscriminatorDetails,
    DiversityDetails,
    FormatDetails,
    ManyMetricsDetails,
    TransitionDetails,
)

QUESTIONS = {
    "habits": "Do they have people's habits?",
    "words": "Do their words give them away?",
    "coherence": "Do they listen, and stay one person?",
    "diversity": "Are they as varied as people?",
    "reactions": "Do they react as people do?",
}
"""What each headline answers."""
ANSWERS_NOTE = (
    "at most: the upper limit of the difference (90 % interval); of: the margin that it must stay within."
)
FORMAT_FIRST = (
    "Format alone tells the sides apart, before a word is read: mend that first (see the warning). "
)
METRICS_ALONE = "Each metric alone, alike at its own 5 %. Looking at them changes no headline."


@dataclass(frozen=True)
class Answer:
    """One headline as it is shown."""

    name: str
    kind: Kind
    verdict: str
    decided_by: str
    """The number that decided, with its limit and margin; empty where there is none."""
    needs: str
    reason: str

    @property
    def mark(self) -> str:
        """A character for the verdict, so that it does not hang on colour."""
        return MARKS[self.kind]

    @property
    def words(self) -> str:
        """The verdict and, where it is known, how much more would decide."""
        return f"{self.verdict}: {self.needs}" if self.needs else self.verdict


def answers(card: Scorecard) -> list[Answer]:
    """Return the headlines of a scorecard, without the one that sums them up."""
    by_name = {(f.validator, f.metric): f for f in card.judged}
    return [
        Answer(
            name=each.name,
            kind=kind_of_verdict(each.verdict),
            verdict=headline_words(each),
            decided_by=_decided_by(by_name.get((each.validator or "", each.metric or ""))),
            needs=each.needs.words if each.needs else "",
            reason=plain(each.reason),
        )
        for each in card.headlines
        if each.name != "all"
    ]


def headline_words(headline: Headline) -> str:
    """Write a headline's verdict in words; habits are alike on average, and one of them may differ all the same."""
    if headline.name in ("habits", "all") and headline.verdict == "aligned":
        return ON_AVERAGE
    return VERDICTS[headline.verdict]


def marked(headline: Headline) -> str:
    """Write a headline's mark, its verdict in words and, where it is known, how much more would decide."""
    needs = f": {headline.needs.words}" if headline.needs else ""
    return f"{MARKS[kind_of_verdict(headline.verdict)]} {headline_words(headline)}{needs}"


def kind_of_whole(card: Scorecard) -> Kind | None:
    """Return the kind of the verdict that sums all up; None where there is no headline."""
    return kind_of_verdict(card.headlines[-1].verdict) if card.headlines else None


def is_told_by_format(card: Scorecard) -> bool:
    """Tell whether format alone tells the sides apart, before a word is read."""
    return any(isinstance(f.details, FormatDetails) and f.verdict == "different" for f in card.findings)


def whole(card: Scorecard) -> str:
    """Write the line for the whole: what is not like people, what is, and what is lacking; empty without headlines.

    That format alone tells the sides apart comes first: a score of words is worth little until that is mended.
    """
    if not card.headlines:
        return ""
    first = FORMAT_FIRST if is_told_by_format(card) else ""
    reason = plain(card.headlines[-1].reason, limit=1_000)
    return f"{first}{reason[:1].upper()}{reason[1:]}."


def _decided_by(finding: Finding | None) -> str:
    """Write the number that a headline stands on, its limit and its margin; empty where there is no such number."""
    if finding is None or finding.estimate is None:
        return ""
    details, alike = finding.details, finding.verdict not in ("different",)
    if isinstance(details, ManyMetricsDetails):
        said = _beside("location", finding.estimate, details.equivalence_upper, details.margin, alike=alike)
        if details.spread is not None:
            spread = _beside(
                "spread", details.spread, details.spread_upper, details.spread_margin, alike=alike
            )
            said += f"; {spread}"
        return f"{said}; far off: {_named(details.far_off)}" if details.far_off else said
    if isinstance(details, DiscriminatorDetails):
        margin = (details.margin or {}).get("auc")
        said = _beside("AUC", details.auc, details.equivalence_upper, margin, alike=alike)
        return f"{said}; human-likeness {percent(finding.estimate)}"
    if isinstance(details, TransitionDetails):
        return _beside("distance", finding.estimate, details.equivalence_upper, details.margin, alike=alike)
    if isinstance(details, DiversityDetails):
        return _beside(
            "more similar by", finding.estimate, details.equivalence_upper, details.margin, alike=alike
        )
    if (finding.validator, finding.metric) == STANDS_ON["reactions"]:
        return _ratio(finding)
    return ""


def _beside(name: str, value: float | None, upper: float | None, margin: float | None, *, alike: bool) -> str:
    """Write a number beside the margin; with the limit that had to lie inside, unless it is shown to be different."""
    said = f"{name} {_two(value)}"
    if margin is None:
        return said
    if upper is None or not alike:
        return f"{said}, margin {number(margin)}"
    return f"{said}, at most {_two(upper)} of {number(margin)}"


def _ratio(finding: Finding) -> str:
    limits, margin = finding.interval, finding.details.get("margin")
    said = f"ratio {_two(finding.estimate)}"
    if limits is not None:
        said += f", {_two(limits[0])} to {_two(limits[1])}"
    if isinstance(margin, int | float):
        said += f"; as people from {number(1 - margin)} to {number(1 + margin)}"
    return said


def _two(value: float | None) -> str:
    """Write a number with two decimals, so that it can be held against another; a minus of nothing is none."""
    if value is None:
        return number(value)
    return number(value) if abs(value) >= 100 else f"{round(value, 2) + 0.0:.2f}"


N_NAMED = 3


def _named(metrics: Sequence[str]) -> str:
    more = f" and {len(metrics) - N_NAMED} more" if len(metrics) > N_NAMED else ""
    return ", ".join(plain(each, limit=60).replace("_", " ") for each in metrics[:N_NAMED]) + more


def lines(card: Scorecard) -> Iterator[RenderableType]:
    """Yield the answer for a terminal: the whole in bold, then a row for each headline."""
    kind = kind_of_whole(card)
    if kind is None:
        return
    yield whole_line(card)
    rows = [
        (
            Text(f"{MARKS[each.kind]} {each.name}", style=KIND_STYLES[each.kind]),
            Text(each.words, style=KIND_STYLES[each.kind]),
            Text(each.decided_by),
        )
        for each in answers(card)
    ]
    yield filled(("headline", "verdict", "decided by"), rows, f"{ANSWERS_NOTE}\n", left=("verdict",))


def whole_line(card: Scorecard) -> Text:
    """Write the line for the whole, for a terminal: with a mark, in bold."""
    kind = kind_of_whole(card)
    mark = f"{MARKS[kind]} " if kind else ""
    return Text(f"{mark}{whole(card)}", style=f"bold {KIND_STYLES[kind]}" if kind else "bold")
