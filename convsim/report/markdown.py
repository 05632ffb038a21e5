"""The scorecard as Markdown, for pull requests."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from convsim._templates import environment
from convsim._text import plain
from convsim.evaluation.layout import WORDS_VIEW, in_section
from convsim.evaluation.scorecard import Scorecard
from convsim.report import gaps, kinds, spending, versions
from convsim.report.answers import answers, whole
from convsim.report.caveats import limits
from convsim.report.gate import COLUMNS, MAX_SHOWN, gate_line, left_out, not_passed, rows
from convsim.report.headline import headline
from convsim.report.tables import baseline, interval, number, percent, side, verdict_and_needs
from convsim.schema import GateResult
from convsim.schema.details import DiscriminatorDetails

LIVE = re.compile(r"@(?=\w)|\bwww(?=\.)|#(?=\d)|\bGH(?=-\d)|:(?=//)|\b(?:mailto|xmpp):", re.IGNORECASE)
"""What GitHub makes a link of wherever it stands, or of which it tells somebody."""
JOINER = "\N{WORD JOINER}"
"""A character that is not seen; a backslash or an entity in its place would be gone when GitHub looks for links."""


def to_markdown(card: Scorecard) -> str:
    """Return the scorecard as GitHub-flavoured Markdown; text from transcripts is escaped."""
    templates = environment("convsim.report", escape=False, lstrip=False)
    templates.filters["cell"] = table_cell
    return templates.get_template("scorecard.md.j2").render(
        card=card, whole=whole(card), answers=answers(card), headline=headline(card),
        limits=limits(card), giveaways=_giveaways(card), gaps=gaps.marked(card, table_cell),
        kinds=kinds.marked(card.findings, table_cell),
        baseline_changes=versions.marked(card.baseline, table_cell),
        verdict=verdict_and_needs, side=side, number=number, interval=interval, baseline=baseline,
        gate=gate_parts(card.gate), spending=spending.marked(card, table_cell),
    )  # fmt: skip


def table_cell(text: str, limit: int = 500) -> str:
    """Escape HTML and what would end a table cell, a quotation or code; no address, mention or issue becomes a link."""
    one_line = " ".join(plain(text, limit=limit).split())
    escaped = html.escape(LIVE.sub(rf"\g<0>{JOINER}", one_line), quote=False)
    return "".join("\\" + c if c in "|`*_[]\\" else c for c in escaped)


def gate_parts(result: GateResult | None) -> list[str]:
    """Return what a gate found as paragraphs and a table of what did not pass; none where there is no gate."""
    if result is None:
        return []
    shown = rows(not_passed(result)[:MAX_SHOWN])
    table = ["\n".join([row(COLUMNS), rule(len(COLUMNS)), *map(row, shown)])] if shown else []
    return [f"**{table_cell(gate_line(result))}**", *table, *filter(None, [left_out(result)])]


def row(cells: Sequence[str], limit: int = 300) -> str:
    """Write a row of a table; each cell is escaped."""
    return f"| {' | '.join(table_cell(cell, limit) for cell in cells)} |"


def rule(n: int) -> str:
    """Write the line under the head of a table of ``n`` columns."""
    return "|" + "---|" * n


def _giveaways(card: Scorecard) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Return each side's giveaway words with the proportions of real and simulated conversations that have them."""
    for finding in in_section(card.findings, "recognition"):
        if finding.metric == WORDS_VIEW and isinstance(finding.details, DiscriminatorDetails):
            words, n_real, n_simulated = finding.details.tells, finding.n_real, finding.n_simulated
            return [
                (who, [(w.feature, _of(w.n_real, n_real), _of(w.n_simulated, n_simulated)) for w in entries])
                for who, entries in (("the simulator", words.simulated), ("people", words.human))
                if entries
            ]
    return []


def _of(count: int, of: int) -> str:
    return percent(min(1.0, count / of)) if of else "–"
