"""Where two answers differ, numbers and structure before words."""

import difflib
import math
from collections.abc import Iterator
from typing import Any

RELATIVE, ABSOLUTE = 1e-6, 1e-8
"""Another processor's BLAS orders sums differently, which moves the last digits: of a classifier's scores those of 32
bits (6e-8 of a score was seen), and of what is fitted in steps those behind the tolerance at which it stops. The
absolute one is for small differences of such sums, and holds from ``SMALL`` on: what is smaller has to
agree in its digits."""
SMALL = 1e-4
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
        nearly = ABSOLUTE if min(abs(was), abs(now)) > SMALL else 0.0
        if not math.isclose(was, now, rel_tol=RELATIVE, abs_tol=nearly):
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
