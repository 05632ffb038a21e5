"""Arguments told by their content, so that every process of a session says the same of the same ones."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path
from types import CodeType, FunctionType, MethodType

from pydantic import BaseModel

from convsim._text import path_text
from convsim.io import CONVERSATIONS, Transcripts
from convsim.io.containers import json_files
from convsim.io.table.records import sha256_of
from convsim.schema.conversation import Conversation

LOCAL = "<locals>"
"""In the name of what a function defined; each call of that function may define another of that name."""
PLUGIN = "convsim.pytest_plugin"
Told = str | int | float | bool | None | list["Told"] | dict[str, "Told"]


class Telling:
    """Tells arguments; ``untold`` are those that only their class is known of.

    Conversations and files are told by their hash, functions by their code and what they enclose, and JSON-like
    values, pydantic's models and dataclasses whole. What encloses something that cannot be told cannot be told either.
    """

    def __init__(self) -> None:
        self.untold: list[object] = []
        self._within: list[object] = []

    def tell(self, value: object) -> Told:
        """Tell one argument."""
        if any(value is outer for outer in self._within):
            return f"itself: {_name(type(value))}"
        self._within.append(value)
        try:
            return self._told(value)
        finally:
            self._within.pop()

    def _told(self, value: object) -> Told:
        if isinstance(value, Enum):
            return f"{_name(type(value))}.{value.name}"
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str | Path):
            return _path_or_text(value)
        if isinstance(value, Conversation):
            return _hash([value.to_json()])
        if isinstance(value, Transcripts):
            return [path_text(value.path), _hash(each.to_json() for each in value)]
        if isinstance(value, list | tuple):
            if value and all(isinstance(each, Conversation) for each in value):
                return _hash(each.to_json() for each in value)
            return [self.tell(each) for each in value]
        if isinstance(value, set | frozenset):
            return sorted((self.tell(each) for each in value), key=repr)
        if isinstance(value, Mapping):
            return [[self.tell(key), self.tell(each)] for key, each in value.items()]
        if isinstance(value, functools.partial):
            return ["partial", *map(self.tell, (value.func, value.args, value.keywords))]
        if isinstance(value, MethodType):
            return ["method", self.tell(value.__func__), self.tell(value.__self__)]
        if isinstance(value, FunctionType):
            return self._function(value)
        if (isinstance(value, type) or inspect.isbuiltin(value)) and LOCAL not in value.__qualname__:
            return _name(value)
        return self._object(value)

    def _function(self, function: FunctionType) -> Told:
        if (
            function.__module__.split(".")[0] == "convsim"
        ):  # a fixture of ours holds what differs in each process
            return _name(function)
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        enclosed = {key: _content(cell) for key, cell in cells.items()}
        parts = (function.__defaults__, function.__kwdefaults__, enclosed, _constants(function))
        return [
            _name(function),
            path_text(function.__code__.co_filename),
            _hash([repr(_code(function.__code__))]),
            *map(self.tell, parts),
        ]

    def _object(self, value: object) -> Told:
        """Tell an object by its fields, or by its class where one of them cannot be told."""
        fields = _fields(value)
        inner = Telling()
        inner._within = self._within
        told = None if fields is None or LOCAL in type(value).__qualname__ else inner.tell(fields)
        if told is not None and not inner.untold:
            return [_name(type(value)), told]
        self.untold.append(value)
        return f"an object of {_name(type(value))}"


def _name(thing: type | FunctionType | Callable[..., object]) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def _hash(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return f"sha256 {digest.hexdigest()}"


def _path_or_text(value: str | Path) -> Told:
    """Tell a text; that of a file or folder with the hash of what it holds."""
    path, told = Path(value), path_text(value)
    try:
        if path.is_file():
            return [told, f"sha256 {sha256_of(path)}"]
        if not path.is_dir():
            return told
        run = path / CONVERSATIONS
        files = [run] if run.is_file() else json_files(path)
        return [told, _hash(f"{path_text(each.relative_to(path))} {sha256_of(each)}" for each in files)]
    except (
        OSError,
        ValueError,
    ):  # too long for a path, or a null character; or who reads it says why it cannot
        return told


def _fields(value: object) -> dict[str, object] | None:
    """Return what a pydantic model or a dataclass holds, less what it works out once; None of another object."""
    held: dict[str, object] = dict(getattr(value, "__dict__", {}))
    if isinstance(value, BaseModel):
        held |= {**(value.__pydantic_extra__ or {}), **(value.__pydantic_private__ or {})}
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        held |= {each.name: getattr(value, each.name, None) for each in dataclasses.fields(value)}
    else:
        return None
    cached = functools.cached_property
    return {
        key: each for key, each in held.items() if not isinstance(getattr(type(value), key, None), cached)
    }


def _constants(function: FunctionType) -> dict[str, object]:
    """Return the plain values that a function takes from its module."""
    found = {key: function.__globals__.get(key) for key in function.__code__.co_names}
    return {key: value for key, value in found.items() if isinstance(value, str | int | float | Path)}


def _content(cell: object) -> object:
    try:
        return getattr(cell, "cell_contents")  # noqa: B009
    except ValueError:  # nothing is in it yet
        return None


def _code(code: object) -> object:
    """Return what a function does, without where it stands in its file."""
    if isinstance(code, CodeType):
        return code.co_code, code.co_names, code.co_freevars, [_code(each) for each in code.co_consts]
    if isinstance(code, frozenset):
        return sorted(map(repr, code))
    return [_code(each) for each in code] if isinstance(code, tuple) else code
