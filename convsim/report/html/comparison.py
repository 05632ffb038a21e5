"""The comparison of simulators as a page: one HTML file that loads nothing and opens from disk."""

from __future__ import annotations

from pathlib import Path

from convsim._text import plain
from convsim.evaluation import Comparison
from convsim.report.comparison import to_csv
from convsim.report.comparison.order import MARKS_NOTE, families_of, ordered, ranking, verdict_marks
from convsim.report.comparison.sentences import cost_sentences, limits, sentences, warnings
from convsim.report.comparison.tables import Table, price, tables
from convsim.report.html.figures.closeness import closest_first
from convsim.report.html.figures.pareto import front
from convsim.report.html.heat_map import heat_map
from convsim.report.html.page import MAX_WARNINGS, content_policy, environment, own_file, own_script
from convsim.report.html.simulators import Transcripts, shown_simulators
from convsim.report.html.text import name
from convsim.report.versions import CHANGES

MAX_FILE = 200
MAX_SENTENCE = 1_000
SHOWN_ABOVE = ("like people?", "distance from people")
NO_TRANSCRIPTS: Transcripts = {}


def comparison_files(comparison: Comparison, transcripts: Transcripts, folder: Path) -> dict[str, str]:
    """Return what is kept of a comparison: its document, its table and its page, by file name.

    Args:
        comparison: What was found.
        transcripts: The simulators' conversations by the paths that their sides name; the page shows some.
        folder: Where the files will lie: the page links to what is there.
    """
    page = comparison_to_html(comparison, transcripts=transcripts, folder=folder)
    return {
        "comparison.json": comparison.to_json(),
        "distances.csv": to_csv(comparison),
        "comparison.html": page,
    }


def comparison_to_html(
    comparison: Comparison, *, transcripts: Transcripts = NO_TRANSCRIPTS, folder: Path | None = None
) -> str:
    """Return a comparison as a page; names are escaped, and no request is ever made.

    Args:
        comparison: What was found.
        transcripts: Conversations by the path that a simulator's side names, of which the page shows some.
        folder: Where the page will lie: it links to reports and transcripts that are there.
    """
    style, script = own_file("style.css"), own_script("script", "tips", "export")
    order = ordered(comparison)
    on_cost = cost_sentences(comparison)
    first, *others = [each for each in sentences(comparison) if each not in on_cost]
    with_cost = comparison.cost_axis is not None
    costs = [price(comparison, each) if with_cost else "" for each in order]
    return environment().get_template("comparison.html.j2").render(
        comparison=comparison,
        heading=plain(first, limit=MAX_SENTENCE),
        style=style,
        script=script,
        policy=content_policy(str(script)),
        sentences=[plain(sentence, limit=MAX_SENTENCE) for sentence in others],
        on_cost=[plain(sentence, limit=MAX_SENTENCE) for sentence in on_cost],
        limits=limits(),
        warnings=[plain(warning, limit=MAX_SENTENCE) for warning in warnings(comparison)[:MAX_WARNINGS]],
        simulators=shown_simulators(order, costs, transcripts, folder),
        order_note=[line for line in ranking(comparison).note.splitlines() if not line.startswith(MARKS_NOTE)],
        ties=[row[2] for row in ranking(comparison).rows],
        with_cost=with_cost,
        with_seeds=any(each.seeds for each in order),
        picture_of_order=closest_first(order),
        map=heat_map(order, families_of(comparison)),
        marks=verdict_marks(),
        picture_of_front=front(comparison, order),
        tables=[_readable(table) for table in tables(comparison) if table.title not in SHOWN_ABOVE],
        facts=_facts(comparison),
    )  # fmt: skip


def _readable(table: Table) -> Table:
    """Make a table's text safe to show; metrics stand in words."""
    rows = [[name(cell) for cell in row] for row in table.rows]
    if table.columns[0] == CHANGES[0]:
        rows = [[row[0].replace("_", " "), *row[1:]] for row in rows]
    title = name(table.title)
    return Table(
        title[:1].upper() + title[1:],
        [name(column) for column in table.columns],
        rows,
        plain(table.note, limit=4_000),
    )


def _facts(comparison: Comparison) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return where the numbers come from: each file with its hash, the seed and the command."""
    sides = [("People's conversations", comparison.people.side)]
    sides += [(name(each.name), each.side) for each in comparison.simulators]
    groups = [
        (
            title,
            [
                ("file", name(side.path, limit=MAX_FILE)),
                ("SHA-256", name(side.sha256)),
                ("simulator", name(side.simulator, limit=MAX_FILE)),
                ("conversations", f"{side.n:,}"),
                ("language", name(str(side.language), limit=MAX_FILE) if side.language else "not told"),
            ],
        )
        for title, side in sides
    ]
    groups += [
        (
            "What shoppers learned from",
            [
                ("file", name(file.path, limit=MAX_FILE)),
                ("SHA-256", name(file.sha256)),
                ("conversations", f"{file.n:,}"),
            ],
        )
        for file in comparison.learned
    ]
    words = " ".join(name(word) for word in comparison.made_by.command)
    made = [
        ("convsim", name(comparison.made_by.convsim)),
        ("command", f"convsim {words}".strip()),
        ("seed", str(comparison.seed)),
    ]
    return [*groups, ("The comparison", made)]
