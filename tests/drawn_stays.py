"""Conversations whose users end them at given chances, for tests of endings."""

from collections.abc import Sequence

from numpy.random import Generator

from convsim.metrics import measure
from convsim.schema import Corpus
from convsim.schema.conversation import Conversation, Ending, Message

MOST = 40


def stay(name: str, turns: int, ending: Ending, *, user: str | None = None) -> Conversation:
    """Return a conversation of so many turns, its words nobody else's."""
    messages = []
    for turn in range(turns):
        said = f"please show me some other shoes for the winter {name} {turn}"
        messages += [Message(role="user", content=said), Message(role="assistant", content="here")]
    return Conversation(id=name, user=user or name, messages=tuple(messages), ending=ending)


def drawn(
    rng: Generator,
    prefix: str,
    n: int,
    *,
    accepting: float = 0.12,
    leaving: float = 0.08,
    limit: int = MOST,
    failing: float = 0.0,
    each: Sequence[int] = (1,),
    frailty: float = 0.0,
    recorded: bool = True,
) -> list[Conversation]:
    """Draw conversations of ``n`` users, who accept or leave with the same chance in every turn.

    Args:
        rng: Of all draws.
        prefix: Of names.
        n: Users.
        accepting: Chance of accepting in a turn.
        leaving: Chance of leaving in a turn.
        limit: Turns after which a conversation is cut off.
        failing: Chance that a turn fails.
        each: How many conversations a user may have.
        frailty: How far, in logarithms, users lie apart in their chances.
        recorded: Whether the ending is.
    """  # fmt: skip
    made = []
    for user in range(n):
        times = rng.lognormal(0, frailty) if frailty else 1.0
        for number in range(int(rng.choice(each))):
            turns, ending = 0, "turn_limit"
            while turns < limit and ending == "turn_limit":
                turns += 1
                chance = rng.random()
                if rng.random() < failing:
                    ending = "agent_failed"
                elif chance < accepting * times:
                    ending = "accepted"
                elif chance < (accepting + leaving) * times:
                    ending = "left"
            shown: Ending = ending if recorded else "unknown"  # type: ignore[assignment]
            made.append(stay(f"{prefix}{user}-{number}", turns, shown, user=f"{prefix}{user}"))
    return made


def side(conversations: Sequence[Conversation]) -> Corpus:
    """Measure them as little as a validator needs."""
    return measure(conversations, metrics=["turns"])
