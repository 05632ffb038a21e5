"""Unexpected exceptions: the traceback goes to a private file, and one line says where."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Mapping

from convsim._text import plain

MAX_MESSAGE_CHARACTERS = 2000
MAX_TRACEBACK_CHARACTERS = 1 << 20
SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")
"""Parts of the names of environment variables whose values are written nowhere."""
SHORTEST_SECRET = 6
"""Characters; what is shorter would be found in every other word."""


def say(text: str, *, kind: str = "error") -> None:
    """Print one line on stderr, without secrets and control characters; raises nothing where stderr is closed."""
    if sys.stderr is None:
        return
    line = plain(" ".join(without_secrets(text, os.environ).split()), limit=MAX_MESSAGE_CHARACTERS)
    try:
        print(f"{kind}: {line}", file=sys.stderr, flush=True)
    except (OSError, ValueError):  # nobody is there to read it
        return


def named(error: BaseException) -> str:
    """Name an exception and what it says; of a group, the first one in it."""
    leaf = first_of(error)
    try:
        message = str(leaf)
    except Exception:  # somebody else's __str__
        message = ""
    return f"{type(leaf).__name__}{': ' if message else ''}{message}"


def first_of(error: BaseException) -> BaseException:
    """Return the first exception of a group, or of the groups in it; any other as it is."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def save_traceback(error: BaseException, *, shown: bool = False) -> str:
    """Save the traceback, and return where it is, as the end of a sentence.

    It goes to a new file in the system's temporary folder that its owner alone can read; no local variables and no
    values of secret environment variables are in it.

    Args:
        error: What was raised.
        shown: Print it on stderr instead.
    """
    text = without_secrets("".join(traceback.format_exception(error))[-MAX_TRACEBACK_CHARACTERS:], os.environ)
    if shown and sys.stderr is not None:
        sys.stderr.write(plain(text, limit=MAX_TRACEBACK_CHARACTERS))
        return "the traceback is above"
    try:
        number, path = tempfile.mkstemp(prefix="convsim-traceback-", suffix=".txt")
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123, it is open
            file.write(text)
    except OSError as unwritten:
        return (
            f"the traceback could not be written ({unwritten.strerror or unwritten}); --traceback prints it"
        )
    return f"the traceback is in {path}"


def without_secrets(text: str, environment: Mapping[str, str]) -> str:
    """Put the names of secret environment variables in the place of their values."""
    secrets = [
        (value, name)
        for name, value in environment.items()
        if len(value) >= SHORTEST_SECRET and any(part in name.upper() for part in SECRET)
    ]
    for value, name in sorted(secrets, key=lambda secret: -len(secret[0])):
        text = text.replace(value, f"[{name}]")
    return text
