"""What the user said of budget, size and color does not reach the agent."""

from __future__ import annotations

import re
from collections import Counter

from convsim.agents.faults.constraints import Constraint, constraints_in
from convsim.agents.faults.heard import Heard
from convsim.agents.faults.hooks import NOT_DRAWN, Done, Hearing, NotDone, Scene, listed
from convsim.agents.search.listening import MAX_CHARACTERS
from convsim.text.folding import plain_text


def _alter(heard: Heard, scene: Scene) -> Done[Heard] | NotDone:
    """Take the words of constraints out of the user's messages; the newest message is told of first."""
    vocabulary = scene.stock.vocabulary if scene.stock else None
    texts: dict[int, str] = {}
    lost: list[str] = []
    found = 0
    for place, text in reversed(list(heard.said())):
        read = plain_text(text[:MAX_CHARACTERS])
        constraints = constraints_in(read, vocabulary)
        found += len(constraints)
        gone = _unheard(read, constraints, place, scene)
        if gone:
            texts[place] = _without(read, gone) + text[MAX_CHARACTERS:]
            lost += [read[constraint.start : constraint.end] for constraint in gone]
    if not found:
        return NotDone("no constraint was said")
    if not lost:
        return NotDone(NOT_DRAWN)
    return Done(heard.rewritten(texts), f"not heard: {listed(lost)}")


def _unheard(text: str, constraints: list[Constraint], place: int, scene: Scene) -> list[Constraint]:
    nth: Counter[tuple[str, str]] = Counter()
    gone: list[Constraint] = []
    for constraint in constraints:
        said = (constraint.facet, text[constraint.start : constraint.end].lower())
        if scene.draws.hits(place, *said, nth[said]):
            gone.append(constraint)
        nth[said] += 1
    return gone


def _without(text: str, gone: list[Constraint]) -> str:
    cut = {at for constraint in gone for at in range(constraint.start, constraint.end)}
    kept = "".join(character for at, character in enumerate(text) if at not in cut)
    return re.sub(r" {2,}", " ", re.sub(r" +([,.;!?])", r"\1", kept)).strip(" ,")


IGNORED_CONSTRAINT = Hearing("ignored_constraint", "constraint", _alter)
