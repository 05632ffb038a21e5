"""What people alone can decide: the power of holding a simulator against them that does not differ, by its size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from convsim.schema import Corpus, Needs, PlannedPower
from convsim.schema.conversation import Conversation
from convsim.stats.equivalence import MOST_SIMULATED, needed
from convsim.stats.sample_size import POWER

HARDLY = 0.02
"""A gain in power that is not worth further simulated conversations."""
LOW = 0.05
"""A power up to which no number of simulated conversations is worth its money."""
FAR = 100
"""Times as many people as there are: that many more are no advice, and how they would vary is not known."""
STEPS = 14

Power = Callable[[int, int], float]
"""Of so many conversations of people and so many simulated ones."""


@dataclass(frozen=True)
class Curve:
    """The power of one question by number of simulated conversations, and what would raise it."""

    at: tuple[PlannedPower, ...]
    needs: Needs | None
    pays_up_to: int | None

    @classmethod
    def of(
        cls,
        power: Power,
        n_real: int,
        n_simulated: Sequence[int],
        *,
        smallest_margin: Callable[[int], float | None] | None = None,
    ) -> Curve:
        """Work it out.

        Args:
            power: Grows with both numbers.
            n_real: Conversations of people.
            n_simulated: Simulated ones, at least one number; what more is needed is counted from the first.
            smallest_margin: The margin at which the power is 80 %, by number of simulated conversations.
        """
        at = tuple(
            PlannedPower(
                n_simulated=n,
                power=power(n_real, n),
                smallest_margin=smallest_margin(n) if smallest_margin else None,
            )
            for n in n_simulated
        )
        needs = needed(power, (n_real, n_simulated[0]))
        if needs is not None and needs.side == "people" and needs.more > FAR * n_real:
            needs = None
        return cls(at, needs, _pays_up_to(power, n_real))


def _pays_up_to(power: Power, n_real: int) -> int | None:
    """Return the number beyond which up to ten simulated conversations a person raise the power by less than .02."""
    most = power(n_real, MOST_SIMULATED * n_real)
    if most <= LOW:
        return None
    more = needed(power, (n_real, 1), target=max(most - HARDLY, 0.0))
    return 1 if more is None else two_figures(more.more)


def two_figures(n: int) -> int:
    """Round up to two figures."""
    step = int(10 ** max(len(str(n)) - 2, 0))
    return -(-n // step) * step


def smallest(power: Callable[[float], float], most: float, *, target: float = POWER) -> float | None:
    """Return the smallest margin at which the power is reached, to a thousandth of ``most``; None where it is larger.

    Args:
        power: By margin; it grows with it.
        most: The largest margin that means anything.
        target: The power asked for.
    """
    if power(most) < target:
        return None
    low, high = 0.0, most
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle) >= target else (middle, high)
    return high


def as_if_simulated(real: Corpus) -> Corpus:
    """Return people's conversations as those of a simulator just like them, each of a persona of its own.

    Tasks, arms and needs are people's. Nothing else hangs together: whoever simulates makes a new persona for each
    conversation.
    """
    return Corpus(
        [_of_its_own(number, each) for number, each in enumerate(real.conversations)],
        real.table,
        real.metrics,
        failed=real.failed,
        undefined=real.undefined,
        language=real.language,
    )


def _of_its_own(number: int, conversation: Conversation) -> Conversation:
    persona = conversation.persona
    if persona is not None:
        others = {key: value for key, value in persona.metadata.items() if key != "drawn_from_user"}
        persona = persona.but(id=f"planned {number}", metadata=others)
    return conversation.but(id=f"planned {number}", user=None, persona=persona)
