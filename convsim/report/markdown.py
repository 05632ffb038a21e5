"""The scorecard as Markdown, for pull requests."""

from __future__ import annotations

import html
from collections.abc import Sequence

from convsim._text import plain
from convsim.evaluation.layout import WORDS_VIEW, in_section
from convsim.evaluation.scorecard import Scorecard
from convsim.report.caveats import limits
from convsim.report.headline import headline
from convsim.report.tables import VERDICTS, floor, interval, number, side
from convsim.schema.details import DiscriminatorDetails, Tell


def to_markdown(card: Scorecard) -> str:
    """Return the scorecard as GitHub-flavoured Markdown; text from transcripts is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("convsim.report"),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["cell"] = table_cell
    return environment.get_template("scorecard.md.j2").render(
        card=card, headline=headline(card), limits=limits(card), tells=_tells(card),
        verdicts=VERDICTS, side=side, number=number, interval=interval, floor=floor,
    )  # fmt: skip


def table_cell(text: str, limit: int = 500) -> str:
    """Escape HTML and what would end a table cell, a quotation or code."""
    one_line = " ".join(plain(text, limit=limit).split())
    escaped = html.escape(one_line, quote=False)
    return "".join("\\" + c if c in "|`*_[]\\" else c for c in escaped)


def _tells(card: Scorecard) -> list[tuple[str, Sequence[Tell]]]:
    for finding in in_section(card.findings, "likeness"):
        if finding.metric == WORDS_VIEW and isinstance(finding.details, DiscriminatorDetails):
            tells = finding.details.tells
            return [
                (who, entries)
                for who, entries in (("the simulator", tells.simulated), ("people", tells.human))
                if entries
            ]
    return []
