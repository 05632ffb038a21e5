"""Annotations kept as they are made, one line each, so that an interrupted run goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, ConfigDict, ValidationError

from convsim.errors import InputError
from convsim.schema import Annotation
from convsim.schema.conversation import Conversation


def content_key(conversation: Conversation, source: str) -> str:
    """Sixteen hexadecimal digits of what an annotator sees and who it is; the same content is labelled once."""
    seen = [
        [m.role, m.content, m.action, m.accepted, [item.model_dump(mode="json") for item in m.items]]
        for m in conversation.messages
    ]
    told = json.dumps([source, conversation.ending, seen], ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    key: str
    annotation: Annotation


class Kept:
    """What has been annotated so far, by content; on disk too where there is a file."""

    def __init__(self, done: dict[str, Annotation], file: TextIO | None):
        self.done = done
        self._file = file

    def add(self, key: str, annotation: Annotation) -> None:
        """Keep one annotation; it is on disk before the next one is asked for."""
        self.done[key] = annotation
        if self._file is not None:
            line = _Line(key=key, annotation=annotation)
            self._file.write(line.model_dump_json(exclude_defaults=True) + "\n")
            self._file.flush()


@contextmanager
def open_kept(path: Path | None) -> Iterator[Kept]:
    """Go on with the annotations in ``path``; a half line at its end, left by a kill, is cut off.

    Raises:
        InputError: The file cannot be read or written, or is none of annotations.
    """
    if path is None:
        yield Kept({}, None)
        return
    try:
        done, whole = _read(path)
        with path.open("a", encoding="utf-8") as file:
            file.truncate(whole)
            yield Kept(done, file)
    except OSError as error:
        raise InputError(f"{path}: annotations cannot be kept there ({error.strerror})") from error


def _read(path: Path) -> tuple[dict[str, Annotation], int]:
    """Read whole lines; returns the annotations and how many bytes of the file they take."""
    done: dict[str, Annotation] = {}
    whole = 0
    if not path.exists():
        return done, whole
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                break
            try:
                kept = _Line.model_validate_json(line)
            except ValidationError as error:
                raise InputError(
                    f"{path}:{number}: is no annotation that was kept here; delete the file to start anew"
                ) from error
            done[kept.key] = kept.annotation
            whole += len(line)
    return done, whole
