"""A scorecard or a comparison as a LaTeX table for a paper, with the rules of booktabs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from convsim._text import plain
from convsim.evaluation import Comparison, Scorecard
from convsim.report.comparison.order import ranking
from convsim.report.html.text import metric_name
from convsim.report.tables import baseline, interval, number, side, verdict_and_needs

MAX_CELL = 200
COLUMNS = ("validator", "metric", "people", "simulated", "estimate", "interval", "baseline", "verdict")
N_WORDS = 2
"""Columns of words before those of numbers."""
ESCAPED = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "–": "--", "≠": r"$\neq$",
    "“": "``", "”": "''", "…": r"\dots{}", "[": "{[}", "]": "{]}",
}  # fmt: skip
"""Brackets stand in braces, so that none is taken for an option of a row's end."""


def scorecard_latex(card: Scorecard) -> str:
    """Write the judged findings as a table, one row each."""
    rows = [
        (
            finding.validator, metric_name(finding.metric, limit=MAX_CELL), side(finding, "real"),
            side(finding, "simulated"), number(finding.estimate), interval(finding), baseline(finding),
            verdict_and_needs(finding),
        )
        for finding in card.judged
    ]  # fmt: skip
    return _table(COLUMNS, rows, f"{'l' * N_WORDS}{'r' * (len(COLUMNS) - N_WORDS - 1)}l")


def comparison_latex(comparison: Comparison) -> str:
    """Write the simulators as a table, the closest to people first."""
    table = ranking(comparison)
    return _table(table.columns, table.rows, f"l{'r' * (len(table.columns) - 1)}")


def escaped(text: str) -> str:
    """Write text so that LaTeX sets it as it is, on one line, whatever stands in it."""
    return "".join(
        ESCAPED.get(character, character) for character in " ".join(plain(text, limit=MAX_CELL).split())
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], kinds: str) -> str:
    body = [" & ".join(map(escaped, row)) + r" \\" for row in rows]
    lines = [
        "% needs: booktabs", rf"\begin{{tabular}}{{{kinds}}}", r"\toprule",
        " & ".join(map(escaped, columns)) + r" \\", r"\midrule", *body, r"\bottomrule", r"\end{tabular}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
