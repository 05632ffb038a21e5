"""Reads relations from TOML: ``[[relation]]`` tables, the built-in ones as everybody's own."""

from __future__ import annotations

import tomllib
from collections import Counter
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from convsim._text import one_line
from convsim.errors import InputError
from convsim.schema.record import UNKNOWN_KEY
from convsim_validators.relations.relation import Relation

MAX_BYTES = 1 << 20
MAX_RELATIONS = 200


def read_relations(path: str | Path) -> list[Relation]:
    """Read the ``[[relation]]`` tables of a file.

    Raises:
        InputError: No such file, too large, not TOML, no relation in it, an unknown key, a wrong value, or a name that
            stands twice.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: is larger than {MAX_BYTES} bytes, and no list of relations is")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: relations cannot be read ({error.strerror})") from error
    return _parse(content[:MAX_BYTES], str(path))


@lru_cache(maxsize=1)
def built_in_relations() -> tuple[Relation, ...]:
    """Return the relations of ``relations.toml``."""
    name = "relations.toml"
    return tuple(_parse(files("convsim_validators.relations").joinpath(name).read_bytes(), name))


def _parse(content: bytes, where: str) -> list[Relation]:
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{where}: is not TOML: {one_line(error)}") from error
    if unknown := sorted(document.keys() - {"relation"}):
        raise InputError(f"{where}: {one_line(unknown[0])!r}: no such key; a file holds [[relation]] tables")
    tables = document.get("relation")
    if not isinstance(tables, list) or not tables:
        raise InputError(
            f"{where}: expected [[relation]] tables with name, question, fault, metric and kind, but found none"
        )
    if len(tables) > MAX_RELATIONS:
        raise InputError(f"{where}: holds {len(tables)} relations; at most {MAX_RELATIONS} are tested")
    relations = [_relation(table, number, where) for number, table in enumerate(tables, start=1)]
    check_names(relations, where)
    return relations


def check_names(relations: list[Relation], where: str) -> None:
    """Check that no two relations share a name; raises InputError."""
    twice = sorted(name for name, count in Counter(r.name for r in relations).items() if count > 1)
    if twice:
        raise InputError(f"{where}: the relation {twice[0]!r} stands twice; give each a name of its own")


def _relation(table: object, number: int, where: str) -> Relation:
    name = table.get("name") if isinstance(table, dict) else None
    called = f"relation {one_line(name)!r}" if isinstance(name, str) and name else f"relation {number}"
    try:
        return Relation.model_validate(table)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        field = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == UNKNOWN_KEY:
            said = f"{one_line(field)}: {problem['msg']}"
        elif problem["type"] == "missing":
            said = f"{field}: is missing"
        elif not field:
            said = problem["msg"].removeprefix("Value error, ")
        else:
            said = f"{field}: {one_line(problem['msg'])}, but found {one_line(repr(problem['input']))[:80]}"
        raise InputError(f"{where}: {called}: {said}") from error
