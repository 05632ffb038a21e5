"""A run on disk: its folder, and conversations appended as each ends. The file is the only truth."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pydantic import JsonValue

from convsim.errors import StudyError
from convsim.io.plan_folder import Manifest, amend, claim
from convsim.schema.conversation import MAX_FAILURE_SHARE, Conversation, Failure

CONVERSATIONS = "conversations.jsonl"
TAIL_BYTES = 1 << 16


class Run:
    """A run folder that is open for writing; other processes are kept out while it is."""

    def __init__(self, folder: Path, file: IO[bytes], failed: Mapping[str, bool]):
        self.folder, self._file = folder, file
        self.done, self.n_failed = set(failed), sum(failed.values())

    def append(self, conversation: Conversation) -> None:
        """Write one conversation and flush it, so that a killed run keeps it."""
        try:
            line = conversation.to_json().encode()
        except ValueError as error:  # half a surrogate pair from somebody's agent, say
            failure = Failure(reason=f"what was said cannot be written as JSON: {error}"[:500])
            unsayable = conversation.but(messages=(), metadata={}, failure=failure, ending="agent_failed")
            line = unsayable.to_json().encode()
            conversation = unsayable
        self._file.write(line + b"\n")
        self._file.flush()
        self.done.add(conversation.id)
        self.n_failed += conversation.failure is not None

    def mark(self) -> None:
        """Write into the manifest how many conversations there are, how many failed, and whether that is too many."""
        outcome: dict[str, JsonValue] = {
            "conversations": len(self.done),
            "failed": self.n_failed,
            "too_many_failed": self.n_failed > MAX_FAILURE_SHARE * len(self.done),
        }
        amend(self.folder, {"outcome": outcome})


@contextmanager
def open_run(folder: Path, manifest: Manifest, *, retry_failed: bool = False) -> Iterator[Run]:
    """Open a run folder to go on with what is missing, or make it.

    Args:
        folder: Where the run lives.
        manifest: What the run is; its ``plan`` must be that of the folder.
        retry_failed: Take failed conversations out first, so that they are held again.

    Raises:
        StudyError: The folder holds another plan or something else, or another process is writing to it.
    """
    with claim(folder, manifest):
        path = folder / CONVERSATIONS
        path.touch()
        _drop_half_line(path)
        if retry_failed:
            _drop_failed(path)
        with path.open("ab") as file:
            run = Run(folder, file, {str(f["id"]): f.get("failure") is not None for _, f in _lines(path)})
            try:
                yield run
            finally:
                run.mark()


def _drop_half_line(path: Path) -> None:
    """Cut what a killed run left behind its last whole line."""
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - TAIL_BYTES)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        file.truncate(end)


def _drop_failed(path: Path) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("wb") as new:
        for line, fields in _lines(path):
            if fields.get("failure") is None:
                new.write(line)
    partial.replace(path)


def _lines(path: Path) -> Iterator[tuple[bytes, Manifest]]:
    """Yield each line and what it holds; raises StudyError for one that is no conversation."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            fields: object = None
            with suppress(ValueError, RecursionError):
                fields = json.loads(line)
            if not isinstance(fields, dict) or "id" not in fields:
                raise StudyError(f"{path}:{number}: is no conversation; the run cannot go on from it")
            yield line, fields
