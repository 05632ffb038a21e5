"""A file of conversations described for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from convsim._text import plain
from convsim.report.tables import number

if TYPE_CHECKING:
    from convsim.io import Card, Description, SurveyReport
    from convsim.io.description import LabelCount

MAX_ROWS = 30
MAX_NAMES = 8


def print_description(description: Description, console: Console) -> None:
    """Print what a file holds."""
    for part in _parts(description):
        console.print(part)


def print_cards(cards: tuple[Card, ...], console: Console) -> None:
    """Print what data sets there are."""
    for card in cards:
        size = [f"{card.conversations} conversations"] if card.conversations else []
        size += [f"{card.megabytes} MB"] if card.megabytes else []
        who = "written by people" if card.written_by_people else "no person wrote these"
        console.print(Text.assemble((card.name, "bold"), f"  {card.title} ({who})"))
        console.print(
            Padding(Text(f"{', '.join(size)}; {card.licence}; {card.home}; {card.file}"), (0, 0, 0, 4))
        )
        console.print(Padding(Text(card.note, style="dim"), (0, 0, 0, 4)))


def _parts(found: Description) -> Iterator[RenderableType]:
    skipped = f", {found.skipped} malformed lines skipped" if found.skipped else ""
    yield Text(f"{found.conversations} conversations ({found.format}){skipped}", style="bold")
    yield Text(f"{plain(found.path)}\nsha256 {found.sha256}", style="dim")
    for warning in found.warnings:
        yield Text(f"warning: {plain(warning)}", style="yellow")
    yield _strata(found)
    yield _lines(found)
    yield _spreads(found)
    if found.labels:
        yield _labels(found.labels)
    if found.survey:
        yield _survey(found.survey)


def _table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def _cut(table: Table, n: int) -> RenderableType:
    """Return the table with room above it, and say below how many rows it leaves out."""
    if n > MAX_ROWS:
        table.caption = Text(f"and {n - MAX_ROWS} more; --format json lists all")
        table.caption_justify = "left"
    return Padding(table, (1, 0, 0, 0))


def _strata(found: Description) -> RenderableType:
    table = _table("task", "arm", "conversations", right=("conversations",))
    for stratum in found.strata[:MAX_ROWS]:
        names = (
            Text(plain(name, limit=60) if name is not None else "–") for name in (stratum.task, stratum.arm)
        )
        table.add_row(*names, str(stratum.n))
    return _cut(table, len(found.strata))


def _lines(found: Description) -> RenderableType:
    habits = {
        "the agent speaks first": found.alternation.agent_first,
        "two user messages in a row": found.alternation.user_twice,
        "two agent messages in a row": found.alternation.agent_twice,
        "the user says nothing": found.alternation.no_user,
        "the agent says nothing": found.alternation.no_agent,
    }
    broken = ", ".join(f"{habit} in {n}" for habit, n in habits.items() if n) or "never"
    lines = {
        "agents": _named(found.agents),
        "simulators": _named(
            found.simulators, nothing="people, no simulator:" if found.states_users else "not stated"
        ),
        "sources": _named(found.sources),
        "users": f"{found.users.known} known, of {found.users.conversations} conversations",
        "language": str(found.language),
        "messages": _named(found.messages),
        "empty messages": _named(found.empty_messages),
        "turns broken": broken,
        "items": f"{found.items_shown} shown, {found.items_accepted} accepted in "
        f"{found.conversations_with_accepted} conversations",
        "endings": _named(found.endings),
        "failures": _named(found.failures),
    }
    table = Table.grid(padding=(0, 2))
    for name, line in lines.items():
        table.add_row(Text(name, style="dim"), Text(line))
    return Padding(table, (1, 0, 0, 0))


def _named(counts: Mapping[str, int], *, nothing: str = "not stated") -> str:
    """Write names with their counts; ``-`` is what states none."""
    said = [f"{nothing if name == '-' else plain(name, limit=60)} {n}" for name, n in counts.items()]
    more = [f"and {len(said) - MAX_NAMES} more"] if len(said) > MAX_NAMES else []
    return ", ".join([*said[:MAX_NAMES], *more]) or "none"


def _spreads(found: Description) -> RenderableType:
    columns = ("mean", "median", "min", "max")
    table = _table("", *columns, right=columns)
    for name, spread in (("turns a conversation", found.turns), ("words a user message", found.user_words)):
        table.add_row(name, *(number(getattr(spread, column)) for column in columns))
    return Padding(table, (1, 0, 0, 0))


def _labels(labels: tuple[LabelCount, ...]) -> RenderableType:
    table = _table("label", "on", "given by", "scale", "n", "mean or values", right=("n",))
    for label in labels[:MAX_ROWS]:
        texts = [number(label.mean)] if label.n_numbers else []
        texts += [f"{plain(value, limit=20)} {n}" for value, n in list(label.values.items())[:3]]
        scale = f"{label.scale[0]:g} to {label.scale[1]:g}" if label.scale else "–"
        who = (plain(label.name, limit=40), label.level, plain(label.source, limit=40))
        table.add_row(*map(Text, who), scale, str(label.n), Text(", ".join(texts)))
    return _cut(table, len(labels))


def _survey(survey: SurveyReport) -> RenderableType:
    table = _table("survey question", "level", "became", "n", right=("n",))
    rows: list[tuple[str, str, str, int]] = []
    for mapped in survey.mapped:
        texts = f", {mapped.n_texts} stay text: {', '.join(mapped.texts)}" if mapped.n_texts else ""
        scale = f" from {mapped.scale[0]:g} to {mapped.scale[1]:g}" if mapped.scale else ""
        rows.append(
            (
                mapped.question,
                mapped.level,
                f"{mapped.label}{scale}{texts}",
                mapped.n_numbers + mapped.n_texts,
            )
        )
    rows += [(left.question, left.level, f"left alone: {left.reason}", left.n) for left in survey.left]
    for question, level, became, n in rows[:MAX_ROWS]:
        table.add_row(Text(plain(question, limit=120)), level, Text(plain(became, limit=200)), str(n))
    return _cut(table, len(rows))
