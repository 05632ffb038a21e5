"""What a whole study varies, and what its runs are held against: the tables ``[sweep]`` and ``[judge]``."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, JsonValue, ValidationError

from convsim._text import complaint
from convsim.errors import StudyError
from convsim.schema.record import Name, Record
from convsim.simulation.config import StudyConfig, config_of, read_study_file

MOST_VARIANTS = 200
VARIED = ("study", "model", "shopper", "agent", "data")
"""Tables whose keys a sweep may vary."""
NAMED = {"shopper": {"name": StudyConfig().shopper.name}, "agent": {"name": StudyConfig().agent.name}}
"""What a table that is varied and not stated begins with."""
UNSAFE = re.compile(r"[^\w.=,+-]+")
LONGEST_NAME = 80
CASE = "case"


class JudgeSection(Record):
    """``[judge]``: the people that runs are held against, and how."""

    real: Path
    """Conversations of people, of whom no shopper has learned."""
    seed: Annotated[int, Field(strict=True)] | None = None
    """Random seed; the study's where it is not stated."""
    validators: tuple[Name, ...] | None = None
    annotate: Name | None = None
    control: Name | None = None
    treatment: Name | None = None
    """With ``control``: do shoppers react as people do, from one arm to the other?"""
    gate: Path | None = None
    allow_overlap: bool = False


@dataclass(frozen=True)
class Variant:
    """One run of a study: its name, what of the study it changes, and the study so changed."""

    name: str
    changes: Mapping[str, JsonValue]
    """By key, such as ``shopper.temperature``; empty in a study that varies nothing."""
    config: StudyConfig


@dataclass(frozen=True)
class WholeStudy:
    """What the file of a whole study states."""

    name: str
    variants: tuple[Variant, ...]
    judge: JudgeSection | None


def read_whole_study(path: Path) -> WholeStudy:
    """Read a study, its ``[sweep]`` and its ``[judge]``; relative paths are relative to its folder.

    Raises:
        StudyError: As ``read_study``; or a sweep names a key that no study has, or has too many variants.
    """
    stated = read_study_file(path)
    base = {name: table for name, table in stated.items() if name not in ("judge", "sweep")}
    config = config_of(base, path)
    changes = [*_changes(stated.get("sweep", {}), path)] or [("", {})]
    if len(changes) > MOST_VARIANTS:
        raise StudyError(f"{path}: [sweep] has {len(changes):,} variants; at most {MOST_VARIANTS} are run")
    variants = []
    for name, changed in zip(folder_names([name or _named(c) for name, c in changes]), changes, strict=True):
        varied = config_of(_with(base, changed[1], path), path) if changed[1] else config
        variants.append(Variant(name or "run", changed[1], varied))
    return WholeStudy(config.study.name, tuple(variants), _judge(stated.get("judge"), path))


def _judge(stated: object, path: Path) -> JudgeSection | None:
    if stated is None:
        return None
    try:
        judge = JudgeSection.model_validate(stated)
    except ValidationError as error:
        raise StudyError(f"{path}: [judge] {complaint(error, with_value=True)}") from error
    if (judge.control is None) != (judge.treatment is None):
        raise StudyError(f"{path}: [judge] names one arm; reactions need control and treatment")
    moved = {"real": path.parent / judge.real, "gate": judge.gate and path.parent / judge.gate}
    return judge.model_copy(update=moved)


def _changes(sweep: object, path: Path) -> Iterator[tuple[str, dict[str, JsonValue]]]:
    """Yield the name (empty where none is stated) and the changes of each variant: all combinations, then cases."""
    if not isinstance(sweep, Mapping):
        raise StudyError(
            f'{path}: [sweep] must be a table of lists, such as "shopper.temperature" = [0.5, 1.0]'
        )
    axes = dict(_flat({key: value for key, value in sweep.items() if key != CASE}))
    for key, values in axes.items():
        if not isinstance(values, list) or not values:
            raise StudyError(f"{path}: [sweep] {key}: must be a list of values, but is {json.dumps(values)}")
        if len({json.dumps(value) for value in values}) < len(values):
            raise StudyError(f"{path}: [sweep] {key}: a value stands there twice")
    n = 1
    for values in axes.values():
        n *= len(values)
    if n > MOST_VARIANTS:
        raise StudyError(f"{path}: [sweep] has {n:,} combinations; at most {MOST_VARIANTS} variants are run")
    if axes:
        yield from (("", dict(zip(axes, values, strict=True))) for values in product(*axes.values()))
    cases = sweep.get(CASE, [])
    if not isinstance(cases, list) or not all(isinstance(case, Mapping) for case in cases):
        raise StudyError(f"{path}: [[sweep.case]] must be tables, each with what it changes")
    for case in cases:
        name = case.get("name", "")
        if not isinstance(name, str):
            raise StudyError(f"{path}: [[sweep.case]] name: must be text, but is {json.dumps(name)}")
        yield name, dict(_flat({key: value for key, value in case.items() if key != "name"}))


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value with its key; ``a.b`` may be written with quotes or without."""
    for key, value in table.items():
        place = f"{before}.{key}" if before else key
        if isinstance(value, Mapping):
            yield from _flat(value, place)
        else:
            yield place, value


def _with(base: Mapping[str, Any], changes: Mapping[str, JsonValue], path: Path) -> dict[str, Any]:
    """Return what a study states with some keys changed."""
    changed: dict[str, Any] = copy.deepcopy(dict(base))
    for key, value in changes.items():
        table, _, field = key.partition(".")
        if table not in VARIED or not field:
            raise StudyError(
                f"{path}: [sweep] {key}: cannot be varied; name a table and a key of the study, such as "
                f"shopper.temperature (tables: {', '.join(VARIED)})"
            )
        *parents, last = field.split(".")
        place = changed.setdefault(table, dict(NAMED.get(table, {})))
        for parent in parents:
            place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            raise StudyError(f"{path}: [sweep] {key}: {'.'.join([table, *parents])} is no table")
        place[last] = value
    return changed


def _named(changes: Mapping[str, JsonValue]) -> str:
    parts = []
    for key, value in changes.items():
        told = value if isinstance(value, str) else json.dumps(value)
        short = key.rpartition(".")[2]
        parts.append(f"{key.partition('.')[0] if short == 'name' else short}={told}")
    return ",".join(parts)


def folder_names(wanted: Iterable[str], taken: Iterable[str] = ()) -> Iterator[str]:
    """Yield names that can be folders, each once and none that is taken, whatever the case of its letters."""
    taken = {each.casefold() for each in taken}
    for name in wanted:
        safe = UNSAFE.sub("-", name).strip(".-")[:LONGEST_NAME] or "run"
        number, unique = 1, safe
        while unique.casefold() in taken:
            number += 1
            unique = f"{safe}-{number}"
        taken.add(unique.casefold())
        yield unique
