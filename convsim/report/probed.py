"""A probe at a terminal and in Markdown: verdicts first, then by outcome and turn, calibration and words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

from rich.console import Console
from rich.text import Text

from convsim._text import listed, plain
from convsim.evaluation.probing.deciding import BASE_RATE
from convsim.evaluation.probing.document import SHOPPER, Part, Probe, Question, QuestionName
from convsim.evaluation.probing.judging import people
from convsim.report.markdown import row, rule, table_cell
from convsim.report.tables import (
    KIND_STYLES,
    VERDICTS,
    counted,
    estimate,
    filled,
    kind_of_verdict,
    number,
    percent,
)

NAMES: Mapping[QuestionName, str] = {
    "ending": "go on or end", "decision": "go on, accept or leave", "item": "which item", "act": "next act",
}  # fmt: skip
NOT_TOLD = "cannot be told"
"""Printed where there is nothing to judge: more people of the same kind would not change that."""
N_NAMED, MAX_ACTS = 3, 8
WIDTH = 120
COLUMNS = ("question", "places", "people", "score", "baseline", "difference", "calibration error", "verdict")
NOTES = (
    "Brier score: 0 is certain and right; less is better. Baseline: how often other people did so at the same turn. "
    "Accuracy and overlap: more is better.",
    "alike: better than the baseline beyond chance and, for decisions, calibrated within the margin. different: worse "
    "than the baseline, or miscalibrated beyond the margin.",
    "Each answer is to the person's own conversation so far: nothing is said of conversations that the shopper leads.",
)


@dataclass(frozen=True)
class Grid:
    """A table with a line above it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def verdict_of(question: Question) -> str:
    """Write a verdict in words, and how many more people would decide."""
    if question.verdict == "undecided" and question.estimate is None:
        return NOT_TOLD
    more = f": about {people(question.more_units)}" if question.more_units else ""
    return VERDICTS[question.verdict] + (more if question.verdict == "undecided" else "")


def summary_of(probe: Probe) -> str:
    """Sum a probe up in a sentence."""
    who = probe.shopper if probe.model is None else f"{probe.shopper} on {probe.model}"
    found = "; ".join(f"{NAMES[q.name]}: {verdict_of(q)}" for q in probe.questions)
    places = counted(probe.n_asked, "place", "places")
    of = f" (of {probe.n_places:,})" if probe.n_asked < probe.n_places else ""
    return f"{who} at {places}{of} of {counted(probe.n_units, 'person', 'people')}: {found}"


def grids(probe: Probe) -> Iterator[Grid]:
    """Yield the tables, the verdicts first."""
    yield Grid("", COLUMNS, tuple(map(_row, probe.questions)))
    for question in probe.questions:
        if question.name in ("ending", "decision") and question.parts:
            yield _by_part(question)
    for question in probe.questions:
        if question.confusion and question.name == "decision":
            yield _confusion(question)
        if question.bins:
            yield Grid(
                f"Calibration, {NAMES[question.name]}: where the shopper does so as often as told, what people did",
                ("move", "places", "the shopper would", "people did"),
                tuple((b.kind, f"{b.n:,}", percent(b.forecast), percent(b.happened)) for b in question.bins),
            )
        if question.name in ("item", "act") and question.parts:
            yield _skills(question)
        if question.name == "act" and question.parts:
            yield _acts(question)
    if probe.words:
        yield Grid(
            f"How surprising people's words are to {plain(str(probe.words_model), limit=60)}",
            ("conversations", "messages", "people", "bits a character", "bits a token"),
            tuple(
                (
                    w.outcome, f"{w.n_messages:,}", f"{w.n_units:,}", estimate(w.bits_per_character),
                    estimate(w.bits_per_token),
                )
                for w in probe.words
            ),
        )  # fmt: skip


def _row(question: Question) -> tuple[str, ...]:
    return (
        NAMES[question.name],
        f"{question.n:,}",
        f"{question.n_units:,}",
        f"{question.score} {number(question.estimate)}" if question.estimate is not None else "–",
        f"{number(question.baseline)} ({question.against})" if question.baseline is not None else "–",
        estimate(question.difference),
        estimate(question.calibration_error),
        verdict_of(question),
    )


def _scores(part: Part) -> dict[str, tuple[str, str, str]]:
    return {
        score.of: (estimate(score.accuracy), estimate(score.balanced), estimate(score.brier))
        for score in part.scores
    }


def _by_part(question: Question) -> Grid:
    kinds = tuple(question.parts[0].people)
    told = kinds[1:]
    columns = (
        "places", "number", *(f"people {kind}" for kind in told), *(f"shopper {kind}" for kind in told), "accuracy",
        "balanced", "Brier score", BASE_RATE,
    )  # fmt: skip
    rows = []
    for part in question.parts:
        scores = _scores(part)
        name = part.value if part.split == "all" else f"{part.split} {part.value}"
        rows.append(
            (
                name, f"{part.n:,}", *(percent(part.people[kind]) for kind in told),
                *(percent(part.shopper[kind]) for kind in told), *scores[SHOPPER], scores[BASE_RATE][2],
            )
        )  # fmt: skip
    return Grid(f"By outcome and turn, {NAMES[question.name]}", columns, tuple(rows))


def _confusion(question: Question) -> Grid:
    kinds = tuple(question.parts[0].people)
    return Grid(
        "Where people did so, what the shopper would do",
        ("people", *kinds),
        tuple(
            (kind, *(percent(would.get(each)) for each in kinds))
            for kind, would in question.confusion.items()
        ),
    )


def _skills(question: Question) -> Grid:
    who = tuple(score.of for score in question.parts[0].scores)
    return Grid(
        f"{question.score.capitalize()} by outcome, {NAMES[question.name]}",
        ("places", "number", *who),
        tuple(
            (part.value, f"{part.n:,}", *(estimate(s.accuracy) for s in part.scores))
            for part in question.parts
        ),
    )


def _acts(question: Question) -> Grid:
    part = question.parts[0]
    ranked = sorted(part.people, key=lambda act: -abs(part.people[act] - part.shopper[act]))[:MAX_ACTS]
    distance = estimate(question.total_variation)
    return Grid(
        f"Acts that differ most; total variation {distance}",
        ("act", "people", "shopper"),
        tuple(
            (plain(act, limit=40), percent(part.people[act]), percent(part.shopper[act])) for act in ranked
        ),
    )


def sentences(probe: Probe) -> Iterator[str]:
    """Say why each verdict is what it is, what was left out, what failed and what it cost."""
    for question in probe.questions:
        yield f"{NAMES[question.name]}: {question.reason}."
        if question.left_out:
            named = [f"{n:,}: {reason}" for reason, n in question.left_out.items()]
            yield f"{NAMES[question.name]}, places left out: {listed(named, N_NAMED)}."
    if probe.n_asked < probe.n_places and any(q.verdict == "undecided" and q.n for q in probe.questions):
        yield f"{probe.n_places - probe.n_asked:,} more places can be asked about before more people are needed."
    yield f"The shopper learned from {probe.learned}."
    if probe.left_out:
        named = [f"{n:,} {reason}" for reason, n in probe.left_out.items()]
        yield f"Not asked about: {listed(named, N_NAMED)}."
    if probe.n_failed:
        share = percent(probe.n_failed / (probe.n_moves + probe.n_failed))
        first = next(iter(probe.reasons), "")
        yield f"{probe.n_failed:,} answers failed ({share}) and are no moves; most often: {plain(first, limit=200)}"
    if probe.words_reason:
        yield f"Words: {probe.words_reason}."
    yield cost_of(probe)


def cost_of(probe: Probe) -> str:
    """Say what a probe took."""
    usage = probe.usage
    said = f"{probe.n_moves + probe.n_failed:,} answers"
    if usage.input_tokens or usage.output_tokens:
        said += f", {usage.input_tokens or 0:,} tokens read, {usage.output_tokens or 0:,} written"
    if usage.cost_usd is not None:
        said += f", ${usage.cost_usd:.4f}"
    elif usage.input_tokens is None or usage.output_tokens is None:
        said += ", tokens not counted by the server"
    return f"{said}; {probe.seconds:.0f} s."


def print_probe(probe: Probe, console: Console) -> None:
    """Print a probe."""
    console.print(Text(plain(summary_of(probe)), style="bold"))
    for warning in probe.warnings:
        console.print(Text(f"warning: {plain(warning)}", style="yellow"))
    verdicts, *others = grids(probe)
    rows: list[Sequence[str | Text]] = [
        (*cells[:-1], Text(cells[-1], style=KIND_STYLES[kind_of_verdict(question.verdict)]))
        for cells, question in zip(verdicts.rows, probe.questions, strict=True)
    ]
    console.print(filled(verdicts.columns, rows))
    for sentence in sentences(probe):
        console.print(Text(plain(sentence)))
    for grid in others:
        console.print(Text(f"\n{grid.title}", style="bold"))
        console.print(filled(grid.columns, grid.rows))
    console.print(Text("\n".join(("", *NOTES)), style="dim"))


def probe_text(probe: Probe) -> str:
    """Write a probe as a terminal shows it, in plain text."""
    console = Console(
        file=StringIO(), width=WIDTH, color_system=None, force_terminal=False, highlight=False, legacy_windows=False
    )  # fmt: skip
    with console.capture() as captured:
        print_probe(probe, console)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def probe_to_markdown(probe: Probe) -> str:
    """Return a probe as GitHub-flavoured Markdown; text of others is escaped."""
    parts = ["# Probe", f"**{table_cell(summary_of(probe), 2000)}**"]
    parts += [f"> warning: {table_cell(warning)}" for warning in probe.warnings]
    verdicts, *others = grids(probe)
    parts += [_table(verdicts), *(f"- {table_cell(said, 2000)}" for said in sentences(probe))]
    for grid in others:
        parts += [f"## {table_cell(grid.title)}", _table(grid)]
    return "\n\n".join([*parts, *NOTES]) + "\n"


def _table(grid: Grid) -> str:
    return "\n".join([row(grid.columns), rule(len(grid.columns)), *map(row, grid.rows)])
