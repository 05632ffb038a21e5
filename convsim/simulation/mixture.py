"""Several shoppers, or personas, in stated proportions: who holds which conversation of a study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heapreplace

from pydantic import JsonValue

from convsim._text import shown
from convsim.errors import InputError
from convsim.schema import Shopper
from convsim.schema.persona import Persona
from convsim.seeds import generator

MIDDLE = 0.5
"""Of the first of a component's equal parts of a study: where its conversation stands."""


@dataclass(frozen=True, kw_only=True)
class Component:
    """One shopper of a mixture, and what proportion of the conversations it holds."""

    name: str
    weight: float
    shopper: Shopper
    model: str | None = None
    """Name of the model behind the shopper."""
    provenance: Mapping[str, JsonValue] = field(default_factory=dict)
    """What else tells it from others: settings, hashes of what it learned from."""

    def stated(self) -> dict[str, JsonValue]:
        """Return what a manifest says of it."""
        hashes = getattr(self.shopper, "prompt_hashes", None)
        return {
            "name": self.name,
            "weight": self.weight,
            "shopper": self.shopper.name,
            "model": self.model,
            **({"prompts": dict(hashes)} if hashes else {}),
            **self.provenance,
        }


@dataclass(frozen=True)
class Encounter:
    """Who is played by whom, for the how manieth time."""

    component: Component | None
    persona: Persona
    repeat: int


def encounters(
    personas: Sequence[Persona],
    *,
    mixture: Sequence[Component] = (),
    persona_weights: Mapping[str, float] | None = None,
    seed: int,
) -> Iterator[Encounter]:
    """Yield without end who meets each arm in turn; any beginning holds the weights as nearly as whole numbers can.

    The shoppers of a mixture meet the personas in the same order, each from the first on, so that none of them has
    personas of its own. Without weights personas are taken in order, again and again.

    Args:
        personas: Whom the shoppers play.
        mixture: The shoppers and their weights; none where there is one shopper.
        persona_weights: By id, of every persona; all alike where it is None.
        seed: Of the place at which each persona's turn first comes.
    """

    def met() -> Iterator[tuple[Persona, int]]:
        if persona_weights is None:
            turn = 0
            while True:
                yield personas[turn % len(personas)], turn // len(personas)
                turn += 1
        weights = [persona_weights[persona.id] for persona in personas]
        starts = generator(seed, "persona weights").random(len(personas)).tolist()
        times = [0] * len(personas)
        for index in in_turn(weights, starts):
            yield personas[index], times[index]
            times[index] += 1

    if not mixture:
        for persona, repeat in met():
            yield Encounter(None, persona, repeat)
    orders = [met() for _ in mixture]
    for index in in_turn([each.weight for each in mixture]):
        persona, repeat = next(orders[index])
        yield Encounter(mixture[index], persona, repeat)


def in_turn(weights: Sequence[float], starts: Sequence[float] | None = None) -> Iterator[int]:
    """Yield without end the indices of ``weights``, each as often as its weight is large, evenly spread.

    The k-th turn of an index stands at (k + start) / weight. With starts of one half, any beginning is the seats that
    the divisor method of Webster and Sainte-Laguë gives, which no larger house takes away, as the method of largest
    remainders may (Balinski and Young 1982, Fair representation). Starts drawn between 0 and 1 make it a systematic
    sample, in which a small weight has its small chance to come early.

    Args:
        weights: 0 or more, one above; an index with weight 0 has no turn.
        starts: Between 0 and 1, by index.
    """
    due = [
        ((MIDDLE if starts is None else starts[index]) / weight, index)
        for index, weight in enumerate(weights)
        if weight > 0
    ]
    heapify(due)
    while True:
        at, index = due[0]
        yield index
        heapreplace(due, (at + 1 / weights[index], index))


def checked_mixture(mixture: Sequence[Component]) -> tuple[Component, ...]:
    """Check that shoppers can be told apart and their weights kept; raises InputError."""
    names = [component.name for component in mixture]
    if len(names) == 1:
        raise InputError(
            "a mixture needs two components or more; state the one shopper as [shopper] and [model]"
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"mixture: {shown(twice[0])} is given twice; give each component a name of its own")
    for component in mixture:
        if not 0 < component.weight < float("inf"):
            raise InputError(
                f"mixture: the weight of {shown(component.name)} must be above 0, but is {component.weight}"
            )
    return tuple(mixture)


def checked_weights(
    weights: Mapping[str, float] | None, personas: Sequence[Persona]
) -> Mapping[str, float] | None:
    """Check that every persona has a weight, and every weight a persona; raises InputError."""
    if weights is None:
        return None
    ids = {persona.id for persona in personas}
    if unknown := sorted(weights.keys() - ids):
        raise InputError(
            f"persona_weights: there is no persona {shown(unknown[0])}; the study has {len(ids)} personas"
        )
    if missing := sorted(ids - weights.keys()):
        raise InputError(
            f"persona_weights: persona {shown(missing[0])} has no weight; give each one, 0 for none"
        )
    if wrong := [name for name, weight in weights.items() if not 0 <= weight < float("inf")]:
        raise InputError(
            f"persona_weights: the weight of {shown(wrong[0])} is {weights[wrong[0]]}; 0 or more"
        )
    if not any(weights.values()):
        raise InputError("persona_weights: all are 0; give at least one above 0")
    return dict(weights)
