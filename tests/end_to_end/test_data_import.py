"""``convsim data import`` as a user runs it, and a new user's first hour with a table of chats."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from convsim._resources import shared
from tests.end_to_end.commands import typed
from tests.unit.io.table.made import Said, chats, conversation, speaker, table, text

SAID = chats(12)
FOUR = {"a": conversation, "b": lambda one: one.turn, "c": speaker, "d": text}


def convsim(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return typed(*arguments, cwd=cwd, env=os.environ)


def test_a_table_is_imported_with_what_was_guessed_and_what_became_of_its_rows(tmp_path: Path) -> None:
    table(tmp_path / "chats.csv", [*SAID, SAID[3]], FOUR)
    done = convsim("data", "import", "chats.csv", "--save-map", "map.toml", cwd=tmp_path)
    assert done.returncode == 0
    assert "who is who, by their names: customer = user, bot = agent" in done.stdout
    assert f"rows: {len(SAID) + 1} read, {len(SAID)} used; dropped 1: exact repeat 1" in done.stdout
    assert "wrote 12 conversations to chats.convsim.jsonl" in done.stderr
    written = (tmp_path / "chats.convsim.jsonl").read_text()
    again = convsim("data", "import", "chats.csv", "--map", "map.toml", "--out", "b.jsonl", cwd=tmp_path)
    assert again.returncode == 0
    assert (tmp_path / "b.jsonl").read_text() == written


def test_a_dry_run_writes_nothing_and_json_says_all_of_it(tmp_path: Path) -> None:
    table(tmp_path / "chats.csv", SAID, FOUR)
    done = convsim("data", "import", "chats.csv", "--dry-run", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert said["account"]["rows"] == len(SAID)
    assert said["mapping"]["speakers"] == {"customer": "user", "bot": "agent"}
    assert {column["meaning"]: column["column"] for column in said["columns"]} == {
        "conversation": "a", "order": "b", "speaker": "c", "text": "d",
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["chats.csv"]


def test_a_refusal_is_one_line_that_leaves_nothing_behind(tmp_path: Path) -> None:
    lost = [one._replace(text="") if one.side == "user" and one.turn else one for one in SAID]
    table(tmp_path / "chats.csv", lost, FOUR)
    done = convsim("data", "import", "chats.csv", "--save-map", "map.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "user messages are empty, more than 5%" in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["chats.csv"]


def test_cells_of_a_table_are_data_wherever_they_go(tmp_path: Path) -> None:
    hostile = [one._replace(text=f"=1+1\x1b[31m{one.text}") if not one.turn else one for one in SAID]
    table(tmp_path / "chats.csv", hostile, {**FOUR, "=cmd|' /C calc'!A0": lambda _: "@SUM(1)"})
    done = convsim("data", "import", "chats.csv", cwd=tmp_path)
    assert done.returncode == 0
    assert "\x1b[31m" not in done.stdout + done.stderr
    first = json.loads((tmp_path / "chats.convsim.jsonl").read_text().splitlines()[0])
    assert first["messages"][0]["content"] == hostile[0].text
    assert first["metadata"]["=cmd|' /C calc'!A0"] == "@SUM(1)"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            ("chats.csv", "--save-map", "./chats.csv", "--force"),
            "--save-map chats.csv: is the table that is read",
        ),
        ((".",), ".: is a folder; expected a file of rows"),
        (("nope.csv",), "nope.csv: there is no such file"),
        (("chats.csv", "--out", "x.txt"), "x.txt: unknown ending"),
    ],
)
def test_a_mistake_in_what_is_given_is_one_line(
    tmp_path: Path, given: tuple[str, ...], expected: str
) -> None:
    kept = table(tmp_path / "chats.csv", SAID, FOUR).read_bytes()
    done = convsim("data", "import", *given, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {expected}")
    assert [path.name for path in tmp_path.iterdir()] == ["chats.csv"]
    assert (tmp_path / "chats.csv").read_bytes() == kept


def test_describing_a_table_names_the_command_that_imports_it(tmp_path: Path) -> None:
    table(tmp_path / "chats.csv", SAID, FOUR)
    done = convsim("data", "describe", "chats.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert "convsim data import chats.csv" in done.stderr


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A made-up export of 600 conversations, with names of columns and speakers as a German shop has them."""

    def who(one: Said) -> str:
        return {"user": "Kundin", "agent": "Beratung"}[one.side]

    columns = {
        "Vorgangsnr": conversation, "Zeit": lambda o: o.at.strftime("%d.%m.%Y %H:%M:%S"), "Von": who, "Wortlaut": text,
        "Filiale": lambda o: f"Haus {o.conversation % 7}", "Kundennr": lambda o: o.user, "Note": lambda o: o.rating,
        "gekauft": lambda o: ("nein", "ja")[o.accepted],
    }  # fmt: skip
    return table(tmp_path / "export.csv", chats(600), columns, separator=";")


def test_a_new_users_hour_takes_three_commands_and_no_line_of_its_own(shop: Path) -> None:
    done = convsim("data", "import", shop.name, cwd=shop.parent)
    assert done.returncode == 0, done.stderr
    about = convsim("data", "describe", "export.convsim.jsonl", "--format", "json", cwd=shop.parent)
    found = json.loads(about.stdout)
    assert found["conversations"] == 600
    assert found["users"]["known"] == len({one.user for one in chats(600)})
    assert set(found["endings"]) == {"accepted", "left"}
    simulated = shared("demo/simulator_close.jsonl")
    judged = convsim(
        "validate",
        "export.convsim.jsonl",
        simulated,
        "--validators",
        "marginals",
        "--metrics",
        "turns",
        "--set",
        "marginals.n_resamples=99",
        "--format",
        "json",
        cwd=shop.parent,
    )
    assert judged.returncode == 0, judged.stderr
