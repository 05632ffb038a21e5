"""Which version of ConvApparel a file is: V1 and V2 have differently styled agents and are never pooled."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from convsim.errors import TranscriptError
from convsim.io.datasets import cards
from convsim.io.problems import shown

UNKNOWN = "convapparel"
STATED = re.compile(r"(?:convapparel[ _-]*)?v?([12])(?:\.\d+)*", re.IGNORECASE)
NAMED = re.compile(r"convapparel(?:[ _-]*v([12]))?", re.IGNORECASE)


def source_of(path: Path, sha256: str, versions: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """Return ``convapparel-v1``, ``convapparel-v2`` or ``convapparel``, and warnings.

    The archive's SHA-256 decides where it is known; then what its conversations state, then the file's name.

    Args:
        path: The file.
        sha256: Hexadecimal, of the file's bytes.
        versions: The distinct ``version`` fields of its conversations.

    Raises:
        TranscriptError: Some conversations state V1 and others V2.
    """
    for card in cards():
        if card.sha256 == sha256:
            return card.name, ()
    stated = {found[1] for version in versions if (found := STATED.fullmatch(version.strip()))}
    if len(stated) > 1:
        raise TranscriptError(
            path,
            "holds ConvApparel V1 and V2, which must never be pooled; give each its own file",
        )
    by_name = NAMED.fullmatch(path.name.split(".")[0])
    named = {by_name[1] or "1"} if by_name else set()
    if stated and named and stated != named:
        return UNKNOWN, (f"the name says ConvApparel V{named.pop()}, but the conversations V{stated.pop()}",)
    if stated:
        return f"{UNKNOWN}-v{stated.pop()}", ()
    if named:
        version = named.pop()
        return f"{UNKNOWN}-v{version}", (f"taken for ConvApparel V{version} by the file's name alone",)
    seen = ", ".join(shown(version) for version in sorted(versions)[:5]) or "none"
    return UNKNOWN, (f"not known to be ConvApparel V1 or V2 (its conversations' versions: {seen})",)
