"""The comparison of simulators as a page: one HTML file that loads nothing and opens from disk."""

from __future__ import annotations

from convsim._text import plain
from convsim.evaluation import Comparison
from convsim.report.comparison.sentences import limits, sentences, warnings
from convsim.report.comparison.tables import Table, tables
from convsim.report.html.figures.pareto import front
from convsim.report.html.page import MAX_WARNINGS, content_policy, environment, own_file
from convsim.report.html.text import name
from convsim.report.tables import counted

MAX_FILE = 200
MAX_SENTENCE = 1_000


def comparison_to_html(comparison: Comparison) -> str:
    """Return a comparison as a page; names are escaped, and no request is ever made."""
    style, script = own_file("style.css"), own_file("script.js")
    template = environment().get_template("comparison.html.j2")
    return template.render(
        comparison=comparison,
        heading=f"{counted(len(comparison.simulators), 'simulator', 'simulators')} compared with people",
        style=style,
        script=script,
        policy=content_policy(str(script)),
        sentences=[plain(sentence, limit=MAX_SENTENCE) for sentence in sentences(comparison)],
        limits=limits(),
        warnings=[plain(warning, limit=MAX_SENTENCE) for warning in warnings(comparison)[:MAX_WARNINGS]],
        picture_of_front=front(comparison),
        tables=[_readable(table) for table in tables(comparison)],
        facts=_facts(comparison),
    )


def _readable(table: Table) -> Table:
    rows = [[name(cell) for cell in row] for row in table.rows]
    return Table(
        name(table.title), [name(column) for column in table.columns], rows, plain(table.note, limit=4_000)
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
