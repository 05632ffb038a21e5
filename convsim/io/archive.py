"""The one JSON member of a zip archive, read within bounds."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path

from convsim.errors import TranscriptError
from convsim.io.files import MAX_DOCUMENT_BYTES, check_file, damage_reported
from convsim.io.problems import shown

ENCRYPTED = 0x1
"""The bit of a member's flags that says so."""


def read_zip(path: Path) -> tuple[bytes, str]:
    """Read the only ``.json`` member of an archive; return its bytes and the archive's SHA-256.

    Raises:
        TranscriptError: No archive, a damaged or locked one, not exactly one such member, or one that unpacks
            to more than is read.
    """
    check_file(path)
    with damage_reported(path), path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        try:
            with zipfile.ZipFile(file) as archive:
                return _read(archive, _member(archive, path), path), sha256
        except zipfile.BadZipFile as error:
            raise TranscriptError(path, f"is no whole zip archive: {str(error)[:100]}") from None
        except NotImplementedError as error:
            raise TranscriptError(path, f"cannot be unpacked: {str(error)[:100]}") from None


def _member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [
        info
        for info in archive.infolist()
        if info.filename.lower().endswith(".json") and not info.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        found = ", ".join(shown(info.filename) for info in members[:5]) or "none"
        raise TranscriptError(path, f"must hold one member that ends in .json, but holds {found}")
    if members[0].flag_bits & ENCRYPTED:
        raise TranscriptError(path, f"is locked: {shown(members[0].filename)} needs a password")
    return members[0]


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> bytes:
    """Read a member; what it declares is not believed, so what it unpacks to is bounded too."""
    too_large = (
        f"{shown(info.filename)} unpacks to more than {MAX_DOCUMENT_BYTES >> 30} GiB, the most that is read"
    )
    if info.file_size > MAX_DOCUMENT_BYTES:
        raise TranscriptError(path, too_large)
    try:
        with archive.open(info) as member:
            data = member.read(MAX_DOCUMENT_BYTES + 1)
    except (zlib.error, EOFError) as error:
        raise TranscriptError(path, f"{shown(info.filename)} is damaged: {error}") from None
    if len(data) > MAX_DOCUMENT_BYTES:
        raise TranscriptError(path, too_large)
    return data
