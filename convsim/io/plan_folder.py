"""A folder that belongs to one plan: what was planned is compared, and other processes are kept out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import JsonValue

from convsim.errors import StudyError

MANIFEST = "manifest.json"
LOCK = ".lock"
PARTIAL_MANIFEST = "manifest.partial"
MAX_SHOWN = 160
"""Characters of a setting that an error shows."""

Manifest = Mapping[str, JsonValue]


@contextmanager
def claim(folder: Path, manifest: Manifest) -> Iterator[None]:
    """Make a folder for a plan, or take the one that was made for it, and keep other processes out.

    Args:
        folder: Where the work lives.
        manifest: What the work is; its ``plan`` must be that of the folder.

    Raises:
        StudyError: The folder holds another plan or something else, or another process is writing to it.
    """
    from filelock import FileLock, Timeout

    _make_folder(folder)
    try:
        with FileLock(folder / LOCK, timeout=0):
            _agree_on_plan(folder, manifest)
            yield
    except Timeout as error:
        raise StudyError(
            f"{folder}: another convsim is writing to this run; wait for it, or name another --out"
        ) from error


def amend(folder: Path, changes: Manifest) -> None:
    """Add to, or change in, the manifest of a folder; its plan stays."""
    path = folder / MANIFEST
    _write_manifest(path, {**json.loads(path.read_text(encoding="utf-8")), **changes})


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A run that was killed before its manifest was whole has left these two behind.
        others = (entry.name for entry in folder.iterdir() if entry.name not in (LOCK, PARTIAL_MANIFEST))
        if not (folder / MANIFEST).exists() and any(others):
            raise StudyError(
                f"{folder}: holds other files and no {MANIFEST}; name an empty or new folder with --out"
            )
    except OSError as error:
        raise StudyError(f"{folder}: a run folder cannot be made there ({error.strerror})") from error


def _agree_on_plan(folder: Path, manifest: Manifest) -> None:
    path = folder / MANIFEST
    if not path.exists():
        _write_manifest(path, manifest)
        return
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["plan"]
        if not isinstance(found, dict):
            raise TypeError("the plan is no object")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StudyError(f"{path}: is no manifest of a run; name another --out") from error
    # What is compared has been through JSON, as the folder's has.
    planned = json.loads(json.dumps(manifest["plan"]))
    changed = sorted(key for key in {*found, *planned} if found.get(key) != planned.get(key))
    if changed:
        said = "; ".join(
            f"{key} was {was} and is now {now}"
            for key in changed[:4]
            for was, now in (_differing(found.get(key), planned.get(key)),)
        )
        raise StudyError(
            f"{folder}: holds another plan ({said}); name another --out, or ask for the same again"
        )


def _write_manifest(path: Path, manifest: Manifest) -> None:
    partial = path.with_name(PARTIAL_MANIFEST)
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)


def _differing(was: object, now: object) -> tuple[str, str]:
    """Write two values that differ; of two lists or two objects only what the other has not."""
    if isinstance(was, list) and isinstance(now, list):
        gone, come = ([x for x in here if x not in there] for here, there in ((was, now), (now, was)))
        if gone or come:
            was, now = gone, come
    elif isinstance(was, dict) and isinstance(now, dict):
        was, now = (
            {key: value for key, value in here.items() if key not in there or there[key] != value}
            for here, there in ((was, now), (now, was))
        )
    return _short(was), _short(now)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
