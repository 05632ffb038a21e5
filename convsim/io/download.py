"""Cards of data sets, and their files fetched with a checksum."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict

from convsim._files import replacing
from convsim._inputs import read_toml
from convsim._progress import step
from convsim._resources import shared
from convsim.errors import FetchError, InputError
from convsim.schema.record import Count, Flag, Name, Number, Text


class Card(BaseModel):
    """One data set; what is not known is null."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Name
    title: Text
    written_by_people: Flag
    note: Text
    file: Name
    licence: Text
    home: Text
    citation: Text | None = None
    url: Text | None = None
    """Where ``file`` can be fetched; null where it comes with convsim."""
    sha256: Text | None = None
    megabytes: Number | None = None
    conversations: Count | None = None
    turns: Count | None = None
    recommendations: Count | None = None
    items: Count | None = None


def cards() -> tuple[Card, ...]:
    """Return all cards by name."""
    paths = sorted(shared("cards").glob("*.toml"))
    return tuple(Card.model_validate(read_toml(path)) for path in paths)


def card(name: str) -> Card:
    """Return the card of that name; raises InputError where there is none."""
    known = {card.name: card for card in cards()}
    if name not in known:
        raise InputError(f"there is no data set {name!r}; available: {', '.join(known)}")
    return known[name]


TIMEOUT_SECONDS = 30
CHUNK_BYTES = 1 << 16
MAX_MEGABYTES = 1000.0
MEGABYTE = 1_000_000
MAX_DIGITS = 18
"""Of a card that does not state its file's size; a file may be twice as large as stated."""


def fetch(card: Card, folder: Path, *, force: bool = False) -> Path:
    """Fetch the file of ``card`` into ``folder`` and return its path; one that is there already is kept.

    Args:
        card: A card with ``url`` and ``sha256``.
        folder: Made where it is missing.
        force: Replace a file of that name that is another.

    Raises:
        InputError: The card's file comes with convsim, the folder cannot be written to, or another file is there.
        FetchError: The download failed, or its checksum differs; says where to get the file by hand.
    """
    if card.url is None or card.sha256 is None:
        raise InputError(f"{card.name} is installed with convsim and need not be fetched")
    target = folder / card.file
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if target.is_file() and _sha256(target) == card.sha256:
            return target
        if os.path.lexists(target) and not force:
            raise InputError(
                f"{target} exists already, and its SHA-256 is not the card's; name another --out, or replace it with "
                "--force"
            )
        _download(card, target)
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror or error}") from None
    except _DownloadError as error:
        raise FetchError(
            f"{card.title} could not be fetched from {card.url} ({error}); "
            f"get {card.file} from {card.home} yourself and put it at {target}"
        ) from None
    return target


class _DownloadError(Exception):
    """Says in a few words why."""


def _download(card: Card, target: Path) -> None:
    import requests

    with replacing(target) as file:
        try:
            sha256 = _stream(card, file)
        except requests.exceptions.HTTPError as error:
            raise _DownloadError(f"the server answered: {str(error)[:60]}") from None
        except requests.exceptions.Timeout:
            raise _DownloadError(f"no answer within {TIMEOUT_SECONDS} seconds") from None
        except requests.exceptions.ConnectionError:
            raise _DownloadError("no connection") from None
        except requests.exceptions.RequestException as error:
            raise _DownloadError(f"the download was interrupted: {type(error).__name__}") from None
        if sha256 != card.sha256:
            raise _DownloadError("its SHA-256 differs from the card's")


def _stream(card: Card, file: IO[bytes]) -> str:
    """Write what the server sends, within bounds, and return its SHA-256."""
    import requests

    assert card.url is not None
    limit_bytes = int(2e6 * (card.megabytes or MAX_MEGABYTES))
    digest, size = hashlib.sha256(), 0
    with (
        requests.get(card.url, stream=True, timeout=TIMEOUT_SECONDS) as response,
        step(f"fetching {card.title}", unit="MB") as at,
    ):
        response.raise_for_status()
        length = response.headers.get("Content-Length", "")
        at.at(total=int(length) // MEGABYTE if length.isdigit() and len(length) < MAX_DIGITS else None)
        for chunk in response.iter_content(CHUNK_BYTES):
            size += file.write(chunk)
            digest.update(chunk)
            at.at(size // MEGABYTE)
            if size > limit_bytes:
                raise _DownloadError(f"it is larger than {limit_bytes / 1e6:g} MB")
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
