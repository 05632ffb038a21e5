"""A run on disk: a folder that belongs to one plan, and conversations appended as each ends."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import JsonValue
from pydantic_core import from_json

from convsim._files import PARTIAL, replacing
from convsim._inputs import read_input
from convsim._logs import LOCK, append_line, locked, open_log, whole_lines
from convsim._secrets import know_environment, without_keys, without_keys_in
from convsim._text import one_line
from convsim.errors import InputError, StudyError
from convsim.io.jsonl import readable_line
from convsim.io.problems import MalformedError
from convsim.schema.conversation import MAX_FAILURE_SHARE, Conversation, Failure

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 64 << 20
MAX_READ, MAX_SHOWN = 4_000, 160
"""Characters of a setting that are looked at, and that an error shows."""

Manifest = Mapping[str, JsonValue]


@contextmanager
def claim(folder: Path, manifest: Manifest) -> Iterator[None]:
    """Make a folder for a plan, or take the one that was made for it, and keep other processes out.

    Args:
        folder: Where the work lives.
        manifest: What the work is; its ``plan`` must be that of the folder.

    Raises:
        StudyError: The folder holds another plan or something else, or another process is writing to it.
        InputError: It cannot be written.
    """
    know_environment()
    _make_folder(folder)
    busy = StudyError(
        f"{folder}: another convsim process is writing to this run; wait for it, or name another --out"
    )
    with locked(folder / LOCK, busy=busy, named=folder):
        _agree_on_plan(folder, manifest)
        yield


def amend(folder: Path, changes: Manifest) -> None:
    """Add to, or change in, the manifest of a folder; its plan stays."""
    path = folder / MANIFEST
    _write_manifest(path, {**from_json(read_input(path, MAX_MANIFEST_BYTES), allow_inf_nan=False), **changes})


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A run that was killed before its manifest was whole has left these two behind.
        left = (entry.name == LOCK or PARTIAL.fullmatch(entry.name) for entry in folder.iterdir())
        if not (folder / MANIFEST).exists() and not all(left):
            raise StudyError(
                f"{folder}: contains other files and no {MANIFEST}; name an empty or new folder with --out"
            )
    except OSError as error:
        raise StudyError(f"{folder}: a run folder cannot be made there ({error.strerror})") from error


def _agree_on_plan(folder: Path, manifest: Manifest) -> None:
    path = folder / MANIFEST
    manifest = without_keys_in(manifest)
    if not path.exists():
        _write_manifest(path, manifest)
        return
    try:
        whole = from_json(read_input(path, MAX_MANIFEST_BYTES), allow_inf_nan=False)
        json.dumps(whole, allow_nan=False)  # as it is written again
        found = whole["plan"]
        if not isinstance(found, dict):
            raise TypeError("the plan is not an object")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StudyError(f"{path}: is not the manifest of a run; name another --out") from error
    # What is compared has been through JSON, as the folder's has.
    planned = json.loads(json.dumps(manifest["plan"]))
    changed = sorted(key for key in {*found, *planned} if found.get(key) != planned.get(key))
    if changed:
        said = "; ".join(
            f"{one_line(key)} was {was} and is now {now}"
            for key in changed[:4]
            for was, now in (_differing(found.get(key), planned.get(key)),)
        )
        raise StudyError(
            f"{folder}: was made with another plan ({said}); name another --out, or repeat the original command"
        )


def _write_manifest(path: Path, manifest: Manifest) -> None:
    text = json.dumps(without_keys_in(manifest), indent=2, ensure_ascii=False, allow_nan=False)
    with replacing(path) as file:
        file.write(text.encode("utf-8") + b"\n")


def _differing(was: object, now: object) -> tuple[str, str]:
    """Write two values that differ; of two lists or two objects only what the other has not."""
    if isinstance(was, list) and isinstance(now, list):
        known = [{json.dumps(x, sort_keys=True) for x in each} for each in (was, now)]
        gone = [x for x in was if json.dumps(x, sort_keys=True) not in known[1]]
        come = [x for x in now if json.dumps(x, sort_keys=True) not in known[0]]
        if gone or come:
            was, now = gone, come
    elif isinstance(was, dict) and isinstance(now, dict):
        was, now = (
            {key: value for key, value in here.items() if key not in there or there[key] != value}
            for here, there in ((was, now), (now, was))
        )
    return _short(was), _short(now)


def _short(value: object) -> str:
    text = one_line(without_keys(json.dumps(value, ensure_ascii=False)[:MAX_READ]))
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


CONVERSATIONS = "conversations.jsonl"


class Run:
    """A run folder that is open for writing; other processes are kept out while it is."""

    def __init__(self, folder: Path, file: io.FileIO, failed: Mapping[str, bool]):
        self.folder, self._file = folder, file
        self.done, self.n_failed = set(failed), sum(failed.values())
        self.learned: Mapping[str, Mapping[str, str]] = {}
        """What models have learned of their servers, by model: what was left out, or sent otherwise."""

    def append(self, conversation: Conversation) -> None:
        """Write one conversation, so that a killed run keeps it; one that could not be read back, as a failure.

        Raises:
            StudyError: The disk does not take it.
        """
        try:
            line = readable_line(conversation)
        except MalformedError as error:
            failure = Failure(reason=f"the conversation cannot be kept: {error}"[:500])
            conversation = conversation.but(
                messages=(), labels={}, metadata={}, usage=None, failure=failure, ending="agent_failed"
            )
            line = self._line_of_failed(conversation)
        try:
            append_line(self._file, line)
        except OSError as error:
            raise StudyError(
                f"{self.folder}: cannot be written: {error.strerror or error}; the {len(self.done)} conversations that "
                "are in it are kept: free space and run the same command again"
            ) from error
        self.done.add(conversation.id)
        self.n_failed += conversation.failure is not None

    def _line_of_failed(self, conversation: Conversation) -> bytes:
        try:
            return readable_line(conversation)
        except MalformedError as error:
            raise StudyError(
                f"{self.folder}: a conversation cannot be kept, not even its failure: {error}"
            ) from None

    def mark(self) -> None:
        """Write into the manifest how many conversations there are, how many failed, and whether that is too many.

        Conversations and manifest outlive a power cut from here on.
        """
        with suppress(OSError):
            os.fsync(self._file.fileno())
        outcome: dict[str, JsonValue] = {
            "conversations": len(self.done),
            "failed": self.n_failed,
            "too_many_failed": self.n_failed > MAX_FAILURE_SHARE * len(self.done),
        }
        changes: dict[str, JsonValue] = {"outcome": outcome}
        if self.learned:
            changes["learned"] = {model: dict(notes) for model, notes in self.learned.items()}
        amend(self.folder, changes)


@contextmanager
def open_run(folder: Path, manifest: Manifest, *, retry_failed: bool = False) -> Iterator[Run]:
    """Open a run folder to go on with what is missing, or make it.

    Args:
        folder: Where the run lives.
        manifest: What the run is; its ``plan`` must be that of the folder.
        retry_failed: Take failed conversations out first, so that they are held again.

    Raises:
        StudyError: The folder holds another plan or something else, or another process is writing to it.
        InputError: It cannot be written, or its conversations are a link.
    """
    with claim(folder, manifest):
        path = folder / CONVERSATIONS
        if retry_failed:
            open_log(path).close()
            _drop_failed(path)
        with open_log(path) as file:
            run = Run(folder, file, {str(f["id"]): f.get("failure") is not None for _, f in _lines(path)})
            try:
                yield run
            except BaseException:
                # What has ended the run is what is to be said, not that the disk is full for the manifest, too.
                with suppress(OSError, InputError):
                    run.mark()
                raise
            run.mark()


def _drop_failed(path: Path) -> None:
    with replacing(path) as new:
        for line, fields in _lines(path):
            if fields.get("failure") is None:
                new.write(line)


def _lines(path: Path) -> Iterator[tuple[bytes, Manifest]]:
    """Yield each line and what it holds; raises StudyError for one that is not a conversation."""
    for number, line in whole_lines(path):
        fields: object = None
        with suppress(ValueError, RecursionError):
            fields = json.loads(line)
        if not isinstance(fields, dict) or "id" not in fields:
            raise StudyError(f"{path}:{number}: is not a conversation; the run cannot be continued from it")
        yield line, fields
