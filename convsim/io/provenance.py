"""Where and with what a run was made: versions, platform, the commit, the command."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import JsonValue

from convsim._inputs import read_toml
from convsim._secrets import without_keys
from convsim._text import path_text
from convsim.errors import InputError
from convsim.io.commit import commit_of

VERSIONS = (
    "convsim",
    "openai",
    "aiohttp",
    "transformers",
    "torch",
    "peft",
    "scikit-learn",
    "bm25s",
    "pydantic",
)
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
"""Beside the package in a checkout; nothing of ours where it is installed."""
UNKNOWN = "0+unknown"


def provenance() -> dict[str, JsonValue]:
    """Return what a manifest says beside its plan."""
    return {
        "versions": {name: found for name in VERSIONS if (found := _version(name))},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "git": None if (commit := _commit()) is None else {"commit": commit},
        "command": [*command()],
    }


def command() -> tuple[str, ...]:
    """Return the words of this process's command line, without what looks like a key."""
    return tuple(without_keys(path_text(word)) for word in sys.argv[1:])


def own_version() -> str:
    """Return convsim's version; of a checkout that is not installed, what its pyproject.toml says, or ``0+unknown``."""
    if (installed := _version("convsim")) is not None:
        return installed
    try:
        project = read_toml(PYPROJECT).get("project")
    except InputError:
        return UNKNOWN
    if isinstance(project, dict) and project.get("name") == "convsim" and "version" in project:
        return f"{project['version']}+checkout"
    return UNKNOWN


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Name the commit of the folder that the command is run in; nothing where that folder is gone."""
    try:
        return commit_of(Path.cwd())
    except OSError:
        return None
