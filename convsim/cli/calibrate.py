"""``convsim calibrate [FILE]``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim.cli import console, options
from convsim.cli.annotate import make_annotator, owners
from convsim.cli.gating import check_junit, write_junit
from convsim.cli.loading import Loading
from convsim.cli.output import deliver, has_schema, taking_folder
from convsim.cli.study_options import Address, JudgedOn, Where
from convsim.errors import ConvsimError, InputError

if TYPE_CHECKING:
    from convsim.evaluation.calibration import Calibration, Trial
    from convsim.io import Transcripts

DOCUMENT, PAGE = "calibration.json", "CALIBRATION.md"


def calibrate(
    real: Annotated[
        Path | None,
        typer.Argument(
            help="Real conversations: a file or a run folder (default: the demo's stand-in people)."
        ),
    ] = None,
    sizes: Annotated[
        str,
        typer.Option(
            help="People a side, comma-separated; twice as many are needed. Too large ones are left out."
        ),
    ] = "100,200,400",
    runs: Annotated[int, typer.Option(min=1, max=1000, help="How often each adversary is tried.")] = 2,
    null_runs: Annotated[
        int, typer.Option(min=1, max=1000, help="How often other people are tried, whom nothing may catch.")
    ] = 10,
    adversaries: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Adversaries, comma-separated (default: all).")
    ] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help=f"Folder for {PAGE} and {DOCUMENT}.")] = None,
    output: Annotated[
        options.Format, typer.Option("--format", help="How the tables are printed.")
    ] = options.Format.text,
    junit: options.Junit = None,
    seed: options.Seed = 0,
    validators: Annotated[
        str | None,
        typer.Option(
            help="Validators, comma-separated (default: all that do not have to be named, and those that must catch "
            "one of the adversaries)."
        ),
    ] = None,
    settings: Annotated[list[str] | None, options.settings("marginals.n_resamples=199")] = None,
    annotate: options.Annotate = None,
    model: options.Model = None,
    reader: options.Reader = None,
    control_tokens: options.ControlTokens = None,
    skip_bad_lines: options.SkipBadLines = False,
    survey_map: options.SurveyMap = None,
    engine: JudgedOn = Where.local,
    address: Address = None,
    force: options.Force = False,
) -> None:
    """Try the validators on simulators wrong on purpose.

    Each of these adversaries is wrong in one way. They are made of one half of the people and held against the other
    half, beside people who are not simulated at all. The tables say which validator catches which, and how often
    people are taken for a simulator.
    """
    from convsim.evaluation import find_validators
    from convsim.evaluation.adversaries import find_adversaries
    from convsim.evaluation.calibrating import calibrate as calibrated
    from convsim.evaluation.calibrating import needed_validators
    from convsim.plugins import make

    check_junit(junit)
    wanted_sizes = _numbers(sizes)
    asked = find_adversaries(None if adversaries is None else _names(adversaries))
    wanted = needed_validators(asked) if validators is None else _names(validators)
    given = console.parse_settings(settings or [], [*wanted, *owners(annotate)])
    chosen = find_validators(make("validators", name, **given[name]) for name in wanted)
    annotator = make_annotator(annotate, model, given) if annotate else None
    loading = Loading(
        reader, skip_bad_lines=skip_bad_lines, survey_map=survey_map, control_tokens=control_tokens
    )
    with taking_folder(
        out_dir, (DOCUMENT, PAGE), made_before=has_schema(DOCUMENT, "calibration"), force=force
    ):
        people = _people(real, loading)
        console.err().print(f"seed {seed}")
        found = calibrated(
            people, seed=seed, sizes=wanted_sizes, n_runs=runs, n_null_runs=null_runs,
            adversaries=[each.name for each in asked],
            validators=chosen, annotator=annotator, on_trial=_tell, engine=engine.value, address=address,
        )  # fmt: skip
        _deliver(found, out_dir, output, junit)


def _people(real: Path | None, loading: Loading) -> Transcripts:
    if real is not None:
        return loading.real(real)
    from convsim._resources import shared
    from convsim.cli.tour import PEOPLE, notice

    console.err().print(notice().splitlines()[0])
    return loading.real(shared(PEOPLE))


def _names(said: str) -> list[str]:
    return [name.strip() for name in said.split(",") if name.strip()]


def _numbers(said: str) -> list[int]:
    parts = [part.strip() for part in said.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
        raise InputError(
            f"--sizes {said!r}: expected numbers of people a side with commas between, such as 100,200"
        )
    return [int(part) for part in parts]


def _tell(trial: Trial) -> None:
    from convsim.report.calibration import trial_line

    console.err().print(trial_line(trial))


def _deliver(calibration: Calibration, out: Path | None, output: options.Format, junit: Path | None) -> None:
    """Write the files into ``out`` and print the tables; raises ConvsimError where a validator failed."""
    from convsim.io.provenance import command
    from convsim.report.calibration import calibration_to_markdown

    if calibration.made_by is not None:
        calibration = calibration.but(made_by=calibration.made_by.but(command=command()))
    deliver(
        out,
        lambda: {PAGE: calibration_to_markdown(calibration), DOCUMENT: calibration.to_json()},
        lambda: _show(calibration, output),
    )
    write_junit(junit, lambda: _junit(calibration))
    if calibration.failed:
        raise ConvsimError(f"{calibration.failed[0]}; the rest of the calibration is complete")


def _junit(calibration: Calibration) -> str:
    from convsim.report.junit import calibration_to_junit

    return calibration_to_junit(calibration)


def _show(calibration: Calibration, output: options.Format) -> None:
    from convsim.report.calibration import calibration_to_markdown, print_calibration

    if output is options.Format.json:
        console.echo_json(calibration.to_json())
    elif output is options.Format.md:
        typer.echo(calibration_to_markdown(calibration), nl=False)
    elif output is options.Format.junit:
        typer.echo(_junit(calibration), nl=False)
    else:
        print_calibration(calibration, console.out())
