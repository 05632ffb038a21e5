"""The file of a blind test: answered once, one study, and one line for whatever is wrong with it."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from convsim.errors import ConvsimError, InputError
from convsim.web.blind_test import Database, results
from convsim.web.blind_test.answers import (
    Answer,
    NameTakenError,
    Word,
    answers,
    join,
    keep,
    name_of,
    rater_of,
)
from tests.unit.web.blind_test.studies import database, study

ANSWER = Answer(1, 0, "human", 4, None, (Word(0, 0, 1), Word(0, 0, 2)))
WRITER = """
import sys
from pathlib import Path
from convsim.web.blind_test import Database
from convsim.web.blind_test.answers import Answer, Word, keep
kept = Database(Path(sys.argv[1]))
print("ready", flush=True)
for trial in range(int(sys.argv[2]), 1_000_000):
    keep(kept, Answer(1, trial, "human", 4, None, tuple(Word(0, 0, word) for word in range(50))))
    print(trial, flush=True)
"""


@pytest.fixture
def kept(tmp_path: Path) -> Database:
    made = database(tmp_path / "arena.sqlite", study())
    join(made, "Ada", "one")
    return made


def said(kept: Database) -> list[Answer]:
    """Return the answers without their times."""
    return [answer._replace(answered_at=None) for answer in answers(kept)]


def test_an_answer_that_is_sent_twice_is_kept_once_and_the_first_stands(kept: Database) -> None:
    assert keep(kept, ANSWER)
    assert not keep(kept, ANSWER._replace(choice="simulated", words=()))
    assert said(kept) == [ANSWER]


def test_one_answer_is_kept_of_many_that_are_sent_at_once(kept: Database) -> None:
    patient = Database(kept.path)
    with ThreadPoolExecutor(8) as pool:
        new = list(
            pool.map(lambda level: keep(patient, ANSWER._replace(confidence=level % 4 + 1)), range(16))
        )
    assert sum(new) == 1
    assert len(answers(kept)) == 1


def test_a_skipped_trial_is_kept_without_a_choice(kept: Database) -> None:
    keep(kept, Answer(1, 5, None, None, None))
    assert said(kept) == [Answer(1, 5, None, None, None)]


def test_an_answer_stands_whole_or_not_at_all_when_its_writer_is_killed(kept: Database) -> None:
    start = 0
    for life in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(kept.path), str(start)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        with writer.stdout as output:
            assert output.readline() == "ready\n"
            time.sleep(0.05 + 0.03 * life)
            os.kill(writer.pid, signal.SIGKILL)
            told = [int(line) for line in output.read().split("\n")[:-1]]
        writer.wait()
        found = answers(Database(kept.path))
        assert {len(answer.words) for answer in found} <= {50}
        assert {answer.trial for answer in found} >= set(told)
        assert len({answer.trial for answer in found}) == len(found)
        start = len(found)
    assert start > 0
    with kept.reading() as connection:  # the study has fewer trials than were written
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_two_raters_cannot_have_one_name(kept: Database) -> None:
    with pytest.raises(NameTakenError, match="Somebody is called 'ADA' already"):
        join(kept, "ADA", "two")
    assert join(kept, "Grace", "two").number == 2


def test_a_rater_who_joins_twice_with_one_secret_is_one_rater(kept: Database) -> None:
    assert join(kept, "Somebody else", "one") == join(kept, "Ada", "one") == rater_of(kept, "one")
    assert rater_of(kept, "none") is None


def test_the_secret_itself_is_not_in_the_file(kept: Database) -> None:
    join(kept, "Grace", "an-unlikely-secret")
    assert b"an-unlikely-secret" not in b"".join(f.read_bytes() for f in kept.path.parent.iterdir())


@pytest.mark.parametrize("typed", ["", "  \x00 \u202e ", "x" * 41])
def test_no_name_and_a_long_name_are_refused(typed: str) -> None:
    with pytest.raises(InputError, match="A name has 1 to 40 characters"):
        name_of(typed)


def test_a_name_loses_what_cannot_be_seen() -> None:
    assert name_of("  Zo\u0065\u0301\x1b[2J  of\nTown ") == "Zoé [2J of Town"


@pytest.mark.parametrize(
    ("change", "named"),
    [({"n": 20}, "n differs"), ({"seed": 9}, "seed differs"), ({"mode": "pair"}, "mode differs")],
)
def test_another_study_is_refused_by_what_differs(kept: Database, change: dict, named: str) -> None:
    with pytest.raises(InputError, match=rf"arena.sqlite belongs to another study: {named}; name another"):
        kept.open_for(study(**change))


def test_other_conversations_are_another_study(kept: Database) -> None:
    with pytest.raises(InputError, match="simulated differs"):
        kept.open_for(study(simulators=("doll",)))


def test_two_arenas_share_one_file_of_the_same_study(kept: Database) -> None:
    second = Database(kept.path)
    assert second.open_for(study()) == kept.study()
    keep(second, ANSWER)
    assert said(kept) == [ANSWER]


def test_a_file_that_two_arenas_make_at_once_holds_the_study_once(tmp_path: Path) -> None:
    made = study()
    path = tmp_path / "arena.sqlite"
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: Database(path).open_for(made), range(4))) == [made] * 4


def test_a_locked_file_is_one_line(kept: Database) -> None:
    holder = sqlite3.connect(kept.path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ConvsimError, match=r"arena.sqlite: the database is locked by another program"):
        keep(kept, ANSWER)
    holder.execute("ROLLBACK")
    holder.close()
    assert keep(kept, ANSWER)


def test_a_file_of_noise_is_one_line_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "arena.sqlite"
    path.write_bytes(b"these are no pages of a database" * 100)
    with pytest.raises(ConvsimError, match="is not a database, or is damaged"):
        Database(path).open_for(study())
    assert path.read_bytes() == b"these are no pages of a database" * 100


def test_a_damaged_file_is_one_line(kept: Database) -> None:
    with kept.reading() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = kept.path.read_bytes()
    kept.path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(ConvsimError, match="damaged"):
        kept.study()


EDITS = {
    "no study": "DELETE FROM study",
    "a study that is no text": "UPDATE study SET document = CAST(x'ff00' AS BLOB)",
    "a study that is not UTF-8": "UPDATE study SET document = CAST(x'ff22' AS TEXT)",
    "a study that is no JSON": "UPDATE study SET document = 'x'",
    "no trials": "UPDATE study SET document = json_set(document, '$.trials', json('[]'))",
    "a conversation that is not there": (
        "UPDATE study SET document = json_set(document, '$.trials[0]', json('{\"human\": 9999, \"block\": 0}'))"
    ),
    "a person in a simulator's place": (
        "UPDATE study SET document = json_set(document, '$.trials[0]', json('{\"simulated\": 0, \"block\": 0}'))"
        if study().conversations[0].simulator is None
        else "UPDATE study SET document = json_set(document, '$.trials[0]', json('{\"human\": 0, \"block\": 0}'))"
    ),
    "a trial beyond the last": "UPDATE answer SET trial = 9999",
    "a trial from the end": "UPDATE answer SET trial = -5",
    "a trial that is a text": "UPDATE answer SET trial = 'x'",
    "a choice of the other mode": "UPDATE answer SET choice = 'left'",
    "a rater that is not there": "UPDATE answer SET rater = 7",
    "a rater that is a text": "PRAGMA foreign_keys = OFF; UPDATE answer SET rater = 'x'",
    "a name that is no text": "UPDATE rater SET name = CAST(x'00' AS BLOB)",
    "a word that is a text": "UPDATE word SET word = 'x' WHERE word = 1",
    "a word of no answer": "PRAGMA foreign_keys = OFF; UPDATE word SET answer = 99",
    "a view without end": (
        "ALTER TABLE study RENAME TO old; CREATE VIEW study AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
        "FROM n) SELECT 1 AS one, 'x' AS fingerprint, count(*) AS document FROM n"
    ),
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON answer BEGIN DELETE FROM answer; END",
    "another table": "CREATE TABLE more (x)",
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_no_arena_writes_is_one_line_and_exit_2(kept: Database, edit: str) -> None:
    keep(kept, ANSWER)
    editor = sqlite3.connect(kept.path, isolation_level=None)
    editor.execute("PRAGMA ignore_check_constraints = ON")
    editor.executescript(EDITS[edit])
    editor.close()
    for use in (kept.study, lambda: results(kept), lambda: kept.open_for(study())):
        with pytest.raises(InputError, match=r"is damaged or was edited|text that is not UTF-8") as refused:
            use()
        assert "\n" not in str(refused.value)


def test_a_pipe_is_no_database_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "arena.sqlite")
    with pytest.raises(InputError, match="is no regular file"):
        Database(tmp_path / "arena.sqlite").study()


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(150))
def test_a_file_with_other_bytes_is_read_or_one_line(kept: Database, seed: int) -> None:
    keep(kept, ANSWER)
    with kept.reading() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    draw = random.Random(seed)
    data = bytearray(kept.path.read_bytes())
    for _ in range(draw.choice([1, 4, 30])):
        at = draw.randrange(len(data))
        size = draw.choice([1, 2, 8, 200])
        data[at : at + size] = draw.randbytes(len(data[at : at + size]))
    kept.path.write_bytes(data)
    with suppress(ConvsimError):
        assert results(kept).findings


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite"
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE precious (x)")
    theirs.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"theirs.sqlite: is a database of another program"):
        Database(path).open_for(study())
    assert path.read_bytes() == before


def test_a_file_of_another_version_is_refused(kept: Database) -> None:
    with kept.reading() as connection:
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(
        InputError, match=r"was made by another version of convsim \(schema 7, this one writes 1\)"
    ):
        kept.study()


def test_a_missing_folder_and_a_missing_file_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConvsimError, match="cannot be written"):
        Database(tmp_path / "nowhere" / "arena.sqlite").open_for(study())
    with pytest.raises(InputError, match="there is no such database; convsim arena REAL SIM makes it"):
        Database(tmp_path / "arena.sqlite").study()


def test_where_nobody_can_write_beside_it_the_file_is_read_and_nothing_is_made(
    kept: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(kept, ANSWER)
    before = {path.name: path.read_bytes() for path in kept.path.parent.iterdir()}
    assert [*before] == [kept.path.name]
    monkeypatch.setattr("convsim.web.blind_test.database.os.access", lambda path, mode: False)
    assert said(kept) == [ANSWER]
    assert kept.study() == study()
    with pytest.raises(ConvsimError, match="the database cannot be written"):
        keep(kept, ANSWER._replace(trial=1))
    assert {path.name: path.read_bytes() for path in kept.path.parent.iterdir()} == before
