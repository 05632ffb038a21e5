"""Every answer of a blind test with what was shown, for somebody's own analysis: a JSONL or a CSV file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from pydantic import JsonValue

from convsim._secrets import redact_json
from convsim._text import readable, visible_json
from convsim.errors import InputError
from convsim.report.comparison import spreadsheet_text
from convsim.web.blind_test.answers import CONFIDENCE, Answer, answers
from convsim.web.blind_test.database import Database
from convsim.web.blind_test.rendering import Shown
from convsim.web.blind_test.study import ArenaStudy, Contestant
from convsim.web.blind_test.votes import votes

ENDINGS = (".jsonl", ".csv")
COLUMNS = (
    "rater", "trial", "answered_at", "mode", "choice", "confidence", "confidence_words", "right", "words",
    "simulator", "task", "arm", "first_id", "first_shown", "second_id", "second_shown",
)  # fmt: skip


def check_ending(path: Path) -> None:
    """Check that a file's name says which of the two it is to be; raises InputError."""
    if path.suffix not in ENDINGS:
        raise InputError(
            f"--answers {path}: must end in .jsonl or .csv, but ends in {path.suffix or 'neither'!r}"
        )


def exported(database: Database, path: Path) -> Callable[[IO[bytes]], None]:
    """Return what writes all answers in the order in which they came, in the form that ``path`` ends in.

    Raters are numbers; names are left out. ``trial`` counts from 0. What was shown stands from left to right.

    Raises:
        InputError: There is no such file, or it is no file of an arena.
        ConvsimError: The file is locked or damaged.
    """
    study = database.study()
    given = answers(database)

    def write(file: IO[bytes]) -> None:
        lines = _jsonl(study, given) if path.suffix == ".jsonl" else _csv(study, given)
        for line in lines:
            file.write(redact_json(line).encode("utf-8"))

    return write


def _jsonl(study: ArenaStudy, given: list[Answer]) -> Iterator[str]:
    for answer in given:
        shown = _shown(study, answer)
        document = {
            **_facts(study, answer),
            "words": [
                {**word._asdict(), "text": shown[word.side].shown.word(word.message, word.word)}
                for word in answer.words
            ],
            "shown": [each.model_dump(mode="json") for each in shown],
        }
        yield visible_json(json.dumps(document, ensure_ascii=False)) + "\n"


def _csv(study: ArenaStudy, given: list[Answer]) -> Iterator[str]:
    yield _row(list(COLUMNS))
    for answer in given:
        shown = _shown(study, answer)
        simulated = next((each for each in shown if each.simulator is not None), None)
        words = [shown[word.side].shown.word(word.message, word.word) or "" for word in answer.words]
        sides = [cell for each in shown for cell in (each.id, _written(each.shown))]
        yield _row(
            [
                *_facts(study, answer).values(),
                " ".join(words),
                simulated.simulator if simulated else None,
                shown[0].task,
                shown[0].arm,
                *sides,
                *[None] * (4 - len(sides)),
            ]
        )


def _facts(study: ArenaStudy, answer: Answer) -> dict[str, JsonValue]:
    cast = votes(study, [answer])
    return {
        "rater": answer.rater,
        "trial": answer.trial,
        "answered_at": answer.answered_at,
        "mode": study.mode,
        "choice": answer.choice,
        "confidence": answer.confidence,
        "confidence_words": CONFIDENCE[answer.confidence] if answer.confidence else None,
        "right": cast[0].right if cast else None,
    }


def _shown(study: ArenaStudy, answer: Answer) -> list[Contestant]:
    trial = study.trials[answer.trial]
    order = (trial.simulated, trial.human) if answer.human_left is False else (trial.human, trial.simulated)
    return [study.conversations[place] for place in order if place is not None]


def _written(shown: Shown) -> str:
    """Write a conversation as lines, as a rater saw it."""
    lines = []
    for said in shown.said:
        items = "".join(f" [{item}]" for item in said.items)
        cut = " … cut here" if said.cut else ""
        lines.append(f"{'Shopper' if said.by_user else 'Assistant'}: {said.text}{cut}{items}")
    return "\n".join([*lines, *(["(the rest is not shown)"] if shown.n_cut else [])])


def _row(cells: list[JsonValue]) -> str:
    file = io.StringIO()
    written = [spreadsheet_text(readable(cell)) if isinstance(cell, str) else cell for cell in cells]
    csv.writer(file, lineterminator="\n").writerow(written)
    return file.getvalue()
