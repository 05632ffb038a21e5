"""The screen that ``convsim demo`` shows: two simulators beside people, every number out of the comparison."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.cells import cell_len, set_cell_size

from convsim._templates import environment
from convsim._text import plain
from convsim.evaluation import Comparison, Scorecard
from convsim.evaluation.headline import STANDS_ON
from convsim.evaluation.layout import WORDS_VIEW, in_section, is_shift_of_one_metric
from convsim.metrics import METRICS
from convsim.report.tables import (
    Kind,
    is_not_measured,
    kind_of_verdict,
    number,
    percent,
    value_of_side,
    verdict_and_needs,
    verdict_words,
)
from convsim.schema import FAILING, Finding
from convsim.schema.columns import Columns
from convsim.schema.conversation import Conversation
from convsim.schema.details import DiscriminatorDetails, ShiftDetails

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

WIDTH = 80
"""Columns of the screen."""
HABITS = ("turns", "user_words_per_turn", "user_thanks", "user_lowercase_start")
N_GIVEAWAYS = 3
N_LINES = 6
"""Of the transcript."""
N_BARS = 5
BARS, ASCII_BARS = "▁▂▃▄▅▆▇█", "_.:-=+*#"

Conversations = Sequence[Conversation]


class Cell(NamedTuple):
    """One side's level of a habit, and how it is spread; people's has no verdict."""

    level: str
    spark: str
    kind: Kind | None = None


def screen(
    comparison: Comparison,
    cards: Mapping[str, Scorecard],
    people: Conversations,
    simulated: Mapping[str, Conversations],
    *,
    bars: str,
    folder: str | None,
    unwritable: str = "",
) -> str:
    """Write the screen: at most 40 lines of 80 columns.

    Args:
        comparison: Two simulators beside people, with reactions.
        cards: All findings on each simulator, by its name.
        people: The people's conversations.
        simulated: Those of each simulator, by its name.
        bars: Eight characters, from the lowest bar to the highest.
        folder: Where the pages are; None where they could not be written.
        unwritable: Why they could not.
    """
    sides = [_side(name, card, len(simulated[name])) for name, card in cards.items()]
    worst = min(cards, key=lambda name: _words(cards[name]).estimate or 0.0)
    first = next(iter(cards.values()))
    fills = environment("convsim.cli", escape=False)
    fills.filters |= {"lines": _lines, "with_as_many": _with_as_many}
    written = fills.get_template("demo.txt.j2").render(
        people=_people(comparison),
        simulators=sides,
        habits=[*_habits(comparison, cards, people, simulated, bars)],
        worst={"name": worst, "giveaways": [*_giveaways(_words(cards[worst]))]},
        reaction=_reaction(cards),
        least_human=_least_human(worst, cards[worst], simulated[worst]),
        asked=[each.name for each in first.headlines if each.name != "all"],
        pages=[f"{name}/report.html" for name in cards],
        folder=folder,
        unwritable=unwritable,
    )
    return "\n".join(line.rstrip() for line in written.rstrip().splitlines())


def bars_for(encoding: str | None) -> str:
    """Return the bars that an output of that encoding can show."""
    try:
        BARS.encode(encoding or "ascii")
    except (UnicodeError, LookupError):
        return ASCII_BARS
    return BARS


def _people(comparison: Comparison) -> dict[str, int]:
    """Count people's conversations in both arms."""
    card = comparison.simulators[0].counterfactual
    arms = card.real.arms if card and card.real else {}
    control, treatment = (arms.get(arm or "", 0) for arm in (comparison.control, comparison.treatment))
    return {"n": control + treatment, "control": control, "treatment": treatment}


def _side(name: str, card: Scorecard, n: int) -> dict[str, Any]:
    words = _words(card)
    right = words.details.accuracy if isinstance(words.details, DiscriminatorDetails) else None
    ratio = _one(card, *STANDS_ON["reactions"])
    whole = card.headlines[-1]
    return {
        "name": name,
        "n": n,
        "habits": _counts(in_section(card.judged, "habits")),
        "words": {"right": _whole_percent(right), "verdict": verdict_words(words)},
        "ratio": {"times": _two_places(ratio.estimate), "verdict": verdict_words(ratio)},
        "fails": whole.verdict in FAILING,
        "verdict": plain(whole.reason).replace("not like people", "NOT LIKE PEOPLE"),
    }


def _counts(habits: Sequence[Finding]) -> dict[str, int]:
    not_measured = sum(map(is_not_measured, habits))
    kinds = [kind_of_verdict(f.verdict) for f in habits]
    return {
        "n": len(habits),
        "alike": kinds.count("alike"),
        "different": kinds.count("different"),
        "undecided": kinds.count("undecided") - not_measured,
        "not_measured": not_measured,
    }


def _words(card: Scorecard) -> Finding:
    return next(f for f in in_section(card.findings, "recognition") if f.metric == WORDS_VIEW)


def _one(card: Scorecard, validator: str, metric: str) -> Finding:
    return next(f for f in card.findings if (f.validator, f.metric) == (validator, metric))


def _habits(
    comparison: Comparison,
    cards: Mapping[str, Scorecard],
    people: Conversations,
    simulated: Mapping[str, Conversations],
    bars: str,
) -> Iterator[dict[str, Any]]:
    judged = [
        Columns.of([c for c in side if not comparison.arms or c.arm in comparison.arms])
        for side in (people, *simulated.values())
    ]
    for metric in HABITS:
        findings = [
            next(f for f in in_section(c.findings, "habits") if f.metric == metric) for c in cards.values()
        ]
        sparks = _sparks([METRICS[metric].measure(columns) for columns in judged], bars)
        unit = METRICS[metric].unit
        yield {
            "metric": metric,
            "people": Cell(_level(value_of_side(findings[0], "real"), unit), sparks[0]),
            "cells": [
                Cell(_level(value_of_side(f, "simulated"), unit), spark, kind_of_verdict(f.verdict))
                for f, spark in zip(findings, sparks[1:], strict=True)
            ],
        }


def _sparks(sides: Sequence[FloatArray], bars: str) -> list[str]:
    """Draw each side's values in bins that all share; outliers are in the last bins."""
    import numpy as np

    known = [values[np.isfinite(values)] for values in sides]
    low, high = np.quantile(np.concatenate(known), [0.02, 0.98])
    edges = np.linspace(low, high if high > low else low + 1, N_BARS + 1)
    drawn = []
    for values in known:
        counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
        heights = np.ceil(counts / max(counts.max(), 1) * (len(bars) - 1)).astype(int)
        drawn.append("".join(bars[height] for height in heights))
    return drawn


def _level(value: float | None, unit: str) -> str:
    return _whole_percent(value) if unit.startswith("proportion") else number(value, figures=2)


def _whole_percent(value: float | None) -> str:
    return "–" if value is None else f"{number(100 * value, figures=2)} %"


def _two_places(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _giveaways(finding: Finding) -> Iterator[str]:
    if isinstance(finding.details, DiscriminatorDetails):
        for word in finding.details.tells.simulated[:N_GIVEAWAYS]:
            shares = [
                _whole_percent(count / max(of, 1))
                for count, of in ((word.n_real, finding.n_real), (word.n_simulated, finding.n_simulated))
            ]
            yield f'"{plain(word.feature, limit=20)}" {shares[1]} ({shares[0]})'


def _reaction(cards: Mapping[str, Scorecard]) -> dict[str, Any] | None:
    """Say what people are shown to change most; None where they are not shown to change anything."""
    first = next(iter(cards.values()))
    found = [
        (abs(shift), f.metric, shift, f.unit)
        for f in in_section(first.judged, "shifts")
        if (shift := _established(f)) is not None
    ]
    if not found:
        return None
    _, metric, _, unit = max(found)
    findings = {name: _one(card, "counterfactual", metric) for name, card in cards.items()}
    return {
        "metric": metric,
        "people": _moved(value_of_side(findings[next(iter(cards))], "real"), unit),
        "sides": [
            {
                "name": name,
                "shift": _moved(value_of_side(f, "simulated"), unit),
                "verdict": verdict_and_needs(f),
            }
            for name, f in findings.items()
        ],
    }


def _established(finding: Finding) -> float | None:
    """Return people's shift in their standard deviations; None where it is not shown to be one."""
    details = finding.details
    if not is_shift_of_one_metric(finding) or not isinstance(details, ShiftDetails):
        return None
    shift = details.human_shift
    if shift is None or shift.established is not True or shift.estimate is None or not details.human_sd:
        return None
    return shift.estimate / details.human_sd


def _moved(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{100 * value:+.0f} points" if unit.startswith("proportion") else f"{value:+.2g} {unit}"


def _least_human(name: str, card: Scorecard, conversations: Conversations) -> dict[str, Any]:
    details = _words(card).details
    scores = details.conversation_scores.simulated if isinstance(details, DiscriminatorDetails) else {}
    known = [c for c in conversations if c.id in scores]
    shown = min(known, key=lambda c: (scores[c.id], c.id), default=conversations[0])
    return {
        "name": name,
        "score": percent(scores.get(shown.id)),
        "messages": [
            {
                "who": "shopper" if message.role == "user" else plain(message.role, limit=9),
                "said": _cut(message.content, WIDTH - 12),
            }
            for message in shown.messages[:N_LINES]
        ],
    }


def _cut(text: str, width: int) -> str:
    """Write a message in one line of so many columns."""
    line = " ".join(plain(text, limit=4 * width).split())
    return line if cell_len(line) <= width else f"{set_cell_size(line, width - 3).rstrip()}..."


def _with_as_many(opening: str, parts: Sequence[str]) -> str:
    """Write as many parts behind the opening as a line has room for."""
    line = f"  {opening}"
    for place, part in enumerate(parts):
        longer = f"{line}, {part}" if place else line + part
        if cell_len(longer) > WIDTH:
            break
        line = longer
    return line


def _lines(text: str, indent: str = "  ") -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False
    )
