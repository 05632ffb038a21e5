"""Where and with what a run was made: versions, platform, the state of git, the command."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import JsonValue

from convsim._files import read_toml
from convsim.errors import InputError

VERSIONS = ("convsim", "openai", "transformers", "torch", "peft", "scikit-learn", "bm25s", "pydantic")
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
"""Beside the package in a checkout; nothing of ours where it is installed."""
UNKNOWN = "0+unknown"


def provenance() -> dict[str, JsonValue]:
    """Return what a manifest says beside its plan."""
    return {
        "versions": {name: found for name in VERSIONS if (found := _version(name))},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "git": _git_state(),
        "command": [*sys.argv[1:]],
    }


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


def _git_state() -> JsonValue:
    """Name the commit of the folder that the study is run from, and whether it has changes; null outside git."""
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True
        )
        status = subprocess.run(
            ["git", "status", "--porcelain"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit.stdout.strip(), "changed": bool(status.stdout.strip())}
