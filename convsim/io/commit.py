"""The commit of a working folder, read from git's own files: no git is run, and nothing a repository configures."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

MAX_BYTES = 4096
"""Of a file that says one thing."""
MAX_PACKED_BYTES = 64 << 20
"""Of ``packed-refs``, in which every branch and tag may stand."""
MAX_STEPS = 5
"""References that are followed from one to the next."""
COMMIT = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})")
REFERENCE = re.compile(r"ref: +(refs/[^\x00-\x20\x7f\\:]+)")


def commit_of(folder: Path) -> str | None:
    """Return the commit that is checked out in the repository around ``folder``, or None where there is none.

    Whether files have changed since is not told: only git knows, and it would run what the repository's own
    configuration names.
    """
    repository = next((found for at in (folder, *folder.parents) if (found := _repository(at))), None)
    if repository is None:
        return None
    said = _text(repository / "HEAD")
    for _ in range(MAX_STEPS):
        if COMMIT.fullmatch(said):
            return said
        reference = REFERENCE.fullmatch(said)
        if reference is None or ".." in reference[1]:
            return None
        said = _reference(repository, reference[1])
    return None


def _repository(folder: Path) -> Path | None:
    """Return where the git files of a folder are: its ``.git``, or what the file of that name names."""
    git = folder / ".git"
    if git.is_dir():
        return git if (git / "HEAD").exists() else None
    _, found, place = _text(git).partition("gitdir: ")
    return folder / place if found and place else None


def _reference(repository: Path, name: str) -> str:
    """Return what a reference says: a commit, another reference, or nothing."""
    # The references of a worktree are its own, or those of the repository that it belongs to.
    common = repository / (_text(repository / "commondir") or ".")
    for place in (repository, common):
        if said := _text(place / name):
            return said
    packed = _text(common / "packed-refs", limit=MAX_PACKED_BYTES)
    found = re.search(rf"^(\S+) {re.escape(name)}$", packed, re.MULTILINE)
    return found[1] if found else ""


def _text(path: Path, *, limit: int = MAX_BYTES) -> str:
    """Read a short ordinary file; empty where it is none, cannot be read, or is longer than ``limit`` bytes."""
    try:
        # A pipe in its place would be waited for.
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(number, "rb") as file:  # noqa: PTH123, it is open
            content = file.read(limit + 1) if stat.S_ISREG(os.fstat(number).st_mode) else b""
    except (OSError, ValueError):
        return ""
    return content.decode("utf-8", "replace").strip() if len(content) <= limit else ""
