"""JSON documents that are read whole, and whose format their content tells."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import JsonValue

from convsim.errors import TranscriptError
from convsim.io.containers import Found, Kind, Records, json_files
from convsim.io.files import read_document, read_zip
from convsim.io.formats.contract import HEAD_RECORDS, Record
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


RESULTS, SIMULATIONS = "results.json", "simulations"
"""What tau2-bench's directory format calls its file, and the folder of its simulations."""


def with_simulations(document: Document) -> Document:
    """Return results of tau2-bench with the simulations that its directory format has in files of their own.

    They lie in the folder ``simulations`` beside ``results.json``, in the order of their names.

    Raises:
        TranscriptError: One cannot be read, or the index names more than there are.
    """
    content, folder = document.content, document.path.parent / SIMULATIONS
    if not isinstance(content, dict) or content.get("simulations") or not folder.is_dir():
        return document
    digest = hashlib.sha256(document.sha256.encode())
    simulations: list[JsonValue] = []
    for file in json_files(folder):
        each = load_document(file)
        digest.update(f"{file.name}\0{each.sha256}\n".encode(errors="surrogateescape"))
        simulations.append(each.content)
    index = content.get("simulation_index")
    if isinstance(index, list) and len(index) > len(simulations):
        raise TranscriptError(
            document.path,
            f"names {len(index)} simulations, but {folder.name} holds {len(simulations)}",
            field="simulation_index",
        )
    return Document(document.path, digest.hexdigest(), {**content, "simulations": simulations})


class First(NamedTuple):
    """The first record that is none that is bad, and all that stood before it, itself included."""

    record: Record | None
    held: list[Found]


def next_record(found: Iterator[Found]) -> First:
    """Take records up to the first good one."""
    held: list[Found] = []
    for each in islice(found, HEAD_RECORDS):
        held.append(each)
        if isinstance(each, Record):
            return First(each, held)
    return First(None, held)


def document_format(record: Record, kind: Kind) -> DocumentFormat | None:
    """Tell whether a record is a document that is read as a whole, such as one of DialogueKit's dialogues on a line."""
    return None if kind == "rows" else format_of(record.value)


class Documents(NamedTuple):
    """Documents of one format, and how many records were none."""

    found: list[Document]
    skipped: int


def documents_of(
    found: Iterable[Found], records: Records, format: DocumentFormat, *, skip_bad: bool
) -> Documents:
    """Gather documents of one format from what holds them; DialogueKit's dialogues are put together in one.

    Raises:
        TranscriptError: A record is another format's or none at all, and ``skip_bad`` is false.
    """
    good: list[Record] = []
    skipped = 0
    for each in found:
        if isinstance(each, Record) and format_of(each.value) == format:
            good.append(each)
            continue
        why = f"is not of the format {format}, as what stands before it is"
        bad = each.bad(why) if isinstance(each, Record) else each
        if not skip_bad:
            raise TranscriptError(records.path, bad.problem, line=bad.line, field=bad.field)
        skipped += 1
    path, sha256 = records.path, records.sha256
    if format == "dialoguekit" and len(good) > 1:
        dialogues = [dialogue for record in good for dialogue in dialogues_in(record.value)]
        return Documents([Document(path, sha256, dialogues)], skipped)
    whole = [Document(path / r.file if r.file else path, sha256, r.value) for r in good]
    return Documents([with_simulations(each) if format == "tau2" else each for each in whole], skipped)


def dialogues_in(content: JsonValue) -> list[JsonValue]:
    """Return DialogueKit's dialogues: a list, that of a documented export with its agent and user, or the only one."""
    if not isinstance(content, dict):
        return _listed(content)
    if "dialogues" not in content:
        return [content]
    shared = {name: content[name] for name in ("agent", "user") if content.get(name) is not None}
    dialogues = _listed(content["dialogues"])
    return [{**shared, **entry} if isinstance(entry, dict) else entry for entry in dialogues]


def format_of(content: JsonValue) -> DocumentFormat | None:
    """Tell a document's format by keys that no other one has; None where none is there."""
    if isinstance(content, list):
        return "dialoguekit" if any(map(is_dialogue, content[:HEAD])) else None
    if not isinstance(content, dict):
        return None
    if is_dialogue(content) or any(map(is_dialogue, _listed(content.get("dialogues"))[:HEAD])):
        return "dialoguekit"
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


def is_dialogue(value: JsonValue) -> bool:
    """Tell whether it is a dialogue of DialogueKit's."""
    if not isinstance(value, dict) or not isinstance(value.get("conversation"), list):
        return False
    said = value["conversation"]
    return isinstance(said, list) and any(
        isinstance(each, dict) and "utterance" in each for each in said[:HEAD]
    )
