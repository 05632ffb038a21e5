"""Makes a conversation of its rows: in order, without repeats, with what stands beside its messages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue, ValidationError

from convsim.errors import TranscriptError
from convsim.io.jsonl import parse_json
from convsim.io.problems import MalformedError, first_problem
from convsim.io.table.account import REPEATED, Account
from convsim.io.table.beside import rating_of
from convsim.io.table.grouping import Part
from convsim.io.table.mapping import ANY, TableMapping
from convsim.io.table.times import number_of
from convsim.io.table.wording import hints
from convsim.schema.conversation import Conversation

BESIDE = ("user", "agent", "arm", "task", "simulator", "items", "rating", "ending")
SINGLE = ("user", "agent", "arm", "task", "simulator")
"""Meanings of which a conversation has one value."""
MAX_KEPT_CHARACTERS = 4000
APART = re.compile(r"[\s,;|]+")
IMPORTED = "imported"
Unpacked = Callable[[str | None], JsonValue]


@dataclass(frozen=True)
class Builder:
    """What is needed to make conversations of rows."""

    mapping: TableMapping
    columns: tuple[str, ...]
    """The columns beside messages, in the order in which rows have their cells."""
    constant: frozenset[str]
    account: Account
    unpacked: Unpacked
    source: str
    provenance: str

    def conversation(self, id: str, parts: Sequence[Part]) -> Conversation:
        """Make a conversation, and count what became of its rows; raises TranscriptError."""
        parts = self._without_repeats(self._in_order(parts))
        self._check_sides(id, parts)
        cells = [dict(zip(self.columns, map(self.unpacked, part.others), strict=True)) for part in parts]
        made = self._made(id, parts, cells)
        try:
            conversation = Conversation.model_validate(made)
        except ValidationError as error:
            bad = first_problem(error, made)
            raise TranscriptError(
                self.account.path, f"{bad.problem} (row {parts[0].number})", field=bad.field
            ) from None
        self.account.conversations += 1
        self.account.endings[conversation.ending] += 1
        roles = {part.role for part in parts}
        if "assistant" not in roles:
            self.account.notes["{n} conversations have no message of the agent"] += 1
        if "user" not in roles:
            self.account.notes["{n} conversations have no message of the user"] += 1
        for part in parts:
            self.account.messages[part.role] += 1
        self.account.used += len({part.number for part in parts})
        return conversation

    def _in_order(self, parts: Sequence[Part]) -> list[Part]:
        if self.mapping.columns.order is None:
            return list(parts)
        last = -float("inf")
        known = []
        for part in parts:
            if part.key is None:
                self.account.notes[
                    f"{{n}} rows have no {self.mapping.columns.order!r} that can be read, and stay where they stand"
                ] += 1
            last = last if part.key is None else part.key
            known.append((last, part))
        ordered = sorted(known, key=lambda pair: pair[0])
        if ordered != known:
            self.account.notes[
                f"{{n}} conversations had rows out of order, and were ordered by {self.mapping.columns.order!r}"
            ] += 1
        return [part for _, part in ordered]

    def _without_repeats(self, parts: list[Part]) -> list[Part]:
        """Drop exact repeats: of what is ordered all, of the rest a conversation that stands there twice as a whole."""
        bare = [replace_number(part) for part in parts]
        if self.mapping.columns.order is not None:
            seen: set[Part] = set()
            kept = []
            for part, same in zip(parts, bare, strict=True):
                if same in seen and part.key is not None:
                    self.account.dropped[REPEATED] += 1
                else:
                    seen.add(same)
                    kept.append(part)
            return kept
        half = len(bare) // 2
        if half > 1 and len(bare) % 2 == 0 and bare[:half] == bare[half:]:
            self.account.dropped[REPEATED] += half
            return parts[:half]
        if repeats := len(bare) - len(set(bare)):
            self.account.notes[
                "{n} rows are exact repeats in their conversation, but nothing orders them: they are kept"
            ] += repeats
        return parts

    def _check_sides(self, id: str, parts: Sequence[Part]) -> None:
        """Check that those whom no name makes an agent are one user; raises TranscriptError."""
        if self.mapping.speakers.get(ANY) != "user":
            return
        users = sorted({part.who for part in parts if part.role == "user"} - self.mapping.speakers.keys())
        if len(users) > 1:
            raise TranscriptError(
                self.account.path,
                f"conversation {id!r} has two that are taken for the user, {users[0]!r} and {users[1]!r}: state who is "
                f'an agent under [speakers] in a file for --map, such as "{users[1]}" = "agent"',
            )

    def _made(
        self, id: str, parts: Sequence[Part], cells: Sequence[Mapping[str, JsonValue]]
    ) -> dict[str, Any]:
        columns = self.mapping.columns
        stated = columns.stated()
        made: dict[str, Any] = {"id": id, "source": self.source}
        for meaning in SINGLE:
            if (column := stated.get(meaning)) is not None:
                values = list(dict.fromkeys(str(c[column]) for c in cells if c[column] not in (None, "")))
                made[meaning] = values[0] if values else None
                if len(values) > 1:
                    self.account.notes[
                        f"{{n}} conversations have several values of {column!r}, of which the first is the {meaning}"
                    ] += 1
        if self.mapping.speakers.get(ANY) == "user" and "user" not in stated:
            made["user"] = next((part.who for part in parts if part.role == "user"), None)
        metadata: dict[str, JsonValue] = {IMPORTED: {"mapping": self.provenance, "row": parts[0].number}}
        kept = [column for column in columns.keep or () if column in self.columns]
        whole = [
            column
            for column in kept
            if column in self.constant and len({repr(c[column]) for c in cells}) == 1
        ]
        metadata |= self._kept(cells[0], whole)
        messages: list[dict[str, Any]] = []
        before = -1
        for part, beside in zip(parts, cells, strict=True):
            own = self._kept(beside, [c for c in kept if c not in whole]) if part.number != before else {}
            before = part.number
            messages.append(self._message(part, beside, own))
        if columns.rating is not None:
            self._rate(made, messages, parts, [cell[columns.rating] for cell in cells])
        if columns.ending is not None:
            self._end(made, metadata, [cell[columns.ending] for cell in cells])
        return {**made, "messages": messages, "metadata": metadata}

    def _kept(self, cells: Mapping[str, JsonValue], columns: Sequence[str]) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {}
        for column in columns:
            value = cells[column]
            if value is None or value == "":
                continue
            if len(value if isinstance(value, str) else json.dumps(value)) > MAX_KEPT_CHARACTERS:
                self.account.notes[
                    f"{{n}} cells beside messages are longer than {MAX_KEPT_CHARACTERS:,} characters, and were left out"
                ] += 1
            else:
                found[column] = value
        return found

    def _message(
        self, part: Part, cells: Mapping[str, JsonValue], metadata: dict[str, JsonValue]
    ) -> dict[str, Any]:
        message: dict[str, Any] = {"role": part.role, "content": part.text}
        column = self.mapping.columns.items
        if column is not None and cells[column] not in (None, ""):
            if part.role == "assistant":
                message["items"] = items_of(cells[column])
            else:
                metadata = {**metadata, column: cells[column]}
        return {**message, "metadata": metadata} if metadata else message

    def _rate(
        self,
        made: dict[str, Any],
        messages: list[dict[str, Any]],
        parts: Sequence[Part],
        cells: Sequence[JsonValue],
    ) -> None:
        """Make labels of ratings: the last one of a conversation, or one of each message that has one."""
        rating = self.mapping.rating
        rated = [(at, cell) for at, cell in enumerate(cells) if cell not in (None, "")]
        if rating.level != "message":
            if len({str(cell) for _, cell in rated}) > 1:
                self.account.notes[
                    "{n} conversations have several ratings, of which the last one is taken"
                ] += 1
            rated = rated[-1:]
        for at, cell in rated:
            number = rating.values.get(str(cell), rating_of(str(cell)))
            if number is None or (rating.scale and not rating.scale[0] <= number <= rating.scale[1]):
                self.account.notes[
                    f"{{n}} ratings are not on the scale {[*rating.scale] if rating.scale else ''}, and were left out"
                ] += 1
                continue
            label: dict[str, Any] = {
                "value": int(number) if number == int(number) else number,
                "source": rating.source,
            }
            if rating.scale:
                label["scale"] = rating.scale
            if rating.level == "message":
                if at and parts[at].number == parts[at - 1].number:
                    continue
                messages[at]["labels"] = {rating.label: label}
            else:
                made["labels"] = {rating.label: label}
            self.account.rated += 1

    def _end(self, made: dict[str, Any], metadata: dict[str, JsonValue], cells: Sequence[JsonValue]) -> None:
        said = [_said(cell) for cell in cells if cell not in (None, "")]
        if not said:
            return
        ending = self.mapping.endings.get(said[-1], self.mapping.endings.get(ANY))
        if ending is None:
            self.account.notes[
                f"{{n}} conversations have no ending: [endings] has no line for their {self.mapping.columns.ending!r}"
            ] += 1
        else:
            made["ending"] = ending
        metadata[str(self.mapping.columns.ending)] = said[-1]


def _said(cell: JsonValue) -> str:
    return ("true" if cell else "false") if isinstance(cell, bool) else str(cell)


def replace_number(part: Part) -> Part:
    """Return the row without its place, so that equal ones are equal."""
    return part._replace(number=0)


def items_of(cell: JsonValue) -> list[dict[str, Any]]:
    """Return the items in a cell: a list of JSON with ids or objects, or ids with spaces, commas or | between them."""
    if isinstance(cell, str) and cell[:1] in ("[", "{"):
        with suppress(MalformedError):
            cell = parse_json(cell.encode("utf-8", "replace"))
    if isinstance(cell, str):
        return [{"id": id} for id in APART.split(cell.strip("[]() ").replace("'", "").replace('"', "")) if id]
    found = cell if isinstance(cell, list) else [cell]
    return [item for item in map(_item, found) if item]


def _item(value: JsonValue) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return {"id": str(value)} if value not in (None, "") else None
    id = next(
        (
            str(v)
            for k, v in value.items()
            if k.lower() in ("id", "sku", "asin") or hints(k).get("items", 0) > 0.6
        ),
        None,
    )
    title = next((v for k, v in value.items() if k.lower() in ("title", "name") and isinstance(v, str)), "")
    if not id and not title:
        return None
    price = value.get("price")
    number = number_of(str(price)) if price is not None else None
    known = {"id", "sku", "asin", "title", "name"} | ({"price"} if number is not None else set())
    return {
        "id": id or title, "title": title, "price": number,
        "attributes": {k: v for k, v in value.items() if k.lower() not in known},
    }  # fmt: skip
