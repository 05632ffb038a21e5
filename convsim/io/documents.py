"""JSON documents that are read whole, and whose format their content tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from convsim.errors import TranscriptError
from convsim.io.files import read_document, read_zip
from convsim.io.jsonl import parse_json
from convsim.io.problems import MalformedError

DocumentFormat = Literal["convapparel", "tau2", "dialoguekit", "mirrorbench"]


@dataclass(frozen=True)
class Document:
    """A parsed file; ``sha256`` is of its bytes on disk."""

    path: Path
    sha256: str
    content: JsonValue = field(repr=False)


def load_document(path: Path) -> Document:
    """Read and parse a file, or the one ``.json`` member of a ``.zip``; raises TranscriptError."""
    data, sha256 = (read_zip if path.suffix.lower() == ".zip" else read_document)(path)
    try:
        return Document(path, sha256, parse_json(data))
    except MalformedError as bad:
        hint = (
            " (a file with one JSON object per line should end in .jsonl)"
            if "trailing" in bad.problem
            else ""
        )
        raise TranscriptError(path, f"{bad.problem}{hint}") from None


def format_of(content: JsonValue) -> DocumentFormat:
    """Tell a document's format by keys that no other one has; ConvApparel where none is there."""
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return "dialoguekit" if "conversation" in content[0] else "convapparel"
    keys = content.keys() if isinstance(content, dict) else frozenset()
    if "conversations" in keys:
        return "convapparel"
    if {"info", "tasks"} <= keys or {"info", "simulations"} <= keys:
        return "tau2"
    return "mirrorbench" if {"spec", "turns"} <= keys else "convapparel"


def knows_document(content: JsonValue) -> bool:
    """Tell whether a built-in reader knows a document by its keys."""
    keys = content.keys() if isinstance(content, dict) else frozenset()
    return "conversations" in keys or format_of(content) != "convapparel"
