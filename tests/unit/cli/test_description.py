"""The description at a terminal: narrow, complete, and safe from what transcripts hold."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from convsim.cli.description import print_cards, print_description
from convsim.io import cards, describe, read
from tests.unit.io.made import archive, archived, jsonl, line, turn, written

HOSTILE = "[bold]evil[/bold]\x1b[2J\u202e" + "x" * 300


def printed(path: Path, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, markup=False, emoji=False, highlight=False)
    print_description(describe(read(path)), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_it_fits_eighty_columns(tmp_path: Path) -> None:
    ratings = {"How satisfied were you with all of the recommendations that you saw?": "kind of"}
    path = written(
        tmp_path / "x.json", archive(archived("hats_bad", ratings=ratings, turns=[turn(ratings=ratings)]))
    )
    text = printed(path)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    for part in ("convapparel", "hats", "bad-agent", "satisfaction", "1 stay text", "'hats_bad'"):
        assert part in text


def test_hostile_names_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    hostile = line(task=HOSTILE, agent=HOSTILE, labels={HOSTILE: {"value": HOSTILE, "source": HOSTILE}})
    text = printed(jsonl(tmp_path / "a.jsonl", hostile))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]evil[/bold]" in text
    assert "x" * 100 not in text.replace("\n", "").replace(" ", "")


def test_many_tasks_are_cut_and_the_rest_is_said(tmp_path: Path) -> None:
    text = printed(
        jsonl(tmp_path / "a.jsonl", *(line(f"c{i}", task=f"t{i:03}", agent=f"a{i}") for i in range(100)))
    )
    assert "t029" in text
    assert "t030" not in text
    assert "and 70 more" in text
    assert "and 92 more" in text


def test_cards_fit_eighty_columns_and_say_who_wrote() -> None:
    console = Console(file=io.StringIO(), width=80, markup=False, emoji=False, highlight=False)
    print_cards(cards(), console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    assert "no person" in text
