"""The summary of a job: what a pull request needs of a scorecard or a comparison, as Markdown of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from convsim.evaluation import Comparison, Scorecard, SideSummary
from convsim.evaluation.headline import overall
from convsim.report.answers import answers, headline_words
from convsim.report.answers import whole as whole_words
from convsim.report.gaps import N_SHOWN, TITLE, sentence
from convsim.report.headline import headline
from convsim.report.markdown import gate_parts, row, rule, table_cell
from convsim.report.tables import Kind, kind_of_verdict
from convsim.report.versions import version_line, worse_lines
from convsim.schema import GateResult, Headline
from convsim.schema.versions import Versions

MARKS: dict[Kind, str] = {"alike": "✅", "different": "❌", "undecided": "⚪", "failed": "⚠️"}
MAX_SIMULATORS = 20
MAX_WARNINGS = 10
MAX_TEXT = 300
MAX_GAP = 800


def scorecard_summary(card: Scorecard) -> str:
    """Return a scorecard's summary: the whole in a line, headlines, the gate, the largest gaps, what was compared."""
    return _document(
        [
            f"### convsim: {_whole(card)}",
            _headlines(card),
            *_gate(card.gate),
            *_baseline(card.baseline),
            _gaps(card),
            *_warnings(card.warnings),
            _sides([("real", card.real), ("simulated", card.simulated)]),
        ]
    )


def comparison_summary(comparison: Comparison) -> str:
    """Return a comparison's summary: a row of headlines a simulator, and what the gate found of each."""
    shown = comparison.simulators[:MAX_SIMULATORS]
    left = len(comparison.simulators) - len(shown)
    by_name = {each.name: _headlines_of(each.validation, each.counterfactual) for each in shown}
    families = list(dict.fromkeys(name for found in by_name.values() for name in found))
    rows = [
        [name, *(_marked(found[of]) if of in found else "–" for of in families), _why(found)]
        for name, found in by_name.items()
    ]
    table = [row(["simulator", *families, "why"]), rule(2 + len(families)), *map(row, rows)]
    gates = [
        part
        for each in shown
        if each.gate is not None
        for part in (f"#### {_cell(each.name)}", *_gate(each.gate))
    ]
    sides = [("people", comparison.people.side), *((each.name, each.side) for each in shown)]
    more = [f"and {left} more simulators"] if left > 0 else []
    return _document(
        [
            "### convsim: simulators compared with people",
            "\n".join(table),
            *more,
            *gates,
            *_warnings(comparison.warnings),
            _sides(sides),
        ]
    )


def _document(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _whole(card: Scorecard) -> str:
    whole = next((each for each in card.headlines if each.name == "all"), None)
    if whole is None:
        return _cell(headline(card), 800)
    return f"{MARKS[kind_of_verdict(whole.verdict)]} {_cell(whole_words(card), 800)}"


def _headlines(card: Scorecard) -> str:
    found = [
        row([each.name, f"{MARKS[each.kind]} {each.words}", each.decided_by or "–", each.reason])
        for each in answers(card)
    ]
    return "\n".join([row(["headline", "verdict", "decided by", "why"]), rule(4), *found]) if found else ""


def _headlines_of(*cards: Scorecard | None) -> dict[str, Headline]:
    return {each.name: each for card in cards if card for each in card.headlines if each.name != "all"}


def _why(headlines: Mapping[str, Headline]) -> str:
    whole = overall([*headlines.values()])
    return whole.reason if whole is not None else "nothing was judged"


def _gate(result: GateResult | None) -> list[str]:
    """Return the gate's paragraphs, the first with a mark."""
    first, *others = gate_parts(result) or [""]
    mark = MARKS["alike" if result is not None and result.passed else "different"]
    return [f"{mark} {first}", *others] if first else []


def _gaps(card: Scorecard) -> str:
    """Return the largest gaps as a list; empty where there are none."""
    listed = [f"1. {_cell(sentence(gap), MAX_GAP)}" for gap in card.gaps[:N_SHOWN]]
    return "\n".join([f"**{TITLE}**\n", *listed]) if listed else ""


def _baseline(versions: Versions | None) -> list[str]:
    """Return what got worse since the baseline, a line each with its values; a line where nothing did."""
    if versions is None:
        return []
    mark = MARKS["different" if versions.worse else "alike"]
    worse = [f"- {_cell(line)}" for line in worse_lines(versions)]
    note = f" ({_cell(versions.note)})" if versions.note else ""
    return [f"{mark} {_cell(version_line(versions), 800)}{note}", "\n".join(worse)]


def _warnings(warnings: Sequence[str]) -> Iterator[str]:
    if warnings:
        more = [f"- and {len(warnings) - MAX_WARNINGS} more"] if len(warnings) > MAX_WARNINGS else []
        yield "\n".join([*(f"- warning: {_cell(each)}" for each in warnings[:MAX_WARNINGS]), *more])


def _sides(sides: Sequence[tuple[str, SideSummary | None]]) -> str:
    compared = [
        row([name, f"{side.n:,}", side.simulator or "–", side.path or "–"])
        for name, side in sides
        if side is not None
    ]
    return "\n".join([row(["side", "conversations", "simulator", "file"]), rule(4), *compared])


def _marked(headline: Headline) -> str:
    """Write a verdict with its mark and, where it is known, how much more would decide."""
    needs = f": {headline.needs.words}" if headline.needs and headline.needs.words else ""
    return f"{MARKS[kind_of_verdict(headline.verdict)]} {headline_words(headline)}{needs}"


def _cell(text: str, limit: int = MAX_TEXT) -> str:
    return table_cell(text, limit=limit)
