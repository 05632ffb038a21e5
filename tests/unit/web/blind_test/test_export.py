"""Every answer of a blind test in a file of one's own."""

import csv
import json
from pathlib import Path

import pytest

from convsim._files import write_whole
from convsim.errors import InputError
from convsim.web.blind_test import Mode, prepare
from convsim.web.blind_test.answers import Answer, Choice, Word, answers, join, keep
from convsim.web.blind_test.export import check_ending, exported
from convsim.web.blind_test.study import order_for
from tests.unit.web.blind_test.studies import conversation, database, study, transcripts


@pytest.mark.parametrize("mode", ["single", "pair"])
def test_each_answer_stands_there_with_what_was_shown_and_no_name(tmp_path: Path, mode: Mode) -> None:
    made = study(mode, n=4)
    kept = database(tmp_path / "arena.sqlite", made)
    ada = join(kept, "Ada Lovelace", "her secret")
    first, second = order_for(made, "Ada Lovelace")[:2]
    choice: Choice = "human" if mode == "single" else "left"
    keep(kept, Answer(ada.number, first.trial, choice, 3, first.human_left, (Word(0, 0, 1),)))
    keep(kept, Answer(ada.number, second.trial, None, None, second.human_left))
    write_whole(tmp_path / "a.jsonl", exported(kept, tmp_path / "a.jsonl"))
    write_whole(tmp_path / "a.csv", exported(kept, tmp_path / "a.csv"))
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert "Ada" not in (tmp_path / "a.jsonl").read_text() + (tmp_path / "a.csv").read_text()
    trial = made.trials[first.trial]
    right = trial.human is not None if mode == "single" else bool(first.human_left)
    assert lines[0]["right"] is right
    assert rows[0]["right"] == str(right)
    assert (lines[0]["choice"], lines[0]["confidence"], lines[0]["confidence_words"]) == (
        choice,
        3,
        "fairly sure",
    )
    assert [each["rater"] for each in lines] == [1, 1]
    assert [each["trial"] for each in lines] == [first.trial, second.trial]
    assert [each["answered_at"] for each in lines] == [each.answered_at for each in answers(kept)]
    assert lines[0]["answered_at"].endswith("+00:00")
    shown = lines[0]["shown"]
    assert len(shown) == (2 if mode == "pair" else 1)
    assert (shown[0]["simulator"] is None) is right
    said = shown[0]["shown"]["said"][0]["text"]
    assert lines[0]["words"] == [{"side": 0, "message": 0, "word": 1, "text": said.split()[1]}]
    assert rows[0]["first_id"] == shown[0]["id"]
    assert rows[0]["first_shown"].startswith(f"Shopper: {said}\nAssistant: Here.")
    assert (lines[1]["choice"], lines[1]["right"], rows[1]["choice"]) == (None, None, "")


def test_nothing_in_a_cell_is_computed_and_no_line_steers_a_terminal(tmp_path: Path) -> None:
    hostile = [conversation("=1+1", task="@x"), conversation('b"\x1b[2J,\u202e', simulator="-bot", task="@x")]
    made = prepare(
        transcripts("human", hostile[:1]), [transcripts("bot", hostile[1:])], mode="pair", n=2, seed=1
    )
    kept = database(tmp_path / "arena.sqlite", made)
    rater = join(kept, "Ada", "s")
    (only,) = order_for(made, "Ada")
    keep(kept, Answer(rater.number, only.trial, "left", 1, only.human_left))
    for ending in (".csv", ".jsonl"):
        path = tmp_path / f"a{ending}"
        write_whole(path, exported(kept, path))
        assert "\x1b" not in path.read_text()
        assert "\u202e" not in path.read_text()
    with (tmp_path / "a.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    cells = [row["simulator"], row["task"], row["first_id"], row["second_id"]]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    assert "'=1+1" in cells


def test_a_name_that_says_neither_form_is_one_line() -> None:
    with pytest.raises(
        InputError, match=r"--answers a\.txt: must end in \.jsonl or \.csv, but ends in '.txt'"
    ):
        check_ending(Path("a.txt"))
