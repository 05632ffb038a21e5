"""Reads any file of conversations, or a run folder, by its ending and its content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from convsim.errors import InputError, TranscriptError
from convsim.readers.bulk import bulk_load
from convsim.readers.convapparel import read_convapparel
from convsim.readers.dialoguekit import read_dialoguekit
from convsim.readers.documents import format_of, load_document
from convsim.readers.lines import read_lines
from convsim.readers.mirrorbench import read_episode, read_episodes
from convsim.readers.mirrorbench_unit import ARTIFACTS
from convsim.readers.parquet import read_parquet
from convsim.readers.tau2 import read_tau2
from convsim.readers.transcripts import Transcripts

Reader = Literal[
    "convsim", "openai", "convapparel", "tau2", "dialoguekit", "mirrorbench", "mirrorbench-people"
]
READERS: tuple[Reader, ...] = get_args(Reader)
LINE_ENDINGS = (".jsonl", ".jsonl.gz", ".jsonl.zst")
ARCHIVE_ENDINGS = (".json", ".zip")
IN_RUN = "conversations.jsonl"


def read(
    path: str | Path,
    *,
    reader: str | None = None,
    skip_bad_lines: bool = False,
    survey_map: str | Path | None = None,
) -> Transcripts:
    """Read a file of conversations, or a run folder.

    Args:
        path: convsim or plain OpenAI JSONL (``.jsonl``, also ``.gz`` and ``.zst``), ``.parquet``, a
            ConvApparel archive (``.zip``, ``.json``), results of tau2-bench, dialogues of DialogueKit and
            UserSimCRS or an episode of MirrorBench (``.json``), a folder that holds ``conversations.jsonl``,
            or a run folder of MirrorBench.
        reader: One of ``READERS``; told by ending and content by default.
        skip_bad_lines: Skip and count bad lines instead of stopping at the first.
        survey_map: TOML that maps survey questions to labels; for ConvApparel, the built-in one by default.

    Raises:
        TranscriptError: file, line, field and what was expected.
        MissingExtraError: The file needs a package that is not installed.
        InputError: No such reader, or a survey map that cannot be used.
    """
    path = Path(path)
    chosen = _reader(reader)
    with bulk_load():
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
    kinds = f"{', '.join(LINE_ENDINGS)}, .parquet, a .json or .zip that is known, or a run folder"
    raise TranscriptError(path, f"is none of what is read: {kinds}; or say what it is: {', '.join(READERS)}")


def stem_of(path: Path) -> str:
    """Return the name of a file without the ending that it is read by; a run folder's whole name."""
    for ending in (*LINE_ENDINGS, *ARCHIVE_ENDINGS, ".parquet"):
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.absolute().name


def _reader(name: str | None) -> Reader | None:
    for reader in READERS:
        if name == reader:
            return reader
    if name is None:
        return None
    raise InputError(f"no reader is called {name!r}; there are {', '.join(READERS)}")


def _read_document(
    path: Path, reader: Reader | None, *, skip_bad: bool, survey_map: Path | None
) -> Transcripts:
    document = load_document(path)
    format = reader or format_of(document.content)
    if format == "tau2":
        return read_tau2(document, skip_bad=skip_bad)
    if format == "dialoguekit":
        return read_dialoguekit(document, skip_bad=skip_bad)
    if format == "mirrorbench" or format == "mirrorbench-people":
        return read_episode(document, skip_bad=skip_bad, people=format == "mirrorbench-people")
    return read_convapparel(document, skip_bad=skip_bad, survey_map=survey_map)


def _read_folder(folder: Path, reader: Reader | None, *, skip_bad: bool) -> Transcripts:
    file = folder / IN_RUN
    if not file.exists():
        people = reader == "mirrorbench-people"
        if people or reader == "mirrorbench" or (folder / ARTIFACTS).is_dir():
            return read_episodes(folder, skip_bad=skip_bad, people=people)
        raise TranscriptError(folder, f"is a folder, but no run: it holds no {IN_RUN}")
    return replace(read_lines(file, reader="convsim", skip_bad=skip_bad, of_run=True), path=folder)
