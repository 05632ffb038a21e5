"""The comparison as text for files: Markdown for pull requests, CSV for somebody's own figures."""

from __future__ import annotations

import csv
import io

from convsim._templates import environment
from convsim.evaluation import Comparison
from convsim.report.comparison.order import ranking, short_tables
from convsim.report.comparison.sentences import limits, sentences, warnings
from convsim.report.comparison.tables import tables
from convsim.report.markdown import table_cell

COLUMNS = ("simulator", "metric", "ks", "low", "high", "verdict", "floor_mean", "floor_q95")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""


def to_csv(comparison: Comparison) -> str:
    """Return one row a simulator and metric, tidy; an undefined number is an empty cell.

    A name that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in comparison.simulators:
        for d in each.distances:
            low, high = d.interval or (None, None)
            baseline = (d.noise_floor.mean, d.noise_floor.q95) if d.noise_floor else (None, None)
            writer.writerow(
                [
                    spreadsheet_text(each.name),
                    spreadsheet_text(d.metric),
                    d.ks,
                    low,
                    high,
                    d.verdict,
                    *baseline,
                ]
            )
    return file.getvalue()


def spreadsheet_text(text: str) -> str:
    """Return a cell's text, with an apostrophe before it where a spreadsheet would compute it."""
    return f"'{text}" if text.startswith(FORMULA) else text


def comparison_to_markdown(comparison: Comparison, *, full: bool = False) -> str:
    """Return the comparison as GitHub-flavoured Markdown; names are escaped.

    Args:
        comparison: What was found.
        full: Write every table, too, not the ranking and verdicts alone.
    """
    first, *others = sentences(comparison)
    templates = environment("convsim.report", escape=False, lstrip=False)
    templates.filters["cell"] = table_cell
    return templates.get_template("comparison.md.j2").render(
        comparison=comparison,
        tables=[ranking(comparison), *tables(comparison)] if full else [*short_tables(comparison)],
        first=first,
        sentences=others,
        warnings=warnings(comparison),
        limits=limits(),
    )
