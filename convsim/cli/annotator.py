"""``convsim annotator train | check``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._files import write_set
from convsim._text import plain
from convsim.cli import options
from convsim.cli.annotate import label, make_annotator, owners
from convsim.cli.console import echo_json, err, out, parse_settings
from convsim.cli.gating import check_junit, write_junit
from convsim.cli.output import has_schema, taking_file, taking_folder
from convsim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from convsim.annotation.classifier import Card
    from convsim.schema.conversation import Conversation

AGREEMENT = "reliability.json"
PEOPLE = ("self", "third_party")

app = typer.Typer(
    name="annotator", help="Train annotators, and check their agreement with people.", no_args_is_help=True
)

Mapping = Annotated[
    Path | None, typer.Option("--map", help="TOML that maps another scheme's labels to acts.")
]


@app.command("train")
def train(
    file: Annotated[Path, typer.Argument(help="Labelled conversations.")],
    out_file: Annotated[Path, typer.Option("--out", help="File to write, ending in .npz.")],
    source: Annotated[
        str | None, typer.Option(help="Whose labels to learn, such as self or third_party.")
    ] = None,
    labels: Annotated[
        str | None, typer.Option(help="Labels to learn, comma-separated (default: all).")
    ] = None,
    mapping: Mapping = None,
    folds: Annotated[int, typer.Option(help="Number of cross-validation folds.")] = 5,
    seed: options.Seed = 0,
    held_out: Annotated[
        Path | None,
        typer.Option(help="Also write the conversations with their out-of-fold labels to this file."),
    ] = None,
    reader: options.Reader = None,
    survey_map: options.SurveyMap = None,
    force: options.Force = False,
) -> None:
    """Train a classifier of acts and experience.

    Prints how well it does on users that it has not seen.
    """
    from convsim.annotation import with_labels
    from convsim.annotation.classifier import OUT_OF_FOLD, check_model_path, save
    from convsim.annotation.classifier import train as fit
    from convsim.annotation.mapping import read_map
    from convsim.io import check_target, read, write
    from convsim.report.agreement import agreement_table

    check_model_path(out_file)
    if held_out:
        check_target(held_out)
    with ExitStack() as taken:
        for path in (out_file, *([held_out] if held_out else [])):
            taken.enter_context(taking_file(path, force=force))
        transcripts = read(file, reader=reader, survey_map=survey_map)
        err().print(f"seed {seed}")
        trained = fit(
            transcripts.conversations,
            source=source or _only_source(transcripts.conversations, str(file)),
            seed=seed,
            labels=[name.strip() for name in labels.split(",") if name.strip()] if labels else None,
            mapping=read_map(mapping) if mapping else None,
            folds=folds,
            file=(file.name, transcripts.sha256),
        )
        save(trained, out_file)
        err().print(f"wrote {out_file}, classifier:{trained.card.version}")
        if held_out:
            labelled = zip(transcripts.conversations, trained.out_of_fold, strict=True)
            write(held_out, [with_labels(c, given, source=OUT_OF_FOLD) for c, given in labelled])
            err().print(f"wrote {held_out}")
    _print_card(trained.card)
    _print(agreement_table(trained.card.agreement))


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="Conversations, labelled or (with --with) to be labelled.")],
    against: Annotated[
        str,
        typer.Option(
            help="Labels to compare with: self, third_party, another source, or a file of the same conversations."
        ),
    ],
    source: Annotated[
        str | None, typer.Option(help="Source of the labels under test, such as rules:1.")
    ] = None,
    annotator: Annotated[
        str | None,
        typer.Option(
            "--with", help="First label with rules, classifier:PATH, judge or yours, and test these labels."
        ),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="If --against is a file: whose labels in it to use.")
    ] = None,
    mapping: Mapping = None,
    out_dir: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for reliability.json."),
    ] = None,
    output: Annotated[
        options.TextOrJson,
        typer.Option("--format", help="Output format."),
    ] = options.TextOrJson.text,
    junit: options.Junit = None,
    seed: options.Seed = 0,
    model: options.Model = None,
    settings: Annotated[list[str] | None, options.settings("judge.votes=3")] = None,
    reader: options.Reader = None,
    survey_map: options.SurveyMap = None,
    force: options.Force = False,
) -> None:
    """Measure an annotator's agreement with people or others."""
    from convsim.annotation import with_mapped_acts
    from convsim.annotation.agreement import check as agree
    from convsim.annotation.definitions import definitions
    from convsim.annotation.mapping import read_map
    from convsim.io import read
    from convsim.report.agreement import agreement_table
    from convsim.report.junit import agreement_to_junit

    check_junit(junit)
    with taking_folder(
        out_dir, [AGREEMENT], made_before=has_schema(AGREEMENT, "annotation.agreement"), force=force
    ):
        given = parse_settings(settings or [], owners(annotator))
        act_map = read_map(mapping) if mapping else None
        chosen = make_annotator(annotator, model, given) if annotator else None
        told = list(read(file, reader=reader, survey_map=survey_map).conversations)
        other = told
        if Path(against).exists():
            other = list(read(Path(against), reader=reader, survey_map=survey_map).conversations)
            against = reference or _only_source(other, against)
        same = other is told
        if chosen is not None:
            told = list(label(told, chosen, of=str(file)).conversations)
            source = chosen.source
        if act_map:
            other = with_mapped_acts(told if same else other, act_map, source=against)
            told = other if same else with_mapped_acts(told, act_map, source=against)
        elif same:
            other = told
        err().print(f"seed {seed}")
        found = agree(
            told, other, source=source or _only_source(told, str(file), machines=True), against=against, seed=seed,
            acts=definitions().act_names,
        )  # fmt: skip
        try:
            if out_dir:
                write_set(out_dir, {AGREEMENT: found.to_json()})
            write_junit(junit, lambda: agreement_to_junit(found))
        except InputError:
            _print(agreement_table(found))
            raise
        if output is options.TextOrJson.json:
            echo_json(found.to_json())
        else:
            _print(agreement_table(found))


def _print_card(card: Card) -> None:
    from rich.text import Text

    n = len(card.learned_from.conversations)
    out().print(
        f"classifier:{card.version}, learned from {n} conversations labelled by {plain(card.source, limit=80)}; "
        f"scores are from {card.folds}-fold cross-validation in which training and test folds share no user"
    )
    for warning in card.warnings:
        out().print(Text(f"warning: {plain(warning)}", style="yellow"))


def _print(parts: Iterable[RenderableType]) -> None:
    console = out()
    for part in parts:
        console.print(part)


def _only_source(conversations: Sequence[Conversation], file: str, *, machines: bool = False) -> str:
    """Name the one source of labels that a file has: of people's, or of annotators'; raises InputError."""
    from convsim.annotation import sources_of

    found = sorted(name for name in sources_of(conversations) if (name not in PEOPLE) == machines)
    if len(found) == 1:
        return found[0]
    who = "an annotator" if machines else "a person"
    option = "--source or --with" if machines else "--source or --reference"
    listed = plain(", ".join(found[:8]), limit=200) or "none"
    raise InputError(
        f"{file}: expected labels from one source ({who}), but found: {listed}; choose one with {option}"
    )
