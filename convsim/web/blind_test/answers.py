"""Raters and their answers in the file: a trial is answered once by each, whatever is sent how often."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from convsim.errors import InputError
from convsim.web.blind_test.database import Database

Choice = Literal["human", "simulated", "left", "right"]
MAX_NAME_CHARACTERS = 40
MAX_RATERS = 500
CONFIDENCE = {1: "guessing", 2: "leaning", 3: "fairly sure", 4: "certain"}


class Rater(NamedTuple):
    """Somebody who judges."""

    number: int
    name: str


class Word(NamedTuple):
    """A word that was clicked: on the left or alone (0) or on the right (1), in which message, which word."""

    side: int
    message: int
    word: int


class Answer(NamedTuple):
    """What a rater said to a trial; no choice means that it was skipped."""

    rater: int
    trial: int
    choice: Choice | None
    confidence: int | None
    human_left: bool | None
    words: tuple[Word, ...] = ()
    answered_at: str | None = None
    """In UTC, as ISO 8601 writes it; None until it is kept."""


class NameTakenError(InputError):
    """Another rater has that name."""


def name_of(typed: str) -> str:
    """Make a rater's name of what somebody typed; raises InputError where nothing or too much is left."""
    normal = unicodedata.normalize("NFC", typed)
    seen = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in normal)
    name = " ".join(seen.split())
    if not name or len(name) > MAX_NAME_CHARACTERS:
        raise InputError(f"A name has 1 to {MAX_NAME_CHARACTERS} characters; this one has {len(name)}")
    return name


def join(database: Database, name: str, secret: str) -> Rater:
    """Enter a rater; the same secret entered again is the same rater, whatever name it gives.

    Raises:
        NameTakenError: Somebody else has the name.
        InputError: There are as many raters as a study takes.
    """
    hashed = _hashed(secret)
    with database.writing() as connection:
        known = connection.execute("SELECT number, name FROM rater WHERE secret = ?", (hashed,)).fetchone()
        if known:
            return Rater(*known)
        if connection.execute("SELECT 1 FROM rater WHERE folded = ?", (name.casefold(),)).fetchone():
            raise NameTakenError(
                f"Somebody is called {name!r} already; add an initial, or come back by your own link"
            )
        if connection.execute("SELECT count(*) FROM rater").fetchone()[0] >= MAX_RATERS:
            raise InputError(f"{MAX_RATERS} people have joined; there is room for no more")
        added = connection.execute(
            "INSERT INTO rater (name, folded, secret) VALUES (?, ?, ?)", (name, name.casefold(), hashed)
        )
        return Rater(added.lastrowid or 0, name)


def rater_of(database: Database, secret: str) -> Rater | None:
    """Find the rater whose secret it is."""
    with database.reading() as connection:
        row = connection.execute(
            "SELECT number, name FROM rater WHERE secret = ?", (_hashed(secret),)
        ).fetchone()
    return Rater(*row) if row else None


def keep(database: Database, answer: Answer) -> bool:
    """Keep an answer unless the rater answered the trial before; the first answer stands. Return whether it is new."""
    with database.writing() as connection:
        added = connection.execute(
            "INSERT INTO answer (rater, trial, choice, confidence, human_left, answered_at) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (rater, trial) DO NOTHING",
            (*answer[:5], datetime.now(UTC).isoformat(timespec="seconds")),
        )
        if not added.rowcount:
            return False
        connection.executemany(
            "INSERT INTO word VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(added.lastrowid, *word) for word in answer.words],
        )
        return True


def answers(database: Database, *, rater: int | None = None) -> list[Answer]:
    """Return all answers in the order in which they came, or those of one rater."""
    whose, given = ("", ()) if rater is None else ("WHERE rater = ?", (rater,))
    with database.reading() as connection:
        # One snapshot, so that no answer stands there without its words.
        connection.execute("BEGIN")
        rows = connection.execute(
            "SELECT number, rater, trial, choice, confidence, human_left, answered_at "
            f"FROM answer {whose} ORDER BY number",
            given,
        ).fetchall()
        words: dict[int, list[Word]] = {}
        for number, *place in connection.execute(
            f"SELECT word.* FROM answer JOIN word ON word.answer = answer.number {whose} "
            "ORDER BY answer, side, message, word",
            given,
        ):
            words.setdefault(number, []).append(Word(*place))
    return [
        Answer(
            by,
            trial,
            choice,
            confidence,
            None if left is None else bool(left),
            tuple(words.get(number, ())),
            at,
        )
        for number, by, trial, choice, confidence, left, at in rows
    ]


def number_of_answers(database: Database) -> int:
    """Count the answers of all raters, without skipped trials."""
    with database.reading() as connection:
        counted = connection.execute("SELECT count(choice) FROM answer").fetchone()
    return int(counted[0])


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
