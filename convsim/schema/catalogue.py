"""The catalogue that a recommender draws from: what an item holds, and how a file of items is read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, TextIO, TypeAlias

from pydantic import Field, JsonValue, ValidationError, field_validator

from convsim._inputs import open_input
from convsim._text import one_line, shown, wrong
from convsim.errors import InputError
from convsim.schema.conversation import Item
from convsim.schema.record import UNKNOWN_KEY, Name, Number, Record, Text

REQUIRED = ("id", "title", "description", "price")
LISTS = ("colors", "sizes")
SINGLE_TEXTS = ("brand", "category", "material", "occasion")
MAX_LINE_CHARACTERS = 1_000_000

Price = Annotated[Number, Field(ge=0)]
Row: TypeAlias = dict[str, JsonValue]


class CatalogueItem(Record):
    """One product that can be shown.

    ``price`` is in the catalogue's currency, null where unknown. Of the attributes, ``brand``, ``category``,
    ``material`` and ``occasion`` are texts, ``colors`` and ``sizes`` lists of texts; all may be absent, and
    others may stand beside them.
    """

    id: Name
    title: Name
    price: Price | None
    attributes: Row = Field(default_factory=dict)
    description: Text

    @field_validator("attributes")
    @classmethod
    def _known_attributes(cls, attributes: Row) -> Row:
        for name, value in attributes.items():
            if name in LISTS and not (
                isinstance(value, list) and all(isinstance(part, str) for part in value)
            ):
                raise ValueError(f"{name!r} must be a list of texts, but is {value!r}")
            if name in SINGLE_TEXTS and not isinstance(value, str):
                raise ValueError(f"{name!r} must be a text, but is {value!r}")
        return attributes

    def text_of(self, attribute: str) -> str:
        """Return a text attribute, empty where it is absent."""
        value = self.attributes.get(attribute)
        return value if isinstance(value, str) else ""

    def list_of(self, attribute: str) -> tuple[str, ...]:
        """Return a list attribute, empty where it is absent."""
        value = self.attributes.get(attribute)
        return tuple(str(part) for part in value) if isinstance(value, list) else ()

    def to_shown(self) -> Item:
        """Return the item as a message carries it, without its description."""
        return Item(id=self.id, title=self.title, price=self.price, attributes=self.attributes)


class Catalogue(Record):
    """Items with distinct ids, in the order of their source."""

    items: tuple[CatalogueItem, ...]

    @classmethod
    def of(cls, items: Iterable[CatalogueItem]) -> Catalogue:
        """Gather ``items``; raises InputError where there are none, or an id stands twice."""
        gathered = tuple(items)
        if not gathered:
            raise InputError("a catalogue needs at least one item, but none was given")
        seen: set[str] = set()
        for item in gathered:
            if item.id in seen:
                raise InputError(f"the ids of a catalogue must differ, but {item.id!r} occurs twice")
            seen.add(item.id)
        return cls(items=gathered)

    @classmethod
    def read(cls, path: Path | str) -> Catalogue:
        """Read a catalogue from JSONL or CSV, in UTF-8.

        JSONL: an object a line with ``id``, ``title``, ``description``, ``price`` (a number or null) and
        perhaps ``attributes``. CSV: a header with the columns ``id,title,description,price``, where an empty
        price is an unknown one; every further column is an attribute, absent where its cell is empty; a cell
        of ``colors`` or ``sizes`` holds a list separated by ``|``.

        Raises:
            InputError: file, line, field and what was expected.
        """
        path = Path(path)
        readers = {".jsonl": _json_rows, ".csv": _csv_rows}
        if path.suffix.lower() not in readers:
            raise InputError(
                f"{path}: a catalogue must end in .jsonl or .csv, but this ends in {path.suffix!r}"
            )
        first_line: dict[str, int] = {}
        items = []
        try:
            for line, row in readers[path.suffix.lower()](path):
                item = _item(path, line, row)
                if item.id in first_line:
                    stands = f"{item.id!r} is also on line {first_line[item.id]}"
                    raise InputError(f"{path}:{line}: id: the ids of a catalogue must differ, but {stands}")
                first_line[item.id] = line
                items.append(item)
        except OSError as error:
            raise InputError(f"{path}: the catalogue cannot be read: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise InputError(f"{path}: the catalogue must be UTF-8 text, but is not") from None
        if not items:
            raise InputError(f"{path}: a catalogue needs at least one item, but none was found")
        return cls(items=tuple(items))

    @cached_property
    def _by_id(self) -> dict[str, CatalogueItem]:
        return {item.id: item for item in self.items}

    def __contains__(self, item_id: object) -> bool:
        """Tell whether an item of that id is there."""
        return item_id in self._by_id

    def __len__(self) -> int:
        """Count the items."""
        return len(self.items)

    def item(self, item_id: str) -> CatalogueItem:
        """Return the item of that id; raises InputError where there is none."""
        if item_id not in self._by_id:
            raise InputError(f"the catalogue has no item {item_id!r}; it has {len(self)} others")
        return self._by_id[item_id]


def _item(path: Path, line: int, row: Row) -> CatalogueItem:
    for name in REQUIRED:
        if name not in row:
            raise InputError(f"{path}:{line}: {name}: this field is required, but is missing")
    try:
        return CatalogueItem.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == UNKNOWN_KEY:
            key = one_line(first["loc"][0])
            raise InputError(f"{path}:{line}: {key}: {first['msg']} (others go under attributes)") from None
        field = ".".join(str(part) for part in first["loc"]) or "the item"
        found = f", but is {shown(first['input'])}" if first["loc"] else ""
        raise InputError(f"{path}:{line}: {field}: {wrong(first)}{found}") from None


def _json_rows(path: Path) -> Iterator[tuple[int, Row]]:
    with io.TextIOWrapper(open_input(path), encoding="utf-8-sig") as file:
        for line, text in enumerate(_bounded_lines(path, file), start=1):
            if text.strip():
                yield line, _json_row(path, line, text)


def _json_row(path: Path, line: int, text: str) -> Row:
    try:
        row = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        problem = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(f"{path}:{line}: expected one JSON object, but {problem}") from None
    if not isinstance(row, dict):
        raise InputError(f"{path}:{line}: expected one JSON object, but found {text.strip()!r:.80}")
    return row


def _csv_rows(path: Path) -> Iterator[tuple[int, Row]]:
    with io.TextIOWrapper(open_input(path), encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(_bounded_lines(path, file), strict=True)
        header: list[str] | None = None
        try:
            for cells in rows:
                if header is None:
                    header = _header(path, cells)
                elif cells:
                    yield rows.line_num, _csv_row(path, rows.line_num, header, cells)
        except csv.Error as error:
            raise InputError(f"{path}:{rows.line_num}: not a line of CSV: {error}") from None


def _header(path: Path, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    if missing := [name for name in REQUIRED if name not in header]:
        found = ", ".join(header)
        raise InputError(
            f"{path}:1: {missing[0]}: this column is required, but is missing; found: {one_line(found)}"
        )
    if twice := [name for name in header if header.count(name) > 1]:
        raise InputError(f"{path}:1: {one_line(twice[0])}: this column occurs twice")
    return header


def _csv_row(path: Path, line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise InputError(
            f"{path}:{line}: expected {len(header)} cells, as the header has, but found {len(cells)}"
        )
    row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    attributes: Row = {}
    for name, cell in row.items():
        if name not in REQUIRED and cell:
            parts: JsonValue = [part.strip() for part in cell.split("|") if part.strip()]
            attributes[name] = parts if name in LISTS else cell
    price: JsonValue = None
    if row["price"]:
        try:
            price = float(row["price"])
        except ValueError:
            found = f"{row['price']!r:.80}"
            raise InputError(
                f"{path}:{line}: price: expected a number such as 39.90, but found {found}"
            ) from None
    stated = {name: row[name] for name in ("id", "title", "description")}
    return {**stated, "price": price, "attributes": attributes}


def _bounded_lines(path: Path, file: TextIO) -> Iterator[str]:
    line = 0
    while text := file.readline(MAX_LINE_CHARACTERS + 1):
        line += 1
        if len(text) > MAX_LINE_CHARACTERS:
            raise InputError(f"{path}:{line}: the line is longer than {MAX_LINE_CHARACTERS} characters")
        yield text


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
