"""Checks a plugin's settings when it is made, before anything is started or sent: the annotations are the rule."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from inspect import get_annotations
from numbers import Integral
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from convsim._text import one_line
from convsim.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MAX_TIMEOUT_S = 86_400

Seconds = Annotated[float, Field(gt=0, le=MAX_TIMEOUT_S, description="seconds")]
"""A time limit: at most a day."""
Temperature = Annotated[float, Field(ge=0)]
TopP = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
ResampleCount = Annotated[int, Field(ge=9, le=100_000)]
"""Fewer give no p-value worth the name; more do not fit into memory."""

ErrorRate = Annotated[float, Field(gt=0, lt=0.5)]
"""The error rate of one look at the data: limits of equivalence are those of an interval at 1 less twice it, and a
corrected p-value of at most this shows a difference. Less than .05 is for data that are looked at several times."""

MAX_DOMAIN_CHARACTERS = 60
DOMAIN = re.compile(r"(?:[^\W_]|[ ,'’&/().-])+")


def is_domain(said: str) -> bool:
    """Tell whether a text is a few plain words: letters, digits, spaces and ``, ' & / ( ) . -``."""
    bare = "".join(character for character in said if not unicodedata.category(character).startswith("M"))
    return len(said) <= MAX_DOMAIN_CHARACTERS and any(map(str.isalpha, said)) and bool(DOMAIN.fullmatch(bare))


def _plain_words(said: str) -> str:
    if not is_domain(said):
        raise PydanticCustomError(
            "domain",
            "must be a few plain words, such as films: letters, digits, spaces and , ' & / ( ) . -, "
            "at most 60 characters",
        )
    return said


Domain = Annotated[
    str,
    Field(description="a few plain words, such as films, of at most 60 characters"),
    AfterValidator(_plain_words),
]
"""What a conversation is about, as a prompt says it: no line, label or control token can be written with it."""

MAX_SHOWN = 80
CONFIG = ConfigDict(strict=True, allow_inf_nan=False)
NAMES: Mapping[object, str] = {
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    str: "text",
    Path: "a path",
}


def check_settings(plugin: DataclassInstance, owner: str | None = None) -> None:
    """Compare each setting of a plugin, a dataclass, with its annotation.

    Settings are what a caller may set and a text can say: numbers, texts, choices and mappings of them, each with its
    range as in ``Annotated[int, Field(ge=1)]``. What is an object, such as a model, is not looked at.

    Args:
        plugin: What has just been made.
        owner: How its errors call it; by default the name of its class.

    Raises:
        InputError: Names the setting, what it must be and what was found.
    """
    for setting, annotation in _settings_of(type(plugin)).items():
        check_setting(owner or type(plugin).__name__, setting, getattr(plugin, setting), annotation)


def check_setting(owner: str, setting: str, value: object, annotation: object) -> None:
    """Compare one value with an annotation; raises InputError as ``check_settings`` does."""
    try:
        _adapter(annotation).validate_python(value)
    except ValidationError:
        raise InputError(refused_setting(owner, setting, value, annotation)) from None


def check_whole(owner: str, setting: str, value: object, *, least: int | None = None) -> None:
    """Check a whole number, NumPy's too, of at least ``least``; raises InputError as ``check_settings`` does."""
    if not isinstance(value, Integral) or isinstance(value, bool) or (least is not None and value < least):
        wanted = "a whole number" + ("" if least is None else f" of at least {least}")
        raise InputError(f"{owner}: {setting} must be {wanted}, but is {one_line(repr(value))}")


def refused_setting(owner: str, setting: str, value: object, annotation: object) -> str:
    """Say in one line what a setting must be, and what it is."""
    found = one_line(repr(value))
    found = found if len(found) <= MAX_SHOWN else found[: MAX_SHOWN - 1] + "…"
    return f"{owner}: {setting} must be {' or '.join(_expected(annotation))}, but is {found}"


def expected_settings(kind: type) -> dict[str, str]:
    """Say what each setting of a plugin's class must be; of a class that is no dataclass, nothing."""
    if not is_dataclass(kind):
        return {}
    return {name: " or ".join(_expected(annotation)) for name, annotation in _settings_of(kind).items()}


@lru_cache(maxsize=256)
def _settings_of(kind: type[DataclassInstance]) -> dict[str, object]:
    """Name the settings of a class with their annotations; names that only a type checker knows are left out."""
    found: dict[str, object] = {}
    for field in fields(kind):
        if field.init:
            home = next(c for c in kind.__mro__ if field.name in get_annotations(c))
            alone = type(home.__name__, (), {"__annotations__": {field.name: field.type}})
            alone.__module__ = home.__module__
            annotation = get_type_hints(alone, include_extras=True)[field.name]
            if _is_setting(annotation):
                found[field.name] = annotation
    return found


@lru_cache(maxsize=256)
def _adapter(annotation: Any) -> TypeAdapter[object]:
    return TypeAdapter(annotation, config=CONFIG)


def _is_setting(annotation: object) -> bool:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _is_setting(parts[0])
    if origin in (Union, UnionType, Mapping, Sequence):
        return all(map(_is_setting, parts))
    return origin is Literal or annotation in (*NAMES, NoneType, JsonValue)


def _expected(annotation: object) -> Iterator[str]:
    """Write what an annotation allows, each of a union by itself; that nothing may be said goes without saying."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        for part in parts:
            yield from _expected(part)
    elif origin is Annotated:
        yield _within(" or ".join(_expected(parts[0])), parts[1:])
    elif origin is Literal:
        *others, last = map(str, parts)
        yield f"{', '.join(others)} or {last}" if others else last
    elif origin is Mapping:
        yield "named values"
    elif origin is Sequence:
        yield f"a list of {' or '.join(_expected(parts[0]))}"
    elif annotation is not NoneType:
        yield NAMES.get(annotation, "something else")


def _within(base: str, constraints: tuple[object, ...]) -> str:
    """Write the range of a number, or that a text may not be empty."""
    limits: dict[str, Any] = {}
    described = next(filter(None, (getattr(each, "description", None) for each in constraints)), None)
    for constraint in constraints:
        for part in getattr(constraint, "metadata", (constraint,)):
            limits |= {
                name: getattr(part, name)
                for name in ("ge", "gt", "le", "lt", "min_length")
                if getattr(part, name, None) is not None
            }
    if "min_length" in limits:
        return described or f"{base} that is not empty"
    base = described or base
    lowest = (
        f" from {limits['ge']:g}" if "ge" in limits else f" above {limits['gt']:g}" if "gt" in limits else ""
    )
    if "le" in limits:
        joint = " to" if "ge" in limits else ", up to" if lowest else " up to"
        return f"{base}{lowest}{joint} {limits['le']:g}"
    return base + lowest + (f"{' and' if lowest else ''} below {limits['lt']:g}" if "lt" in limits else "")
