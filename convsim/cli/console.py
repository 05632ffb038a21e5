"""Output: data to stdout, messages to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING

import typer

from convsim._text import nearest, visible_json
from convsim.cli.talk import TALK
from convsim.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 120
"""Columns of a table that goes to a file or a pipe."""


def out() -> Console:
    """Return the console on stdout; wide enough for its tables when it is not a terminal.

    Raises:
        InputError: There is no stdout.
    """
    from convsim.cli.consoles import Pipe

    if sys.stdout is None:
        raise InputError("standard output is closed")
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Pipe(highlight=False, markup=False, emoji=False, width=width)


def say_cached(said: str) -> None:
    """Say on stderr what was taken from the cache."""
    err().print(said, markup=False, highlight=False)


def err() -> Console:
    """Return the console on stderr; control characters in texts, such as paths and names, are replaced.

    What is printed there is a record with ``--log-json``, and with ``-q`` it is left out.
    """
    return _messages(is_result=False)


def result() -> Console:
    """Return a console as ``err`` does, for what a command has come to, which ``-q`` does not leave out.

    That is the result of a command that prints none on stdout, and the reason of an exit code that is not 0.
    """
    return _messages(is_result=True)


def _messages(*, is_result: bool) -> Console:
    from convsim.cli.consoles import Messages

    return Messages(
        is_result=is_result, stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True,
        force_terminal=False if TALK.log_json else None,
    )  # fmt: skip


def print_json(document: object) -> None:
    """Print a document for another program to read, indented."""
    echo_json(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def echo_json(text: str) -> None:
    """Print a written document of JSON; what a terminal would obey in it is escaped."""
    typer.echo(visible_json(text), nl=False)


def parse_settings(given: list[str], known: Collection[str]) -> dict[str, dict[str, object]]:
    """Read ``--set OWNER.FIELD=VALUE``; values are JSON where they can be, else text.

    Raises:
        InputError: Not of that form, or an owner that is not known.
    """
    settings: dict[str, dict[str, object]] = {owner: {} for owner in known}
    for setting in given:
        place, equals, text = setting.partition("=")
        # An owner may be called module:thing, and a module may have dots in its name.
        owners = [owner for owner in settings if place.startswith(f"{owner}.")]
        owner = max(owners, key=len, default="")
        field = place[len(owner) + 1 :]
        if not equals or not owner or not field:
            meant = nearest(place.partition(".")[0], known)
            raise InputError(
                f"--set {setting!r}: expected OWNER.FIELD=VALUE, where OWNER is one of {', '.join(known)}"
                + (f"; did you mean {meant!r}?" if meant and meant != place.partition(".")[0] else "")
            )
        try:
            settings[owner][field] = json.loads(text)
        except (ValueError, RecursionError):
            settings[owner][field] = text
    return settings
