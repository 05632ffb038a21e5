"""Every adversary by its name, in the order in which tables show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from convsim._text import one_line
from convsim.errors import InputError
from convsim.evaluation.adversaries import (
    consistency,
    crowd,
    disclosure,
    endings,
    joint,
    leakage,
    listening,
    order,
    typography,
    whole,
)
from convsim.evaluation.adversaries.definition import Adversary

KINDS = (whole, order, typography, crowd, listening, joint, consistency, disclosure, endings, leakage)
ADVERSARIES: Mapping[str, Adversary] = {
    found.name: found for kind in KINDS for found in vars(kind).values() if isinstance(found, Adversary)
}
NULL = whole.other_people


def find_adversaries(names: Iterable[str] | None = None) -> list[Adversary]:
    """Return the adversaries of these names, people first; all by default.

    Raises:
        InputError: No such adversary, or no name at all.
    """
    if names is None:
        return list(ADVERSARIES.values())
    asked = list(dict.fromkeys(names))
    if not asked:
        raise InputError(f"no adversary is named; there are: {', '.join(ADVERSARIES)}")
    for name in asked:
        if name not in ADVERSARIES:
            near = get_close_matches(name, ADVERSARIES, n=1)
            meant = f"did you mean {near[0]}?" if near else f"there are: {', '.join(ADVERSARIES)}"
            raise InputError(f"no adversary is called {one_line(repr(name))}; {meant}")
    return [NULL, *(ADVERSARIES[name] for name in asked if name != NULL.name)]
