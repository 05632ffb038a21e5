"""Reads the lists of words, characters and phrases that stand beside the metrics as text files."""

import re
import tomllib
from importlib.resources import files

from pydantic import TypeAdapter


def read_lexicon(name: str) -> frozenset[str]:
    """Return the entries of ``lexicon/<name>.txt``: one a line, lines that start with ``# `` left out."""
    lines = _read(f"{name}.txt").split("\n")
    return frozenset(line for line in lines if line and not line.startswith("# "))


def read_character_class(name: str) -> re.Pattern[str]:
    """Return a pattern that matches any one character listed in ``lexicon/<name>.txt``."""
    return re.compile(f"[{re.escape(''.join(sorted(read_lexicon(name))))}]")


def read_phrase_lists(name: str) -> dict[str, list[str]]:
    """Return the lists of ``lexicon/<name>.toml``, by their names."""
    return TypeAdapter(dict[str, list[str]]).validate_python(tomllib.loads(_read(f"{name}.toml")))


def read_replacements(name: str) -> dict[str, str]:
    """Return what ``lexicon/<name>.toml`` reads each word as."""
    return TypeAdapter(dict[str, str]).validate_python(tomllib.loads(_read(f"{name}.toml")))


def _read(name: str) -> str:
    return files("convsim.text").joinpath("lexicon", "en", name).read_text(encoding="utf-8")
