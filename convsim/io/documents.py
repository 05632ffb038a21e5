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
    if path.suffix.lower() == ".zip":
        members = read_zip(path, (".json",))
        _, n, data, sha256 = next(members)
        members.close()
        if n > 1:
            raise TranscriptError(path, f"must contain one .json file, but contains {n}")
    else:
        data, sha256 = read_document(path)
    try:
        return Document(path, sha256, parse_json(data))
    except MalformedError as bad:
        raise TranscriptError(path, bad.problem) from None


def format_of(content: JsonValue) -> DocumentFormat | None:
    """Tell a document's format by keys that no other one has; None where none is there."""
    if isinstance(content, list):
        return "dialoguekit" if any(map(_is_dialogue, content[:HEAD])) else None
    if not isinstance(content, dict):
        return None
    archived = content.get("conversations")
    if archived == [] or any(map(_is_archived, _listed(archived)[:HEAD])):
        return "convapparel"
    if {"info", "tasks"} <= content.keys() or {"info", "simulations"} <= content.keys():
        return "tau2"
    return "mirrorbench" if {"spec", "turns"} <= content.keys() else None


HEAD = 8
"""How many elements of a list are looked at."""


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _is_archived(value: JsonValue) -> bool:
    """Tell whether it is a conversation of ConvApparel's."""
    if not isinstance(value, dict):
        return False
    turns = _listed(value.get("turns"))[:HEAD]
    return "task_id" in value or any(isinstance(turn, dict) and "user_utterance" in turn for turn in turns)


def _is_dialogue(value: JsonValue) -> bool:
    """Tell whether it is a dialogue of DialogueKit's."""
    if not isinstance(value, dict) or not isinstance(value.get("conversation"), list):
        return False
    said = value["conversation"]
    return isinstance(said, list) and any(
        isinstance(each, dict) and "utterance" in each for each in said[:HEAD]
    )
