"""Comments outlive the page, belong to what was said, and leave as JSONL and CSV."""

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from convsim.errors import ConvsimError, InputError
from convsim.io import read
from convsim.web.view import Comments
from convsim.web.view.comments import MAX_CHARACTERS
from convsim.web.view.export import exported_csv, exported_jsonl
from tests.unit.web.views import Looked, conversation, run

SAID = ("c1", "fingerprint")


@pytest.fixture
def comments(tmp_path: Path) -> Comments:
    return Comments(tmp_path / "comments.sqlite")


def test_a_comment_is_kept_and_deleted_and_the_file_made_with_the_first(comments: Comments) -> None:
    comments.check()
    assert comments.of(*SAID) == []
    assert not comments.path.exists()
    comments.add(*SAID, run="a", message=2, text=" odd\r\nend ")
    again = Comments(comments.path)
    again.check()
    (kept,) = again.of(*SAID)
    assert (kept.text, kept.message, kept.run) == ("odd\nend", 2, "a")
    assert again.counts() == {SAID: 1}
    assert again.of("c1", "said otherwise") == []
    again.delete(kept.number)
    assert again.counts() == {}


@pytest.mark.parametrize("text", ["", " \n ", "x" * (MAX_CHARACTERS + 1)])
def test_a_comment_has_words_and_not_too_many(comments: Comments, text: str) -> None:
    with pytest.raises(InputError):
        comments.add(*SAID, run="a", message=None, text=text)


def test_a_strange_file_is_refused_and_left_alone(tmp_path: Path, comments: Comments) -> None:
    connection = sqlite3.connect(comments.path)
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = comments.path.read_bytes()
    with pytest.raises(InputError, match="not a file of comments"):
        comments.check()
    assert comments.path.read_bytes() == before
    comments.path.write_text("no database, but a long enough text to be read as one")
    with pytest.raises(InputError, match="name another --comments"):
        comments.check()
    with pytest.raises(InputError, match="no regular file"):
        Comments(tmp_path).check()
    with pytest.raises(InputError, match="there is no folder"):
        Comments(tmp_path / "no" / "c.sqlite").check()


def test_comments_are_not_kept_in_a_run(tmp_path: Path) -> None:
    folder = run(tmp_path / "run", [conversation(1)])
    with pytest.raises(InputError, match="lies in a run's folder"):
        Comments(folder / "comments.sqlite").check()


def test_a_locked_file_is_one_line(comments: Comments, monkeypatch: pytest.MonkeyPatch) -> None:
    comments.add(*SAID, run="a", message=None, text="one")
    monkeypatch.setattr("convsim.web.view.comments.WAIT_S", 0.05)
    other = sqlite3.connect(comments.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(ConvsimError, match="locked by another program"):
            comments.add(*SAID, run="a", message=None, text="two")
    finally:
        other.close()


def test_what_is_taken_away_can_be_read_and_computes_nothing(tmp_path: Path, comments: Comments) -> None:
    looked = Looked(tmp_path, run(tmp_path / "a", [conversation(n) for n in range(3)]))
    place = looked.index.place(looked.key("c1"))
    assert place is not None
    comments.add(
        place.id, place.fingerprint, run="=cmd()", message=1, text='=HYPERLINK("http://x")\nand more'
    )
    keys = [row.key for row in looked.rows()]
    file = tmp_path / "taken.jsonl"
    file.write_text("".join(exported_jsonl(looked.index, comments, [*keys, "nothing"])))
    taken = read(file)
    assert [each.id for each in taken] == ["c0", "c1", "c2"]
    assert taken[0] == conversation(0)
    notes = json.loads(json.dumps(taken[1].metadata["comments"]))
    assert [(note["message"], note["text"][:10]) for note in notes] == [(1, "=HYPERLINK")]
    head, row = csv.reader(io.StringIO("".join(exported_csv(looked.index, comments, keys))))
    assert head[0] == "conversation"
    assert row[:2] == ["c1", "'=cmd()"]
    assert row[6:8] == ["2", '\'=HYPERLINK("http://x")\nand more']
