"""``convsim report RUN``."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._files import write_whole
from convsim.cli import options
from convsim.cli.console import err, out
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.evaluation import Scorecard
    from convsim.metrics import Metrics
    from convsim.schema.conversation import Conversation

PAGE = "report.html"


class Output(StrEnum):
    """Format of the report."""

    html = "html"
    md = "md"
    junit = "junit"
    json = "json"
    text = "text"


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A folder with findings.json, or the file.")],
    output: Annotated[
        Output,
        typer.Option("--format", help="html writes a page; the others are printed."),
    ] = Output.html,
    real: Annotated[Path | None, typer.Option(help="Real conversations, if they have moved.")] = None,
    sim: Annotated[Path | None, typer.Option(help="Simulated conversations, if they have moved.")] = None,
    out_file: Annotated[
        Path | None,
        typer.Option("--out", help=f"File to write (default for html: RUN/{PAGE})."),
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES",
            help="Also draw these metrics of your own: names or module:thing, comma-separated.",
        ),
    ] = None,
    fail_on: options.FailOn = None,
) -> None:
    """Build a report again from findings.json."""
    from convsim.report.document import read_scorecard

    card = read_scorecard(run)
    measured = options.chosen_metrics(metrics)
    folder = run if run.is_dir() else run.parent
    if out_file is not None and (out_file.is_dir() or not out_file.parent.is_dir()):
        raise InputError(f"--out {out_file}: expected a file name in an existing folder")
    if output is Output.html:
        path = out_file or folder / PAGE
        write_whole(path, _page(card, folder, real=real, sim=sim, metrics=measured))
        err().print(f"wrote {path}")
    elif output is Output.text and out_file is None:
        from convsim.report import print_scorecard

        print_scorecard(card, out())
    else:
        text = _text(card, output, fail_on)
        if out_file is None:
            typer.echo(text, nl=False)
        else:
            write_whole(out_file, text)
            err().print(f"wrote {out_file}")
    if fail_on and card.failing(fail_on.value):
        raise typer.Exit(1)


def write_report(
    folder: Path,
    card: Scorecard,
    real: Sequence[Conversation] | None,
    simulated: Sequence[Conversation] | None,
    metrics: Metrics | None = None,
) -> Path:
    """Write ``report.html`` into a folder, whole or not at all; raises InputError where that cannot be."""
    from convsim.report.html import to_html

    path = folder / PAGE
    write_whole(path, to_html(card, real, simulated, metrics=metrics.further if metrics else {}))
    return path


def _page(
    card: Scorecard, folder: Path, *, real: Path | None, sim: Path | None, metrics: Metrics | None
) -> str:
    from convsim.metrics import find_metrics
    from convsim.plugins import installed
    from convsim.report.html import find_transcripts, to_html

    if card.real is None and real is not None:
        raise InputError(f"--real {real}: these findings do not compare with people")
    people = find_transcripts(card.real, "real", near=folder, given=real) if card.real else None
    shoppers = find_transcripts(card.simulated, "simulated", near=folder, given=sim)
    judged = [name for name in installed("metrics") if any(f.metric == name for f in card.findings)]
    known = find_metrics(judged).further if judged else {}
    notes = (*(people.notes if people else ()), *shoppers.notes)
    return to_html(
        card, people.conversations if people else None, shoppers.conversations, notes=notes, near=folder,
        metrics={**known, **(metrics.further if metrics else {})},
    )  # fmt: skip


def _text(card: Scorecard, output: Output, fail_on: options.Gate | None) -> str:
    from convsim.report import to_markdown
    from convsim.report.junit import to_junit

    if output is Output.md:
        return to_markdown(card) + "\n"
    if output is Output.junit:
        return to_junit(card, fail_on.value if fail_on else None)
    if output is Output.json:
        return card.to_json()
    raise InputError("--format text is only printed; for --out use --format md, json, junit or html")
