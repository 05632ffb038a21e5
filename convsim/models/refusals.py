"""What a server refuses of a request, read from its error: parameters by name, roles, or that it does not stream."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict

from convsim._inputs import read_toml
from convsim._text import MAX_READ
from convsim.errors import ModelError

LEARNABLE = frozenset({400, 405, 406, 415, 422, 501})
"""Statuses by which servers refuse what they could be asked otherwise."""
NAMING = ("param", "parameter", "field", "loc", "path", "property", "name")
"""Fields of an error that name a parameter."""
MAX_DEPTH = 8


class RefusedRequestError(ModelError):
    """The server cannot use the request as it stands; ``said`` is its error, as JSON has it."""

    def __init__(self, reason: str, *, status: int, said: object):
        super().__init__(reason)
        self.status, self.said = status, said


class _Refusals(BaseModel):
    model_config = ConfigDict(frozen=True)
    never: tuple[str, ...]
    refuses: tuple[str, ...]
    exclusive: tuple[str, ...]
    unsupported: tuple[str, ...]
    range: tuple[str, ...]
    alternation: tuple[str, ...]
    system: tuple[str, ...]
    streams_only: tuple[str, ...]
    distinct: tuple[str, ...]
    status: dict[str, int]
    advice: dict[str, str]


@cache
def refusals() -> _Refusals:
    """Return the lists of ``refusals.toml``."""
    return _Refusals.model_validate(read_toml(resources.files("convsim.models").joinpath("refusals.toml")))


@cache
def _pattern(kind: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in getattr(refusals(), kind)), re.IGNORECASE)


def texts_of(said: object) -> str:
    """Return all texts of an error, in one; at most as much as a line is made of."""
    return " ".join(_texts(said, 0))[:MAX_READ]


def says(kind: str, said: object) -> bool:
    """Tell whether an error says what the list ``kind`` of ``refusals.toml`` has."""
    return _pattern(kind).search(texts_of(said)) is not None


def teaches_nothing(said: object) -> bool:
    """Tell whether an error is of another kind: too long a context, a policy, an unknown model, a missing field."""
    return says("never", said) or any(kind in ("missing", "required") for kind in _fields(said, ("type",), 0))


def named_parameters(said: object, sent: Collection[str]) -> tuple[str, ...]:
    """Return which of the parameters that were sent an error refuses, those that it names in a field of its own first.

    Args:
        said: The error, as JSON has it.
        sent: Names of the request's parameters.
    """
    in_fields = [
        name for text in _fields(said, NAMING, 0) for name in re.split(r"[.\[\]/$]", text) if name in sent
    ]
    if in_fields:
        return tuple(dict.fromkeys(in_fields))
    for sentence in re.split(r"(?<=[^\d\s])[.;\n]\s|\n", texts_of(said)):
        if _pattern("refuses").search(sentence):
            found = [name for name in sent if _stands(name, sentence)]
            if found:
                return tuple(sorted(found, key=sentence.find))
    return ()


def _stands(name: str, sentence: str) -> bool:
    """Tell whether a sentence speaks of a parameter, and does not only use a word that is called like it."""
    quoted = rf"[\"'`‘’“”\[\\](?:\w+\.)*{re.escape(name)}[\"'`‘’“”\\\[\].:]"
    spoken = rf"\b(?:param(?:eter)?s?|arguments?|fields?|propert(?:y|ies)|keys?|names?)\W{{1,3}}{re.escape(name)}\b"
    stated = rf"\b{re.escape(name)}(?:\s(?:parameter|argument|field|property|key)\b|\s?[:=])"
    # `Unrecognized request arguments supplied: seed, stop`
    listed = rf":\s(?:\w+,\s){{0,20}}{re.escape(name)}(?=,|\.|\s*$)"
    patterns = [quoted, spoken, stated, listed]
    if "_" in name or name in refusals().distinct:
        patterns.append(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    return any(re.search(pattern, sentence) for pattern in patterns)


def _texts(said: object, depth: int) -> Iterator[str]:
    if isinstance(said, str):
        yield said[:MAX_READ]
    elif isinstance(said, Mapping) and depth < MAX_DEPTH:
        for value in said.values():
            yield from _texts(value, depth + 1)
    elif isinstance(said, list | tuple) and depth < MAX_DEPTH:
        for value in said[:100]:
            yield from _texts(value, depth + 1)


def _fields(said: object, names: Sequence[str], depth: int) -> Iterator[str]:
    """Yield the texts of these fields, however deep they stand; of a list all its texts."""
    if depth > MAX_DEPTH:
        return
    if isinstance(said, Mapping):
        for key, value in said.items():
            if key in names:
                yield from _texts(value, depth + 1)
            elif isinstance(value, Mapping | list):
                yield from _fields(value, names, depth + 1)
    elif isinstance(said, list):
        for value in said[:100]:
            yield from _fields(value, names, depth + 1)


def status_of(said: object) -> int | None:
    """Return the HTTP status that an error in an answer of status 200 names, by number or by kind; None for none."""
    stated = (
        [said.get(key) for key in ("status", "code", "status_code", "http_status", "type")]
        if isinstance(said, Mapping)
        else []
    )
    for value in stated:
        number = (
            value
            if isinstance(value, int)
            else int(value)
            if isinstance(value, str) and re.fullmatch(r"\d{3}", value)
            else 0
        )
        if 400 <= number <= 599:
            return number
    kinds = (
        " ".join(value.lower() for value in stated if isinstance(value, str))
        .replace(" ", "_")
        .replace("-", "_")
    )
    for kind, status in refusals().status.items():
        if kind in kinds:
            return status
    found = re.search(
        r"\b(?:http|status|code|error)\D{0,10}([45]\d\d)\b|^\W?([45]\d\d)\b", texts_of(said), re.IGNORECASE
    )
    return int(found[1] or found[2]) if found else None
