"""``convsim tune REAL RUN RUN …``, and ``convsim tune REAL --study STUDY.toml --grid GRID.toml``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._files import write_whole
from convsim.cli import console, options
from convsim.cli.annotate import make_annotator, owners
from convsim.cli.loading import Loading
from convsim.cli.output import taking_file
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.evaluation import Tuning
    from convsim.io import Transcripts
    from convsim.metrics import Metrics
    from convsim.simulation.config import StudyConfig


class Over(StrEnum):
    """What is weighed."""

    runs = "runs"
    personas = "personas"
    tasks = "tasks"


def tune(
    real: Annotated[Path, typer.Argument(help="Real conversations: a file or a run folder.")],
    out: Annotated[
        Path, typer.Option("--out", help="Study file to write; what was found stands beside it, as .json.")
    ],
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RUN]...", help="Runs of several simulators, or one run: over its personas."),
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(metavar="STUDY.toml", help="In place of runs: study whose settings are tried."),
    ] = None,
    grid: Annotated[
        Path | None,
        typer.Option(
            metavar="GRID.toml", help='Settings to try, e.g. [grid] "model.temperature" = [0.3, 1.0].'
        ),
    ] = None,
    runs_folder: Annotated[
        Path,
        typer.Option("--runs", help="Folder of the candidates' runs; the same command goes on from there."),
    ] = Path("runs/tune"),
    rounds: Annotated[
        str, typer.Option(help="Conversations of each candidate in each round; half go on to the next.")
    ] = "12,24,48",
    budget_usd: Annotated[
        float | None, typer.Option(help="Start no new conversation once this is spent, in all runs together.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what a search would hold and cost, and stop.")
    ] = False,
    over: Annotated[
        Over | None, typer.Option(help="What is weighed (default: runs; of a single run its personas).")
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="Label of a RUN, in order; may be repeated (default: its name)."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="File that a run was made from, where it is no longer found; may be repeated.",
        ),
    ] = None,
    output: Annotated[
        options.Format, typer.Option("--format", help="How the result is printed.")
    ] = options.Format.text,
    seed: options.Seed = 0,
    validators: options.Validators = None,
    metrics: options.MetricNames = None,
    lexicon: options.LexiconFolder = None,
    task: options.Tasks = None,
    arm: options.Arms = None,
    annotate: options.Annotate = None,
    model: options.Model = None,
    reader: options.Reader = None,
    real_reader: options.RealReader = None,
    simulated_reader: options.SimulatedReader = None,
    skip_bad_lines: options.SkipBadLines = False,
    allow_failures: options.AllowFailures = False,
    force: options.Force = False,
) -> None:
    """Find the mix of simulators or personas nearest to people.

    Weights are learned on half of the people and judged on the other half. The result is a study file that
    convsim simulate runs; nothing is written where nothing was gained. With --study and --grid, settings are
    searched by successive halving instead.
    """
    from convsim.evaluation.tune import tune as find_weights

    check_out(out)
    if (study is None) != (grid is None) or bool(runs) == bool(study):
        raise InputError("expected runs, or --study STUDY.toml and --grid GRID.toml to search its settings")
    if study is not None and grid is not None:
        with taking_file(out, force=force):
            real_side = Loading(reader, real_reader, None, skip_bad_lines).real(real)
            _search(
                real_side, study, grid, out, runs=runs_folder, rounds=rounds, budget_usd=budget_usd,
                dry_run=dry_run, seed=seed, metrics=options.chosen_metrics(metrics, lexicon), output=output,
            )  # fmt: skip
        return
    runs = runs or []
    names = _names(name, runs)
    measured = options.chosen_metrics(metrics, lexicon)
    annotator = (
        make_annotator(annotate, model, console.parse_settings([], owners(annotate))) if annotate else None
    )
    loading = Loading(reader, real_reader, simulated_reader, skip_bad_lines)
    with taking_file(out, force=force):
        people = loading.real(real)
        sides = [loading.simulated(path) for path in runs]
        console.err().print(f"seed {seed}")
        tuning = find_weights(
            people, dict(zip(names, sides, strict=True)) if names else sides, seed=seed,
            over=over.value if over else None, validators=validators, metrics=measured, tasks=task or (),
            arms=arm or (), annotator=annotator, allow_failures=allow_failures,
        )  # fmt: skip
        made, why = _study(tuning, runs, data or [])
        deliver(tuning, made, out=out, output=output, why=why)


def _search(
    real: Transcripts,
    study: Path,
    grid: Path,
    out: Path,
    *,
    runs: Path,
    rounds: str,
    budget_usd: float | None,
    dry_run: bool,
    seed: int,
    metrics: Metrics | None,
    output: options.Format,
) -> None:
    """Search a grid of settings, after saying what that holds and costs."""
    from convsim.evaluation.halving import Search, read_grid, search
    from convsim.simulation.config import read_study
    from convsim.simulation.estimate import said_of

    talk = console.err()
    try:
        sizes = [int(size) for size in rounds.split(",")]
    except ValueError:
        raise InputError(
            f"--rounds {rounds!r}: expected numbers divided by commas, such as 12,24,48"
        ) from None
    base = read_study(study)
    going = Search(base, read_grid(grid), sizes, runs, budget_usd=budget_usd, tell=talk.print)
    plan = going.estimate()
    talk.print(f"{len(going.candidates)} candidates, at most {plan.conversations} conversations, seed {seed}")
    if plan.calls:
        talk.print(f"at most {plan.calls} calls, {said_of(plan)}")
    if dry_run:
        return
    tuning, winner = search(real, going, seed=seed, metrics=metrics)
    made = winner.config(base, n=base.study.n, budget_usd=None) if tuning.outcome == "gained" else None
    deliver(tuning, made, out=out, output=output, why="nothing was gained")


def check_out(out: Path) -> None:
    """Check what the study file is called; raises InputError."""
    if out.suffix != ".toml":
        raise InputError(f"--out {out}: must end in .toml")


def _names(given: list[str] | None, runs: list[Path]) -> list[str]:
    """Check the names that are given: as many as runs, each once."""
    names = given or []
    if names and (len(names) != len(runs) or len(set(names)) < len(names)):
        raise InputError(
            f"--name was given {len(names)} times, {len(set(names))} of them different, for {len(runs)} runs; give "
            "each run a name of its own, or none"
        )
    return names


def _study(tuning: Tuning, runs: list[Path], data: list[Path]) -> tuple[StudyConfig | None, str]:
    """Make the study of what was found; None, and why, where there is none to make."""
    from convsim.evaluation.tuned_study import Plan, UnstatedError, differences, tuned_study

    if tuning.outcome == "nothing_gained":
        return None, "nothing was gained"
    names = [part.name for part in tuning.parts] if tuning.over == "runs" else [str(runs[0])]
    try:
        plans = [Plan.of(name, run, data) for name, run in zip(names, runs, strict=True)]
        study = tuned_study(tuning, plans)
    except UnstatedError as error:
        return None, str(error)
    for said in differences(plans):
        console.err().print(f"warning: {said}")
    return study, ""


def deliver(
    tuning: Tuning, study: StudyConfig | None, *, out: Path, output: options.Format, why: str
) -> None:
    """Write the study, where there is one, and what was found; print it."""
    from convsim.io.provenance import command
    from convsim.report.tuning import tuned_line
    from convsim.simulation.study_file import study_toml

    if tuning.made_by is not None:
        tuning = tuning.but(made_by=tuning.made_by.but(command=command()))
    talk = console.result()
    found = out.with_suffix(".json")
    try:
        write_whole(found, tuning.to_json())
        if study is not None:
            said = f"convsim tune, seed {tuning.seed}: {tuned_line(tuning)}"
            write_whole(out, study_toml(study, folder=out.parent, said=said))
    finally:
        _show(tuning, output)  # on a full disk the result of the work is on screen at least
    if study is None:
        talk.print(f"{out} is not written: {why}; what was found is in {found}")
    else:
        talk.print(f"wrote {out} and {found}; run it with convsim simulate {out}")


def _show(tuning: Tuning, output: options.Format) -> None:
    from convsim.report.tuning import tuning_lines, tuning_to_markdown

    if output is options.Format.json:
        console.echo_json(tuning.to_json())
    elif output is options.Format.md:
        typer.echo(tuning_to_markdown(tuning))
    elif output is options.Format.junit:
        from convsim.report.junit import tuning_to_junit

        typer.echo(tuning_to_junit(tuning), nl=False)
    else:
        typer.echo("\n".join(tuning_lines(tuning)))
