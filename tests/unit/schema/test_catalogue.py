"""Reading a catalogue: what is accepted, and what each mistake is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convsim.errors import InputError
from convsim.schema.catalogue import MAX_LINE_CHARACTERS, Catalogue, CatalogueItem
from convsim.schema.conversation import Item

BOOT = {
    "id": "boot-1",
    "title": "Brindle hiking boots",
    "description": "They keep water out.",
    "price": 89.5,
    "attributes": {
        "brand": "Brindle",
        "category": "footwear",
        "colors": ["black", "tan"],
        "sizes": ["8", "9"],
        "material": "suede",
        "occasion": "hiking",
    },
}
SHIRT = {"id": "shirt-1", "title": "Linen shirt", "description": "Cool.", "price": None}
CSV = """id,title,description,price,brand,category,colors,sizes,material,occasion
boot-1,Brindle hiking boots,They keep water out.,89.5,Brindle,footwear,black|tan,8|9,suede,hiking
shirt-1,Linen shirt,Cool.,,,,,,,
"""


def jsonl(folder: Path, *rows: object) -> Path:
    path = folder / "catalogue.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def csv(folder: Path, text: str) -> Path:
    path = folder / "catalogue.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_jsonl_and_csv_of_the_same_items_read_alike(tmp_path: Path) -> None:
    from_jsonl = Catalogue.read(jsonl(tmp_path, BOOT, SHIRT))
    assert from_jsonl == Catalogue.read(csv(tmp_path, CSV))
    boot = from_jsonl.item("boot-1")
    assert (boot.price, boot.text_of("brand"), boot.list_of("sizes")) == (89.5, "Brindle", ("8", "9"))
    assert from_jsonl.item("shirt-1").price is None


def test_an_absent_attribute_reads_as_empty() -> None:
    item = CatalogueItem.model_validate(SHIRT)
    assert item.text_of("brand") == ""
    assert item.list_of("colors") == ()


def test_items_are_found_by_id_and_counted(tmp_path: Path) -> None:
    catalogue = Catalogue.read(jsonl(tmp_path, BOOT, SHIRT))
    assert len(catalogue) == 2
    assert "boot-1" in catalogue
    assert "boot-2" not in catalogue
    with pytest.raises(InputError, match="has no item 'boot-2'"):
        catalogue.item("boot-2")


def test_what_is_shown_leaves_the_description_out() -> None:
    shown = CatalogueItem.model_validate(BOOT).to_shown()
    assert type(shown) is Item
    assert shown.model_dump(exclude_defaults=True) == {key: BOOT[key] for key in BOOT if key != "description"}


def test_an_unknown_key_of_a_line_is_refused_and_told_where_it_goes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r":1: warehouse: no such key; .*under attributes"):
        Catalogue.read(jsonl(tmp_path, {**SHIRT, "warehouse": "B7"}))


def test_further_columns_of_csv_are_attributes(tmp_path: Path) -> None:
    path = csv(tmp_path, 'id,title,description,price,heel\na,Pumps,"High, but steady.",40,block\n')
    assert Catalogue.read(path).item("a").attributes == {"heel": "block"}


def test_gathering_items_refuses_none_and_doubles() -> None:
    boot = CatalogueItem.model_validate(BOOT)
    assert len(Catalogue.of([boot])) == 1
    with pytest.raises(InputError, match="'boot-1' occurs twice"):
        Catalogue.of([boot, boot])
    with pytest.raises(InputError, match="at least one item"):
        Catalogue.of([])


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({**BOOT, "price": "89"}, "price: "),
        ({**BOOT, "price": -1}, "price: "),
        ({**BOOT, "id": ""}, "id: "),
        ({**BOOT, "title": 7}, "title: "),
        ({**BOOT, "attributes": {"colors": "black"}}, "'colors' must be a list of texts"),
        ({**BOOT, "attributes": {"brand": ["a"]}}, "'brand' must be a text"),
        ({key: BOOT[key] for key in ("id", "title", "price")}, "description: this field is required"),
        ({key: BOOT[key] for key in ("id", "title", "description")}, "price: this field is required"),
        ([1], "expected one JSON object"),
        (BOOT, "id: the ids of a catalogue must differ, but 'boot-1' is also on line 1"),
    ],
)
def test_a_bad_line_of_jsonl_is_named_with_its_field(tmp_path: Path, row: object, told: str) -> None:
    path = jsonl(tmp_path, BOOT, row)
    with pytest.raises(InputError) as error:
        Catalogue.read(path)
    assert str(error.value).startswith(f"{path}:2: ")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "line",
    ['{"id": "a", "title": "b", "description": "", "price": NaN}', "{", "[" * 100_000, '"only a text"'],
)
def test_a_line_that_is_not_one_json_object_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "catalogue.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=":2: expected one JSON object"):
        Catalogue.read(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,title,price\n", ":1: description: this column is required"),
        ("id,title,description,price,id\n", ":1: id: this column occurs twice"),
        ("id,title,description,price\na,b,c\n", ":2: expected 4 cells, as the header has, but found 3"),
        (
            "id,title,description,price\na,b,c,$39\n",
            ":2: price: expected a number such as 39.90, but found '$39'",
        ),
        ("id,title,description,price\na,b,c,nan\n", ":2: price: "),
        ("id,title,description,price\na,b,c,1e999\n", ":2: price: "),
        ("id,title,description,price\na,b,c,-2\n", ":2: price: "),
        ("id,title,description,price\na,b,c,1\na,b,c,1\n", ":3: id: the ids of a catalogue must differ"),
        ('id,title,description,price\na,"b"x,c,1\n', ":2: not a line of CSV"),
        ("id,title,description,price\n", "at least one item"),
        ("", "at least one item"),
    ],
)
def test_a_bad_csv_is_told_where_and_why(tmp_path: Path, text: str, told: str) -> None:
    path = csv(tmp_path, text)
    with pytest.raises(InputError) as error:
        Catalogue.read(path)
    assert str(error.value).startswith(str(path))
    assert told in str(error.value)


def test_a_file_that_is_absent_or_of_another_kind_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.jsonl or \.csv, but this ends in '\.xlsx'"):
        Catalogue.read(tmp_path / "catalogue.xlsx")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        Catalogue.read(tmp_path / "absent.csv")
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="must be UTF-8"):
        Catalogue.read(binary)


def test_an_endless_line_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.jsonl"
    path.write_text('{"id": "' + "a" * MAX_LINE_CHARACTERS, encoding="utf-8")
    with pytest.raises(InputError, match=":1: the line is longer than"):
        Catalogue.read(path)
