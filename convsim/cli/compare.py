"""``convsim compare REAL SIM SIM …``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._files import write_set
from convsim._text import path_text
from convsim.cli import console, options
from convsim.cli.annotate import make_annotator, owners
from convsim.cli.gating import add_summary, check_junit, check_summary, read_gate, tell, write_junit
from convsim.cli.loading import Loading
from convsim.cli.output import has_schema, taking_folder
from convsim.cli.study_options import Address, JudgedOn, Where
from convsim.cli.tracking import LogTo, Tracker, check_tracker, end_if, is_lost
from convsim.errors import ConvsimError, InputError

if TYPE_CHECKING:
    from convsim.evaluation import Comparison, Gate
    from convsim.metrics import Metrics
    from convsim.schema.conversation import Conversation

REACTIONS = "counterfactual"
FILES = ("comparison.json", "distances.csv", "comparison.html")
NAMED = f"{FILES[0]}, {FILES[1]} and {FILES[2]}"


def compare(
    real: Annotated[Path, typer.Argument(help="Real conversations: a file or a run folder.")],
    sims: Annotated[
        list[Path], typer.Argument(metavar="SIM...", help="Simulated conversations: files or run folders.")
    ],
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL", help="Label of a SIM, in order; may be repeated (default: the files' names)."
        ),
    ] = None,
    control: Annotated[
        str | None,
        typer.Option(help="Control arm: also test how each reacts, and compare all else on this arm."),
    ] = None,
    treatment: options.Treatment = None,
    learned: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Conversations that shoppers learned from, to find what they copy; may be repeated.",
        ),
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(
            metavar="LABEL",
            help="Earlier version: what got better and worse from it to each other SIM (of two, the first).",
        ),
    ] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help=f"Folder for {NAMED}.")] = None,
    output: Annotated[
        options.Format,
        typer.Option("--format", help="How the comparison is printed."),
    ] = options.Format.text,
    seed: options.Seed = 0,
    full: Annotated[
        bool,
        typer.Option("--full", help="Print all tables, not the ranking and the verdicts alone."),
    ] = False,
    pool_seeds: Annotated[
        bool,
        typer.Option(
            "--pool-seeds",
            help="Compare run folders that differ only in their random seed as one simulator.",
        ),
    ] = False,
    budget: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=NUMBER",
            help="Leave out of the ranking who takes more: latency_p90=1.5s (a user message), usd=0.02 or wh=0.1 (a "
            "conversation); may be repeated.",
        ),
    ] = None,
    gate: options.GateFile = None,
    summary: options.Summary = None,
    junit: options.Junit = None,
    log_to: LogTo = None,
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
    control_tokens: options.ControlTokens = None,
    simulator: options.SimulatorName = None,
    skip_bad_lines: options.SkipBadLines = False,
    survey_map: options.SurveyMap = None,
    allow_overlap: options.AllowOverlap = False,
    allow_failures: options.AllowFailures = False,
    no_cache: options.NoCache = False,
    engine: JudgedOn = Where.local,
    address: Address = None,
    force: options.Force = False,
) -> None:
    """Compare simulators with people and with one another.

    Shows how far each is from people, what it copies, and what it costs.
    """
    from convsim import evaluation as battery

    names = simulator_names(name, sims)
    chosen = _validators(validators, control)
    annotator = (
        make_annotator(annotate, model, console.parse_settings([], owners(annotate))) if annotate else None
    )
    measured = options.chosen_metrics(metrics, lexicon)
    asked = _asked(gate, chosen, control, measured)
    made = asked.validators(chosen) if asked else chosen
    bounds = battery.budgets_of(budget or ())
    check_summary(summary)
    check_junit(junit)
    check_tracker(log_to)

    loading = Loading(
        reader, real_reader, simulated_reader, skip_bad_lines, survey_map, control_tokens, simulator
    )
    with taking_folder(out_dir, FILES, made_before=has_schema(FILES[0], "comparison"), force=force):
        people = loading.real(real)
        sides = [loading.simulated(path) for path in sims]
        for side in sides if asked else ():
            battery.refuse_simulated_people(people.conversations, side.conversations)
        console.err().print(f"seed {seed}")
        comparison = battery.compare(
            people, dict(zip(names, sides, strict=True)) if names else sides, seed=seed,
            validators=made, metrics=measured,
            control=control, treatment=treatment, learned=[loading.real(path) for path in learned or ()],
            before=before, tasks=task or (), arms=arm or (),
            annotator=annotator, pool_seeds=pool_seeds, budget=bounds, allow_overlap=allow_overlap,
            allow_failures=allow_failures, cache=not no_cache, on_cached=console.say_cached,
            engine=engine.value, address=address,
        )  # fmt: skip
        held = {path_text(side.path): side.conversations for side in sides}
        _deliver(
            comparison, out_dir, output, full=full, gate=asked, summary=summary, junit=junit, transcripts=held,
            log_to=log_to,
        )  # fmt: skip


def simulator_names(given: list[str] | None, sims: Sequence[Path]) -> list[str]:
    """Check the names that are given: as many as simulators, each once."""
    names = given or []
    if names and len(names) != len(sims):
        raise InputError(
            f"--name was given {len(names)} times for {len(sims)} simulators; give one for each, or none"
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"--name {twice[0]!r} was given twice; give each simulator its own name")
    return names


def _validators(names: str | None, control: str | None) -> list[str] | None:
    """Split the validators' names; reactions are asked for by naming arms, and their validator needs no more."""
    if names is None:
        return None
    from convsim.plugins import installed

    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if not wanted:
        raise InputError(f"--validators {names!r} is empty; installed: {', '.join(installed('validators'))}")
    if REACTIONS in wanted and control is None:
        raise InputError(f"--validators {REACTIONS} needs two arms: give --control ARM --treatment ARM")
    return [name for name in wanted if name != REACTIONS]


def _asked(
    path: Path | None, validators: list[str] | None, control: str | None, metrics: Metrics | None
) -> Gate | None:
    """Read the gate that every simulator is held against; raises InputError where it does not fit what is asked."""
    from convsim.evaluation import default_validators

    asked = default_validators() if validators is None else validators
    gate = read_gate(path, [*asked, REACTIONS] if control is not None else asked, metrics)
    if gate is not None and REACTIONS in gate.settings():
        raise InputError(
            f"--gate {path}: compare judges reactions within the usual margin; take theirs out of the gate"
        )
    return gate


def _deliver(
    comparison: Comparison,
    out: Path | None,
    output: options.Format,
    *,
    full: bool,
    gate: Gate | None,
    summary: Path | None,
    junit: Path | None,
    transcripts: Mapping[str, Sequence[Conversation]],
    log_to: Tracker | None,
) -> None:
    """Write the files, print the comparison, and fail where a validator did, or a simulator does not pass the gate."""
    from convsim.io.provenance import command

    comparison = comparison.but(made_by=comparison.made_by.but(command=command()))
    refused: InputError | None = None
    if gate is not None:
        try:
            comparison = comparison.but(
                simulators=tuple(each.but(gate=gate.judge_simulator(each)) for each in comparison.simulators)
            )
        except InputError as error:  # what was found is kept all the same
            refused = error
    try:
        if out:
            _write(comparison, out, transcripts)
        if summary:
            from convsim.report.summary import comparison_summary

            add_summary(summary, comparison_summary(comparison))
        write_junit(junit, lambda: _junit(comparison))
    except Exception:
        show_comparison(
            comparison, output, full=full
        )  # on a full disk the result of the work is on screen at least
        raise
    show_comparison(comparison, output, full=full)
    lost = is_lost(log_to, comparison, folder=out)
    if refused is not None:
        raise refused
    for each in comparison.simulators:
        if each.gate is not None:
            tell(each.gate, of=each.name)
    if comparison.failed:
        raise ConvsimError(
            f"the validator {comparison.failed[0]} failed, and a warning says why; the others are complete"
        )
    if any(each.gate is not None and not each.gate.passed for each in comparison.simulators):
        raise typer.Exit(1)
    end_if(lost)


def _write(comparison: Comparison, folder: Path, transcripts: Mapping[str, Sequence[Conversation]]) -> None:
    from convsim.report.html.comparison import comparison_files

    write_set(folder, comparison_files(comparison, transcripts, folder))
    console.err().print(f"wrote {NAMED} into {folder}")


def _junit(comparison: Comparison) -> str:
    from convsim.report.junit import comparison_to_junit

    return comparison_to_junit(comparison)


def show_comparison(comparison: Comparison, output: options.Format, *, full: bool = False) -> None:
    """Print a comparison on stdout."""
    from convsim.report.comparison import comparison_to_markdown, print_comparison

    if output is options.Format.json:
        console.echo_json(comparison.to_json())
    elif output is options.Format.md:
        typer.echo(comparison_to_markdown(comparison, full=full))
    elif output is options.Format.junit:
        typer.echo(_junit(comparison), nl=False)
    else:
        print_comparison(comparison, console.out(), full=full)
