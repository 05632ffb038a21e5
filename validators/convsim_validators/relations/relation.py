"""Metamorphic relations: what must hold between a bad agent and a good one, read from TOML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, InstanceOf, StringConstraints, ValidationError, model_validator

from convsim._inputs import read_toml
from convsim._text import complaint, one_line
from convsim.errors import InputError
from convsim.schema import Metric
from convsim.schema.record import Name, Number, Record

Direction = Literal["increase", "decrease", "no_increase", "no_decrease"]
ANY = "any"
"""In place of a fault: each that was recorded."""


class Relation(Record):
    """One relation, declared; it is tested by ``Relations``.

    ``metric`` is a metric's name, or a ``Metric``. ``tolerance`` and ``margin`` are in its unit; with ``compare =
    "slope"`` per unit of severity, which is the change from severity 0 to 1. A *hard* relation is broken where its
    metric is above 0, and ``tolerance`` is the proportion of personas that may break it.
    """

    name: Annotated[Name, StringConstraints(max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    question: Annotated[Name, StringConstraints(max_length=300)]
    fault: Annotated[Name, StringConstraints(max_length=200)]
    metric: Annotated[Name, StringConstraints(max_length=200)] | InstanceOf[Metric]
    kind: Literal["directional", "hard"]
    direction: Direction | None = None
    compare: Literal["highest", "slope"] = "highest"
    """The highest recorded severity against severity 0, or each persona's least-squares slope over severities."""
    tolerance: Annotated[Number, Field(ge=0)] = 0.0
    margin: Annotated[Number, Field(gt=0)] | None = None
    """An expected change that is shown to be smaller is none; by default 5 % of a share or of a label's scale, else a
    fifth of the standard deviation at severity 0, and never less than the tolerance."""

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.kind == "hard":
            if self.direction or self.margin is not None or self.compare != "highest":
                raise ValueError("a hard relation has no direction, margin or comparison")
            if self.tolerance > 1:
                raise ValueError(
                    f"the tolerance of a hard relation is a proportion up to 1, but is {self.tolerance:g}"
                )
        elif self.direction is None:
            raise ValueError(
                "a directional relation needs a direction: increase, decrease, no_increase or no_decrease"
            )
        elif self.direction.startswith("no_"):
            if self.tolerance == 0:
                raise ValueError(
                    f"{self.direction} needs a tolerance above 0: how large a change still counts as none? "
                    "Without one it could never be shown where nothing changes"
                )
            if self.margin is not None:
                raise ValueError(f"{self.direction} has a tolerance and no margin")
        return self

    @property
    def metric_name(self) -> str:
        """What the metric is called."""
        return self.metric if isinstance(self.metric, str) else self.metric.name

    @property
    def upwards(self) -> bool:
        """Whether a relation holds where its metric is high rather than low."""
        return self.direction in ("increase", "no_decrease")

    @property
    def expects_change(self) -> bool:
        """Whether something must change, rather than not get worse."""
        return self.direction in ("increase", "decrease")


MAX_BYTES = 1 << 20
MAX_RELATIONS = 200


def read_relations(path: str | Path) -> list[Relation]:
    """Read the ``[[relation]]`` tables of a file.

    Raises:
        InputError: No such file, too large, not TOML, no relation in it, an unknown key, a wrong value, or a name that
            stands twice.
    """
    content = read_toml(Path(path), what="the file of relations", limit=MAX_BYTES)
    return _relations_in(content, str(path))


@lru_cache(maxsize=1)
def built_in_relations() -> tuple[Relation, ...]:
    """Return the relations of ``relations.toml``."""
    path = files("convsim_validators.relations").joinpath("relations.toml")
    return tuple(_relations_in(read_toml(path), path.name))


def _relations_in(document: Mapping[str, object], where: str) -> list[Relation]:
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
        raise InputError(f"{where}: the relation {twice[0]!r} occurs twice; give each its own name")


def _relation(table: object, number: int, where: str) -> Relation:
    name = table.get("name") if isinstance(table, dict) else None
    called = f"relation {one_line(name)!r}" if isinstance(name, str) and name else f"relation {number}"
    try:
        return Relation.model_validate(table)
    except ValidationError as error:
        said = complaint(error, with_value=True)
        raise InputError(f"{where}: {called}: {said}") from error
