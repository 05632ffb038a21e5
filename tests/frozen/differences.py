"""Where two answers differ, numbers and structure before words."""

import difflib
import math
from collections.abc import Iterator
from typing import Any

TOLERANCE = 1e-9
"""Relative: sums are ordered differently by another processor's BLAS, which moves the last digits and no more."""
SHOWN = 20
MAX_CHARACTERS = 160


def differences(was: Any, now: Any) -> tuple[list[str], list[str]]:
    """Return where numbers, keys or kinds differ, and where words alone do."""
    if isinstance(was, str) and isinstance(now, str):
        return [], [] if was == now else list(_of_texts(was, now))
    found = list(_differing("$", was, now))
    return [text for words, text in found if not words], [text for words, text in found if words]


def told(name: str, was: Any, now: Any) -> str:
    """Say the first differences of a file; empty where there is none."""
    numbers, words = differences(was, now)
    if not numbers and not words:
        return ""
    more = max(0, len(numbers) + len(words) - SHOWN)
    return "\n".join(
        [
            f"{name}: {len(numbers)} numbers, keys or kinds and {len(words)} texts differ",
            *(f"  {text}" for text in [*numbers, *words][:SHOWN]),
            *([f"  and {more} more"] if more else []),
        ]
    )


def _differing(place: str, was: Any, now: Any) -> Iterator[tuple[bool, str]]:
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted({*was, *now}):
            if key not in now or key not in was:
                yield False, f"{place}.{key}: is {'gone' if key in was else 'new'}"
            else:
                yield from _differing(f"{place}.{key}", was[key], now[key])
    elif isinstance(was, list) and isinstance(now, list):
        if len(was) != len(now):
            yield False, f"{place}: had {len(was)} entries and has {len(now)}"
        for index, (here, there) in enumerate(zip(was, now, strict=False)):
            yield from _differing(f"{place}[{index}]", here, there)
    elif isinstance(was, float) and isinstance(now, float):
        if not math.isclose(was, now, rel_tol=TOLERANCE, abs_tol=TOLERANCE**2):
            yield False, f"{place}: was {was!r} and is {now!r}"
    elif type(was) is not type(now) or was != now:
        words = isinstance(was, str) and isinstance(now, str)
        yield words, f"{place}: was {_short(was)} and is {_short(now)}"


def _of_texts(was: str, now: str) -> Iterator[str]:
    lines = difflib.unified_diff(was.splitlines(), now.splitlines(), lineterm="", n=0)
    yield from (line for line in lines if not line.startswith(("---", "+++", "@@")))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_CHARACTERS else text[:MAX_CHARACTERS] + "…"
