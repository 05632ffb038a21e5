"""Tables in any dress are read as they are, and what cannot be read is one line with its file, row and column."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from convsim.errors import InputError, MissingExtraError, TranscriptError
from convsim.io import read as read_conversations
from convsim.io import write
from convsim.io.table import (
    Account,
    TableMapping,
    decoding,
    delimited,
    grouping,
    opening,
    prepared,
    table_import,
)
from convsim.schema.conversation import Conversation

YOUR_LOGS = Path(__file__).parents[4] / "convsim/guide/your-logs.md"
CORPUS = Path(__file__).parents[3] / "fuzz/corpus"
HEADER = ["chat", "sent", "who", "said"]
ROWS = [
    ["k1", "2026-03-02 09:00:00", "Kundin", 'Grüß Gott, haben Sie "Loden"-Mäntel; in Größe 42?'],
    ["k1", "2026-03-02 09:00:40", "Berater", "Ja:\n- grün\n- grau"],
    ["k1", "2026-03-02 09:01:10", "Kundin", '=HYPERLINK("http://a", "grün")'],
    ["k1", "2026-03-02 09:01:30", "Berater", "Gern, der grüne kostet 80 Euro."],
    ["k2", "2026-03-02 10:00:00", "Kundin", "Ich suche Stiefel für den Regen"],
    ["k2", "2026-03-02 10:00:30", "Berater", "Welche Größe brauchen Sie denn?"],
]
WANTED = {
    "k1": [("user", ROWS[0][3]), ("assistant", ROWS[1][3]), ("user", ROWS[2][3]), ("assistant", ROWS[3][3])],
    "k2": [("user", ROWS[4][3]), ("assistant", ROWS[5][3])],
}


def separated(separator: str = ",", *, lines: list[list[str]] | None = None) -> str:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in f'{separator}"\n') else cell

    return "".join(separator.join(map(quoted, line)) + "\r\n" for line in [HEADER, *(lines or ROWS)])


def objects() -> list[dict[str, str]]:
    return [dict(zip(HEADER, row, strict=True)) for row in ROWS]


def run(
    path: Path, *, mapping: dict[str, object] | None = None, skip_bad: bool = False
) -> tuple[list[Conversation], Account]:
    stated = TableMapping.model_validate(mapping or {})
    with table_import(prepared(path, stated), skip_bad=skip_bad) as imported:
        return list(imported.conversations()), imported.account


def said(found: list[Conversation]) -> dict[str, list[tuple[str, str]]]:
    return {c.id: [(m.role, m.content) for m in c.messages] for c in found}


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "commas": ("x.csv", lambda: separated().encode()),
    "semicolons": ("x.csv", lambda: separated(";").encode()),
    "tabs": ("x.tsv", lambda: separated("\t").encode()),
    "bars, under any name": ("x.txt", lambda: separated("|").encode()),
    "a mark of UTF-8": ("x.csv", lambda: b"\xef\xbb\xbf" + separated().encode()),
    "UTF-16 with its mark": ("x.csv", lambda: separated("\t").encode("utf-16")),
    "UTF-16 without": ("x.csv", lambda: separated("\t").encode("utf-16-le")),
    "cp1252": ("x.csv", lambda: separated(";").encode("cp1252")),
    "gzip": ("x.csv.gz", lambda: gzip.compress(separated().encode())),
    "gzip without its ending": ("x.csv", lambda: gzip.compress(separated().encode())),
    "lines of JSON": ("x.jsonl", lambda: "\n".join(map(json.dumps, objects())).encode()),
    "an array": ("x.json", lambda: json.dumps(objects(), indent=1).encode()),
    "an array in an object": ("x.json", lambda: json.dumps({"version": 2, "rows": objects()}).encode()),
    "objects in objects": (
        "x.ndjson",
        lambda: "\n".join(
            json.dumps(
                {"chat": {"id": o["chat"]}, "at": o["sent"], "author": {"role": o["who"]}, "body": o["said"]}
            )
            for o in objects()
        ).encode(),
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_the_same_rows_are_read_in_any_dress(tmp_path: Path, case: str) -> None:
    name, content = FILES[case]
    path = tmp_path / name
    path.write_bytes(content())
    found, account = run(path)
    assert said(found) == WANTED
    assert (account.rows, account.used, account.dropped.total()) == (6, 6, 0)
    target = tmp_path / "out.jsonl"
    write(target, found)
    assert read_conversations(target).conversations == tuple(found)


def test_rows_of_parquet_are_read(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(objects()), path)
    assert said(run(path)[0]) == WANTED


def test_a_sheet_of_excel_is_read_and_one_of_several_is_asked_for(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [HEADER, *ROWS]:
        book.active.append(row)
    for cell in book.active["D"]:
        cell.data_type = "s"  # else what begins with = is a formula
    book.active.title = "chats"
    path = tmp_path / "x.xlsx"
    book.save(path)
    assert said(run(path)[0]) == WANTED
    book.create_sheet("notes").append(["what", "is this"])
    book.save(path)
    with pytest.raises(InputError, match=r"several sheets have rows: 'chats', 'notes'; .* sheet = 'chats'"):
        run(path)
    assert said(run(path, mapping={"sheet": "chats"})[0]) == WANTED


def test_excel_without_its_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes((CORPUS / "chats.xlsx").read_bytes())
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(
        MissingExtraError, match=r'Excel needs the extra "excel": pip install "convsim\[excel\]"'
    ):
        run(path)


def test_the_mapping_that_the_guide_shows_is_one(tmp_path: Path) -> None:
    shown = YOUR_LOGS.read_text(encoding="utf-8").split("```toml\n# map.toml\nseparator")[1].split("```")[0]
    path = tmp_path / "map.toml"
    path.write_text("separator" + shown, encoding="utf-8")
    mapping = TableMapping.read(path)
    assert mapping.speakers == {"Kundin": "user", "Beratung": "agent"}
    assert mapping.rating.scale == (1, 5)


@pytest.mark.parametrize(
    ("case", "told"),
    [("cp1252", "cp1252"), ("UTF-16 without", "UTF-16-LE"), ("UTF-16 with its mark", "UTF-16-LE")],
)
def test_an_encoding_that_is_not_utf8_is_said(tmp_path: Path, case: str, told: str) -> None:
    name, content = FILES[case]
    path = tmp_path / name
    path.write_bytes(content())
    assert any(told in line for line in prepared(path).said)


def bad(line: bytes) -> bytes:
    """Put a line behind the first two rows of a good file; it is line 6 of it, since a text has three lines."""
    lines = separated().encode().splitlines(keepends=True)
    return b"".join([*lines[:5], line + b"\r\n", *lines[5:]])


WRONG: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "x.csv: is empty"),
    "blank lines": (b"\n\n\n", "x.csv: has only blank lines"),
    "only a header": (
        separated().encode().splitlines()[0],
        "has a header ('chat', 'sent', 'who', 'said') but no rows",
    ),
    "one column": (b"said\nhello there\nhow are you\n", "x.csv: has one column, 'said'"),
    "too few cells": (
        bad(b"k1,2026-03-02"),
        "x.csv:6: row 3: has 2 cells for 4 columns: there is none for 'who'",
    ),
    "too many cells": (
        bad(b"k1,2026-03-02,Kundin,a,b c"),
        "x.csv:6: row 3: has 5 cells for 4 columns: 'b c' is in none",
    ),
    "a null byte": (bad(b"k1,2026-03-02,Kundin,a\0b"), "x.csv:6: row 3: has a null byte in "),
    "cut off in a text": (
        separated().encode().partition(b"\n- gr")[0],
        "row 2: has a quotation mark that is never closed",
    ),
    "cut off in a row": (
        separated().encode().partition(b",Welche")[0],
        "row 6: has 3 cells for 4 columns: there is none for 'said'; the file may be",
    ),
    "two encodings": (
        bad("k1,2026-03-02,Kundin,größer".encode("cp1252")),
        "x.csv:6: is not UTF-8, as 6 other lines are: two encodings are mixed; save it in one, or state",
    ),
    "no Western text": (
        "чат,кто,что\n1,клиент,здравствуйте\n1,бот,добрый день\n".encode("cp1251"),
        "x.csv:1: is not UTF-8, and has too many bytes beyond ASCII to be cp1252",
    ),
    "too many columns": (
        b",".join(b"c%d" % n for n in range(100_000)) + b"\n" + b",".join([b"x"] * 100_000),
        "has 100,000 columns; at most 1,000 are read",
    ),
    "cut off gzip": (gzip.compress(separated().encode())[:-20], "is truncated"),
    "cut off JSON": (json.dumps(objects()).encode()[:-20], "x.csv"),
    "JSON of no rows": (b"[1, 2, 3]", "must be an object with a value for each column, but is 1"),
    "no workbook": (b"PK\x03\x04" + b"\0" * 40, "x.csv: is not a complete workbook"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_read_is_one_line_with_its_place(tmp_path: Path, case: str) -> None:
    content, expected = WRONG[case]
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        run(path)
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("case", ["too few cells", "too many cells", "a null byte"])
def test_bad_rows_are_counted_where_that_is_asked_for(tmp_path: Path, case: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(WRONG[case][0])
    found, account = run(path, skip_bad=True)
    assert said(found) == WANTED
    assert account.dropped == {"unreadable": 1}
    assert "1 rows could not be read; the first: " in account.warnings()[0]


def test_two_encodings_are_read_line_by_line_where_a_mapping_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(bad("k1,2026-03-02 09:01:00,Kundin,größer".encode("cp1252")))
    found, _ = run(path, mapping={"encoding": "mixed"})
    assert said(found)["k1"][2] == ("user", "größer")


def test_a_line_and_a_cell_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.csv"
    path.write_text(separated(lines=[*ROWS, ["k2", "2026-03-02 10:01:00", "Kundin", "long " * 1000]]))
    monkeypatch.setattr(decoding, "MAX_LINE_BYTES", 4000)
    with pytest.raises(TranscriptError, match=r"x.csv:10: is longer than"):
        run(path)
    monkeypatch.undo()
    monkeypatch.setattr(delimited, "MAX_CELL_CHARACTERS", 4000)
    with pytest.raises(TranscriptError, match=r"x.csv:10: row 7: has a cell of more than"):
        run(path)


def test_a_column_that_joins_too_many_rows_is_no_conversation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(separated())
    monkeypatch.setattr(grouping, "MOST_ROWS", 3)
    with pytest.raises(TranscriptError, match="conversation 'k1' has more than 3 rows: is another column"):
        run(path)


def test_repeated_rows_are_dropped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(separated(lines=[*ROWS, ROWS[2], ROWS[5]]))
    found, account = run(path)
    assert said(found) == WANTED
    assert (account.rows, account.used, account.dropped) == (8, 6, {"exact repeat": 2})


def test_what_is_said_twice_stays_where_nothing_orders_it(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    without = [{"chat": o["chat"], "who": o["who"], "said": o["said"]} for o in objects()]
    path.write_text("\n".join(map(json.dumps, [*without, without[4], without[5], without[4]])))
    found, account = run(path)
    assert len(said(found)["k2"]) == 5
    assert "3 rows are exact repeats" in account.warnings()[0]
    path.write_text("\n".join(map(json.dumps, [*without, *without])))
    found, account = run(path)
    assert said(found) == WANTED
    assert account.dropped == {"exact repeat": 6}


def test_rows_out_of_order_are_ordered_and_ties_stay_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    tied = [[chat, sent[:16], *rest] for chat, sent, *rest in ROWS]
    path.write_text(separated(lines=[tied[4], tied[2], tied[3], tied[0], tied[1], tied[5]]))
    found, account = run(path)
    assert said(found) == WANTED
    assert "1 conversations had rows out of order" in account.warnings()[0]


def test_what_is_dropped_is_said_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    more = [["", "2026-03-02 10:01:00", "Kundin", "wo?"], ["k2", "2026-03-02 10:02:00", "Berater", "  "]]
    path.write_text(separated(lines=[*ROWS, *more, ["k2", "2026-03-02 10:03:00", "Aufsicht", "gut"]]))
    with pytest.raises(
        TranscriptError, match=r"who: it is not known who 'Aufsicht' \(1 rows\) is; .*speakers.\"Aufsicht\""
    ):
        run(path)
    found, account = run(path, mapping={"speakers": {"Aufsicht": "ignore"}})
    assert said(found) == WANTED
    assert account.dropped == {"no conversation id": 1, "empty text": 1, "speaker ignored": 1}


def test_many_empty_messages_of_the_user_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(separated(lines=[*ROWS, ["k2", "2026-03-02 10:01:00", "Kundin", ""]]))
    with pytest.raises(TranscriptError, match="1 of 4 user messages are empty, more than 5%"):
        run(path)


def test_a_table_without_an_agent_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(separated())
    with pytest.raises(TranscriptError, match="has no message of the agent; messages by role: user 3"):
        run(path, mapping={"speakers": {"Kundin": "user", "Berater": "ignore"}})


def test_a_mapping_is_saved_so_that_it_reads_the_same(tmp_path: Path) -> None:
    path, saved = tmp_path / "x.csv", tmp_path / "map.toml"
    path.write_text(separated(";"))
    found = prepared(path)
    saved.write_text(found.mapping.to_toml(path))
    again = TableMapping.read(saved)
    assert again == found.mapping
    assert prepared(path, again).mapping == found.mapping
    assert said(run(path, mapping=again.model_dump())[0]) == WANTED


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            'columns.speaker = "wo"',
            "columns.speaker = 'wo' of the mapping: there is no such column; did you mean 'who'? it has 'chat', 'sent'",
        ),
        ('columns.speeker = "who"', "columns.speeker: no such key; did you mean 'speaker'?"),
        ('speakers.Kundin = "customer"', "speakers.Kundin: must be one of user, agent"),
        ('endings.ja = "bought"', "endings.ja: must be one of accepted, left"),
        ("rating.scale = [5, 1]", "scale must go from a lower to a higher number"),
        ('encoding = "utf-9"', 'encoding = "utf-9": no such encoding'),
        ('order.form = "day"', 'order.form = "day": must be number, iso, rfc2822 or a form such as'),
        ('separator = ";;"', "separator: "),
        ("guess = false", "the mapping states guess = false but no columns.conversation"),
        ("x = [", "is not TOML"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_in_one_line(tmp_path: Path, line: str, expected: str) -> None:
    path, mapping = tmp_path / "x.csv", tmp_path / "map.toml"
    path.write_text(separated())
    mapping.write_text(line)
    with (
        pytest.raises(InputError) as refused,
        table_import(prepared(path, TableMapping.read(mapping))) as imported,
    ):
        list(imported.conversations())
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


def test_keys_that_only_later_rows_have_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "LOOKED_AT", 4)
    path = tmp_path / "x.jsonl"
    path.write_text(
        "\n".join(json.dumps(o | ({"mood": "good"} if at > 3 else {})) for at, o in enumerate(objects()))
    )
    found, account = run(path)
    assert said(found) == WANTED
    assert (
        "2 rows have keys that the first rows lack, such as 'mood'; they were left out" in account.warnings()
    )
