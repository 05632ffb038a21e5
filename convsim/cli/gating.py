"""A team's gate at the command line: read before any work is done, told at the end; and a job's summary and JUnit."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from convsim._files import append_whole, is_stream, write_whole
from convsim._inputs import open_input
from convsim._text import plain
from convsim.cli.console import err, result
from convsim.cli.output import check_parent
from convsim.errors import InputError

if TYPE_CHECKING:
    from convsim.evaluation import Gate
    from convsim.metrics import Metrics
    from convsim.schema import GateResult

Settings = dict[str, dict[str, object]]
MAX_SUMMARY = 1_000_000
"""Bytes of one summary: GitHub shows none of a step whose summaries are longer than 1 MiB."""
CUT = "\n\nThe rest is left out: the summary is too long.\n"
JUNIT_BEGINS = b'<testsuites name="convsim"'


def read_gate(path: Path | None, asked: Collection[str], metrics: Metrics | None) -> Gate | None:
    """Read the gate that ``--gate`` names, and check all that can be before conversations are read.

    Args:
        path: The file; None where there is no gate.
        asked: Names of the validators that are asked.
        metrics: What they judge; None stands for the built-in metrics and every label.

    Raises:
        InputError: It cannot be read, or does not fit what is asked.
    """
    if path is None:
        return None
    from convsim.evaluation import Gate

    gate = Gate.read(path)
    gate.check(asked, metrics)
    return gate


def with_margins(gate: Gate | None, given: Mapping[str, Mapping[str, object]]) -> Settings:
    """Add a gate's margins to the settings that ``--set`` gives, which win."""
    margins = gate.settings() if gate is not None else {}
    for owner, settings in given.items():
        for name in sorted(margins.get(owner, {}).keys() & settings.keys()):
            err().print(f"--set {owner}.{name} wins over the gate's margin")
    return {owner: {**margins.get(owner, {}), **settings} for owner, settings in given.items()}


def tell(found: GateResult, *, of: str = "") -> None:
    """Say on stderr whether a gate failed, and list with values what did not pass; ``of`` names a simulator."""
    from convsim.report.gate import sentences

    first, *lines = sentences(found)
    result().print(f"{plain(of, limit=80)}: {first}" if of else first)
    for line in lines:
        result().print(line)


def check_summary(path: Path | None) -> None:
    """Check, before any work is done, that ``--summary`` names a file in a folder that is there; raises InputError."""
    if path == Path():
        raise InputError("--summary is empty; name a file (is the variable not set that should name it?)")
    if path is not None and not is_stream(path):
        check_parent(path)


def add_summary(path: Path, text: str) -> None:
    """Append a summary to a file, as many lines of it as a job's summary may have, and say so.

    Raises:
        InputError: The file does not take it.
    """
    encoded = text.encode()
    if len(encoded) > MAX_SUMMARY:
        text = encoded[: MAX_SUMMARY - len(CUT)].decode(errors="ignore").rpartition("\n")[0] + CUT
    append_whole(path, text)
    err().print(f"added a summary to {path}")


def check_junit(path: Path | None) -> None:
    """Check, before any work is done, that ``--junit`` names a file that can be written.

    Raises:
        InputError: It is empty, its folder is not there, or it is there already and holds something else than JUnit of
            an earlier call.
    """
    if path is None or is_stream(path):
        return
    if path == Path():
        raise InputError("--junit is empty; name a file (is the variable not set that should name it?)")
    check_parent(path)
    if os.path.lexists(path) and not _is_junit(path):
        raise InputError(
            f"--junit {path}: exists already and is not JUnit that convsim wrote; name another file"
        )


def _is_junit(path: Path) -> bool:
    try:
        with open_input(path) as file:
            return file.read(len(JUNIT_BEGINS)) == JUNIT_BEGINS
    except OSError:
        return False


def write_junit(path: Path | None, made: Callable[[], str]) -> None:
    """Write the document of JUnit that ``made`` returns where ``--junit`` names a file, and say so.

    Raises:
        InputError: The file does not take it.
    """
    if path is None:
        return
    check_junit(path)
    write_whole(path, made())
    err().print(f"wrote {path}")
