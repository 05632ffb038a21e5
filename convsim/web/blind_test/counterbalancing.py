"""Each rater's own order: block by block, balanced over sides and simulators."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from convsim.seeds import generator
from convsim.web.blind_test.study import ArenaStudy


class Place(NamedTuple):
    """One step of a rater's way: a trial by its number, and whether the human stands on the left (pairs)."""

    trial: int
    human_left: bool | None


def order_for(study: ArenaStudy, rater: str) -> list[Place]:
    """Return the order in which a rater, by name, sees the trials; the same whenever it is asked.

    All raters go through the blocks in the same sequence, so that those who leave early still judged the same
    conversations. Within a block each has an own order, and the human stands on the left in half of the pairs.
    """
    blocks: defaultdict[int, list[int]] = defaultdict(list)
    for number, trial in enumerate(study.trials):
        blocks[trial.block].append(number)
    places: list[Place] = []
    for block, numbers in sorted(blocks.items()):
        rng = generator(study.seed, "arena", "order", rater.casefold(), block)
        shuffled = [numbers[int(place)] for place in rng.permutation(len(numbers))]
        left: dict[int, bool | None] = dict.fromkeys(numbers)
        if study.mode == "pair":
            first = bool(rng.integers(2))
            # Neighbours of one simulator get opposite sides.
            by_simulator = sorted(shuffled, key=lambda n: study.simulator_of(study.trials[n]) or "")
            left = {number: (place % 2 == 0) == first for place, number in enumerate(by_simulator)}
        shuffled = [numbers[int(place)] for place in rng.permutation(len(numbers))]
        places += [Place(number, left[number]) for number in shuffled]
    return places
