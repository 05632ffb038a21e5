"""``convsim drift OLD NEW …``, and ``convsim drift LOGS --by month``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._text import plain
from convsim.cli import console, options
from convsim.cli.annotate import make_annotator, owners
from convsim.cli.gating import check_junit, write_junit
from convsim.cli.loading import Loading
from convsim.cli.output import deliver, has_schema, taking_folder
from convsim.errors import ConvsimError

if TYPE_CHECKING:
    from convsim.evaluation import Drift

DOCUMENT, PAGE = "drift.json", "drift.md"


class Fails(StrEnum):
    """What makes the exit code 1."""

    different = "different"
    undecided = "undecided"


def drift(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="REAL...", help="People's conversations: one file with dates, or several, oldest first."
        ),
    ],
    by: Annotated[
        str | None,
        typer.Option(
            metavar="PERIOD", help="file, month, year or a field (default: file if several, else month)."
        ),
    ] = None,
    date: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD", help="The field that says when (default: date, time, timestamp, created_at, …)."
        ),
    ] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help=f"Folder for {DOCUMENT} and {PAGE}.")] = None,
    output: Annotated[
        options.Format, typer.Option("--format", help="How the drift is printed.")
    ] = options.Format.text,
    junit: options.Junit = None,
    fail_on: Annotated[
        Fails | None, typer.Option(help="Exit 1 at this verdict; undecided includes different.")
    ] = None,
    seed: options.Seed = 0,
    validators: options.Validators = None,
    task: options.Tasks = None,
    arm: options.Arms = None,
    annotate: options.Annotate = None,
    model: options.Model = None,
    reader: options.Reader = None,
    control_tokens: options.ControlTokens = None,
    skip_bad_lines: options.SkipBadLines = False,
    survey_map: options.SurveyMap = None,
    force: options.Force = False,
) -> None:
    """Test whether people's old conversations still hold.

    Do the older ones still stand for the newer ones? Every later file or month takes the place of a simulator in the
    suite and is held against the first; where dates are known, habits are also summed up along time, and the day on
    which one changes is named.
    """
    from convsim import evaluation as battery

    check_junit(junit)
    annotator = (
        make_annotator(annotate, model, console.parse_settings([], owners(annotate))) if annotate else None
    )
    loading = Loading(reader, None, None, skip_bad_lines, survey_map, control_tokens, None)
    with taking_folder(out_dir, (DOCUMENT, PAGE), made_before=has_schema(DOCUMENT, "drift"), force=force):
        people = [loading.real(path) for path in files]
        console.err().print(f"seed {seed}")
        found = battery.drift(
            people, seed=seed, by=by, date=date, validators=validators, tasks=task or (), arms=arm or (),
            annotator=annotator, on_period=lambda name: console.err().print(f"judging {plain(name, limit=60)}"),
        )  # fmt: skip
        _deliver(found, out_dir, output, fail_on=fail_on, junit=junit)


def _deliver(
    found: Drift, out: Path | None, output: options.Format, *, fail_on: Fails | None, junit: Path | None
) -> None:
    """Write the files into ``out``, print the drift, and exit 1 where the gate fails, 3 where a validator did."""
    from convsim.io.provenance import command
    from convsim.report.drift import drift_to_markdown, print_drift

    if found.made_by is not None:
        found = found.but(made_by=found.made_by.but(command=command()))

    def as_junit() -> str:
        from convsim.report.junit import drift_to_junit

        return drift_to_junit(found, fail_on.value if fail_on else None)

    def show() -> None:
        if output is options.Format.json:
            console.echo_json(found.to_json())
        elif output is options.Format.md:
            typer.echo(drift_to_markdown(found), nl=False)
        elif output is options.Format.junit:
            typer.echo(as_junit(), nl=False)
        else:
            print_drift(found, console.out())

    deliver(out, lambda: {DOCUMENT: found.to_json(), PAGE: drift_to_markdown(found)}, show)
    write_junit(junit, as_junit)
    if found.failed:
        raise ConvsimError(f"{found.failed[0]}; the rest of the drift is complete")
    if fail_on and found.failing(fail_on.value):
        console.result().print(f"gate failed (--fail-on {fail_on.value}): {plain(found.reason)}")
        raise typer.Exit(1)
