"""What a run asked of its models, and what a decided finding cost: as a table and sentences for any format."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import RenderableType
from rich.text import Text

from convsim._text import plain
from convsim.evaluation import Scorecard
from convsim.evaluation.spending import EndpointUse, PerDecided, RunUse
from convsim.report.tables import counted, filled, number

TITLE = "What the run asked of its models"
TITLE_OF_SEVERAL = "what each run asked of its models"
COLUMNS = (
    "model", "requests", "failed", "retries", "p50 s", "p90 s", "p99 s", "max s", "tokens in", "tokens out",
    "US dollars",
)  # fmt: skip
NOTE = (
    "Over the whole run. Seconds of requests that were answered, from when each was sent; p90: nine of ten were at "
    "least as fast. –: not known."
)
MAX_ENDPOINTS = 20
MAX_NAME = 120


def rows(run: RunUse) -> list[tuple[str, ...]]:
    """Return one row an endpoint; cells are not yet escaped."""
    return [_row(each) for each in run.endpoints[:MAX_ENDPOINTS]]


def _row(of: EndpointUse) -> tuple[str, ...]:
    return (
        _called(of),
        f"{of.requests:,}", f"{of.failed:,}", f"{of.retries:,}", number(of.p50_s), number(of.p90_s), number(of.p99_s),
        number(of.max_s), number(of.input_tokens), number(of.output_tokens), number(of.cost_usd),
    )  # fmt: skip


def _called(each: EndpointUse) -> str:
    return f"{plain(each.model, limit=MAX_NAME)} at {plain(each.address, limit=MAX_NAME)}"


def sentences(card: Scorecard) -> list[str]:
    """Say how long a message took, what stood in for the model, the machine's energy, and the cost of a finding."""
    return [
        *(of_run(card.run) if card.run else ()),
        *(of_findings(card.per_decided) if card.per_decided else ()),
    ]


def of_run(run: RunUse) -> Iterator[str]:
    """Say how long a message took, what stood in for a model, what is not known, and the machine's energy."""
    if run.message_p50_s is not None:
        yield (
            f"A user message took {number(run.message_p50_s)} s (median), {number(run.message_p90_s)} s (p90), "
            f"{number(run.message_p99_s)} s (p99), waits and tries included."
        )
    for model, n in run.fallback_messages.items():
        yield f"{plain(model, limit=MAX_NAME)} answered for {counted(n, 'message', 'messages')} as a fallback."
    for each in run.endpoints[:MAX_ENDPOINTS]:
        if each.input_tokens is None and each.reason:
            yield f"Tokens of {_called(each)} are not known: {plain(each.reason, limit=200)}."
    if run.energy_wh is not None:
        yield f"The whole machine used {number(run.energy_wh)} Wh while the run lasted, as far as it tells."


def of_findings(each: PerDecided) -> Iterator[str]:
    """Say what a decided finding cost, or why that is not known."""
    spent = [
        *([f"${number(each.cost_usd)}"] if each.cost_usd is not None else []),
        *([f"{number(each.tokens)} tokens"] if each.tokens is not None else []),
        *([f"{number(each.seconds)} s of simulated conversations"] if each.seconds is not None else []),
    ]
    why = f" ({plain(each.reason, limit=200)})" if each.reason else ""
    if spent:
        yield f"Each of {counted(each.n_decided, 'decided finding', 'decided findings')} cost {', '.join(spent)}{why}."
    else:
        yield f"What a decided finding cost is not known: {plain(each.reason, limit=200)}."


def screen(card: Scorecard) -> Iterator[RenderableType]:
    """Yield the table and the sentences for a terminal; nothing where nothing is known."""
    said = sentences(card)
    if card.run is not None and card.run.endpoints:
        cells: list[list[str | Text]] = [[Text(first), *others] for first, *others in rows(card.run)]
        yield filled(COLUMNS, cells, f"{TITLE}. {NOTE}")
    if said:
        yield Text("\n" + "\n".join(said))


def marked(card: Scorecard, escaped: Callable[[str], str]) -> str:
    """Return both as Markdown; ``escaped`` is what is done to cells, and nothing is said where nothing is known."""
    said = sentences(card)
    parts = []
    if card.run is not None and card.run.endpoints:
        lines = [COLUMNS, *rows(card.run)]
        table = [f"| {' | '.join(map(escaped, cells))} |" for cells in lines]
        table.insert(1, "|---|" + "---:|" * (len(COLUMNS) - 1))
        parts.append("\n".join([f"{TITLE}. {NOTE}", "", *table]))
    if said:
        parts.append("\n".join(f"- {escaped(each)}" for each in said))
    return "".join(f"\n{part}\n" for part in parts) + ("\n" if parts else "")
