"""``convsim plan REAL``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._files import write_set
from convsim.cli import console, options
from convsim.cli.annotate import make_annotator, owners
from convsim.cli.loading import Loading
from convsim.cli.output import has_schema, taking_folder
from convsim.errors import ConvsimError, InputError

if TYPE_CHECKING:
    from convsim.evaluation import Plan
    from convsim.schema import Annotator, Validator

PLAN = "plan.json"
REACTIONS = "counterfactual"


class Output(StrEnum):
    """How a plan is printed; it has no verdicts, and so no JUnit."""

    text = "text"
    md = "md"
    json = "json"


def plan(
    real: Annotated[Path, typer.Argument(help="Real conversations: a file or a run folder.")],
    simulated: Annotated[
        list[int] | None,
        typer.Option(
            "--simulated",
            metavar="N",
            help="Simulated conversations in all; may be repeated (default: 1, 2, 5 and 10 times REAL's).",
        ),
    ] = None,
    counterfactual: Annotated[
        bool,
        typer.Option("--counterfactual", help="Plan reactions too, between --control and --treatment."),
    ] = False,
    control: Annotated[str | None, typer.Option(help="Control arm: the better agent.")] = None,
    treatment: options.Treatment = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help=f"Folder for {PLAN}.")] = None,
    output: Annotated[Output, typer.Option("--format", help="How the plan is printed.")] = Output.text,
    seed: options.Seed = 0,
    validators: options.Validators = None,
    metrics: options.MetricNames = None,
    lexicon: options.LexiconFolder = None,
    settings: Annotated[list[str] | None, options.settings("marginals.joint_margin=0.2")] = None,
    task: options.Tasks = None,
    arm: options.Arms = None,
    annotate: options.Annotate = None,
    model: options.Model = None,
    reader: options.Reader = None,
    control_tokens: options.ControlTokens = None,
    skip_bad_lines: options.SkipBadLines = False,
    survey_map: options.SurveyMap = None,
    allow_failures: options.AllowFailures = False,
    force: options.Force = False,
) -> None:
    """Say what these people can decide, before anything is simulated.

    For habits, words and reactions, and for each metric: with what probability a simulator that is like people is
    found to be, by number of simulated conversations, which margins can be decided, and what only more people would.
    """
    from convsim.evaluation import plan as planned

    if counterfactual and (control is None or treatment is None):
        raise InputError("--counterfactual needs two arms: give --control ARM --treatment ARM")
    reactions = control is not None or treatment is not None
    arms = {"control": control, "treatment": treatment} if control and treatment else None
    chosen, annotator = _made(validators, annotate, model, settings or [], arms)
    measured = options.chosen_metrics(metrics, lexicon)
    loading = Loading(
        reader, skip_bad_lines=skip_bad_lines, survey_map=survey_map, control_tokens=control_tokens
    )
    with taking_folder(out_dir, (PLAN,), made_before=has_schema(PLAN, "plan"), force=force):
        people = loading.real(real)
        console.err().print(f"seed {seed}")
        found = planned(
            people, seed=seed, n_simulated=simulated, control=control if reactions else None,
            treatment=treatment if reactions else None, validators=chosen, metrics=measured, tasks=task or (),
            arms=arm or (), annotator=annotator, allow_failures=allow_failures,
        )  # fmt: skip
        _deliver(found, out_dir, output)


def _made(
    names: str | None,
    annotate: str | None,
    model: str | None,
    settings: list[str],
    arms: dict[str, str] | None,
) -> tuple[list[Validator], Annotator | None]:
    """Make the validators and the annotator with their settings, the one of reactions too where arms are named."""
    from convsim.evaluation import default_validators, find_validators
    from convsim.plugins import installed, make

    wanted = (
        [name.strip() for name in names.split(",") if name.strip()]
        if names is not None
        else default_validators()
    )
    wanted = [name for name in wanted if name != REACTIONS]
    if not wanted and not arms:
        raise InputError(f"--validators {names!r} is empty; installed: {', '.join(installed('validators'))}")
    given = console.parse_settings(settings, [*wanted, *([REACTIONS] if arms else []), *owners(annotate)])
    made = [make("validators", name, **given[name]) for name in wanted]
    if arms and arms["control"] != arms["treatment"]:
        made.append(make("validators", REACTIONS, **{**given[REACTIONS], **arms}))
    return find_validators(made), make_annotator(annotate, model, given) if annotate else None


def _deliver(plan: Plan, out: Path | None, output: Output) -> None:
    """Write plan.json into ``out`` and print the plan; raises ConvsimError where a validator failed."""
    from convsim.io.provenance import command

    if plan.made_by is not None:
        plan = plan.but(made_by=plan.made_by.but(command=command()))
    try:
        if out:
            write_set(out, {PLAN: plan.to_json()})
            console.err().print(f"wrote {out / PLAN}")
    except Exception:
        _show(plan, output)  # on a full disk the result of the work is on screen at least
        raise
    _show(plan, output)
    if plan.failed:
        raise ConvsimError(f"{plan.failed[0]}; the rest of the plan is complete")


def _show(plan: Plan, output: Output) -> None:
    from convsim.report.planned import plan_to_markdown, print_plan

    if output is Output.json:
        console.echo_json(plan.to_json())
    elif output is Output.md:
        typer.echo(plan_to_markdown(plan))
    else:
        print_plan(plan, console.out())
