"""A plan for people: at a terminal, in Markdown, and at a glance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from rich.console import Console, RenderableType
from rich.text import Text

from convsim._templates import environment
from convsim._text import listed, plain
from convsim.evaluation.planned import Plan, an_arm, enough, people
from convsim.report.glance import MAX_LINES, WIDTH
from convsim.report.markdown import table_cell
from convsim.report.notebook import notebook_page
from convsim.report.tables import counted, filled
from convsim.schema import PlannedFinding, Truth
from convsim.stats.sample_size import POWER

MAX_ROWS = 30
"""Of a table in a notebook."""
N_NAMED = 4
TRUTHS: dict[Truth, str] = {"half_reaction": "half as far as people", "no_reaction": "none"}
"""Rows of simulators that are not like people: the reaction that is to be found out."""
POWER_NOTE = (
    "power: how often a simulator that is just like people is found to be (and one that reacts half as far, or not at "
    "all, is found out). decided with: simulated conversations at which that is 80 %, or how many more people."
)
MARGIN_NOTE = (
    "smallest margin: at which the power is 80 %. Of a metric: Cliff's delta, with the margins of spread and distance "
    "in proportion; of habits: over all metrics; of words: the classifier's AUC; of reactions: to either side of 1."
)
ASSUMED = (
    "A plan takes simulated conversations to be independent, each of a persona of its own, in people's tasks and arms.",
    "It says how surely a simulator that is like people is found to be; one that differs may be found out with fewer.",
)


@dataclass(frozen=True)
class Grid:
    """Questions that are planned with the same numbers of simulated conversations, as rows of words."""

    sizes: tuple[str, ...]
    powers: tuple[tuple[str, ...], ...]
    """Name, a power for each size, what decides."""
    margins: tuple[tuple[str, ...], ...]
    """Name, a smallest margin for each size, the margin in force."""

    @property
    def of_powers(self) -> tuple[str, ...]:
        """The columns of the one table."""
        return ("power with simulated", *self.sizes, "decided with")

    @property
    def of_margins(self) -> tuple[str, ...]:
        """The columns of the other."""
        return ("smallest margin with", *self.sizes, "margin")


def grids(plan: Plan) -> list[Grid]:
    """Put questions of the same numbers into one table, headlines first; those without a power are in sentences."""
    whole = [(_headline(name, finding), finding) for name, finding in plan.of_headlines]
    single = [(plain(finding.metric, limit=40), finding) for finding in plan.of_metrics]
    return [*_by_sizes(whole), *_by_sizes(single)]


def _by_sizes(named: Sequence[tuple[str, PlannedFinding]]) -> Iterator[Grid]:
    together: dict[tuple[str, ...], list[tuple[str, PlannedFinding]]] = defaultdict(list)
    for name, finding in named:
        if finding.at:
            arm = " an arm" if finding.n_arms == 2 else ""
            sizes = tuple(f"{an_arm(at.n_simulated, finding):,}{arm}" for at in finding.at)
            together[sizes].append((name, finding))
    for sizes, rows in together.items():
        powers = tuple(
            (name, *(f"{100 * at.power:.0f} %" for at in f.at), _decided_with(f)) for name, f in rows
        )
        margins = tuple(
            (name, *map(_margin, (at.smallest_margin for at in f.at)), _margin(f.margin))
            for name, f in rows
            if any(at.smallest_margin is not None for at in f.at)
        )
        yield Grid(sizes, powers, margins)


def _margin(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _headline(name: str, finding: PlannedFinding) -> str:
    if finding.truth != "like_people":
        return f"{name}: {TRUTHS[finding.truth]}"
    return f"{name}: as people" if finding.n_arms == 2 else name


def _decided_with(finding: PlannedFinding) -> str:
    if (simulated := enough(finding)) is not None:
        return f"{simulated:,}"
    return f"+{an_arm(finding.needs.more, finding):,} people" if finding.needs else "–"


def sentences(plan: Plan) -> Iterator[str]:
    """Say what pays, what only more people could decide, and of what nothing can be told."""
    pays = [
        f"{name} {an_arm(f.pays_up_to, f):,}{' an arm' if f.n_arms == 2 else ''}"
        for name, f in plan.of_headlines
        if f.pays_up_to is not None and f.truth == "like_people"
    ]
    if pays:
        yield f"Simulated conversations beyond which more hardly help: {', '.join(pays)}."
    metrics = [f for f in plan.of_metrics if f.at]
    if metrics:
        yield _by_themselves(metrics)
    untold = [f for f in plan.of_metrics if not f.at]
    if untold:
        names = listed([plain(f.metric, limit=60) for f in untold], N_NAMED)
        yield f"Nothing can be told of {counted(len(untold), 'metric', 'metrics')} ({names}); JSON says why."
    if plan.not_planned:
        names = listed([plain(name, limit=60) for name in plan.not_planned], N_NAMED)
        yield f"Not planned, since nothing is known of them beforehand: {names}."


def _by_themselves(metrics: Sequence[PlannedFinding]) -> str:
    first = metrics[0].at[0].n_simulated
    at_once = [f for f in metrics if f.at[0].power >= POWER]
    later = [f for f in metrics if f.needs is not None and f.needs.side == "simulated"]
    more_people = [f for f in metrics if f.needs is not None and f.needs.side == "people"]
    said = f"{len(at_once)} of {counted(len(metrics), 'metric is', 'metrics are')} decided with {first:,} simulated"
    if later:
        most = max(enough(f) or 0 for f in later)
        said += f", {len(later)} more with up to {most:,}"
    if more_people:
        more = sorted(f.needs.more for f in more_people if f.needs is not None)
        names = listed([plain(f.metric, limit=60) for f in more_people], N_NAMED)
        between = f"{more[0]:,}" if more[0] == more[-1] else f"{more[0]:,} to {more[-1]:,}"
        said += f"; only more {people(more_people[0])} (about {between}) decide {len(more_people)} ({names})"
    return f"{said}."


def print_plan(plan: Plan, console: Console) -> None:
    """Print a plan: the headlines in a sentence, warnings, tables, and what follows."""
    for part in _screen(plan):
        console.print(part)


def _screen(plan: Plan) -> Iterator[RenderableType]:
    yield Text(plain(plan.summary), style="bold")
    for warning in (*plan.warnings, *plan.failed):
        yield Text(f"warning: {plain(warning)}", style="yellow")
    for sentence in sentences(plan):
        yield Text(plain(sentence))
    tables = grids(plan)
    for grid in tables:
        yield filled(grid.of_powers, grid.powers)
    if tables:
        yield Text(POWER_NOTE, style="dim")
    for grid in tables:
        if grid.margins:
            yield filled(grid.of_margins, grid.margins)
    if any(grid.margins for grid in tables):
        yield Text(MARGIN_NOTE, style="dim")
    yield Text("\n".join(("", *ASSUMED)), style="dim")


def plan_text(plan: Plan) -> str:
    """Write a plan in a screen, at most 40 lines of 100 columns."""
    console = Console(
        file=StringIO(), width=WIDTH, color_system=None, force_terminal=False, highlight=False, legacy_windows=False
    )  # fmt: skip
    with console.capture() as captured:
        print_plan(plan, console)
    lines = [line.rstrip() for line in captured.get().splitlines() if line.strip()]
    if len(lines) <= MAX_LINES:
        return "\n".join(lines)
    return "\n".join([*lines[: MAX_LINES - 1], "and more; .to_frame() has all"])


def plan_html(plan: Plan) -> str:
    """Write a plan as a small table for a notebook; names are escaped."""
    said = [*(f"warning: {plain(w)}" for w in (*plan.warnings, *plan.failed)), *map(plain, sentences(plan))]
    first, *others = grids(plan) or [Grid((), (), ())]
    pages = [(plain(plan.summary), said, first), *((grid.powers[0][0], [], grid) for grid in others)]
    return "".join(
        notebook_page(title, lines, grid.of_powers, grid.powers[:MAX_ROWS], left=len(grid.powers) - MAX_ROWS)
        for title, lines, grid in pages
    )


def plan_to_markdown(plan: Plan) -> str:
    """Return the plan as GitHub-flavoured Markdown; names are escaped."""
    templates = environment("convsim.report", escape=False, lstrip=False)
    templates.filters["cell"] = table_cell
    return templates.get_template("plan.md.j2").render(
        plan=plan, sentences=[*sentences(plan)], grids=grids(plan), assumed=ASSUMED,
        notes={"power": POWER_NOTE, "margin": MARGIN_NOTE},
    )  # fmt: skip
