"""``convsim plan REAL``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim.cli import console, options
from convsim.cli.annotate import make_annotator, owners
from convsim.cli.gating import read_gate, with_margins
from convsim.cli.loading import Loading
from convsim.cli.output import deliver, has_schema, taking_folder
from convsim.errors import ConvsimError, InputError

if TYPE_CHECKING:
    from convsim.evaluation import Plan

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
    gate: Annotated[
        Path | None,
        typer.Option("--gate", metavar="FILE", help="Plan with the margins of this TOML file."),
    ] = None,
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
    """Say what these people can decide, before you simulate.

    For habits, words and reactions, and for each metric: with what probability a simulator that is like people is
    found to be, by number of simulated conversations, which margins can be decided, and what only more people would.
    """
    from convsim.evaluation import find_validators
    from convsim.evaluation import plan as planned
    from convsim.plugins import make

    if counterfactual and (control is None or treatment is None):
        raise InputError("--counterfactual needs two arms: give --control ARM --treatment ARM")
    arms = {"control": control, "treatment": treatment} if control and treatment else {}
    measured = options.chosen_metrics(metrics, lexicon)
    wanted = _wanted(validators, reactions=bool(arms))
    asked = read_gate(gate, wanted, measured)
    given = with_margins(asked, console.parse_settings(settings or [], [*wanted, *owners(annotate)]))
    annotator = make_annotator(annotate, model, given) if annotate else None
    loading = Loading(
        reader, skip_bad_lines=skip_bad_lines, survey_map=survey_map, control_tokens=control_tokens
    )
    if control is not None and control == treatment:
        raise InputError(f"control and treatment are the same arm, {control!r}; name two")
    chosen = find_validators(
        make("validators", name, **{**given[name], **(arms if name == REACTIONS else {})}) for name in wanted
    )
    with taking_folder(out_dir, (PLAN,), made_before=has_schema(PLAN, "plan"), force=force):
        people = loading.real(real)
        console.err().print(f"seed {seed}")
        found = planned(
            people, seed=seed, n_simulated=simulated, control=control,
            treatment=treatment, validators=chosen, metrics=measured, tasks=task or (),
            arms=arm or (), annotator=annotator, allow_failures=allow_failures,
        )  # fmt: skip
        _deliver(found, out_dir, output)


def _wanted(names: str | None, *, reactions: bool) -> list[str]:
    """Name the validators that are asked; that of reactions where, and only where, arms are named."""
    from convsim.evaluation import default_validators
    from convsim.plugins import installed

    given = default_validators() if names is None else [name.strip() for name in names.split(",")]
    wanted = [name for name in given if name and name != REACTIONS]
    if not wanted and not reactions:
        raise InputError(f"--validators {names!r} is empty; installed: {', '.join(installed('validators'))}")
    return [*wanted, *([REACTIONS] if reactions else [])]


def _deliver(plan: Plan, out: Path | None, output: Output) -> None:
    """Write plan.json into ``out`` and print the plan; raises ConvsimError where a validator failed."""
    from convsim.io.provenance import command

    if plan.made_by is not None:
        plan = plan.but(made_by=plan.made_by.but(command=command()))
    deliver(out, lambda: {PLAN: plan.to_json()}, lambda: _show(plan, output))
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
