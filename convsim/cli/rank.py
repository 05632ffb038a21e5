"""``convsim rank REAL SIM SIM …``, and ``convsim rank SIM --known-order good,mid,bad``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._text import listed, plain
from convsim.cli import console, options
from convsim.cli.annotate import make_annotator, owners
from convsim.cli.compare import simulator_names
from convsim.cli.gating import check_junit, write_junit
from convsim.cli.loading import Loading
from convsim.cli.output import deliver, has_schema, taking_folder
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.evaluation import Ranking

DOCUMENT, PAGE = "ranking.json", "ranking.md"
N_NAMED = 8


class Fails(StrEnum):
    """What makes the exit code 1."""

    different = "different"
    undecided = "undecided"


def rank(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="REAL SIM...",
            help="Real conversations, then simulated ones: files or run folders. With --known-order, SIM... alone.",
        ),
    ],
    by: Annotated[
        str,
        typer.Option(
            metavar="FIELD",
            help="What tells systems apart: agent, arm, task, severity, … or a field of your logs.",
        ),
    ] = "agent",
    outcome: Annotated[
        str,
        typer.Option(help="What systems are ordered by: a label with numbers, or a metric such as accepted."),
    ] = "satisfaction",
    lower_is_better: Annotated[
        bool, typer.Option("--lower-is-better", help="Less of the outcome is better.")
    ] = False,
    known_order: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="In place of people: systems whose order is known, comma-separated, the best first.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="SYSTEM", help="Compare this system and others so named; may be repeated."),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL", help="Label of a SIM, in order; may be repeated (default: the files' names)."
        ),
    ] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help=f"Folder for {DOCUMENT} and {PAGE}.")] = None,
    output: Annotated[
        options.Format, typer.Option("--format", help="How the ranking is printed.")
    ] = options.Format.text,
    junit: options.Junit = None,
    fail_on: Annotated[
        Fails | None,
        typer.Option(help="Exit 1 if any simulator has this verdict; undecided includes different."),
    ] = None,
    seed: options.Seed = 0,
    task: options.Tasks = None,
    arm: options.Arms = None,
    annotate: options.Annotate = None,
    model: options.Model = None,
    reader: options.Reader = None,
    real_reader: options.RealReader = None,
    simulated_reader: options.SimulatedReader = None,
    control_tokens: options.ControlTokens = None,
    simulator: options.SimulatorName = None,
    skip_bad_lines: options.SkipBadLines = False,
    survey_map: options.SurveyMap = None,
    allow_overlap: options.AllowOverlap = False,
    allow_failures: options.AllowFailures = False,
    force: options.Force = False,
) -> None:
    """Ask whether simulators order recommenders as people do.

    Which systems people tell apart beyond chance, which of these pairs a simulator keeps or reverses, and how near its
    levels are to people's, beside people held against people. With a known order (a ladder of faults, good to bad) no
    people are needed.
    """
    from convsim import evaluation as battery

    order = None if known_order is None else known_order.split(",")
    n_real = 0 if order else 1
    if len(files) <= n_real:
        raise InputError(
            "expected REAL and at least one SIM: convsim rank REAL SIM (to ask one SIM alone, give --known-order)"
        )
    names = simulator_names(name, files[n_real:])
    check_junit(junit)
    annotator = (
        make_annotator(annotate, model, console.parse_settings([], owners(annotate))) if annotate else None
    )
    loading = Loading(
        reader, real_reader, simulated_reader, skip_bad_lines, survey_map, control_tokens, simulator
    )
    with taking_folder(out_dir, (DOCUMENT, PAGE), made_before=has_schema(DOCUMENT, "ranking"), force=force):
        people = None if order else loading.real(files[0])
        sides = [loading.simulated(path) for path in files[n_real:]]
        if people is not None and fail_on is not None:
            for side in sides:
                battery.refuse_simulated_people(people.conversations, side.conversations)
        console.err().print(f"seed {seed}")
        ranking = battery.rank(
            people, dict(zip(names, sides, strict=True)) if names else sides, seed=seed, by=by, outcome=outcome,
            higher_is_better=not lower_is_better, known_order=order or (), only=only or (), tasks=task or (),
            arms=arm or (), annotator=annotator, allow_overlap=allow_overlap, allow_failures=allow_failures,
        )  # fmt: skip
        _deliver(ranking, out_dir, output, fail_on=fail_on, junit=junit)


def _deliver(
    ranking: Ranking, out: Path | None, output: options.Format, *, fail_on: Fails | None, junit: Path | None
) -> None:
    """Write the files into ``out``, print the ranking, and exit 1 where the gate fails."""
    from convsim.io.provenance import command
    from convsim.report.ranking import ranking_to_markdown

    if ranking.made_by is not None:
        ranking = ranking.but(made_by=ranking.made_by.but(command=command()))
    deliver(
        out,
        lambda: {DOCUMENT: ranking.to_json(), PAGE: ranking_to_markdown(ranking)},
        lambda: _show(ranking, output, fail_on),
    )
    write_junit(junit, lambda: _junit(ranking, fail_on))
    failing = ranking.failing(fail_on.value) if fail_on else ()
    if fail_on and failing:
        named = listed([plain(each.name, limit=80) for each in failing], N_NAMED)
        console.result().print(
            f"gate failed (--fail-on {fail_on.value}): {len(failing)} of {len(ranking.simulators)} simulators: {named}"
        )
        raise typer.Exit(1)


def _junit(ranking: Ranking, fail_on: Fails | None) -> str:
    from convsim.report.junit import ranking_to_junit

    return ranking_to_junit(ranking, fail_on.value if fail_on else None)


def _show(ranking: Ranking, output: options.Format, fail_on: Fails | None) -> None:
    from convsim.report.ranking import print_ranking, ranking_to_markdown

    if output is options.Format.json:
        console.echo_json(ranking.to_json())
    elif output is options.Format.md:
        typer.echo(ranking_to_markdown(ranking), nl=False)
    elif output is options.Format.junit:
        typer.echo(_junit(ranking, fail_on), nl=False)
    else:
        print_ranking(ranking, console.out())
