"""``convsim study FILE.toml`` and ``convsim history [FOLDER]``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._text import plain
from convsim.cli import console, options
from convsim.cli.gating import add_summary, check_junit, check_summary, write_junit
from convsim.cli.output import has_schema, taking_folder
from convsim.cli.plan import Output
from convsim.cli.running import checking, run_shown
from convsim.cli.study_options import Address, Engine, Processes, Where, workers_of
from convsim.cli.tracking import LogTo, check_tracker, end_if, is_lost
from convsim.errors import ConvsimError

if TYPE_CHECKING:
    from convsim.simulation import Assembly, Outcome, Study
    from convsim.workflow.variants import Variant

FILES = ("summary.json", "index.html", "comparison.json", "distances.csv", "comparison.html")


FORMAT = typer.Option("--format", help="How the summary is printed.")


def study(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="Study file, with [judge] and [sweep].")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the study (default: studies/ and the file's name).")
    ] = None,
    output: Annotated[options.Format, FORMAT] = options.Format.text,
    summary: options.Summary = None,
    junit: options.Junit = None,
    log_to: LogTo = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run failed conversations again.")
    ] = False,
    allow_failures: options.AllowFailures = False,
    processes: Processes = None,
    engine: Engine = Where.local,
    address: Address = None,
    no_check: Annotated[
        bool,
        typer.Option("--no-check", help="Ask servers nothing before a run of more than 20 conversations."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the runs and stop.")] = False,
    force: options.Force = False,
) -> None:
    """Run a whole study, and write one page of it all.

    Simulates, validates and compares.

    [sweep] varies settings, and a run is made of each combination; [judge] names the people that all are held
    against. The same command again goes on where it was interrupted.
    """
    from convsim.workflow import run_study
    from convsim.workflow.shown import print_summary, to_junit, to_markdown
    from convsim.workflow.variants import read_whole_study

    check_summary(summary)
    check_junit(junit)
    check_tracker(log_to)
    where = workers_of(processes, engine, address)
    if dry_run:
        _print_plan(read_whole_study(file).variants)
        return
    talk = console.err()
    folder = out or Path("studies") / file.stem

    def hold(planned: Study, run: Path, assembly: Assembly) -> Outcome:
        before = None if no_check else checking(planned, assembly)
        workers = replace(where, config=assembly.config)
        held = partial(planned.run, run, retry_failed=retry_failed, before=before, workers=workers)
        return run_shown(planned, held, workers)

    made_before = has_schema(FILES[0], "study")
    with taking_folder(folder, FILES, made_before=made_before, force=force):
        done = run_study(
            file,
            folder,
            hold=hold,
            allow_failures=allow_failures,
            tell=lambda said: talk.print(said, markup=False),
        )
    if output is options.Format.json:
        console.echo_json(done.to_json())
    elif output is options.Format.md:
        typer.echo(to_markdown(done))
    elif output is options.Format.junit:
        typer.echo(to_junit(done), nl=False)
    else:
        print_summary(done, console.out())
    if summary is not None:
        add_summary(summary, to_markdown(done))
    write_junit(junit, lambda: to_junit(done))
    talk.print(f"wrote {folder / FILES[1]}")
    lost = is_lost(log_to, done, folder=folder)
    for each in done.unfinished:
        console.result().print(f"{plain(each.name)}: {plain(each.reason or '')}", markup=False)
    if done.failed:
        raise ConvsimError(
            f"the validator {done.failed[0]} failed, and its finding says why; the others are complete"
        )
    if any(each.passed is False for each in done.variants):
        raise typer.Exit(1)
    if done.unfinished:
        raise typer.Exit(3)
    end_if(lost)


def _print_plan(variants: Sequence[Variant]) -> None:
    from convsim.simulation import Assembly

    for variant in variants:
        planned = Assembly(variant.config).study()
        n = planned.n * len(planned.arms)
        typer.echo(
            f"{variant.name}: {n} conversations, arms {', '.join(arm.name for arm in planned.conditions)}"
        )


def history(
    project: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder that holds your studies.")
    ] = Path(),
    output: Annotated[Output, FORMAT] = Output.text,
) -> None:
    """List a project's studies, oldest first.

    Each stands beside the last of its name.
    """
    from convsim.workflow import past_studies
    from convsim.workflow.shown import history_to_json, history_to_markdown, print_history

    past = past_studies(project)
    if not past:
        console.err().print(f"{project}: holds no study (convsim study FILE.toml makes one)")
    if output is Output.json:
        console.echo_json(history_to_json(past))
    elif output is Output.md:
        typer.echo(history_to_markdown(past))
    else:
        print_history(past, console.out())
