"""Two populations of made-up shoppers that differ in how much and how they write, and mixtures of them."""

from numpy.random import Generator

from convsim.schema.conversation import Conversation, Message
from convsim.schema.persona import Persona
from tests.made_up_talk import sentence


def talker(
    rng: Generator, name: str, *, wordy: bool, simulated: bool = False, persona: str | None = None
) -> Conversation:
    """Hold a conversation: a wordy shopper writes long messages that end in a full stop, a curt one short ones."""
    n_words, n_turns = (16, 4) if wordy else (5, 2)
    messages = []
    for _ in range(max(1, int(rng.poisson(n_turns)))):
        said = sentence(rng, max(1, int(rng.poisson(n_words))))
        if rng.random() < (0.8 if wordy else 0.3):
            said = f"{said.capitalize()}."
        messages += [Message(role="user", content=said), Message(role="assistant", content="This one?")]
    return Conversation(
        id=name,
        user=None if simulated else f"user of {name}",
        task=None if persona is None else persona[:1],
        simulator="made up" if simulated else None,
        persona=None if persona is None else Persona(id=persona, need=f"a thing for {persona}"),
        messages=tuple(messages),
    )


def crowd(
    rng: Generator, n: int, *, wordy: float, prefix: str, simulated: bool = False
) -> list[Conversation]:
    """Hold ``n`` conversations, of which a proportion ``wordy`` is by wordy shoppers."""
    return [
        talker(rng, f"{prefix}{i}", wordy=bool(rng.random() < wordy), simulated=simulated) for i in range(n)
    ]
