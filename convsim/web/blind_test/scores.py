"""Reads an automatic discriminator's score of each conversation from ``findings.json``."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from convsim.errors import InputError

KEY = "conversation_scores"
MAX_BYTES = 200_000_000


def read_scores(path: Path) -> dict[str, float]:
    """Return human-likeness, from 0 to 1, by conversation id, from the details of a findings file's ``hls``.

    Raises:
        InputError: The file cannot be read, is no findings file, or holds no such scores.
    """
    file = path / "findings.json" if path.is_dir() else path
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InputError(f"{file}: is larger than {MAX_BYTES // 1_000_000} MB; that is no findings.json")
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: is no JSON; a findings.json is needed") from error
    findings = document.get("findings") if isinstance(document, dict) else None
    if not isinstance(findings, list):
        raise InputError(f"{file}: is no findings.json; it has no list of findings")
    for finding in findings:
        details = finding.get("details") if isinstance(finding, dict) else None
        listed = details.get(KEY) if isinstance(details, dict) else None
        if isinstance(listed, dict):
            return _merged(file, [side for side in listed.values() if isinstance(side, dict)])
    raise InputError(
        f"{file}: no finding has {KEY}; convsim validate REAL SIM --validators humanlikeness --out DIR writes them"
    )


def _merged(file: Path, sides: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """Put both sides' scores together; an id of both names no one conversation, and is left out."""
    counts = Counter(name for side in sides for name in side)
    return {
        name: _score(file, name, value)
        for side in sides
        for name, value in side.items()
        if value is not None and counts[name] == 1
    }


def _score(file: Path, name: object, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{file}: {KEY} of {str(name)[:80]!r} must be a finite number")
    return float(value)
