"""Reads a findings document back, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from convsim.battery import Scorecard
from convsim.errors import InputError
from convsim.readers.json_text import parse_json
from convsim.readers.problems import MalformedError, first_problem, shown

FINDINGS = "findings.json"
MAX_BYTES = 64 << 20
FAMILY = "convsim.findings/"
SCHEMA = f"{FAMILY}1"


def read_scorecard(path: Path) -> Scorecard:
    """Read ``findings.json``, or the one in a folder.

    Raises:
        InputError: There is none, it is larger than 64 MiB, damaged, no findings document, or of another version.
    """
    file = path / FINDINGS if path.is_dir() else path
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        found = f"is a folder without {FINDINGS}" if file != path else "there is no such file"
        raise InputError(f"{path}: {found}; convsim validate --out DIR writes one") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{file}: is larger than {MAX_BYTES >> 20} MiB, the most that is read")
    try:
        document = parse_json(data)
        _check_schema(document)
        try:
            return Scorecard.model_validate(document)
        except ValidationError as error:
            raise first_problem(error, document) from None
    except MalformedError as bad:
        raise InputError(f"{file}: {bad.field + ': ' if bad.field else ''}{bad.problem}") from None


def _check_schema(document: object) -> None:
    """Check which kind and version of document it is; raises MalformedError."""
    if not isinstance(document, dict):
        raise MalformedError(f"must be an object, but is {shown(document)}")
    schema = document.get("schema")
    if schema == SCHEMA:
        return
    if isinstance(schema, str) and schema.startswith(FAMILY):
        raise MalformedError(
            f"is {shown(schema)}, and this convsim reads {SCHEMA}; update convsim", field="schema"
        )
    raise MalformedError(f"is no findings document: its schema is {shown(schema)}, not {SCHEMA}")
