"""People who end conversations by chance, and shoppers who decide in known ways, for tests of probes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from convsim.evaluation.probing.asking import Answer
from convsim.evaluation.probing.places import Move, Place
from convsim.schema.conversation import Conversation
from convsim.schema.persona import Persona

HAZARD = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7)
"""How often a person ends a conversation at each turn from the first on; most leave, a third accept."""
ACCEPTS = 0.35
PERSONA = Persona(id="p", need="boots")
NOBODY = Conversation(id="c", messages=())


@dataclass(frozen=True)
class Met:
    """A place, and how likely this person was to end there: each is more or less patient by a known factor."""

    place: Place
    hazard: float


def people(
    n_units: int, rng: Generator, *, a_user: tuple[int, int] = (1, 1), spread: float = 0.0
) -> list[Met]:
    """Let people move; each has a number of conversations in ``a_user``; ``spread`` is how far situations differ."""
    met: list[Met] = []
    for unit in range(n_units):
        for number in range(int(rng.integers(a_user[0], a_user[1] + 1))):
            conversation = NOBODY.model_copy(update={"id": f"{unit}-{number}"})
            for turn, base in enumerate(HAZARD, start=1):
                odds = base / (1 - base) * float(np.exp(spread * rng.standard_normal()))
                hazard = odds / (1 + odds)
                ends = rng.random() < hazard
                move: Move = "say" if not ends else "accept" if rng.random() < ACCEPTS else "leave"
                place = Place(conversation, PERSONA, turn, 2 * turn, move, None, "neither", f"user {unit}")
                met.append(Met(place, hazard))
                if ends:
                    break
    return met


def answered(
    met: list[Met], ends: Callable[[Met], float], rng: Generator, *, draws: int | None = 5
) -> dict[str, list[Answer]]:
    """Let a shopper that ends as likely as ``ends`` says answer, in draws or (None) in probabilities."""
    found: dict[str, list[Answer]] = {}
    for each in met:
        key, p = each.place.key, ends(each)
        if draws is None:
            stated = {"say": 1 - p, "accept": p * ACCEPTS, "leave": p * (1 - ACCEPTS)}
            found[key] = [Answer(place=key, draw=0, action="say", probabilities=stated)]
            continue
        kinds = rng.choice(3, size=draws, p=[1 - p, p * ACCEPTS, p * (1 - ACCEPTS)])
        found[key] = [
            Answer.model_construct(
                place=key, draw=draw, action=("say", "accept", "leave")[kind], probabilities=None
            )
            for draw, kind in enumerate(kinds)
        ]
    return found


def true_hazard(met: Met) -> float:
    """End as often as people do at this turn, whoever it is."""
    return HAZARD[met.place.turn - 1]


def never(met: Met) -> float:
    """Go on, always."""
    return 0.0


def coin(met: Met) -> float:
    """Decide at random."""
    return 0.5


def knowing(met: Met) -> float:
    """Know how patient this person is here."""
    return met.hazard
