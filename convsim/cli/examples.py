"""The examples at the end of every command's help page."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

FILE = "examples.toml"
AS_IT_STANDS = "\b"
"""Begins a paragraph of a help page whose lines stay as they are."""


def read_examples() -> Mapping[str, list[str]]:
    """Return the examples of each command, by the words that name it."""
    return tomllib.loads(files("convsim.cli").joinpath(FILE).read_text(encoding="utf-8"))


def give_examples(command: Any) -> None:
    """Let the help page of every command below ``command`` end with its examples."""
    examples = read_examples()
    for name, leaf in leaves(command):
        if lines := examples.get(name):
            title = "Examples:" if len(lines) > 1 else "Example:"
            leaf.epilog = "\n".join([AS_IT_STANDS, title, *(f"  {line}" for line in lines)])


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield every command that holds no others, with the words that name it."""
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(path), command
    for name, each in (below or {}).items():
        yield from leaves(each, (*path, name))
