"""Looks through a classifier's file before anything reads it: only numbers, and as many as it says."""

from __future__ import annotations

import json
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping

from convsim._text import one_line

TREE = "schema.json"
MAX_JSON_BYTES = 16 << 20
TRUSTED = frozenset(
    {
        ("DictNode", "builtins", "dict"),
        ("ListNode", "builtins", "list"),
        ("TypeNode", "builtins", "str"),
        ("NdArrayNode", "numpy", "ndarray"),
    }
)
"""What may stand in the tree of a file: skops's loader, and the module and class that it makes. Nothing is added."""
NPY = re.compile(
    rb"\x93NUMPY\x01\x00(?P<length>..)\{'descr': '(?P<dtype><f8|\|u1)', 'fortran_order': False, "
    rb"'shape': \((?P<rows>\d{1,9}),(?: (?P<columns>\d{1,9}))?\), \} *\n",
    re.DOTALL,
)
"""The header of the arrays that a classifier holds; NumPy would make room for whatever size a header claims."""
MAX_HEADER_BYTES = 256
MALFORMED = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
    struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What zipfile, skops and NumPy raise over a file that nobody's tools wrote."""


def check_tree(archive: zipfile.ZipFile) -> None:
    """Refuse loaders, types and arrays that no classifier needs, before skops sees it; raises ValueError."""
    nodes: list[object] = [read_json(archive, TREE)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, list):
            nodes.extend(node)
        elif isinstance(node, dict):
            if "__loader__" in node or "__class__" in node or "__module__" in node:
                kind = (node.get("__loader__"), node.get("__module__"), node.get("__class__"))
                if kind not in TRUSTED:
                    what = f"{kind[1]}.{kind[2]} (by {kind[0]})"
                    raise ValueError(f"it holds {one_line(what)}, which no classifier needs")
                if kind[0] == "NdArrayNode":
                    _check_array(archive, node)
            nodes.extend(node.values())


def _check_array(archive: zipfile.ZipFile, node: Mapping[str, object]) -> None:
    """Refuse an array that is no vector or matrix of numbers, or has another size than it says; raises ValueError."""
    name = str(node.get("file"))
    header = None
    if node.get("type") == "numpy":
        with archive.open(name) as member:
            header = NPY.match(member.read(MAX_HEADER_BYTES))
    if header is None or header.end("length") + int.from_bytes(header["length"], "little") != header.end():
        raise ValueError(f"its {name} is no array that a classifier holds")
    size = int(header["rows"]) * int(header["columns"] or 1) * (8 if header["dtype"] == b"<f8" else 1)
    if header.end() + size != archive.getinfo(name).file_size:
        raise ValueError(f"its {name} has another size than it says")


def read_json(archive: zipfile.ZipFile, name: str) -> object:
    """Read a member of at most 16 MiB; raises what MALFORMED lists."""
    if archive.getinfo(name).file_size > MAX_JSON_BYTES:
        raise ValueError(f"{name} is larger than {MAX_JSON_BYTES >> 20} MiB")
    content: object = json.loads(archive.read(name))
    return content
