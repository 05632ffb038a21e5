"""How much a command says on stderr, and whether in lines for people or in records of JSON."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from convsim._text import plain
from convsim.cli.examples import leaves
from convsim.errors import InputError

VARIABLES = ("CONVSIM_VERBOSE", "CONVSIM_QUIET", "CONVSIM_LOG_JSON")
"""They hold for all commands: how much is said changes nothing of what a command is, nor of its exit code."""
OPTIONS = ("--verbose", "--quiet", "--log-json")
NO, YES = ("", "0", "false", "no", "off"), ("1", "true", "yes", "on")
MAX_VERBOSE = 2
LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
"""Of convsim's loggers, by how often -v was given."""
MAX_CHARACTERS = 10_000
"""Of a message."""


@dataclass
class Talk:
    """What was asked for, by variables first and then by options."""

    verbose: int = 0
    quiet: bool = False
    log_json: bool = False
    _typed_verbose: int = 0
    _typed_quiet: bool = False

    def begin(self, environment: Mapping[str, str]) -> list[str]:
        """Take what the environment says; return a warning for each variable that says nothing of use."""
        self._typed_verbose, self._typed_quiet = 0, False
        loud, quiet, log_json = (environment.get(name, "").strip().lower() for name in VARIABLES)
        self.log_json, self.quiet = log_json in YES, quiet in YES
        self.verbose = (
            0 if self.quiet or loud in NO else int(loud) if loud in ("1", "2") else int(loud in YES)
        )
        self.apply()
        known = ((loud, (*NO, *YES, "2"), "1 or 2"), (quiet, (*NO, *YES), "1"), (log_json, (*NO, *YES), "1"))
        return [
            f"{name} has no effect: expected {what}, but it is {plain(value, limit=40)!r}"
            for name, (value, accepted, what) in zip(VARIABLES, known, strict=True)
            if value not in accepted
        ]

    def ask(self, *, verbose: int = 0, quiet: bool = False, log_json: bool = False) -> None:
        """Take what options say, before a command's name and after it; they win over the environment.

        Raises:
            InputError: Both more and less is asked for.
        """
        if quiet:
            self._typed_quiet, self.quiet = True, True
        if verbose:
            self._typed_verbose = min(self._typed_verbose + verbose, MAX_VERBOSE)
        if self._typed_quiet and self._typed_verbose:
            raise InputError("-v says more and -q says less: give one of them")
        if self._typed_verbose:
            self.verbose, self.quiet = self._typed_verbose, False
        if self.quiet:
            self.verbose = 0
        self.log_json = self.log_json or log_json
        self.apply()

    def apply(self) -> None:
        """Let convsim's loggers say as much."""
        logging.getLogger("convsim").setLevel(logging.ERROR if self.quiet else LEVELS[self.verbose])


TALK = Talk()
"""Of this process."""


def give_talk_options(command: Any) -> None:
    """Let every command take these options behind its name too."""
    shared = [copy(each) for each in command.params if each.opts[0] in OPTIONS]
    for each in shared:
        each.help = each.help.partition(" [env var")[0]  # the first page names the variables
    for _, leaf in leaves(command):
        leaf.params = [*leaf.params, *shared]


def record(level: str, logger: str, message: str, fields: Mapping[str, Any] | None = None) -> str:
    """Return a line of JSON without its end."""
    said = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": level,
        "logger": logger,
        "message": plain(message, limit=MAX_CHARACTERS),
        "fields": dict(fields or {}),
    }
    return json.dumps(said, ensure_ascii=True, default=str)


def emit(
    level: str, message: str, *, logger: str = "convsim.cli", fields: Mapping[str, Any] | None = None
) -> None:
    """Write a record of JSON to stderr; raises nothing where that is closed."""
    if sys.stderr is None:
        return
    write = getattr(sys.stderr, "write_record", sys.stderr.write)
    try:
        write(record(level, logger, message, fields) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # nobody is there to read it
        return
