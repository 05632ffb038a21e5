"""A ranking at a terminal and in Markdown: a line for each simulator, then its numbers, levels and pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from rich.console import Console, RenderableType
from rich.text import Text

from convsim._text import plain
from convsim.evaluation.ranking.record import PeopleAgainstPeople, RankedNumber, Ranking, SimulatorRanking
from convsim.report.glance import MAX_LINES, WIDTH
from convsim.report.markdown import row, rule, table_cell
from convsim.report.tables import (
    KIND_STYLES,
    MARKS,
    VERDICTS,
    filled,
    kind_of_verdict,
    number,
    percent,
)
from convsim.schema import Estimate

MAX_NAME = 40
MAX_ROWS = 20
"""Pairs of one table."""
RELATIONS = {
    "kept": "kept, shown",
    "same_way": "same order, not shown",
    "opposite_way": "not that order, not shown",
    "reversed": "reversed, shown",
    "tied": "tied for both",
    "added": "shown by the simulator alone",
}
NUMBERS = {
    "agreement": "agreement of pairs",
    "kept": "pairs shown in this order",
    "opposite": "pairs in the opposite order",
    "tau_b": "Kendall's tau-b",
    "spearman": "Spearman's rho",
    "level_error": "level error",
    "calibration_error": "calibration error (ECE)",
    "bias": "bias",
    "failure_mix": "failure mix distance",
}
"""In the order in which they are shown."""
PROPORTIONS = frozenset({"agreement", "kept", "opposite"})
SUCCESS = "success-rate error"
"""What the bias of an outcome with two values is."""
NOTE = (
    "agreement: of the pairs that people tell apart beyond chance, those in the same order. people against people: "
    "random halves of the users, mean, and the limit that one split in twenty is worse than; half as many people order "
    "less well than all. Intervals of 95 %, users drawn anew."
)
KNOWN_NOTE = (
    "agreement: of all pairs, those in the known order. Intervals of 95 %, users or personas drawn anew."
)


@dataclass(frozen=True)
class Part:
    """A table of words."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def question_of(ranking: Ranking) -> str:
    """Say what was asked: by what systems are told apart, and what they are ordered by."""
    by, outcome = plain(ranking.by, limit=MAX_NAME), plain(ranking.outcome, limit=MAX_NAME)
    labels = f", by {plain(ranking.labelled_by, limit=80)}" if ranking.labelled_by else ""
    return f"{ranking.question} Systems by {by}, outcome {outcome} ({ranking.better} is better{labels})."


def line_of(simulator: SimulatorRanking) -> str:
    """Say in one line what became of a simulator."""
    mark, words = MARKS[kind_of_verdict(simulator.verdict)], VERDICTS[simulator.verdict]
    more = f" ({simulator.needs.words})" if simulator.needs and simulator.needs.words else ""
    return f"{mark} {plain(simulator.name, limit=MAX_NAME)}: {words}{more}: {plain(simulator.reason)}"


def parts_of(ranking: Ranking, simulator: SimulatorRanking) -> Iterator[Part]:
    """Yield the tables of one simulator."""
    yield _numbers(ranking, simulator)
    yield _levels(simulator)
    yield _pairs(simulator)


def _numbers(ranking: Ranking, simulator: SimulatorRanking) -> Part:
    rows = []
    against_people = ranking.real is not None
    for name, said in NUMBERS.items():
        of: RankedNumber = getattr(simulator, name)
        if of.estimate is None and not against_people and of.people is None and name not in PROPORTIONS:
            continue
        called = SUCCESS if name == "bias" and ranking.two_valued else said
        cells = [called, _number(of, name), *([_ceiling(of.people, name)] if against_people else [])]
        rows.append((*cells, plain(of.reason, limit=120)))
    if simulator.known_order is not None:
        known = simulator.known_order
        p_values = f"p {number(known.p_falling)}, the other way round {number(known.p_rising)}"
        rows.append(("trend in the known order", p_values, ""))
    note = ""
    if simulator.most_tau_b is not None and simulator.most_tau_b < 1:
        note = f"tau-b is at most {number(simulator.most_tau_b, figures=2)} here: people have ties, and levels none"
    columns = ("number", "simulator", *(["people against people"] if against_people else []), "")
    return Part(columns, tuple(rows), note)


def _number(of: RankedNumber, name: str) -> str:
    if name not in PROPORTIONS or of.estimate is None:
        return _estimate(of)
    limits = f" [{percent(of.interval[0])}, {percent(of.interval[1])}]" if of.interval else ""
    return f"{percent(of.estimate)}{limits}"


def _estimate(of: Estimate | None) -> str:
    """Write an estimate with its interval; levels of systems lie near to one another, so that two figures are few."""
    if of is None:
        return "–"
    limits = f" [{number(of.interval[0])}, {number(of.interval[1])}]" if of.interval else ""
    return f"{number(of.estimate)}{limits}"


def _ceiling(of: PeopleAgainstPeople | None, name: str) -> str:
    if of is None:
        return "–"
    write = percent if name in PROPORTIONS else lambda value: number(value, figures=2)
    return f"{write(of.mean)}, limit {write(of.limit)}"


def _levels(simulator: SimulatorRanking) -> Part:
    with_people = any(each.people for each in simulator.systems)
    rows = []
    for each in simulator.systems:
        people = [_estimate(each.people), str(each.people.n)] if each.people else []
        rows.append(
            (
                plain(each.name, limit=MAX_NAME),
                *people,
                _estimate(each.simulated),
                str(each.simulated.n),
            )
        )
    columns = ("system", *(["people", "n"] if with_people else []), "simulated", "n")
    return Part(columns, tuple(rows))


def _pairs(simulator: SimulatorRanking) -> Part:
    with_people = any(each.people for each in simulator.pairs)
    rows = [
        (
            f"{plain(each.better, limit=MAX_NAME)} > {plain(each.worse, limit=MAX_NAME)}",
            *([_estimate(each.people), "yes" if each.told else "no"] if with_people else []),
            _estimate(each.simulated),
            RELATIONS[each.relation],
        )
        for each in simulator.pairs[:MAX_ROWS]
    ]
    left = len(simulator.pairs) - len(rows)
    columns = ("pair", *(["people", "told apart"] if with_people else []), "simulated", "in the simulator")
    return Part(columns, tuple(rows), f"and {left} more pairs; JSON has all" if left else "")


def warnings_of(ranking: Ranking) -> list[str]:
    """Return each warning once."""
    every = [*ranking.warnings, *(warning for each in ranking.simulators for warning in each.warnings)]
    return [*dict.fromkeys(every)]


def print_ranking(ranking: Ranking, console: Console) -> None:
    """Print a ranking: what became of each simulator, then tables."""
    for part in _screen(ranking):
        console.print(part)


def _screen(ranking: Ranking) -> Iterator[RenderableType]:
    yield Text(question_of(ranking), style="bold")
    for each in ranking.simulators:
        yield Text(line_of(each), style=KIND_STYLES[kind_of_verdict(each.verdict)])
    for warning in warnings_of(ranking):
        yield Text(f"warning: {plain(warning)}", style="yellow")
    for each in ranking.simulators:
        if len(ranking.simulators) > 1:
            yield Text(f"\n{plain(each.name, limit=MAX_NAME)}", style="bold")
        for part in parts_of(ranking, each):
            yield filled(part.columns, part.rows, part.note, left=_words(part.columns))
    yield Text(f"\n{_note(ranking)}", style="dim")


def _words(columns: Sequence[str]) -> set[str]:
    return set(columns) - {"n"}


def _note(ranking: Ranking) -> str:
    return NOTE if ranking.real is not None else KNOWN_NOTE


def ranking_text(ranking: Ranking) -> str:
    """Write a ranking in a screen, at most 40 lines of 100 columns."""
    console = Console(
        file=StringIO(), width=WIDTH, color_system=None, force_terminal=False, highlight=False, legacy_windows=False
    )  # fmt: skip
    with console.capture() as captured:
        print_ranking(ranking, console)
    lines = [line.rstrip() for line in captured.get().splitlines() if line.strip()]
    if len(lines) <= MAX_LINES:
        return "\n".join(lines)
    return "\n".join([*lines[: MAX_LINES - 1], "and more; .to_dict() has all"])


def ranking_to_markdown(ranking: Ranking) -> str:
    """Return a ranking as GitHub-flavoured Markdown; names are escaped."""
    parts = ["# Ranking", table_cell(question_of(ranking))]
    parts += [f"**{table_cell(line_of(each), 2000)}**" for each in ranking.simulators]
    parts += [f"> warning: {table_cell(warning)}" for warning in warnings_of(ranking)]
    for each in ranking.simulators:
        parts.append(f"## {table_cell(each.name, MAX_NAME)}")
        for part in parts_of(ranking, each):
            parts.append("\n".join([row(part.columns), rule(len(part.columns)), *map(row, part.rows)]))
            parts += [table_cell(part.note)] if part.note else []
    ends = [
        _note(ranking),
        f"H0, {ranking.null_hypothesis}.",
        f"Source: {ranking.source}. Seed {ranking.seed}.",
    ]
    return "\n\n".join([*parts, *(table_cell(end, 2000) for end in ends)]) + "\n"
