"""A run on disk: a folder that belongs to one plan, and conversations appended as each ends."""

from __future__ import annotations

import io
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, JsonValue

from convsim._files import PARTIAL, replacing
from convsim._logs import LOCK, MAX_LINE_BYTES, append_line, locked, open_log, whole_lines
from convsim._secrets import know_environment, without_keys_in
from convsim.errors import InputError, StudyError
from convsim.io.growth import GROWING, GROWN, Growth, growth_between
from convsim.io.jsonl import readable_line
from convsim.io.manifest import (
    MANIFEST,
    Manifest,
    amend,
    completed,
    difference,
    read_manifest,
    write_manifest,
)
from convsim.io.problems import MalformedError
from convsim.schema.conversation import MAX_FAILURE_SHARE, Conversation, Failure
from convsim.schema.record import MOST

NO_DEFAULTS: Manifest = {}


@contextmanager
def claim(
    folder: Path, manifest: Manifest, *, growth: Growth | None = None, defaults: Manifest = NO_DEFAULTS
) -> Iterator[None]:
    """Make a folder for a plan, or take the one that was made for it, and keep other processes out.

    Args:
        folder: Where the work lives.
        manifest: What the work is; its ``plan`` must be that of the folder.
        growth: The plan may be the folder's made larger by this, which then becomes the folder's.
        defaults: What settings are where nobody set them, nested as the plan is: one that a later version has brought
            makes no other plan at its default. Null is such a default anywhere.

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
        _agree_on_plan(folder, manifest, growth, defaults)
        yield


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


def _agree_on_plan(folder: Path, manifest: Manifest, growth: Growth | None, defaults: Manifest) -> None:
    manifest = without_keys_in(manifest)
    if not (folder / MANIFEST).exists():
        write_manifest(folder, manifest)
        return
    whole = read_manifest(folder)
    # What is compared has been through JSON, as the folder's has.
    planned: Manifest = json.loads(json.dumps(manifest["plan"]))
    found = completed(whole["plan"], planned, defaults)  # type: ignore[arg-type]
    possible = growth_between(found, planned)
    if growth is not None and possible == growth:
        write_manifest(folder, {**whole, "plan": dict(planned), GROWN: growth.recorded(whole)})
        return
    differs = difference(found, planned)
    if differs and growth is not None:  # its n, and personas that are drawn for it, are not what is wrong
        differs = difference({**found, **{key: planned.get(key) for key in GROWING}}, planned) or differs
    if differs:
        way_out = "name another --out, or repeat the original command"
        if possible is not None:
            way_out = f"--add {possible.added} makes the run larger, and another --out starts anew"
        raise StudyError(f"{folder}: was made with another plan ({differs}); {way_out}")


CONVERSATIONS = "conversations.jsonl"
PROMPTS = "prompts.jsonl"
"""Where a recorded run keeps what models were asked and answered: a line a conversation, the last one counts."""


def fallback_messages(noted: object) -> Counter[tuple[str, str]]:
    """Read how many messages of a conversation a fallback answered for, by speaker and model, as it notes them."""
    found: Counter[tuple[str, str]] = Counter()
    for who, counts in noted.items() if isinstance(noted, dict) else ():
        for model, n in counts.items() if isinstance(counts, dict) else ():
            if isinstance(n, int) and not isinstance(n, bool) and 0 < n <= MOST:
                found[str(who), str(model)] += n
    return found


class Run:
    """A run folder that is open for writing; other processes are kept out while it is."""

    def __init__(
        self, folder: Path, file: io.FileIO, failed: Mapping[str, bool], stood_in: Counter[tuple[str, str]]
    ):
        self.folder, self._file = folder, file
        self.done, self.n_failed = set(failed), sum(failed.values())
        self._stood_in = stood_in
        self.learned: Mapping[str, Mapping[str, str]] = {}
        """What models have learned of their servers, by model: what was left out, or sent otherwise."""
        self.more: Manifest = {}
        """What else the manifest says of this call and the earlier ones, such as what was measured."""

    def append(self, conversation: Conversation, line: bytes | None = None) -> None:
        """Write one conversation, so that a killed run keeps it; one that could not be read back, as a failure.

        Args:
            conversation: What to write.
            line: Its ``readable_line``, where another process has made that already.

        Raises:
            StudyError: The disk does not take it.
        """
        try:
            line = readable_line(conversation) if line is None else line
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
        self._stood_in.update(fallback_messages(conversation.metadata.get("fallback")))

    def _line_of_failed(self, conversation: Conversation) -> bytes:
        try:
            return readable_line(conversation)
        except MalformedError as error:
            raise StudyError(
                f"{self.folder}: a conversation cannot be kept, not even its failure: {error}"
            ) from None

    def append_calls(self, calls: BaseModel) -> None:
        """Write what models were asked for one conversation, without secrets; what no file can hold is left out.

        Raises:
            InputError: The file cannot be written, or is a link.
            StudyError: The disk does not take it.
        """
        try:
            line = calls.model_dump_json(exclude_defaults=True).encode()
        except ValueError:  # half a surrogate pair
            return
        if len(line) >= MAX_LINE_BYTES:
            return
        path = self.folder / PROMPTS
        with open_log(path) as file:
            try:
                append_line(file, line)
            except OSError as error:
                raise StudyError(
                    f"{path}: cannot be written: {error.strerror or error}; free space"
                ) from error

    def note(self, changes: Manifest) -> None:
        """Add to the manifest while the run goes on; not while it is marked.

        Raises:
            InputError: The disk does not take it.
        """
        amend(self.folder, changes)

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
        if self._stood_in:
            by_speaker: dict[str, JsonValue] = {
                who: {model: n for (speaker, model), n in sorted(self._stood_in.items()) if speaker == who}
                for who in sorted({speaker for speaker, _ in self._stood_in})
            }
            outcome["fallback_messages"] = by_speaker
        changes: dict[str, JsonValue] = {"outcome": outcome}
        if self.learned:
            changes["learned"] = {model: dict(notes) for model, notes in self.learned.items()}
        changes.update(self.more)
        amend(self.folder, changes)


@contextmanager
def open_run(
    folder: Path, manifest: Manifest, *, retry_failed: bool = False, growth: Growth | None = None
) -> Iterator[Run]:
    """Open a run folder to go on with what is missing, or make it.

    Args:
        folder: Where the run lives.
        manifest: What the run is; its ``plan`` must be that of the folder.
        retry_failed: Take failed conversations out first, so that they are held again.
        growth: The plan may be the folder's made larger by this, which then becomes the folder's.

    Raises:
        StudyError: The folder holds another plan or something else, or another process is writing to it.
        InputError: It cannot be written, or its conversations are a link.
    """
    with claim(folder, manifest, growth=growth):
        path = folder / CONVERSATIONS
        if retry_failed:
            open_log(path).close()
            _drop_failed(path)
        with open_log(path) as file:
            failed: dict[str, bool] = {}
            stood_in: Counter[tuple[str, str]] = Counter()
            for _, fields in _lines(path):
                failed[str(fields["id"])] = fields.get("failure") is not None
                notes = fields.get("metadata")
                stood_in.update(fallback_messages(notes.get("fallback") if isinstance(notes, dict) else None))
            run = Run(folder, file, failed, stood_in)
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
