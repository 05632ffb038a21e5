"""Reads any file of conversations, or a run folder, by its ending and its content."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from convsim.errors import PluginError, TranscriptError
from convsim.io.documents import format_of, knows_document, load_document
from convsim.io.files import bulk_load
from convsim.io.formats.convapparel import read_convapparel
from convsim.io.formats.dialoguekit import read_dialoguekit
from convsim.io.formats.mirrorbench import ARTIFACTS, read_episode, read_episodes
from convsim.io.formats.tau2 import read_tau2
from convsim.io.lines import knows_line, read_lines
from convsim.io.parquet import read_parquet
from convsim.io.registry import (
    ForeignReader,
    ReaderLike,
    find_foreign,
    reader_names,
    recognising,
    unknown,
)
from convsim.io.transcripts import Transcripts
from convsim.plugins import installed, load

OwnName = Literal[
    "convsim", "openai", "convapparel", "tau2", "dialoguekit", "mirrorbench", "mirrorbench-people"
]
LINE_ENDINGS = (".jsonl", ".jsonl.gz", ".jsonl.zst")
ARCHIVE_ENDINGS = (".json", ".zip")
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
READERS: tuple[OwnName, ...] = get_args(OwnName)
"""The names of the built-in readers."""


def read(
    path: str | Path,
    *,
    reader: ReaderLike | None = None,
    skip_bad_lines: bool = False,
    survey_map: str | Path | None = None,
) -> Transcripts:
    """Read a file of conversations, or a run folder.

    Args:
        path: convsim or plain OpenAI JSONL (``.jsonl``, also ``.gz`` and ``.zst``), ``.parquet``, a
            ConvApparel archive (``.zip``, ``.json``), results of tau2-bench, dialogues of DialogueKit and
            UserSimCRS or an episode of MirrorBench (``.json``), a folder that holds ``conversations.jsonl``,
            or a run folder of MirrorBench.
        reader: A built-in reader's name (``READERS``), an installed one's, ``module:thing``, a function of a path that
            yields conversations, or an object with ``read``; told by ending and content by default. An installed reader
            is asked whether it recognises what no built-in one does.
        skip_bad_lines: Skip and count bad lines instead of stopping at the first.
        survey_map: TOML that maps survey questions to labels; for ConvApparel, the built-in one by default.

    Raises:
        TranscriptError: file, line, field and what was expected.
        MissingExtraError: The file needs a package that is not installed.
        PluginError: No such reader, something that is none, or several that recognise the file.
        InputError: A survey map that cannot be used.
    """
    path = Path(path)
    chosen = _reader(reader)
    with bulk_load():
        chosen = chosen or _foreign(path)
        if isinstance(chosen, ForeignReader):
            return chosen.read(path, skip_bad=skip_bad_lines)
        if path.is_dir():
            return _read_folder(path, chosen, skip_bad=skip_bad_lines)
        name = path.name.lower()
        if chosen is None or chosen == "convsim" or chosen == "openai":
            if name.endswith(".parquet"):
                return read_parquet(path, reader=chosen, skip_bad=skip_bad_lines)
            if chosen is not None or name.endswith(LINE_ENDINGS):
                return read_lines(path, reader=chosen, skip_bad=skip_bad_lines)
        if chosen is not None or name.endswith(ARCHIVE_ENDINGS):
            mapped = Path(survey_map) if survey_map else None
            return _read_document(path, chosen, skip_bad=skip_bad_lines, survey_map=mapped)
    kinds = f"{', '.join(LINE_ENDINGS)}, .parquet, a known .json or .zip, or a run folder"
    known = ", ".join(reader_names(READERS))
    raise TranscriptError(path, f"is not a known format; expected {kinds}; or name its format: {known}")


def stem_of(path: Path) -> str:
    """Return the name of a file without the ending that it is read by; a run folder's whole name."""
    for ending in (*LINE_ENDINGS, *ARCHIVE_ENDINGS, ".parquet"):
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.absolute().name


def _reader(wanted: ReaderLike | None) -> OwnName | ForeignReader | None:
    if wanted is None:
        return None
    if isinstance(wanted, OwnReader):
        return wanted.name
    if not isinstance(wanted, str) or (wanted not in READERS and ":" in wanted):
        return find_foreign(wanted)
    registered = wanted in installed("readers")
    if registered:
        load("readers", wanted)  # refuses a name that two packages have
    for own in READERS:
        if wanted == own:
            return own
    if not registered:
        raise PluginError(unknown(wanted, READERS))
    return find_foreign(wanted)


def _foreign(path: Path) -> ForeignReader | None:
    """Find the installed reader of a file or folder that no built-in one knows by its ending or first line."""
    name = path.name.lower()
    if path.is_dir():
        is_own = (path / IN_RUN).exists() or (path / ARTIFACTS).is_dir()
    elif name.endswith(LINE_ENDINGS):
        is_own = knows_line(path)
    else:
        is_own = not path.is_file() or name.endswith((".parquet", *ARCHIVE_ENDINGS))
    return None if is_own else recognising(path, READERS)


def _read_document(
    path: Path, reader: OwnName | None, *, skip_bad: bool, survey_map: Path | None
) -> Transcripts:
    """Read a file that is parsed whole; where no built-in reader knows it, installed ones are asked."""
    try:
        document = load_document(path)
        is_own = reader is not None or knows_document(document.content)
    except TranscriptError:
        if reader is not None or not path.is_file() or (foreign := recognising(path, READERS)) is None:
            raise
        return foreign.read(path, skip_bad=skip_bad)
    if not is_own and (foreign := recognising(path, READERS)) is not None:
        return foreign.read(path, skip_bad=skip_bad)
    format = reader or format_of(document.content)
    if format == "tau2":
        return read_tau2(document, skip_bad=skip_bad)
    if format == "dialoguekit":
        return read_dialoguekit(document, skip_bad=skip_bad)
    if format == "mirrorbench" or format == "mirrorbench-people":
        return read_episode(document, skip_bad=skip_bad, people=format == "mirrorbench-people")
    return read_convapparel(document, skip_bad=skip_bad, survey_map=survey_map)


def _read_folder(folder: Path, reader: OwnName | None, *, skip_bad: bool) -> Transcripts:
    file = folder / IN_RUN
    if not file.exists():
        people = reader == "mirrorbench-people"
        if people or reader == "mirrorbench" or (folder / ARTIFACTS).is_dir():
            return read_episodes(folder, skip_bad=skip_bad, people=people)
        raise TranscriptError(folder, f"is a folder but not a run: it has no {IN_RUN}")
    return replace(read_lines(file, reader="convsim", skip_bad=skip_bad, of_run=True), path=folder)
