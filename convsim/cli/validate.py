"""``convsim validate REAL SIM``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim.cli.console import err, make_folder, out, parse_settings, write_whole
from convsim.errors import ConvsimError, InputError

if TYPE_CHECKING:
    from convsim.battery import Scorecard
    from convsim.contracts import Validator


class Format(StrEnum):
    """How a scorecard is printed."""

    text = "text"
    md = "md"
    json = "json"


class Gate(StrEnum):
    """What makes the exit code 1."""

    different = "different"
    undecided = "undecided"


def validate(
    real: Annotated[Path, typer.Argument(help="People's conversations: a file or a run folder.")],
    sim: Annotated[Path, typer.Argument(help="Simulated conversations: a file or a run folder.")],
    out_dir: Annotated[
        Path | None, typer.Option("--out", envvar="CONVSIM_VALIDATE_OUT", help="Folder for findings.json.")
    ] = None,
    output: Annotated[
        Format,
        typer.Option("--format", envvar="CONVSIM_VALIDATE_FORMAT", help="How the scorecard is printed."),
    ] = Format.text,
    seed: Annotated[int, typer.Option(help="Moves every random draw.")] = 0,
    fail_on: Annotated[
        Gate | None, typer.Option(help="Exit 1 on such findings; undecided includes different.")
    ] = None,
    validators: Annotated[
        str | None, typer.Option(help="Names, with commas between; all that are installed by default.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            envvar="CONVSIM_VALIDATE_SET",
            help="VALIDATOR.FIELD=VALUE, e.g. marginals.margin=0.15; may be repeated.",
        ),
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="Keep this task on both sides; may be repeated.")
    ] = None,
    arm: Annotated[
        list[str] | None, typer.Option(help="Keep this arm on both sides; may be repeated.")
    ] = None,
    reader: Annotated[
        str | None,
        typer.Option(help="Read both sides as convsim, openai or convapparel, whatever they look like."),
    ] = None,
    skip_bad_lines: Annotated[
        bool, typer.Option("--skip-bad-lines", help="Skip and count malformed lines.")
    ] = False,
    survey_map: Annotated[
        Path | None, typer.Option(help="TOML that maps survey questions to labels.")
    ] = None,
    allow_overlap: Annotated[
        bool, typer.Option("--allow-overlap", help="Judge a simulator on conversations that it learned from.")
    ] = False,
    allow_failures: Annotated[
        bool, typer.Option("--allow-failures", help="Go on although more than 5 % of a side failed.")
    ] = False,
) -> None:
    """Tell whether simulated shoppers behave like people: metric by metric, and to a reader of their words."""
    from convsim.battery import validate as compare
    from convsim.readers import read

    chosen = _validators(validators, settings or [])
    if out_dir and out_dir.exists() and not out_dir.is_dir():
        raise InputError(f"--out {out_dir}: is a file, and a folder is needed")
    sides = [
        read(p, reader=reader, skip_bad_lines=skip_bad_lines, survey_map=survey_map) for p in (real, sim)
    ]
    err().print(f"seed {seed}")
    card = compare(
        sides[0], sides[1], seed=seed, validators=chosen, tasks=task or (), arms=arm or (),
        allow_overlap=allow_overlap, allow_failures=allow_failures,
    )  # fmt: skip
    if out_dir:
        folder = make_folder(out_dir)
        write_whole(folder / "findings.json", card.to_json())
        err().print(f"wrote {folder / 'findings.json'}")
    show(card, output)
    if failed := [finding.validator for finding in card.findings if finding.details.get("failed")]:
        raise ConvsimError(
            f"the validator {failed[0]} failed, and its finding says why; the others' findings stand"
        )
    if fail_on and card.failing(fail_on.value):
        err().print(f"gate: {len(card.failing(fail_on.value))} findings fail on {fail_on.value}")
        raise typer.Exit(1)


def show(card: Scorecard, output: Format) -> None:
    """Print a scorecard on stdout."""
    from convsim.report import print_scorecard, to_markdown

    if output is Format.json:
        typer.echo(card.to_json(), nl=False)
    elif output is Format.md:
        typer.echo(to_markdown(card))
    else:
        print_scorecard(card, out())


def _validators(names: str | None, settings: list[str]) -> list[str | Validator]:
    """Make the validators that are named, with their settings."""
    from convsim.battery import find_validators
    from convsim.plugins import installed, make

    wanted = (
        [name.strip() for name in names.split(",") if name.strip()]
        if names is not None
        else list(installed("validators"))
    )
    if not wanted:
        raise InputError(
            f"--validators {names!r} names none; installed: {', '.join(installed('validators'))}"
        )
    fields = parse_settings(settings, wanted)
    made = [make("validators", name, **given) for name, given in fields.items()]
    return list(find_validators(made))
