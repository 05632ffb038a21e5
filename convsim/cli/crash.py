"""Unexpected exceptions: the traceback goes to a private file, and one line says where."""

from __future__ import annotations

import sys
import tempfile
import traceback
from contextlib import suppress

from convsim._secrets import know_environment, without_keys
from convsim._text import plain
from convsim.cli.talk import TALK, emit

MAX_MESSAGE_CHARACTERS = 2000
MAX_TRACEBACK_CHARACTERS = 1 << 20


def say(text: str, *, kind: str = "error") -> None:
    """Print one line on stderr, without secrets and control characters; raises nothing where stderr is closed."""
    if sys.stderr is None or (TALK.quiet and kind != "error"):
        return
    line = plain(" ".join(_hidden(text[: 10 * MAX_MESSAGE_CHARACTERS]).split()), limit=MAX_MESSAGE_CHARACTERS)
    if TALK.log_json:
        emit(kind, line)
        return
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

    It goes to a new file in the system's temporary folder that its owner alone can read; no local variables, no values
    of secret environment variables and nothing else that looks like a key are in it.

    Args:
        error: What was raised.
        shown: Print it on stderr instead.
    """
    text = _hidden("".join(traceback.format_exception(error))[-2 * MAX_TRACEBACK_CHARACTERS :])[
        -MAX_TRACEBACK_CHARACTERS:
    ]
    if shown and sys.stderr is not None:
        with suppress(OSError, ValueError):  # nobody is there to read it
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


def _hidden(text: str) -> str:
    know_environment()
    return without_keys(text)
