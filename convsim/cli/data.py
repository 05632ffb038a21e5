"""``convsim data``: list, download, describe, import, convert and split files of conversations."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from convsim._text import nearest, plain
from convsim.cli import options
from convsim.cli.console import err, out, print_json
from convsim.cli.data_import import import_table
from convsim.cli.output import taking_file, taking_folder
from convsim.errors import InputError

app = typer.Typer(help="List, fetch, describe, import, convert and split data.", no_args_is_help=True)


class By(StrEnum):
    """The unit that a split never divides."""

    user = "user"
    conversation = "conversation"


File = Annotated[Path, typer.Argument(metavar="FILE", help="A file of conversations, or a run folder.")]
As = Annotated[options.TextOrJson, typer.Option("--format", help="Output format.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write to.")]


@app.command("list")
def list_cards(output: As = options.TextOrJson.text) -> None:
    """List known data sets, with size, licence and source."""
    from convsim.cli.description import print_cards
    from convsim.io import cards

    known = cards()
    if output is options.TextOrJson.json:
        print_json([card.model_dump(mode="json") for card in known])
    else:
        print_cards(known, out())


@app.command("describe")
def describe_file(
    file: File,
    output: As = options.TextOrJson.text,
    reader: options.Reader = None,
    control_tokens: options.ControlTokens = None,
    simulator: options.SimulatorName = None,
    skip_bad_lines: options.SkipBadLines = False,
    survey_map: options.SurveyMap = None,
) -> None:
    """Describe what a file of conversations contains.

    Shows who talks, how long, which labels there are, and what is unusual.
    """
    from convsim.cli.description import print_description
    from convsim.io import describe, read

    found = describe(
        read(
            file,
            reader=reader,
            skip_bad_lines=skip_bad_lines,
            survey_map=survey_map,
            control_tokens=control_tokens,
            simulator=simulator,
        )
    )
    if output is options.TextOrJson.json:
        print_json(found.model_dump(mode="json"))
    else:
        print_description(found, out())


@app.command("fetch")
def fetch_dataset(
    dataset: Annotated[str, typer.Argument(help="Data set to fetch: convapparel.")],
    version: Annotated[int, typer.Option(min=1, max=2, help="Version 1 or 2; never pool the two.")] = 1,
    out_dir: Out = None,
    force: options.Force = False,
) -> None:
    """Download ConvApparel, check its SHA-256, print its path."""
    from convsim.io import card, fetch

    if dataset != "convapparel":
        meant = "; did you mean convapparel?" if nearest(dataset, ["convapparel"]) else ""
        raise InputError(
            f"{dataset!r} cannot be fetched; available: convapparel, with --version 1 or 2{meant}"
        )
    chosen = card(f"{dataset}-v{version}")
    err().print(f"{chosen.title}: {chosen.licence}, {chosen.home}")
    typer.echo(fetch(chosen, out_dir or Path(), force=force))


app.command("import")(import_table)


@app.command("convert")
def convert(
    file: File,
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="File to write: .jsonl, .jsonl.gz, .jsonl.zst or .parquet.")
    ],
    reader: options.Reader = None,
    control_tokens: options.ControlTokens = None,
    simulator: options.SimulatorName = None,
    skip_bad_lines: options.SkipBadLines = False,
    survey_map: options.SurveyMap = None,
    force: options.Force = False,
) -> None:
    """Convert a file of conversations to convsim's format."""
    from convsim.io import check_target, read, write

    check_target(target)
    with taking_file(target, force=force):
        transcripts = read(
            file,
            reader=reader,
            skip_bad_lines=skip_bad_lines,
            survey_map=survey_map,
            control_tokens=control_tokens,
            simulator=simulator,
        )
        write(target, transcripts.conversations)
    _warn(*transcripts.warnings)
    skipped = f", {transcripts.skipped} malformed lines skipped" if transcripts.skipped else ""
    err().print(f"wrote {len(transcripts.conversations)} conversations to {target}{skipped}")


@app.command("split")
def split_file(
    file: File,
    *,
    by: Annotated[By, typer.Option(help="Keep each user's (or conversation's) data in one half.")],
    fraction: Annotated[float, typer.Option(help="Proportion in the first half, above 0 and below 1.")] = 0.5,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    out_dir: Out = None,
    reader: options.Reader = None,
    control_tokens: options.ControlTokens = None,
    simulator: options.SimulatorName = None,
    skip_bad_lines: options.SkipBadLines = False,
    survey_map: options.SurveyMap = None,
    force: options.Force = False,
) -> None:
    """Split a file into disjoint halves, to learn and to judge.

    Each task and arm is split in the same proportion.
    """
    from convsim.io import read, split, stem_of, write_together

    transcripts = read(
        file,
        reader=reader,
        skip_bad_lines=skip_bad_lines,
        survey_map=survey_map,
        control_tokens=control_tokens,
        simulator=simulator,
    )
    halves = split(transcripts.conversations, by=by.value, fraction=fraction, seed=seed)
    _warn(*transcripts.warnings, *halves.warnings)
    into = out_dir or file.absolute().parent
    err().print(f"seed {seed}")
    files = {f"{stem_of(file)}-{name}.jsonl": part for name, part in (("a", halves.a), ("b", halves.b))}
    with taking_folder(into, [*files], made_before=lambda _: False, force=force):
        write_together(into, files)
    for name, part in files.items():
        err().print(f"wrote {len(part)} conversations to {into / name}")


def _warn(*warnings: str) -> None:
    for warning in warnings:
        err().print(f"warning: {plain(warning)}")
