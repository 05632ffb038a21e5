"""What to change first: in what a simulator is least like people, ranked, in words, with examples and knobs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from convsim.evaluation.gap_examples import examples
from convsim.evaluation.headline import headlines_of
from convsim.evaluation.knobs import Direction, Wording, knobs
from convsim.evaluation.layout import SECTIONS
from convsim.schema import FAILING, Corpus, Finding, Headline
from convsim.schema.details import (
    DiscriminatorDetails,
    DistanceDetails,
    DiversityDetails,
    ManyMetricsDetails,
)
from convsim.schema.gap import Example, Gap

MAX_GAPS = 10
MIN_OF_METRICS = 4
"""Metrics that are listed before anything else is, if as many differ."""
GIVEAWAY, EXAMPLES = "giveaway", "examples"
"""Keys of a finding's details: what gives the simulator away, in a sentence, and conversations that show it."""
MAX_WORDS, MAX_EXAMPLES = 600, 4
BEYOND_CHANCE = 0.01
"""The probability that any metric of two like populations counts as beyond chance by its location or spread."""
N_WORDS = 3
SHAPE = 0.05
"""A location and a spread below this say nothing of how distributions differ."""
FAMILIES: Mapping[str, tuple[str, Direction]] = {
    "words": ("words", "more"),
    "coherence": ("listening", "less"),
    "diversity": ("diversity", "more"),
    "reactions": ("reactions", "less"),
}
"""The family whose knob moves a headline, and the direction in which a simulator that fails it lies."""
ACTS_VALIDATOR = "transitions"
ACTS: tuple[str, Direction] = ("acts", "more")
"""The same where coherence fails for what follows what, and not for listening."""


@dataclass(frozen=True)
class _Found:
    """A metric that is shown to be unlike people's, with its finding's details."""

    finding: Finding
    details: DistanceDetails
    contribution: float | None
    n_together: int
    """Metrics of the family that the contribution is a part of."""
    delta: float
    spread: float

    @property
    def size(self) -> float:
        """What metrics are ranked by, whatever the size of their family; without a contribution, the plain squares."""
        if self.contribution is not None:
            return self.contribution * self.n_together
        return self.delta**2 + self.spread**2


def find_gaps(real: Corpus, simulated: Corpus, findings: Sequence[Finding]) -> tuple[Gap, ...]:
    """Rank what is shown to be unlike people, the largest contribution to the distance first, at most ten.

    A metric is listed if its finding is `different`, if it lies beyond a margin of its own for sure (`far_off`), or if
    its location or spread lies beyond chance at 1 % over all metrics together (Bonferroni): in two like populations
    hardly one card in twenty lists any. What else gives the simulator away follows, a line each: findings that say it
    in words (``giveaway``), and headlines that fail, beyond habits.
    """
    found = sorted(_found(findings), key=lambda each: (-each.size, each.finding.metric))
    total = sum(max(0.0, each.size) for each in found)
    whole = [_given_away(f) for f in findings if f.verdict in FAILING and f.details.get(GIVEAWAY)]
    whole += [gap for each in headlines_of(findings) if (gap := _of_headline(each, findings)) is not None]
    whole = whole[: MAX_GAPS - min(len(found), MIN_OF_METRICS)]
    gaps: list[Gap] = []
    for each in found[: MAX_GAPS - len(whole)]:
        known = {example.conversation for gap in gaps for example in gap.examples}
        gaps.append(_of_metric(each, real, simulated, total=total, known=known))
    return (*gaps, *whole)


def _given_away(finding: Finding) -> Gap:
    """Return a line in the words of the finding itself, with the examples that it names."""
    return Gap(
        name=finding.metric,
        validator=finding.validator,
        kind="finding",
        words=str(finding.details[GIVEAWAY])[:MAX_WORDS],
        examples=tuple(_examples_of(finding)),
    )


def _examples_of(finding: Finding) -> Iterator[Example]:
    stated = finding.details.get(EXAMPLES)
    for each in stated[:MAX_EXAMPLES] if isinstance(stated, list) else ():
        try:
            yield Example.model_validate(each)
        except ValidationError:  # somebody else's validator
            continue


def _found(findings: Iterable[Finding]) -> Iterator[_Found]:
    """Yield the metrics that are unlike people's; those of a validator are held against what it says of all of them."""
    together = {f.validator: f.details for f in findings if isinstance(f.details, ManyMetricsDetails)}
    beyond = {name: {*whole.far_off, *beyond_chance(whole)} for name, whole in together.items()}
    families = {SECTIONS["habits"], *together}
    for finding in findings:
        details, name = finding.details, finding.metric
        if (
            finding.validator not in families
            or finding.is_control
            or not isinstance(details, DistanceDetails)
        ):
            continue
        if finding.verdict == "different" or name in beyond.get(finding.validator, ()):
            whole = together.get(finding.validator)
            contributions = (whole.contributions or {}) if whole else {}
            yield _Found(
                finding, details, contributions.get(name), len(contributions), details.cliffs_delta or 0.0,
                details.spread_score or 0.0,
            )  # fmt: skip


def beyond_chance(details: ManyMetricsDetails) -> set[str]:
    """Name the metrics whose location or spread is beyond chance, all of them looked at together."""
    from convsim.stats.equivalence import normal_quantile

    errors = details.errors_by_metric or {}
    if not errors:
        return set()
    z = normal_quantile(1 - BEYOND_CHANCE / (4 * len(errors)))
    spread = details.spread_by_metric or {}
    return {
        name
        for name, (of_delta, of_spread) in errors.items()
        if abs(details.cliffs_delta_by_metric.get(name, 0.0)) > z * of_delta > 0
        or abs(spread.get(name, 0.0)) > z * of_spread > 0
    }


def _of_metric(
    found: _Found, real: Corpus, simulated: Corpus, *, total: float, known: Collection[str]
) -> Gap:
    name = found.finding.metric
    direction = _direction(found)
    level = _levels(found, direction)
    shown = knobs().metric.get(name)
    return Gap(
        name=name,
        validator=found.finding.validator,
        kind="metric",
        words=_words(found, direction, level, shown),
        contribution=found.contribution,
        share=max(0.0, found.size) / total if total > 0 else None,
        direction=direction,
        real=level[0],
        simulated=level[1],
        knob=knobs().knob(knobs().family_of(name), direction),
        examples=examples(
            real, simulated, name, direction, which=shown.shown if shown else "first", known=known
        ),
    )


def _direction(found: _Found) -> Direction | None:
    """Return in what the simulator differs most; None where neither location nor spread does."""
    if max(abs(found.delta), abs(found.spread)) < SHAPE:
        return None
    if abs(found.delta) >= abs(found.spread):
        return "more" if found.delta > 0 else "less"
    return "wider" if found.spread > 0 else "narrower"


def _levels(found: _Found, direction: Direction | None) -> tuple[float | None, float | None]:
    """Return both sides' levels, people first: means, or medians where the means lie the other way; else spreads."""
    sides = found.details.real, found.details.simulated
    if direction in ("narrower", "wider"):
        return sides[0].sd, sides[1].sd
    means = sides[0].mean, sides[1].mean
    medians = sides[0].median, sides[1].median
    if direction is None or _points(means, direction):
        return means
    return medians if _points(medians, direction) else (None, None)


def _points(levels: tuple[float | None, float | None], direction: Direction) -> bool:
    real, simulated = levels
    if real is None or simulated is None:
        return False
    return simulated > real if direction == "more" else simulated < real


def _words(
    found: _Found,
    direction: Direction | None,
    levels: tuple[float | None, float | None],
    wording: Wording | None,
) -> str:
    unit = found.details.metric_unit or ""
    title = found.finding.metric.replace("_", " ")
    varied = wording.spread if wording else title
    if direction is None:
        return f"{_capital(varied)}: distributed otherwise than people’s, though the averages are alike"
    if direction in ("narrower", "wider"):
        return _spread_words(varied, levels, direction)
    if None in levels:
        more = "larger" if direction == "more" else "smaller"
        return f"{_capital(title)}: values are mostly {more} than people’s"
    shown = {"real": _level(levels[0], unit), "simulated": _level(levels[1], unit), "times": _times(levels)}
    if wording is None or (not shown["times"] and "{times}" in getattr(wording, direction)):
        more = "more" if direction == "more" else "less"
        with_unit = "" if unit.startswith("proportion") or not unit else f" {unit}"
        return (
            f"{_capital(title)}: {more} than people: {shown['simulated']}{with_unit}, people {shown['real']}"
        )
    return str(getattr(wording, direction)).format(**shown)


def _spread_words(varied: str, levels: tuple[float | None, float | None], direction: Direction) -> str:
    real, simulated = levels
    alike, other = ("All alike", "people vary") if direction == "narrower" else ("All different", "it varies")
    small, large = (simulated, real) if direction == "narrower" else (real, simulated)
    if small is None or large is None or large <= small:
        much = "people vary more" if direction == "narrower" else "it varies more than people"
    elif small == 0:
        much = f"{other}, {'it does' if direction == 'narrower' else 'people do'} not at all"
    else:
        much = f"{other} {_factor(large / small)} times as much"
    return f"{alike} in {varied}: {much}"


def _times(levels: tuple[float | None, float | None]) -> str:
    real, simulated = levels
    if real is None or simulated is None or min(real, simulated) <= 0:
        return ""
    return _factor(max(real, simulated) / min(real, simulated))


def _factor(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:,.0f}"


def _level(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    if unit.startswith("proportion"):
        return f"{100 * value:.1f} %" if 0 < value < 0.1 else f"{100 * value:.0f} %"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 3 else f"{value:.2f}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _of_headline(headline: Headline, findings: Iterable[Finding]) -> Gap | None:
    """Return a line on a headline that fails; None for habits, whose metrics are listed, and where nothing fails."""
    if headline.name not in FAMILIES or headline.verdict not in FAILING:
        return None
    family, direction = ACTS if headline.validator == ACTS_VALIDATOR else FAMILIES[headline.name]
    if headline.verdict == "over_reacts":
        direction = "more"
    finding = next(f for f in findings if (f.validator, f.metric) == (headline.validator, headline.metric))
    if finding.details.get(GIVEAWAY) or isinstance(finding.details, DistanceDetails | ManyMetricsDetails):
        return None  # listed already
    return Gap(
        name=headline.name,
        validator=finding.validator,
        kind="headline",
        words=_headline_words(headline, finding),
        knob=knobs().knob(family, direction),
    )


REACTS: Mapping[str, str] = {
    "does_not_react": "It does not react to a worse agent, and people do",
    "under_reacts": "It reacts less to a worse agent than people do",
    "over_reacts": "It reacts more to a worse agent than people do",
    "reacts_wrong_way": "It reacts to a worse agent the other way than people do",
    "different": "It reacts to a worse agent otherwise than people do",
}


def _headline_words(headline: Headline, finding: Finding) -> str:
    details = finding.details
    if isinstance(details, DiscriminatorDetails):
        shares = [
            f"“{word.feature}” ({_share(word.n_simulated, finding.n_simulated)}, people "
            f"{_share(word.n_real, finding.n_real)})"
            for word in details.tells.simulated[:N_WORDS]
        ]
        named = f": {', '.join(shares)}" if shares else ""
        return f"Its words give it away{named}"
    if isinstance(details, DiversityDetails):
        return (
            "Its conversations are more alike than people’s: similarity to the nearest other "
            f"{details.similarity_simulated:.2f}, people {details.similarity_real:.2f}"
        )
    if headline.name == "reactions":
        return REACTS.get(headline.verdict, REACTS["different"])
    return f"What follows what in a conversation is not as with people: {finding.reason}"


def _share(n: int | None, of: int) -> str:
    return _level(min(1.0, (n or 0) / of), "proportion") if of else "–"
