"""Fetches a data set's file and checks its checksum; what fails leaves nothing under the file's name."""

from __future__ import annotations

import hashlib
from pathlib import Path

from convsim.errors import FetchError, InputError
from convsim.readers.datasets import Card

TIMEOUT_SECONDS = 30


def fetch(card: Card, folder: Path, *, progress: bool) -> Path:
    """Fetch the file of ``card`` into ``folder`` and return its path; one that is there already is kept.

    Args:
        card: A card with ``url`` and ``sha256``.
        folder: Made where it is missing.
        progress: Draw a progress bar on stderr.

    Raises:
        InputError: The card's file comes with convsim, or the folder cannot be written to.
        FetchError: The download failed, or its checksum differs; says where to get the file by hand.
    """
    if card.url is None or card.sha256 is None:
        raise InputError(f"{card.name} comes with convsim; there is nothing to fetch")
    target = folder / card.file
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if target.is_file() and _sha256(target) == card.sha256:
            return target
        _download(card.url, card.sha256, target, progress=progress)
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror or error}") from None
    except _DownloadError as error:
        raise FetchError(
            f"{card.title} could not be fetched from {card.url} ({error}); "
            f"get {card.file} from {card.home} by hand and put it at {target}"
        ) from None
    return target


class _DownloadError(Exception):
    """Says in a few words why."""


def _download(url: str, sha256: str, target: Path, *, progress: bool) -> None:
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    try:
        pooch.retrieve(
            url,
            known_hash=f"sha256:{sha256}",
            fname=target.name,
            path=target.parent,
            downloader=pooch.HTTPDownloader(progressbar=progress, timeout=TIMEOUT_SECONDS),
        )
    except requests.exceptions.HTTPError as error:
        raise _DownloadError(f"the server answered: {str(error)[:60]}") from None
    except requests.exceptions.Timeout:
        raise _DownloadError(f"no answer within {TIMEOUT_SECONDS} seconds") from None
    except requests.exceptions.ConnectionError:
        raise _DownloadError("no connection") from None
    except requests.exceptions.RequestException as error:
        raise _DownloadError(f"the download broke off: {type(error).__name__}") from None
    except ValueError:
        raise _DownloadError("its SHA-256 differs from the card's") from None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
