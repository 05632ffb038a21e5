"""``convsim personas``: personas from real conversations, and what a file of them holds."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim._files import write_whole
from convsim._inputs import open_input
from convsim._text import plain
from convsim.cli import options
from convsim.cli.console import err, parse_settings, print_json, result
from convsim.cli.output import taking_file
from convsim.errors import ConvsimError, InputError

if TYPE_CHECKING:
    from convsim.schema import ChatModel
    from convsim.schema.persona import Persona
    from convsim.simulation.extraction import Drawn

BEGINS = b'{"conversation": '
"""A line of a file of failures."""
app = typer.Typer(help="Make personas from conversations, and check them.", no_args_is_help=True)
MAX_REASONS = 3
FAILED = 3


@app.command("from")
def draw(
    logs: Annotated[Path, typer.Argument(metavar="LOGS", help="Real conversations, or a run folder.")],
    out: Annotated[Path, typer.Option(help="File to write, .jsonl: a persona a line.")],
    model: Annotated[
        str | None,
        typer.Option(help="Model plugin that notes down what users wanted (default: none, their own words)."),
    ] = None,
    settings: Annotated[list[str] | None, options.settings("model.model=NAME")] = None,
    n: Annotated[int | None, typer.Option(min=1, help="How many, drawn at random (default: all).")] = None,
    seed: options.Seed = 0,
    concurrency: Annotated[int, typer.Option(min=1, help="Conversations at a time.")] = 8,
    reader: options.Reader = None,
    skip_bad_lines: options.SkipBadLines = False,
    force: options.Force = False,
) -> None:
    """Make a persona of how each conversation began.

    It has a need, conditions, a budget and a style. Nothing that was said after items were shown enters, and no title
    that the user had not said first.
    """
    from convsim.io import read
    from convsim.simulation.extraction import personas_from

    given = parse_settings(settings or [], ["model"])["model"]
    if given and model is None:
        raise InputError("--set is for the model: name one with --model")
    if out.suffix != ".jsonl":
        raise InputError(f"--out {out}: must end in .jsonl")
    asked = None if model is None else _model(model, given)
    failures = out.with_name(f"{out.stem}.failures.jsonl")
    keep = None if asked is None else out.with_name(f".{out.name}.notes")
    with taking_file(out, force=force):
        _check_ours(failures, force=force)
        transcripts = read(logs, reader=reader, skip_bad_lines=skip_bad_lines)
        drawn = personas_from(
            transcripts.conversations, seed=seed, sha256=transcripts.sha256, n=n, model=asked,
            concurrency=concurrency, keep=keep,
        )  # fmt: skip
        _write(drawn, out, failures)
        if keep is not None and not drawn.failures:
            keep.unlink(missing_ok=True)
    if simulated := sum(c.simulator is not None for c in transcripts.conversations):
        err().print(
            f"warning: {simulated} of {len(transcripts.conversations)} conversations in {logs} name a simulator: their "
            "users are no people"
        )
    _report(drawn, logs, out, failures)


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of personas: .toml or .jsonl.")],
    output: Annotated[
        options.TextOrJson, typer.Option("--format", help="Output format.")
    ] = options.TextOrJson.text,
) -> None:
    """Check a file of personas, and say what they state."""
    from convsim.schema.persona import LOOK_AHEAD
    from convsim.simulation import read_personas

    personas = read_personas(file)
    for persona in personas:
        if late := persona.known_afterwards():
            raise InputError(f"{file}: persona {plain(persona.id)}: {late[0]} {LOOK_AHEAD}")
    counts = {
        "personas": len(personas),
        **{
            name: sum(bool(getattr(persona, name)) for persona in personas)
            for name in ("task", "constraints", "budget", "dealbreakers", "patience", "style")
        },
    }
    if output is options.TextOrJson.json:
        print_json(counts)
    else:
        stated = ", ".join(f"{name} {count}" for name, count in counts.items() if name != "personas")
        typer.echo(f"{len(personas)} personas; of these state: {stated}")


def _model(name: str, given: dict[str, object]) -> ChatModel:
    from convsim.simulation import Assembly
    from convsim.simulation.config import StudyConfig

    flags: dict[str, dict[str, object]] = {"model": {"name": name, "settings": given or None}}
    return Assembly(StudyConfig().with_flags(flags)).model()


def _check_ours(failures: Path, *, force: bool) -> None:
    """Check that a file of failures would take the place of nobody's but an earlier one."""
    if force or not failures.exists():
        return
    with open_input(failures) as file:
        if file.read(len(BEGINS)) != BEGINS:
            raise InputError(f"{failures} exists already; name another --out, or replace it with --force")


def _write(drawn: Drawn, out: Path, failures: Path) -> None:
    """Write the personas and, where there are any, the failures; raises ConvsimError where there is no persona."""
    if drawn.failures:
        lines = ({"conversation": name, "reason": reason} for name, reason in drawn.failures.items())
        write_whole(failures, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    else:
        failures.unlink(missing_ok=True)
    if not drawn.personas:
        reason = Counter(drawn.failures.values()).most_common(1)[0][0]
        raise ConvsimError(
            f"no persona could be made of any of {len(drawn.failures)} conversations (most often: {plain(reason)}); "
            f"see {failures}, and run the same command to try again"
        )
    write_whole(out, "".join(_line(persona) for persona in drawn.personas))


def _line(persona: Persona) -> str:
    """Write a persona as a line; when its controls are known is stated."""
    fields = persona.model_dump(mode="json", exclude_unset=True)
    stated = [
        name for name in (*type(persona).model_fields, "metadata") if fields.get(name) not in (None, [])
    ]
    return (
        json.dumps({name: fields[name] for name in sorted(stated, key="metadata".__eq__)}, ensure_ascii=False)
        + "\n"
    )


def _report(drawn: Drawn, logs: Path, out: Path, failures: Path) -> None:
    from convsim.shoppers.needs import FIRST_MESSAGES

    talk = result()
    if drawn.n_unstated:
        talk.print(
            f"warning: {drawn.n_unstated} of {drawn.n} conversations in {logs} state no need in their user's first "
            f"{FIRST_MESSAGES} messages, before the agent names anything; they are left out"
        )
    if drawn.n_withheld:
        talk.print(
            f"{drawn.n_withheld} notes of the model are left out: the user had not said them, or they name what was "
            "shown"
        )
    spent = drawn.usage
    if spent.input_tokens or spent.output_tokens:
        price = "price unknown" if spent.cost_usd is None else f"${spent.cost_usd:.4f}"
        talk.print(f"{spent.input_tokens} input and {spent.output_tokens} output tokens, {price}")
    talk.print(
        f"shoppers with these personas are not judged on the people of {logs}; to keep some to judge them on, "
        "make personas of one half that convsim data split gives"
    )
    talk.print(f"wrote {len(drawn.personas)} personas to {out}")
    if drawn.failures:
        talk.print(f"{len(drawn.failures)} conversations gave none: see {failures}; --force tries them again")
        for reason, count in Counter(drawn.failures.values()).most_common(MAX_REASONS):
            talk.print(f"{count} of them: {plain(reason)}")
    if len(drawn.failures) > len(drawn.personas):
        raise typer.Exit(FAILED)
