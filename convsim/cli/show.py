"""``convsim show FILE [ID]``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsim.cli import options
from convsim.cli.console import err, out
from convsim.errors import InputError

if TYPE_CHECKING:
    from pydantic import JsonValue

    from convsim.schema.conversation import Conversation


def show(
    file: Annotated[Path, typer.Argument(help="A file of conversations or a run folder.")],
    conversation: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only this conversation.")
    ] = None,
    arm: Annotated[str | None, typer.Option(help="Only this arm.")] = None,
    ending: Annotated[str | None, typer.Option(help="Only this ending, e.g. left.")] = None,
    text: Annotated[str | None, typer.Option(help="Only conversations that contain this text.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of conversations.")] = 10,
    label: Annotated[
        str | None,
        typer.Option(help="Only conversations with a label NAME, or NAME=VALUE, e.g. satisfaction=0."),
    ] = None,
    findings: Annotated[
        Path | None, typer.Option(help="findings.json or its folder: sort by human-likeness, lowest first.")
    ] = None,
    hls: Annotated[
        str | None,
        typer.Option(
            metavar="LOW:HIGH", help="With --findings: only human-likeness in this range, e.g. 0:0.2."
        ),
    ] = None,
    reader: options.Reader = None,
    control_tokens: options.ControlTokens = None,
) -> None:
    """Read conversations in the terminal."""
    from convsim.io import read
    from convsim.report.transcript import transcript

    low, high = _bounds(hls, findings)
    scores = _scores(findings)
    found = [
        each
        for each in read(file, reader=reader, control_tokens=control_tokens).conversations
        if (conversation is None or each.id == conversation)
        and (arm is None or each.arm == arm)
        and (ending is None or each.ending == ending)
        and (label is None or _is_labelled(each, label))
        and (findings is None or low <= scores.get(each.id, -1.0) <= high)
        and (text is None or any(text.casefold() in message.content.casefold() for message in each.messages))
    ]
    if not found:
        raise InputError(
            f"{file}: no conversation {f'is called {conversation!r}' if conversation else 'passes these filters'}"
        )
    found.sort(key=lambda each: scores.get(each.id, 0.0))
    console = out()
    for each in found[:limit]:
        if each.id in scores:
            console.print(f"human-likeness {scores[each.id]:.3g}", style="bold")
        for part in transcript(each):
            console.print(part)
        console.print()
    if len(found) > limit:
        err().print(f"{limit} of {len(found)} shown; use --limit to show more")


def _scores(findings: Path | None) -> dict[str, float]:
    from convsim.web.blind_test import read_scores

    return read_scores(findings) if findings else {}


def _bounds(hls: str | None, findings: Path | None) -> tuple[float, float]:
    """Read ``LOW:HIGH``; raises InputError where it is malformed, or without findings that give the scores."""
    if hls is None:
        return 0.0, 1.0
    if findings is None:
        raise InputError("--hls needs --findings, the findings.json with each conversation's human-likeness")
    try:
        low, high = map(float, hls.split(":"))
    except ValueError as error:
        raise InputError(f"--hls {hls!r}: expected LOW:HIGH, such as 0:0.2") from error
    return low, high


def _is_labelled(conversation: Conversation, wanted: str) -> bool:
    """Tell whether the conversation or one of its messages has the label, with that value if one is named."""
    name, equals, value = wanted.partition("=")
    given = [
        label
        for labels in (conversation.labels, *(message.labels for message in conversation.messages))
        for label in labels.get(name, ())
    ]
    return any(not equals or value in _values(label.value) for label in given)


def _values(value: JsonValue) -> list[str]:
    """List a label's value, or the values in it, as somebody would type them."""
    parts = value if isinstance(value, list | dict) else [value]
    return [f"{part:g}" if isinstance(part, float) else str(part) for part in parts]
