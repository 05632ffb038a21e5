"""``convsim show FILE [ID]``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convsim.cli.console import err, out
from convsim.errors import InputError


def show(
    file: Annotated[Path, typer.Argument(help="A file of conversations or a run folder.")],
    conversation: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only this conversation.")
    ] = None,
    arm: Annotated[str | None, typer.Option(help="Only this arm.")] = None,
    ending: Annotated[str | None, typer.Option(help="Only this ending, e.g. left.")] = None,
    text: Annotated[str | None, typer.Option(help="Only conversations in which somebody says this.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 10,
    reader: Annotated[str | None, typer.Option(help="convsim, openai or convapparel.")] = None,
) -> None:
    """Read conversations in the terminal."""
    from convsim.readers import read
    from convsim.report.transcript import transcript

    found = [
        each
        for each in read(file, reader=reader).conversations
        if (conversation is None or each.id == conversation)
        and (arm is None or each.arm == arm)
        and (ending is None or each.ending == ending)
        and (text is None or any(text.casefold() in message.content.casefold() for message in each.messages))
    ]
    if not found:
        raise InputError(
            f"{file}: no conversation {f'is called {conversation!r}' if conversation else 'passes these filters'}"
        )
    console = out()
    for each in found[:limit]:
        for part in transcript(each):
            console.print(part)
        console.print()
    if len(found) > limit:
        err().print(f"{limit} of {len(found)} shown; --limit shows more")
