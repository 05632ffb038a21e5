"""Damages small files as accidents and strangers would: bytes anywhere, and values, keys and cells by their form."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

Mutation = Callable[[bytes, Random], bytes]

TOKENS = [
    b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\x1b]0;x\x07", b"\r", b"\xe2\x80\xa8", b'"', b"{",
    b"[", b"}", b"]", b"\\", b"\\ud800", b"\\u0000", b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"-1", b"0", b"null",
    b"true", b"[" * 2000, b'{"a":' * 2000, b"x" * 70_000, b"\n\n\n", b"=", b"[[", b"a.", b"'''", b"#", b"%", b"../",
    b"\xff" * 8, b"\x00" * 8, b"\x7f\xff\xff\xff\xff\xff\xff\xff", b"1970-01-01T00:00:00Z", b",", b";", b"|",
]  # fmt: skip


def nested(depth: int, value: Any = 1, *, key: str | None = None) -> Any:
    for _ in range(depth):
        value = [value] if key is None else {key: value}
    return value


VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**4299, 0.1, 1e308, -1e308, 5e-324, "", " ", "\ud800", "\x00",
    "\x1b[31m\u202ex\u2028y", "x" * 70_000, "NaN", "2026-01-01", "c1", "user", "assistant", [], {}, [None], [[]],
    {"": None}, {"id": 1}, [{}], ["a", "a"], nested(150), nested(190), nested(220), nested(600), nested(220, key="a"),
]  # fmt: skip
RAW = [
    b"NaN",
    b"Infinity",
    b"1e999",
    b"-1e999",
    b"9" * 5000,
    b"[" * 3000 + b"]" * 3000,
    b'{"a":1,"a":2}',
    b"1.",
    b"01",
]
TOML = [
    "inf", "nan", "-1", "0", "9" * 5000, "1e999", "true", '""', '"\\u0000"', '"\\u001b[31m"', "'" + "x" * 5000 + "'",
    "[]", "{}", "[" * 150 + "]" * 150, "[" * 3000, "{a=" * 90 + "1" + "}" * 90, "1979-05-27T07:32:00Z", "07:32:00",
    "[1, 'a']", "['a', 'a']", '"(a+)+$"', '"["', '"../../x"', "'/dev/zero'", "1_000", "0xdeadbeef", "1e308",
]  # fmt: skip
LINES = [
    "a" + ".a" * 3000 + " = 1",
    "[" + "a." * 200 + "a]",
    "[[study]]",
    "[[persona]]",
    '"" = 1',
    "x = 1\nx = 2",
    "=",
]


def of_bytes(data: bytes, draw: Random) -> bytes:
    """Change a few bytes, or cut out, double, move or insert a part."""
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 4, 16))):
        place = draw.randrange(len(changed) + 1)
        length = draw.choice((1, 1, 2, 4, 8, 32, 256))
        kind = draw.randrange(6)
        if kind == 0 and changed:
            changed[min(place, len(changed) - 1)] ^= 1 << draw.randrange(8)
        elif kind == 1:
            changed[place : place + length] = draw.randbytes(length)
        elif kind == 2:
            del changed[place : place + length]
        elif kind == 3:
            changed[place:place] = changed[place : place + length] * draw.choice((1, 2, 50))
        elif kind == 4:
            changed[place:place] = draw.choice(TOKENS)
        else:
            other = draw.randrange(len(changed) + 1)
            changed[place : place + length] = changed[other : other + length]
    return bytes(changed[: draw.randrange(len(changed) + 1)] if draw.random() < 0.1 else changed)


def of_json(data: bytes, draw: Random) -> bytes:
    """Change values, keys and the order of one document."""
    document = json.loads(data)
    for _ in range(draw.choice((1, 1, 2, 3))):
        document = _value_changed(document, draw)
    text = json.dumps(document).encode()
    return text.replace(b'"@raw@"', draw.choice(RAW))


def of_json_lines(data: bytes, draw: Random) -> bytes:
    lines = data.splitlines()
    place = draw.randrange(len(lines))
    lines[place] = of_json(lines[place], draw)
    if draw.random() < 0.2:
        lines.insert(draw.randrange(len(lines) + 1), draw.choice(lines))
    return b"\n".join(lines) + draw.choice((b"\n", b"\n", b"", b"\r\n", b"\n\x00"))


def _value_changed(document: Any, draw: Random) -> Any:
    """Change what stands at a place of the document that any path leads to."""
    if not isinstance(document, dict | list) or not document or draw.random() < 0.15:
        return draw.choice([*VALUES, "@raw@"])
    if isinstance(document, list):
        place = draw.randrange(len(document))
        changed = [*document]
        kind = draw.randrange(8)
        if kind == 0:
            del changed[place]
        elif kind == 1:
            changed.extend([document[place]] * draw.choice((1, 2, 200)))
        else:
            changed[place] = _value_changed(document[place], draw)
        return changed
    key = draw.choice(list(document))
    kind = draw.randrange(8)
    if kind == 0:
        return {name: value for name, value in document.items() if name != key}
    if kind == 1:
        renamed = draw.choice(
            [key.upper(), key + "s", "", "\ud800", "x" * 300, "\x1b[1m", "messages", "id", "schema"]
        )
        return {renamed if name == key else name: value for name, value in document.items()}
    return {**document, key: _value_changed(document[key], draw)}


def of_toml(data: bytes, draw: Random) -> bytes:
    """Change values, keys and the order of lines."""
    lines = data.decode().split("\n")
    for _ in range(draw.choice((1, 1, 2, 3))):
        place = draw.randrange(len(lines))
        kind = draw.randrange(7)
        key, equals, _ = lines[place].partition(" = ")
        if kind == 0:
            del lines[place]
        elif kind == 1:
            lines.insert(place, draw.choice(lines))
        elif kind == 2:
            lines.insert(place, draw.choice(LINES))
        elif equals:
            lines[place] = f"{draw.choice((key, key, key, key + 's', 'x.' + key))} = {draw.choice(TOML)}"
        lines = lines or [""]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def of_zip(data: bytes, draw: Random) -> bytes:
    """Change a member's content, name or kind, and pack it again."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        chosen = draw.choice(old.namelist())
        for name in old.namelist():
            content = old.read(name)
            if name == chosen:
                mutation = of_json if name.endswith(".json") and draw.random() < 0.7 else of_bytes
                content = mutation(content, draw)
                if draw.random() < 0.2:
                    name = draw.choice(
                        ["", "../x", "a/b.json", "__MACOSX/x", name.upper(), "x" * 300, "n\x1b.json"]
                    )
            elif draw.random() < 0.1:
                continue
            new.writestr(name or "_", content)
    return packed.getvalue()


def of_parquet(data: bytes, draw: Random) -> bytes:
    """Change a row's cells or a column's kind, and write the table again."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    name = draw.choice(table.column_names)
    rows, kind = table.to_pylist(), draw.randrange(4)
    try:
        if kind == 0:
            changed = table.drop_columns([name])
        elif kind == 1:
            new = draw.choice(
                [pa.binary(), pa.int64(), pa.float64(), pa.bool_(), pa.timestamp("ns"), pa.list_(pa.int8())]
            )
            place = table.column_names.index(name)
            changed = table.set_column(place, name, pa.nulls(table.num_rows, new))
        else:
            place = draw.randrange(len(rows))
            rows[place] = {**rows[place], name: _value_changed(rows[place][name], draw)}
            changed = pa.Table.from_pylist(rows, schema=table.schema if kind == 2 else None)
        written = io.BytesIO()
        pq.write_table(changed, written, compression=draw.choice(["none", "snappy", "zstd"]))
    except (pa.ArrowException, ValueError, TypeError, OverflowError):  # no table has it
        return of_bytes(data, draw)
    return written.getvalue()


def of_sqlite(data: bytes, draw: Random) -> bytes:
    """Change a cell, a number of the header, or what stands in the schema."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.sqlite"
        path.write_bytes(data)
        connection = sqlite3.connect(path, isolation_level=None)
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        table = draw.choice(tables)
        column = draw.choice([row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')])
        nasty = [None, -1, 0, 9999, 2**62, 1e308, "", "x", b"\xff\x00", "\x1b[1m", "[" * 5000, float("inf")]
        connection.execute("PRAGMA ignore_check_constraints = ON")
        try:
            if table == "study" and draw.random() < 0.8:
                (document,) = connection.execute("SELECT document FROM study").fetchone()
                changed = of_json(document.encode(), draw).decode()
                connection.execute("UPDATE study SET document = ?", (changed,))
            elif draw.random() < 0.1:
                connection.execute(f'DELETE FROM "{table}"')
            elif draw.random() < 0.1:
                connection.execute(f'DROP TABLE "{table}"')
            else:
                connection.execute(f'UPDATE "{table}" SET "{column}" = ?', (draw.choice(nasty),))
        except sqlite3.Error:  # the schema refuses it
            return of_bytes(data, draw)
        finally:
            connection.close()
        return path.read_bytes()


def of_gzip(data: bytes, draw: Random) -> bytes:
    return gzip.compress(of_json_lines(gzip.decompress(data), draw), mtime=0)


def of_zstd(data: bytes, draw: Random) -> bytes:
    import zstandard

    plain = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return zstandard.ZstdCompressor(level=1).compress(of_json_lines(plain, draw))


BY_ENDING: dict[str, Mutation] = {
    ".json": of_json,
    ".jsonl": of_json_lines,
    ".toml": of_toml,
    ".zip": of_zip,
    ".npz": of_zip,
    ".parquet": of_parquet,
    ".sqlite": of_sqlite,
    ".gz": of_gzip,
    ".zst": of_zstd,
}


def mutated(data: bytes, ending: str, draw: Random) -> bytes:
    """Damage the content of a file with this ending: by its form where that is known, or any of its bytes."""
    by_form = BY_ENDING.get(ending)
    if by_form is None or draw.random() < 0.35:
        return of_bytes(data, draw)
    try:
        changed = by_form(data, draw)
    except Exception:  # what is damaged already has no form to go by
        return of_bytes(data, draw)
    return of_bytes(changed, draw) if draw.random() < 0.1 else changed
