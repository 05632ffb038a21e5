"""The manifest of a run folder: its plan, what came of it, and how two plans differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue
from pydantic_core import from_json

from convsim._files import replacing
from convsim._inputs import read_input
from convsim._secrets import without_keys, without_keys_in
from convsim._text import one_line
from convsim.errors import StudyError

MANIFEST = "manifest.json"
VARIANT = "variant"
"""The key under which a shopper says, in words for people, what tells it from others of its name."""
MAX_MANIFEST_BYTES = 64 << 20
MAX_READ, MAX_SHOWN = 4_000, 160
"""Characters of a setting that are looked at, and that an error shows."""

Manifest = Mapping[str, JsonValue]


def read_manifest(folder: Path) -> dict[str, JsonValue]:
    """Read the manifest of a run folder, whose ``plan`` is an object.

    Raises:
        StudyError: There is none, or it is not that of a run.
    """
    path = folder / MANIFEST
    try:
        whole: dict[str, JsonValue] = from_json(read_input(path, MAX_MANIFEST_BYTES), allow_inf_nan=False)
        json.dumps(whole, allow_nan=False)  # as it is written again
        if not isinstance(whole["plan"], dict):
            raise TypeError("the plan is not an object")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StudyError(f"{path}: is not the manifest of a run; name another --out") from error
    return whole


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a folder, whole or not at all, and without keys of servers."""
    text = json.dumps(without_keys_in(manifest), indent=2, ensure_ascii=False, allow_nan=False)
    with replacing(folder / MANIFEST) as file:
        file.write(text.encode("utf-8") + b"\n")


def amend(folder: Path, changes: Manifest) -> None:
    """Add to, or change in, the manifest of a folder; its plan stays."""
    path = folder / MANIFEST
    write_manifest(
        folder, {**from_json(read_input(path, MAX_MANIFEST_BYTES), allow_inf_nan=False), **changes}
    )


def completed(found: Manifest, planned: Manifest, defaults: Manifest) -> dict[str, JsonValue]:
    """Return the plan of a folder with what it does not state, where ``planned`` has it at its default.

    A setting that a later version of convsim has brought, and that nobody has set, makes no plan another one.

    Args:
        found: The folder's plan, or an object in it.
        planned: The plan of what is asked for now, or the object at the same place.
        defaults: What settings are where nobody set them, nested as the plan is; null for those that it does not name.
    """
    result = dict(found)
    for key, value in planned.items():
        default = defaults.get(key)
        if key not in result:
            if value == default:
                result[key] = value
        elif isinstance(value, dict) and isinstance(here := result[key], dict):
            result[key] = completed(here, value, default if isinstance(default, dict) else {})
    return result


def difference(found: Manifest, planned: Manifest) -> str:
    """Say in what two plans differ: four settings at most, each as it was and is; empty where they agree."""
    changed = sorted(key for key in {*found, *planned} if found.get(key) != planned.get(key))
    return "; ".join(
        f"{one_line(key)} was {was} and is now {now}"
        for key in changed[:4]
        for was, now in (_differing(found.get(key), planned.get(key)),)
    )


def _differing(was: object, now: object) -> tuple[str, str]:
    """Write two values that differ; of two lists or two objects only what the other has not."""
    if isinstance(was, list) and isinstance(now, list):
        known = [{json.dumps(x, sort_keys=True) for x in each} for each in (was, now)]
        gone = [x for x in was if json.dumps(x, sort_keys=True) not in known[1]]
        come = [x for x in now if json.dumps(x, sort_keys=True) not in known[0]]
        if gone or come:
            was, now = gone, come
    elif isinstance(was, dict) and isinstance(now, dict):
        was, now = (
            {key: value for key, value in here.items() if key not in there or there[key] != value}
            for here, there in ((was, now), (now, was))
        )
    return _short(was), _short(now)


def _short(value: object) -> str:
    text = one_line(without_keys(json.dumps(value, ensure_ascii=False)[:MAX_READ]))
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
