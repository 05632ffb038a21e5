"""Reads any file or folder of conversations, or a run folder, by its content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal, get_args

from pydantic import JsonValue

from convsim._loggers import logger_of
from convsim._progress import step
from convsim._text import listed
from convsim.errors import PluginError, TranscriptError
from convsim.io.by_content import gather, look, refuse
from convsim.io.containers import JSON_ENDINGS, open_records
from convsim.io.documents import (
    RESULTS,
    SIMULATIONS,
    Document,
    document_format,
    documents_of,
    load_document,
    next_record,
    with_simulations,
)
from convsim.io.files import STDIN, bulk_load
from convsim.io.finishing import finished
from convsim.io.formats.convapparel import read_convapparel
from convsim.io.formats.dialoguekit import read_dialoguekit
from convsim.io.formats.known import BY_NAME, FIRST, FORMATS
from convsim.io.formats.mirrorbench import ARTIFACTS, read_episode, read_episodes
from convsim.io.formats.openai_messages import OPENAI as OPENAI_FORMAT
from convsim.io.formats.openai_messages import STRICT
from convsim.io.formats.tau2 import read_tau2
from convsim.io.hub import is_hub
from convsim.io.lines import read_run
from convsim.io.parquet import MESSAGES, WHOLE, columns_of, read_parquet
from convsim.io.problems import shown
from convsim.io.registry import (
    ForeignReader,
    ReaderLike,
    find_foreign,
    reader_names,
    recognising,
    unknown,
)
from convsim.io.table.records import TableRecords, holds_json
from convsim.io.transcripts import Transcripts, joined
from convsim.plugins import installed, load
from convsim.text.control_tokens import shipped, with_own

LOG = logger_of("convsim.io")
OwnName = Literal[
    "convsim", "openai", "convapparel", "tau2", "dialoguekit", "mirrorbench", "mirrorbench-people"
]
ENDINGS = (*sorted(JSON_ENDINGS, key=len, reverse=True), ".parquet", ".zip")
"""What the name of a file ends in whose content is looked at before installed readers are asked."""
TABLES = (".csv", ".tsv", ".xlsx", ".xls", ".ods", ".tab", ".csv.gz", ".tsv.gz")
DELIMITED = (".csv", ".tsv", ".tab", ".csv.gz", ".tsv.gz", ".csv.zst", ".tsv.zst")
IMPORT = "convsim data import"
IN_RUN = "conversations.jsonl"


@dataclass(frozen=True)
class OwnReader:
    """A built-in reader, as a plugin."""

    name: OwnName

    def read(self, path: Path) -> Transcripts:
        """Read a file or folder of its format; raises TranscriptError."""
        return read(path, reader=self.name)


CONVSIM, OPENAI = OwnReader("convsim"), OwnReader("openai")
CONVAPPAREL, TAU2, DIALOGUEKIT = OwnReader("convapparel"), OwnReader("tau2"), OwnReader("dialoguekit")
MIRRORBENCH, MIRRORBENCH_PEOPLE = OwnReader("mirrorbench"), OwnReader("mirrorbench-people")
OWN: tuple[OwnName, ...] = get_args(OwnName)
READERS: tuple[str, ...] = tuple(dict.fromkeys([*OWN, *BY_NAME]))
"""The names of the built-in readers."""


def read(
    path: str | Path,
    *,
    reader: ReaderLike | None = None,
    skip_bad_lines: bool = False,
    survey_map: str | Path | None = None,
    control_tokens: str | Path | Sequence[str] | None = None,
    simulator: str | None = None,
) -> Transcripts:
    """Read a file of conversations, or a run folder.

    Control tokens of simulators (``###STOP###``, ``[ACCEPT]``) are cut out of users' messages, kept in
    ``metadata.stop_tokens`` and warned of; what they say of the ending is taken up where nothing else does.

    Args:
        path: A file of JSON lines or documents, Parquet, a zip or a folder of them, packed or not, whatever its name;
            ``-`` for standard input, ``hf://owner/name[:split]``; a folder that holds ``conversations.jsonl``.
        reader: A built-in reader's name (``READERS``), an installed one's, ``module:thing``, a function of a path that
            yields conversations, or an object with ``read``; told by content by default. An installed reader is asked
            whether it recognises what convsim's own format, plain OpenAI messages, ConvApparel, tau2-bench, DialogueKit
            and MirrorBench are not.
        skip_bad_lines: Skip and count bad lines instead of stopping at the first.
        survey_map: TOML that maps survey questions to labels; for ConvApparel, the built-in one by default.
        control_tokens: More tokens to cut: a TOML file with ``tokens = [...]``, or the tokens, divided by commas.
        simulator: Names the simulator of conversations that name none, as most formats do not.

    Raises:
        TranscriptError: file, line, field and what was expected.
        MissingExtraError: The file needs a package that is not installed.
        PluginError: No such reader, something that is none, or several that recognise the file.
        InputError: A survey map that cannot be used.
    """
    path = Path(path)
    chosen = _reader(reader)
    tokens = shipped() if control_tokens is None else with_own(control_tokens)
    survey = Path(survey_map) if survey_map else None
    with bulk_load(), step(f"reading {path.name or path}", unit="conversations"):
        if chosen is None and _is_strange(path):
            chosen = recognising(path, READERS)
        if isinstance(chosen, ForeignReader):
            found = chosen.read(path, skip_bad=skip_bad_lines)
        elif path.is_dir():
            found = _read_folder(path, chosen, skip_bad=skip_bad_lines)
        elif chosen in DOCUMENTS:
            document = with_simulations(load_document(path)) if chosen == "tau2" else load_document(path)
            found = _read_document(document, chosen, skip_bad=skip_bad_lines, survey_map=survey)
        else:
            found = _read_records(path, chosen, skip_bad=skip_bad_lines, survey_map=survey)
        whole = finished(found, tokens, needs_agent=found.format in NEED_AGENTS, simulator=simulator)
    LOG.info(
        "read %d conversations from %s as %s, %d bad lines skipped", len(whole.conversations), path, whole.format,
        whole.skipped,
    )  # fmt: skip
    return whole


def stem_of(path: Path) -> str:
    """Return the name of a file without the ending that it is read by; a run folder's whole name."""
    if path == STDIN:
        return "stdin"
    for ending in ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.absolute().name


def _reader(wanted: ReaderLike | None) -> str | ForeignReader | None:
    if wanted is None:
        return None
    if isinstance(wanted, OwnReader):
        return wanted.name
    if not isinstance(wanted, str) or (wanted not in READERS and ":" in wanted):
        return find_foreign(wanted)
    registered = wanted in installed("readers")
    if registered:
        load("readers", wanted)  # refuses a name that two packages have
    if wanted in OWN or (wanted in READERS and not registered):
        return wanted
    if not registered:
        raise PluginError(unknown(wanted, READERS))
    return find_foreign(wanted)


NEED_AGENTS = frozenset({"openai", "openai-parquet", *(format.name for format in FORMATS)})
"""Formats whose files are refused where no agent says anything: it was misread. Of convsim's own it is warned."""

DOCUMENTS: dict[str, tuple[str, ...]] = {
    "convapparel": ("metadata", "conversations", "task_id", "turns"),
    "tau2": ("info", "tasks", "simulations"),
    "dialoguekit": ("conversation ID", "conversation", "agent", "user", "dialogues"),
    "mirrorbench": ("spec", "turns", "telemetry"),
    "mirrorbench-people": (),
}
"""The formats whose documents are read as a whole, and the keys that they have."""
TITLES = {
    "convapparel": "ConvApparel",
    "tau2": "tau2-bench",
    "dialoguekit": "DialogueKit",
    "mirrorbench": "MirrorBench",
}


def _is_strange(path: Path) -> bool:
    """Tell whether installed readers are asked before anything is looked at: the name is none that convsim knows."""
    if path.is_dir():
        return not (path / IN_RUN).exists() and not (path / ARTIFACTS).is_dir()
    return path.is_file() and not path.name.lower().endswith(ENDINGS)


def _read_document(
    document: Document, format: str | None, *, skip_bad: bool, survey_map: Path | None
) -> Transcripts:
    if format == "tau2":
        return read_tau2(document, skip_bad=skip_bad)
    if format == "dialoguekit":
        return read_dialoguekit(document, skip_bad=skip_bad)
    if format == "mirrorbench" or format == "mirrorbench-people":
        return read_episode(document, skip_bad=skip_bad, people=format == "mirrorbench-people")
    return read_convapparel(document, skip_bad=skip_bad, survey_map=survey_map)


def _read_folder(folder: Path, reader: str | None, *, skip_bad: bool) -> Transcripts:
    file = folder / IN_RUN
    if file.exists():
        return replace(read_run(file, skip_bad=skip_bad), path=folder)
    people = reader == "mirrorbench-people"
    if people or reader == "mirrorbench" or (reader is None and (folder / ARTIFACTS).is_dir()):
        return read_episodes(folder, skip_bad=skip_bad, people=people)
    results = folder / RESULTS
    if reader in (None, "tau2") and results.is_file() and (folder / SIMULATIONS).is_dir():
        document = with_simulations(load_document(results))
        return replace(_read_document(document, "tau2", skip_bad=skip_bad, survey_map=None), path=folder)
    if reader in DOCUMENTS:
        raise TranscriptError(
            folder, f"is a folder, and {TITLES[reader]} is read from a file; name the file in it"
        )
    for format in FORMATS:
        if format.in_folder and reader in (None, format.name) and (folder / format.in_folder).is_file():
            found = _read_records(folder / format.in_folder, reader, skip_bad=skip_bad, survey_map=None)
            return replace(found, path=folder)
    return _read_records(folder, reader, skip_bad=skip_bad, survey_map=None)


def _read_records(path: Path, reader: str | None, *, skip_bad: bool, survey_map: Path | None) -> Transcripts:
    """Read what holds records; where no built-in reader of old knows them, installed ones are asked."""
    if path.name.lower().endswith(DELIMITED) and path.is_file() and not holds_json(path):
        return _read_table(path, reader, skip_bad=skip_bad)
    try:
        records = open_records(path)
        if records.kind == "rows" and not is_hub(path):
            columns = columns_of(path)
            if reader == "convsim" or (reader is None and columns.get(WHOLE) == "text"):
                return read_parquet(path, skip_bad=skip_bad)
            lists = columns.get(MESSAGES, "none" if reader is None else "list") in ("list", "other")
            if reader in (None, "openai") and lists:
                rows = open_records(path, of_messages=True)
                return gather(OPENAI_FORMAT, rows, rows, skip_bad=skip_bad, named="openai-parquet")
        if reader is not None:
            format = STRICT if reader == "convsim" else BY_NAME[reader]
            return gather(format, records, records, skip_bad=skip_bad)
        found = iter(records)
        first = next_record(found)
        if first.record is not None and (named := document_format(first.record, records.kind)):
            documents = documents_of(chain(first.held, found), records, named, skip_bad=skip_bad)
            read_one = partial(_read_document, format=named, skip_bad=skip_bad, survey_map=survey_map)
            return joined([read_one(each) for each in documents.found], records, documents.skipped)
        known = look(chain(first.held, found), FIRST)
    except TranscriptError:
        if reader is None and path.is_file() and (foreign := recognising(path, READERS)):
            return foreign.read(path, skip_bad=skip_bad)
        raise
    unknown_yet = known.format is None and known.first is not None and not _is_strange(path)
    if unknown_yet and (foreign := recognising(path, READERS)):
        return foreign.read(path, skip_bad=skip_bad)
    if known.format is None:
        known = look(known.records, FORMATS)
    if known.format is not None:
        return gather(known.format, known.records, records, skip_bad=skip_bad)
    if known.first is None and _is_strange(path) and path.is_file():
        raise TranscriptError(path, _no_kind(path))
    return refuse(known.records, records, skip_bad=skip_bad, why=_nobody_knows)


def _read_table(path: Path, reader: str | None, *, skip_bad: bool) -> Transcripts:
    """Read separated values whose columns are those of a known format; any other table is imported."""
    if reader in OWN:
        raise TranscriptError(path, _no_kind(path))
    rows = TableRecords(path)
    format = BY_NAME[reader] if reader else look(rows, FORMATS).format
    if format is None:
        raise TranscriptError(path, _no_kind(path))
    return gather(format, rows, rows, skip_bad=skip_bad)


def _no_kind(path: Path) -> str:
    if path.name.lower().endswith(TABLES):
        return f"is a table; one row a message is read by: {IMPORT} {path.name}, in Python convsim.read_table"
    kinds = f"{', '.join(JSON_ENDINGS)}, .parquet, a .zip or folder of them, or a run folder"
    known = ", ".join(reader_names(READERS))
    return (
        f"is not a known format; expected {kinds}; a table with one row a message is read by: {IMPORT} {path.name}; "
        f"or name its format with --reader: {known}"
    )


def _nobody_knows(value: JsonValue) -> str:
    """Say that no format is that of a value, what it has, which format is nearest, and what reads it."""
    where, value = _first_object(value)
    if not isinstance(value, dict):
        return f"must be an object, but is {shown(value)}"
    found = listed([shown(key, limit=20) for key in value], MAX_KEYS) or "nothing"
    near = _nearest(value)
    return (
        f"is not a conversation: expected an object with id and messages, but found {found}{where}"
        f"{near and f'; the nearest format is {near}'}"
        f"; messages under any other key, and one row a message, are read by: {IMPORT} FILE"
    )


def _first_object(value: JsonValue) -> tuple[str, JsonValue]:
    """Return the first object of an array, and the words for its place."""
    if isinstance(value, list):
        for index, element in enumerate(value):
            if isinstance(element, dict):
                return f" in [{index}]", element
    return "", value


def _nearest(value: dict[str, JsonValue]) -> str:
    """Name the format that has most of the keys of an object, and its reader; nothing where none has any."""
    inside = [
        each
        for part in value.values()
        if isinstance(part, list)
        for each in part[:1]
        if isinstance(each, dict)
    ]
    found = {*value, *(key for each in inside for key in each)}
    formats = {f.name: (f.title, f.keys) for f in (*FORMATS, *FIRST)}
    formats |= {name: (TITLES[name], keys) for name, keys in DOCUMENTS.items() if keys}
    near = {name: _proportion({*keys} - {"id"}, found) for name, (_, keys) in formats.items()}
    best = max(near, key=lambda name: near[name])
    if near[best] < NEAR:
        return ""
    title, keys = formats[best]
    return f"{title} (--reader {best}; keys {', '.join(keys)})"


MAX_KEYS = 8
NEAR = 0.5
"""Of a format's keys that are found, from which on it is named."""


def _proportion(keys: set[str], found: set[str]) -> float:
    return len(keys & found) / len(keys) if keys else 0.0
