"""``convsim validate REAL SIM``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convsim._text import plain
from convsim.cli import options
from convsim.cli.annotate import make_annotator, owners
from convsim.cli.baseline import read_baseline
from convsim.cli.console import err, parse_settings, say_cached
from convsim.cli.deliver import deliver, taking
from convsim.cli.gating import check_junit, check_summary, read_gate, with_margins
from convsim.cli.loading import Loading
from convsim.cli.study_options import Address, JudgedOn, Where
from convsim.cli.tracking import LogTo, check_tracker
from convsim.errors import InputError


def validate(
    real: Annotated[Path, typer.Argument(help="Real conversations: a file or a run folder.")],
    sim: Annotated[Path, typer.Argument(help="Simulated conversations: a file or a run folder.")],
    out_dir: Annotated[Path | None, options.OUT] = None,
    output: Annotated[options.Format, options.FORMAT] = options.Format.text,
    seed: options.Seed = 0,
    fail_on: options.FailOn = None,
    baseline: options.Baseline = None,
    gate: options.GateFile = None,
    summary: options.Summary = None,
    junit: options.Junit = None,
    log_to: LogTo = None,
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
    sensitivity: Annotated[
        bool,
        typer.Option(
            "--sensitivity",
            help="Judge all again with other seeds, settings, tasks and metrics: how often does each finding hold?",
        ),
    ] = False,
    no_cache: options.NoCache = False,
    engine: JudgedOn = Where.local,
    address: Address = None,
    force: options.Force = False,
) -> None:
    """Test whether simulated shoppers behave like people.

    Compares them metric by metric, and tests whether a classifier can tell them from people by their words.
    """
    from convsim.evaluation import find_validators, refuse_simulated_people
    from convsim.evaluation import validate as compare
    from convsim.evaluation.sides import Selection, Side
    from convsim.plugins import make

    measured = options.chosen_metrics(metrics, lexicon)
    wanted = _wanted(validators)
    asked = read_gate(gate, wanted, measured)
    check_summary(summary)
    check_junit(junit)
    check_tracker(log_to)
    earlier = read_baseline(baseline, fail_on, annotated=annotate is not None)
    given = with_margins(asked, parse_settings(settings or [], [*wanted, *owners(annotate)]))
    chosen = find_validators(make("validators", name, **given[name]) for name in wanted)
    annotator = make_annotator(annotate, model, given) if annotate else None
    loading = Loading(
        reader, real_reader, simulated_reader, skip_bad_lines, survey_map, control_tokens, simulator
    )
    with taking(out_dir, force=force):
        sides = [loading.real(real), loading.simulated(sim)]
        if fail_on or asked:
            refuse_simulated_people(sides[0].conversations, sides[1].conversations)
        selection = Selection(tasks=task or (), arms=arm or (), allow_failures=allow_failures)
        if earlier is not None:
            earlier.check(Side.of(sides[0], "real", selection).summary, chosen, measured)
        err().print(f"seed {seed}")
        card = compare(
            sides[0], sides[1], seed=seed, validators=chosen, metrics=measured, tasks=task or (), arms=arm or (),
            annotator=annotator, allow_overlap=allow_overlap, allow_failures=allow_failures,
            sensitivity=sensitivity, engine=engine.value, address=address,
            on_variation=lambda each: err().print(f"again: {plain(each.name)}", markup=False),
            cache=not no_cache, on_cached=say_cached,
        )  # fmt: skip
        if earlier is not None:
            taking_part = (Side.of(sides[0], "real", selection), Side.of(sides[1], "simulated", selection))
            card = card.but(baseline=earlier.against(card, *taking_part, measured))
        deliver(
            card, (sides[0].conversations, sides[1].conversations), out=out_dir, output=output, fail_on=fail_on,
            gate=asked, summary=summary, junit=junit, metrics=measured, log_to=log_to,
        )  # fmt: skip


def _wanted(names: str | None) -> list[str]:
    """Name the validators that are asked: those of ``--validators``, or all that do not have to be named."""
    from convsim.evaluation import default_validators
    from convsim.plugins import installed

    if names is None:
        return default_validators()
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if not wanted:
        raise InputError(f"--validators {names!r} is empty; installed: {', '.join(installed('validators'))}")
    return wanted
