"""``convsim annotate FILE``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._files import is_stream
from convsim._text import plain, shown
from convsim.cli import options
from convsim.cli.console import err, parse_settings, result
from convsim.cli.output import taking_file
from convsim.cli.study_options import Address, Engine, Where
from convsim.errors import ConvsimError, InputError

if TYPE_CHECKING:
    from convsim.annotation import Annotated as Labelled
    from convsim.models.crowd import Concurrency
    from convsim.schema import Annotator
    from convsim.schema.conversation import Conversation

MAX_REASONS = 3


def annotate(
    file: Annotated[Path, typer.Argument(help="A file of conversations or a run folder.")],
    out: Annotated[Path, typer.Option(help="File to write the labelled conversations to.")],
    annotator: Annotated[
        str,
        typer.Option("--with", help="Annotator: rules, classifier:PATH, judge, or yours."),
    ] = "rules",
    model: options.Model = None,
    settings: Annotated[list[str] | None, options.settings("judge.votes=3")] = None,
    concurrency: Annotated[
        str,
        typer.Option(
            metavar="N|auto", help="Conversations at a time: a number, or auto for as many as servers take."
        ),
    ] = "auto",
    engine: Engine = Where.local,
    address: Address = None,
    reader: options.Reader = None,
    skip_bad_lines: options.SkipBadLines = False,
    survey_map: options.SurveyMap = None,
    force: options.Force = False,
) -> None:
    """Label what users did (acts) and felt (experience).

    Labels from other sources are kept.
    """
    from convsim.io import check_target, read, write

    at_a_time = stated_concurrency(concurrency)
    given = parse_settings(settings or [], owners(annotator))
    chosen = make_annotator(annotator, model, given)
    check_target(out)
    with taking_file(out, force=force):
        transcripts = read(file, reader=reader, skip_bad_lines=skip_bad_lines, survey_map=survey_map)
        # What goes into a pipe cannot be gone on with.
        keep = None if is_stream(out) else out.with_name(f".{out.name}.annotations")
        done = label(
            transcripts.conversations, chosen, concurrency=at_a_time, keep=keep, of=str(file), engine=engine,
            address=address,
        )  # fmt: skip
        if done.n_failed == len(done.conversations):
            raise ConvsimError(
                f"{file}: no conversation could be labelled; run the same command to try again"
            )
        write(out, done.conversations)
        if keep:
            keep.unlink(missing_ok=True)
    err().print(f"wrote {out}")


def stated_concurrency(said: str) -> Concurrency:
    """Read ``--concurrency``; raises InputError where it is no number from 1, and not auto."""
    from convsim.models.crowd import checked_concurrency

    try:
        return checked_concurrency(said)
    except ValueError as error:
        raise InputError(f"--concurrency {shown(said)}: {error}") from None


def owner_of(said: str) -> str:
    """Name whom ``--set`` calls an annotator that was typed as ``NAME``, ``NAME:PATH`` or ``module:thing``."""
    from convsim.plugins import installed

    name = said.partition(":")[0]
    return name if name in installed("annotators") else said


def owners(said: str | None) -> list[str]:
    """Name whose settings ``--set`` may give when an annotator was typed: its own and its model's."""
    return ["model", owner_of(said)] if said else []


def make_annotator(said: str, model: str | None, given: Mapping[str, dict[str, object]]) -> Annotator:
    """Make an annotator from what was typed, with a model where it asks for one."""
    from convsim.simulation import Assembly
    from convsim.simulation.config import StudyConfig

    flags: dict[str, dict[str, object]] = {"model": {"name": model, "settings": given["model"] or None}}
    assembly = Assembly(StudyConfig().with_flags(flags))
    annotator = assembly.annotator(said, given[owner_of(said)])
    for stand_in in assembly.stand_ins:
        err().print(f"using a default: {stand_in}")
    return annotator


def label(
    conversations: Sequence[Conversation],
    annotator: Annotator,
    *,
    concurrency: Concurrency = "auto",
    keep: Path | None = None,
    of: str,
    engine: Where = Where.local,
    address: str | None = None,
) -> Labelled:
    """Label conversations, and say how many there were and why some stayed unlabelled."""
    from convsim.annotation import annotate as annotate_all
    from convsim.schema.conversation import used_tokens

    talk = result()
    done = annotate_all(
        conversations, annotator, concurrency=concurrency, keep=keep, engine=engine.value, address=address
    )
    already = f" ({done.n_already} of them earlier)" if done.n_already else ""
    spent = done.usage
    cost = f", ${spent.cost_usd:.4f}" if spent.cost_usd is not None else ""
    if spent.cost_usd is None and used_tokens(spent):
        read, written = (
            "uncounted" if count is None else count for count in (spent.input_tokens, spent.output_tokens)
        )
        cost = f", {read} input and {written} output tokens, price unknown"
    talk.print(
        f"{plain(of)}: {done.n_labelled} of {len(conversations)} conversations labelled by {done.source}{already}{cost}"
    )
    if done.fallbacks is not None:
        for name, count in done.fallbacks.models.most_common(MAX_REASONS):
            talk.print(f"{count} of {done.fallbacks.n} labels: {plain(name)} answered as a fallback")
    for reason, count in done.reasons.most_common(MAX_REASONS):
        talk.print(f"{count} could not be labelled: {plain(reason)}")
    return done
