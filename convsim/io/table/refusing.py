"""Refuses what can be read in two ways, with the lines of a mapping of which one decides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from convsim.errors import InputError
from convsim.io.problems import shown
from convsim.io.table.profile import Column

MOST_CHARACTERS = 200


def quoted(key: str) -> str:
    """Return a key or text of TOML in quotation marks, on one line, cut where it is long."""
    written = json.dumps(key[:MOST_CHARACTERS], ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in written)


def two_readings(path: Path, meaning: str, columns: Sequence[Column]) -> InputError:
    """Return the error that two columns can both have a meaning."""
    both = " and ".join(f"{shown(c.name)} (such as {shown(c.example)})" for c in columns)
    lines = " or ".join(f"columns.{meaning} = {quoted(c.name)}" for c in columns)
    return InputError(
        f"{path}: {both} can both be the {meaning}; state which in a file for --map, one line: {lines}"
    )
