"""Tables whose rows are turns, or conversations with their messages in a cell, made into tables of messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pydantic import JsonValue

from convsim.io.jsonl import parse_json
from convsim.io.problems import MalformedError, shown
from convsim.io.table.profile import Column
from convsim.io.table.rows import MAX_COLUMNS, Cells, Row, Table, flattened, text_of

SPEAKER, TEXT, ROW = "(speaker)", "(text)", "(row)"
"""Columns that a table gets where its rows are made into messages."""
SIDES = ("user", "agent")
LINE = re.compile(r"[ \t]*\**([^:\n*]{1,40}?)\**[ \t]*:\**[ \t]+(.*)")
MOST_NAMES = 12
LOOKED_AT = 200
MOST_PARTS = 10_000
NEARLY = 0.9

Parts = list[Cells]


def one_a_turn(table: Table, user_text: str, agent_text: str) -> Table:
    """Make a table of messages of one with two texts a row; they follow one another as their columns do."""
    sides = ((user_text, SIDES[0]), (agent_text, SIDES[1]))
    pairs = sorted(sides, key=lambda side: table.columns.index(side[0]))

    def parts(row: Row, cells: Cells) -> Parts:
        rest = {name: value for name, value in cells.items() if name not in (user_text, agent_text)}
        return [{**rest, ROW: str(row.number), SPEAKER: side, TEXT: cells.get(name)} for name, side in pairs]

    others = [name for name in table.columns if name not in (user_text, agent_text)]
    return _exploded(table, (*others, ROW, SPEAKER, TEXT), parts)


def one_a_conversation(table: Table, column: str, sample: Sequence[Cells]) -> Table:
    """Make a table of messages of one with a conversation in a cell, as JSON or as ``Name: text`` lines."""
    others = [name for name in table.columns if name != column]
    keys: dict[str, None] = {}
    for cells in sample[:LOOKED_AT]:
        for message in messages_in(cells.get(column)) or ():
            keys.update(dict.fromkeys(message))
    names = {key: f"{column}.{key}" if key in others else key for key in [*keys][:MAX_COLUMNS]}

    def parts(row: Row, cells: Cells) -> Parts:
        found = messages_in(cells.get(column))
        if found is None:
            raise MalformedError(f"is no list of messages: {shown(text_of(cells.get(column)))}", field=column)
        outer = {name: cells.get(name) for name in others} | {ROW: str(row.number)}
        return [outer | {names.get(key, key): value for key, value in message.items()} for message in found]

    return _exploded(table, (*others, ROW, *names.values()), parts)


def _exploded(table: Table, columns: tuple[str, ...], parts: Callable[[Row, Cells], Parts]) -> Table:
    def rows() -> Iterator[Row]:
        for row in table.rows():
            if isinstance(row.cells, MalformedError):
                yield row
                continue
            try:
                made = parts(row, row.cells)
            except MalformedError as bad:
                yield row._replace(cells=bad)
            else:
                for cells in made:
                    yield row._replace(cells=cells)

    return replace(table, columns=columns, rows=rows)


def holds_messages(column: Column) -> bool:
    """Tell whether nearly all cells of a column hold the messages of a conversation."""
    cells = [cell for cell in column.cells if cell.strip()][:LOOKED_AT]
    if not cells:
        return False
    found = [messages_in(cell) for cell in cells]
    good = [messages for messages in found if messages]
    if len(good) < NEARLY * len(cells) or max(map(len, good)) == 1:
        return False
    names = {text_of(message.get(SPEAKER)) for messages in good for message in messages if SPEAKER in message}
    return len(names) <= MOST_NAMES


def messages_in(cell: JsonValue) -> Parts | None:
    """Return the messages in a cell: objects of a list of JSON, or lines that begin with who speaks; None if none."""
    if isinstance(cell, str) and cell.lstrip()[:1] == "[":
        try:
            cell = parse_json(cell.encode("utf-8", "replace"))
        except MalformedError:
            return None
    if isinstance(cell, str):
        return _spoken(cell)
    if not isinstance(cell, list) or not cell or len(cell) > MOST_PARTS:
        return None
    try:
        return [flattened(_with_text(message)) for message in cell]
    except MalformedError:
        return None


def _with_text(message: JsonValue) -> JsonValue:
    """Return a message with the texts of its parts in place of a list of them, ``[{"type": "text", "text": …}]``."""
    if not isinstance(message, dict):
        return message
    return {key: _joined(value) if isinstance(value, list) else value for key, value in message.items()}


def _joined(parts: list[JsonValue]) -> JsonValue:
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    is_text = any(isinstance(part, dict) and isinstance(part.get("text"), str) for part in parts)
    return "\n".join(text for text in texts if isinstance(text, str)) if is_text else parts


def _spoken(text: str) -> Parts | None:
    """Read ``Name: text`` lines; a line without a name goes on with the one before."""
    found: Parts = []
    for line in text.splitlines():
        if spoken := LINE.fullmatch(line):
            found.append({SPEAKER: spoken[1].strip(), TEXT: spoken[2].strip()})
        elif found and line.strip():
            found[-1][TEXT] = f"{found[-1][TEXT]}\n{line.strip()}"
        elif line.strip():
            return None
    return found if 1 < len(found) <= MOST_PARTS else None
