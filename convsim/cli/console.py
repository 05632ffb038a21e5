"""Output: data to stdout, messages to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection

import typer
from rich.console import Console

from convsim.errors import InputError

PIPE_WIDTH = 120
"""Columns of a table that goes to a file or a pipe."""


class _Pipe(Console):
    """A console whose reader may go away: that is for ``main`` to handle, not for rich."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def out() -> Console:
    """Return the console on stdout; wide enough for its tables when it is not a terminal.

    Raises:
        InputError: There is no stdout.
    """
    if sys.stdout is None:
        raise InputError("standard output is closed")
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return _Pipe(highlight=False, markup=False, emoji=False, width=width)


def err() -> Console:
    """Return the console on stderr."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_json(document: object) -> None:
    """Print a document for another program to read, indented."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


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
            raise InputError(
                f"--set {setting!r}: expected OWNER.FIELD=VALUE, where OWNER is one of {', '.join(known)}"
            )
        try:
            settings[owner][field] = json.loads(text)
        except ValueError:
            settings[owner][field] = text
    return settings
