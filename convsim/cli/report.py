"""``convsim report RUN``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._files import complete_set, write_set, write_whole
from convsim._logs import LOCK, locked
from convsim._text import plain
from convsim.cli import options
from convsim.cli.console import echo_json, err, out
from convsim.cli.gating import add_summary, check_junit, check_summary, tell, write_junit
from convsim.cli.output import taking_file
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.evaluation import Gate, Scorecard
    from convsim.metrics import Metrics

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
    gate: options.GateFile = None,
    summary: options.Summary = None,
    junit: options.Junit = None,
    force: options.Force = False,
) -> None:
    """Build a report again from findings.json."""
    from convsim.report.document import read_scorecard

    measured = options.chosen_metrics(metrics)
    asked = _gate(gate)
    check_summary(summary)
    check_junit(junit)
    folder = run if run.is_dir() else run.parent
    is_own = output is Output.html and _is_page_of(folder, out_file)
    with _taking(folder, None if is_own else out_file, is_own=is_own, force=force):
        card = read_scorecard(run)
        if fail_on is options.Gate.worse and card.baseline is None:
            raise InputError(f"{run}: --fail-on worse needs findings that were made with --baseline")
        if asked is not None:
            card = card.but(gate=asked.judge(card))
        if output is Output.html:
            page = _page(card, folder, real=real, sim=sim, metrics=measured)
            if is_own or out_file is None:
                write_set(folder, {PAGE: page})
            else:
                write_whole(out_file, page)
            err().print(f"wrote {out_file or folder / PAGE}")
        elif output is Output.text and out_file is None:
            from convsim.report import print_scorecard

            print_scorecard(card, out())
        else:
            text = _text(card, output, fail_on)
            if out_file is None:
                echo_json(text) if output is Output.json else typer.echo(text, nl=False)
            else:
                write_whole(out_file, text)
                err().print(f"wrote {out_file}")
        if summary is not None:
            from convsim.report.summary import scorecard_summary

            add_summary(summary, scorecard_summary(card))
        write_junit(junit, lambda: _text(card, Output.junit, fail_on))
    fails = fail_on is not None and card.fails(fail_on.value)
    if asked is not None and card.gate is not None:
        tell(card.gate)
        fails = fails or not card.gate.passed
    if fails:
        raise typer.Exit(1)


def _gate(path: Path | None) -> Gate | None:
    """Read a gate before anything else; which validators were asked stands in the findings."""
    if path is None:
        return None
    from convsim.evaluation import Gate

    return Gate.read(path)


def _is_page_of(folder: Path, out_file: Path | None) -> bool:
    """Tell whether the page goes where findings have theirs, which is written anew."""
    if out_file is None:
        return True
    return out_file.name == PAGE and os.path.realpath(out_file.parent) == os.path.realpath(folder)


def _taking(
    folder: Path, out_file: Path | None, *, is_own: bool, force: bool
) -> AbstractContextManager[None]:
    """Take what will be written: the folder of the findings, a file, or nothing."""
    if is_own and folder.is_dir():
        return _beside_findings(folder)
    return taking_file(out_file, force=force) if out_file is not None else nullcontext()


@contextmanager
def _beside_findings(folder: Path) -> Iterator[None]:
    page = folder / PAGE
    if not os.access(folder, os.W_OK):
        raise InputError(f"{page}: cannot be written: the folder is read-only; name another file with --out")
    busy = InputError(f"{page}: another convsim process is writing to this folder; wait for it")
    with locked(folder / LOCK, busy=busy, named=page):
        complete_set(folder)
        yield


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
    for note in notes:
        err().print(f"warning: {plain(note)}")
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
