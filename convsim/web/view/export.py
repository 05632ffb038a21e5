"""A selection to take away: conversations with their comments as JSONL, comments alone as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from convsim._secrets import redact_json
from convsim._text import readable, visible_json
from convsim.report.comparison import spreadsheet_text
from convsim.web.view.comments import Comments
from convsim.web.view.index import Index, Place
from convsim.web.view.showing import MovedError, load

COMMENTS = "comments"
"""The note of an exported conversation that holds its comments."""
COLUMNS = (
    "conversation", "run", "arm", "task", "ending", "human_likeness", "message", "comment", "made_at",
)  # fmt: skip


def exported_jsonl(index: Index, comments: Comments, keys: Iterable[str]) -> Iterator[str]:
    """Yield each conversation as a line that convsim reads, with its comments in ``metadata``; raises ConvsimError."""
    commented = comments.counts()
    for place in _places(index, keys):
        try:
            conversation = load(place)
        except MovedError:
            continue
        if (place.id, place.fingerprint) in commented:
            given = comments.of(place.id, place.fingerprint)
            told = [{"message": each.message, "text": each.text, "made_at": each.made_at} for each in given]
            conversation = conversation.but(metadata={**conversation.metadata, COMMENTS: told})
        yield redact_json(visible_json(conversation.to_json())) + "\n"


def exported_csv(index: Index, comments: Comments, keys: Iterable[str]) -> Iterator[str]:
    """Yield a row for each comment, nothing in it a formula; messages count from 1. Raises ConvsimError."""
    yield _row(list(COLUMNS))
    commented = comments.counts()
    for place in _places(index, keys):
        if (place.id, place.fingerprint) not in commented:
            continue
        try:
            conversation = load(place)
        except MovedError:
            continue
        for each in comments.of(place.id, place.fingerprint):
            message = None if each.message is None else each.message + 1
            facts = (place.id, each.run, conversation.arm, conversation.task, conversation.ending)
            yield redact_json(_row([*facts, place.score, message, each.text, each.made_at]))


def _places(index: Index, keys: Iterable[str]) -> Iterator[Place]:
    for key in keys:
        if (place := index.place(key)) is not None:
            yield place


def _row(cells: list[str | float | None]) -> str:
    file = io.StringIO()
    written = [spreadsheet_text(readable(cell)) if isinstance(cell, str) else cell for cell in cells]
    csv.writer(file, lineterminator="\n").writerow(written)
    return file.getvalue()
