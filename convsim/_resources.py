"""Finds the project's data files: in an installed convsim, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

from convsim.errors import ConvsimError

PACKAGE = Path(__file__).parent
PLACES = (PACKAGE / "_share" / "data", PACKAGE.parent / "data")


def shared(name: str) -> Path:
    """Return the path of a file or folder below ``data/``, such as ``demo/catalogue.jsonl``.

    Raises:
        ConvsimError: It is in neither place.
    """
    for place in PLACES:
        if (place / name).exists():
            return place / name
    raise ConvsimError(
        f"convsim's own data {name!r} is not installed; looked in {' and '.join(map(str, PLACES))}"
    )
