"""``convsim validate REAL SIM``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim.cli import options
from convsim.cli.annotate import make_annotator, owners
from convsim.cli.console import err, parse_settings
from convsim.cli.deliver import deliver, taking
from convsim.cli.loading import Loading
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.schema import Annotator, Validator


def validate(
    real: Annotated[Path, typer.Argument(help="Real conversations: a file or a run folder.")],
    sim: Annotated[Path, typer.Argument(help="Simulated conversations: a file or a run folder.")],
    out_dir: Annotated[Path | None, options.OUT] = None,
    output: Annotated[options.Format, options.FORMAT] = options.Format.text,
    seed: options.Seed = 0,
    fail_on: options.FailOn = None,
    validators: options.Validators = None,
    metrics: options.MetricNames = None,
    lexicon: options.LexiconFolder = None,
    settings: Annotated[list[str] | None, options.settings("marginals.margin=0.15")] = None,
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
    """Test whether simulated shoppers behave like people.

    Compares them metric by metric, and tests whether a classifier can tell them from people by their words.
    """
    from convsim.evaluation import refuse_simulated_people
    from convsim.evaluation import validate as compare

    chosen, annotator = _made(validators, annotate, model, settings or [])
    measured = options.chosen_metrics(metrics, lexicon)
    loading = Loading(
        reader, real_reader, simulated_reader, skip_bad_lines, survey_map, control_tokens, simulator
    )
    with taking(out_dir, force=force):
        sides = [loading.real(real), loading.simulated(sim)]
        if fail_on:
            refuse_simulated_people(sides[0].conversations, sides[1].conversations)
        err().print(f"seed {seed}")
        card = compare(
            sides[0], sides[1], seed=seed, validators=chosen, metrics=measured, tasks=task or (), arms=arm or (),
            annotator=annotator, allow_overlap=allow_overlap, allow_failures=allow_failures,
        )  # fmt: skip
        deliver(
            card, (sides[0].conversations, sides[1].conversations), out=out_dir, output=output, fail_on=fail_on,
            metrics=measured,
        )  # fmt: skip


def _made(
    names: str | None, annotate: str | None, model: str | None, settings: list[str]
) -> tuple[list[Validator], Annotator | None]:
    """Make the validators that are named, and the annotator if there is one, with their settings."""
    from convsim.evaluation import default_validators, find_validators
    from convsim.plugins import installed, make

    wanted = (
        [name.strip() for name in names.split(",") if name.strip()]
        if names is not None
        else default_validators()
    )
    if not wanted:
        raise InputError(f"--validators {names!r} is empty; installed: {', '.join(installed('validators'))}")
    given = parse_settings(settings, [*wanted, *owners(annotate)])
    made = [make("validators", name, **given[name]) for name in wanted]
    return find_validators(made), make_annotator(annotate, model, given) if annotate else None
