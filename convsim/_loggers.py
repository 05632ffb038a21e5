"""Loggers of convsim: what they say is one bounded line without secrets, whoever's handler takes it."""

from __future__ import annotations

import logging
import traceback

from convsim._secrets import without_keys, without_keys_in
from convsim._text import plain

ROOT = "convsim"
MAX_CHARACTERS = 2_000
"""Of a message."""
MAX_TRACEBACK_CHARACTERS = 20_000
"""Of the end of a traceback."""

# A library configures no handler: without one of its user's, nothing is printed.
logging.getLogger(ROOT).addHandler(logging.NullHandler())


class _Safe(logging.Filter):
    """Puts a record's own text in place of what it was made of, before any handler sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            self._make_safe(record)
        except Exception:  # nothing of it can be read: somebody's __str__, or fields that hold themselves
            record.msg, record.args, record.exc_info = "a message that cannot be shown", None, None
            record.fields = {}
        return True

    def _make_safe(self, record: logging.LogRecord) -> None:
        try:
            said = record.getMessage()
        except Exception:  # somebody's __str__
            said = str(record.msg)
        # Cut before secrets are looked for, which takes time, and again where a secret's name made it longer.
        said = " ".join(without_keys(said[: 10 * MAX_CHARACTERS]).split())
        record.msg, record.args = plain(said, limit=MAX_CHARACTERS), None
        if (found := getattr(record, "fields", None)) is not None:
            record.fields = without_keys_in(found)
        if record.exc_info and record.exc_info[1] is not None:
            whole = "".join(traceback.format_exception(record.exc_info[1]))[-2 * MAX_TRACEBACK_CHARACTERS :]
            record.exc_text = plain(
                without_keys(whole)[-MAX_TRACEBACK_CHARACTERS:], limit=MAX_TRACEBACK_CHARACTERS
            )


SAFE = _Safe()


def logger_of(name: str) -> logging.Logger:
    """Return the logger of a module, below ``convsim``.

    What stands beside the message goes into ``extra={"fields": {...}}``, in values that JSON has.
    """
    logger = logging.getLogger(name)
    logger.addFilter(SAFE)
    return logger
