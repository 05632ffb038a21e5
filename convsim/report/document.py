"""Reads a findings document back, whoever wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from convsim._inputs import read_input
from convsim.errors import InputError
from convsim.evaluation import Comparison, Scorecard
from convsim.io.jsonl import parse_json
from convsim.io.problems import MalformedError, first_problem, shown

FINDINGS = "findings.json"
COMPARISON = "comparison.json"
MAX_BYTES = 64 << 20

Document = TypeVar("Document", Scorecard, Comparison)


def read_scorecard(path: Path | str) -> Scorecard:
    """Read ``findings.json``, or the one in a folder.

    Raises:
        InputError: There is none, it is larger than 64 MiB, damaged, not a findings document, or of another version.
    """
    return _read(Path(path), Scorecard, FINDINGS, "findings", "convsim validate --out DIR")


def read_comparison(path: Path | str) -> Comparison:
    """Read ``comparison.json``, or the one in a folder.

    Raises:
        InputError: There is none, it is larger than 64 MiB, damaged, not a comparison, or of another version.
    """
    return _read(Path(path), Comparison, COMPARISON, "comparison", "convsim compare --out DIR")


def _read(path: Path, kind: type[Document], name: str, family: str, command: str) -> Document:
    file = path / name if path.is_dir() else path
    try:
        data = read_input(file, MAX_BYTES)
    except FileNotFoundError:
        found = f"is a folder without {name}" if file != path else "there is no such file"
        raise InputError(f"{path}: {found}; {command} writes one") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from None
    try:
        document = parse_json(data)
        _check_schema(document, family)
        try:
            return kind.model_validate(document)
        except ValidationError as error:
            raise first_problem(error, document) from None
    except MalformedError as bad:
        raise InputError(f"{file}: {bad.field + ': ' if bad.field else ''}{bad.problem}") from None


def _check_schema(document: object, family: str) -> None:
    """Check which kind and version of document it is; raises MalformedError."""
    if not isinstance(document, dict):
        raise MalformedError(f"must be an object, but is {shown(document)}")
    schema, expected = document.get("schema"), f"convsim.{family}/1"
    if schema == expected:
        return
    if isinstance(schema, str) and schema.startswith(f"convsim.{family}/"):
        raise MalformedError(
            f"is {shown(schema)}, and this convsim reads {expected}; update convsim", field="schema"
        )
    raise MalformedError(f"is no {family} document: its schema is {shown(schema)}, not {expected}")
