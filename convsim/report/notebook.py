"""What a notebook shows of a document or of conversations: HTML of one screen, without scripts, light or dark.

Text is escaped. Colours come from the page around it, and structure from tags, as some viewers take styles out.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence

from convsim._text import plain
from convsim.annotation.agreement import AgreementReport
from convsim.evaluation import Comparison, Scorecard
from convsim.evaluation.layout import in_section
from convsim.evaluation.scorecard import SideSummary
from convsim.io import TableTranscripts, Transcripts
from convsim.report.agreement import STATISTICS, written
from convsim.report.answers import answers, whole_line
from convsim.report.comparison.sentences import sentences
from convsim.report.comparison.sentences import warnings as all_warnings
from convsim.report.comparison.tables import headlines, overview
from convsim.report.gaps import N_SHOWN, TITLE
from convsim.report.headline import headline
from convsim.report.html.text import metric_name
from convsim.report.tables import baseline, counted, number, side, value_of_side, verdict_and_needs
from convsim.schema import FAILING, Finding
from convsim.schema.conversation import Conversation, Message
from convsim.schema.details import ShiftDetails

Rows = Sequence[Sequence[str]]
MAX_ROWS = 8
"""Of a scorecard's table; the frame has all."""
MAX_SIMULATORS = 20
MAX_SENTENCES = 3
MAX_WARNINGS = 10
MAX_CELL = 60
MAX_UNBROKEN = 24
"""Characters of words that stay on one line of a cell."""
MAX_LINE = 240
MAX_MESSAGES = 24
MAX_MESSAGE = 500
MAX_ITEMS = 4
MAX_CONVERSATIONS = 5
RULE = "border-bottom:1px solid rgba(128,128,128,.35)"
CELL = f"padding:.2em .7em;vertical-align:top;{RULE};"
SCROLLS = "overflow-x:auto;max-width:100%"
MUTED = "opacity:.75;font-size:90%"
SAID = {"user": "border-left:3px solid #d55e00", "assistant": "border-left:3px solid #0072b2"}
NO_MARGIN = "margin:.2em 0"


def scorecard_html(card: Scorecard) -> str:
    """Write the answer, a line for each headline, what to change first, and the habits that differ most."""
    said = whole_line(card).plain if card.headlines else headline(card)
    found = [(f"{each.mark} {each.name}", each.words, each.decided_by) for each in answers(card)]
    gaps = [each.words for each in card.gaps[:N_SHOWN]]
    habits = [f for f in in_section(card.findings, "habits") if not f.is_control]
    rows, left = _findings(habits or card.findings, len(card.findings))
    can_draw = in_section(card.findings, "habits", "recognition", "shifts")
    drawn = ", <code>.plot()</code> draws them" if can_draw else ""
    return _page(
        said,
        [_muted(_sides(card)), *_warned(card.warnings)],
        _table(("", "verdict", "decided by"), found, words=3),
        *([f'<div style="margin-top:.6em">{html.escape(TITLE)}:</div>', _list(gaps)] if gaps else []),
        *rows,
        _more(left, "findings", f"<code>.to_frame()</code> has all{drawn}"),
    )


def comparison_html(comparison: Comparison) -> str:
    """Write the conclusions, the verdicts of each simulator, and its numbers."""
    first, *others = [*sentences(comparison)[:MAX_SENTENCES], ""]
    shown = overview(comparison)
    verdicts = headlines(comparison)
    left = max(0, len(shown.rows) - MAX_SIMULATORS)
    return _page(
        first,
        [*map(_line, filter(None, others)), *_warned(all_warnings(comparison))],
        _table(verdicts.columns, verdicts.rows[:MAX_SIMULATORS], words=len(verdicts.columns))
        if len(verdicts.columns) > 1
        else "",
        _table(shown.columns, shown.rows[:MAX_SIMULATORS], words=1),
        _more(left, "simulators", "<code>.to_frame()</code> has all"),
    )


def notebook_page(said: str, lines: Sequence[str], columns: Sequence[str], rows: Rows, *, left: int) -> str:
    """Write a sentence, lines and a table, escaped; ``left`` rows are said to be left out."""
    more = _more(left, "rows", "<code>.to_frame()</code> has all")
    return _page(said, [*map(_line, lines)], _table(columns, rows, words=2), more)


def agreement_html(report: AgreementReport) -> str:
    """Write how far an annotator agrees with people: a row for each label that both gave."""
    rows = []
    for each in report.entries:
        field = "kendall_tau_b" if each.kind == "ordinal" else "macro_f1"
        constant = number(each.majority_accuracy)
        agreed = written(getattr(each, field))
        name = f"{each.label} of a {each.level}"
        rows.append((name, str(each.n), STATISTICS[field], agreed, written(each.accuracy), constant))
    said = f"{report.source} against {report.against}, in {report.n_conversations} conversations"
    columns = ("label", "n", "statistic", "agreement", "accuracy", "accuracy of a constant answer")
    return _page(said, [*_warned(report.warnings)], _table(columns, rows, words=1))


def transcripts_html(transcripts: Transcripts) -> str:
    """Write how many conversations there are, how they were read, and how the first ones begin."""
    n = len(transcripts)
    turns = sum(sum(1 for _ in each.turns()) for each in transcripts) / max(n, 1)
    said = f"{n:,} conversations of {number(turns)} turns on average"
    of_table = _read_as(transcripts) if isinstance(transcripts, TableTranscripts) else []
    rows = [
        (each.id, each.task or "–", str(sum(1 for _ in each.turns())), each.first_words, each.ending)
        for each in transcripts[:MAX_CONVERSATIONS]
    ]
    return _page(
        said,
        [_muted(f"{transcripts.path.name}, read as {transcripts.format}"), *_warned(transcripts.warnings)],
        *of_table,
        _table(("id", "task", "turns", "begins", "ending"), rows, words=5),
        _more(n - len(rows), "conversations", "<code>.to_frame()</code> has every message"),
    )


def conversation_html(conversation: Conversation) -> str:
    """Write a conversation as one reads it, a paragraph a message, with the items that were shown."""
    facts = ("task", "arm", "agent", "simulator")
    known = [f"{name} {value}" for name in facts if (value := getattr(conversation, name))]
    shown = conversation.messages[:MAX_MESSAGES]
    end = f"ending: {conversation.ending}"
    if conversation.failure:
        end += f"; failed: {conversation.failure.reason}"
    return _page(
        conversation.id,
        [_muted(", ".join(known))] if known else [],
        *map(_message, shown),
        _more(len(conversation.messages) - len(shown), "messages", "<code>.messages</code> has all"),
        _muted(end),
    )


def _findings(findings: Iterable[Finding], n_all: int) -> tuple[list[str], int]:
    """Write the findings that fail, the furthest from people first, then others; say how many are left out."""
    every = list(findings)
    by_level = [f for f in every if value_of_side(f, "real") is not None]
    ranked = sorted(by_level or every, key=_rank)[:MAX_ROWS]
    are_shifts = any(isinstance(f.details, ShiftDetails) for f in ranked)
    sides = ("people changed", "simulated changed") if are_shifts else ("people", "simulated")
    measured = "difference" if are_shifts else "distance" if by_level else "estimate"
    columns = ["metric", *(sides if by_level else ()), measured, "baseline", "verdict"]
    rows = [
        [
            metric_name(f.metric), *((side(f, "real"), side(f, "simulated")) if by_level else ()),
            number(f.estimate), baseline(f), verdict_and_needs(f),
        ]
        for f in ranked
    ]  # fmt: skip
    return [_table(columns, rows, words=1, last=True)], n_all - len(ranked)


def _rank(finding: Finding) -> tuple[int, float]:
    fails = finding.verdict in FAILING or finding.verdict == "failed"
    order = 3 if finding.is_control else 0 if fails else 1 if finding.verdict != "undecided" else 2
    return order, -abs(finding.estimate or 0)


def _sides(card: Scorecard) -> str:
    people = [f"{card.real.n:,} conversations of people"] if card.real else []
    return " · ".join([*people, f"{card.simulated.n:,} simulated{_by(card.simulated)}"])


def _by(summary: SideSummary) -> str:
    return f" by {summary.simulator}" if summary.simulator else ""


def _read_as(table: TableTranscripts) -> Iterator[str]:
    """Write what each column was taken for, and what became of the rows."""
    rows = [(each.column, each.meaning, each.why) for each in table.columns]
    yield _table(("column", "is", "because of"), rows, words=3)
    account = table.account
    dropped = ", ".join(f"{n:,} {reason}" for reason, n in account.dropped.most_common())
    said = f"{account.rows:,} rows read, {account.used:,} used" + (f"; dropped: {dropped}" if dropped else "")
    yield "".join(map(_muted, [*table.notes, said]))


def _message(message: Message) -> str:
    style = f"margin:.4em 0;padding-left:.7em;{SAID.get(message.role, '')}"
    action = f" [{message.action}]" if message.action in ("accept", "leave") else ""
    said = _short(message.content, MAX_MESSAGE) or "(empty)"
    items = [each.title or each.id for each in message.items]
    named = ", ".join(_short(each, MAX_CELL) for each in items[:MAX_ITEMS])
    more = f" and {len(items) - MAX_ITEMS} more" if len(items) > MAX_ITEMS else ""
    carousel = _muted(f"shows {named}{more}") if items else ""
    faults = [f"{fault.name}: {fault.detail}" for fault in message.faults if fault.acted]
    carousel += "".join(_muted(f"made worse by {each}") for each in faults)
    return (
        f'<div style="{style}"><strong>{html.escape(message.role)}</strong> '
        f"{html.escape(said)}{html.escape(action)}{carousel}</div>"
    )


def _page(said: str, lines: Sequence[str], *parts: str) -> str:
    first = f'<p style="{NO_MARGIN}"><strong>{html.escape(_short(said, 2 * MAX_LINE))}</strong></p>'
    return f'<div class="convsim" style="max-width:62em">{first}{"".join(lines)}{"".join(parts)}</div>'


def _table(columns: Sequence[str], rows: Rows, *, words: int, last: bool = False) -> str:
    """Write a table; its first columns are words, and so is the last one if that is said; others are numbers."""
    if not rows:
        return ""
    n = len(columns)

    def row(tag: str, cells: Sequence[str]) -> str:
        is_words = [place < words or (last and place == n - 1) for place in range(n)]
        return "".join(_cell(tag, cell, left) for cell, left in zip(cells, is_words, strict=True))

    body = "".join(f"<tr>{row('td', cells)}</tr>" for cells in rows)
    head = f"<thead><tr>{row('th', columns)}</tr></thead>" if any(columns) else ""
    style = "border-collapse:collapse;margin:.5em 0;font-size:92%"
    return f'<div style="{SCROLLS}"><table style="{style}">{head}<tbody>{body}</tbody></table></div>'


def _cell(tag: str, text: str, left: bool) -> str:
    words = f"text-align:left;{'white-space:nowrap' if len(text) <= MAX_UNBROKEN else 'min-width:8em'}"
    align = words if left else "text-align:right;white-space:nowrap"
    return f'<{tag} style="{CELL}{align}">{html.escape(_short(text, 2 * MAX_CELL))}</{tag}>'


def _list(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{html.escape(_short(line, MAX_LINE))}</li>" for line in lines)
    return f'<ol style="{NO_MARGIN}">{items}</ol>'


def _line(text: str) -> str:
    return f"<div>{html.escape(_short(text, MAX_LINE))}</div>"


def _muted(text: str) -> str:
    return f'<div style="{MUTED}">{html.escape(_short(text, MAX_LINE))}</div>'


def _warned(warnings: Iterable[str]) -> Iterator[str]:
    """Write warnings behind a line that says how many there are, and opens."""
    every = list(warnings)
    if not every:
        return
    shown = "".join(map(_line, every[:MAX_WARNINGS]))
    more = _more(len(every) - MAX_WARNINGS, "warnings", "<code>.warnings</code> has all")
    said = counted(len(every), "warning", "warnings")
    yield f'<details style="{MUTED}"><summary>{said}</summary>{shown}{more}</details>'


def _more(n: int, what: str, where: str) -> str:
    """Say how many are left out; ``where`` is markup of ours."""
    return f'<div style="{MUTED}">and {n:,} more {what}: {where}</div>' if n > 0 else ""


def _short(text: str, limit: int) -> str:
    one = " ".join(plain(text, limit=2 * limit).split())
    return one if len(one) <= limit else f"{one[: limit - 1]}…"
