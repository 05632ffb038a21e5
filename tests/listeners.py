"""Made-up shoppers who take up what an agent says: its words, and what it asks for."""

from collections.abc import Sequence

from numpy.random import Generator

from convsim.schema import Corpus
from convsim.schema.conversation import Conversation, Message
from convsim.text.language import Language
from tests.made_up_talk import sentence

LANGUAGE = Language(code="en")
Exchange = tuple[str, str]
"""What the agent says, and what the user answers."""


def exchange(rng: Generator, *, listens: float = 0.5) -> Exchange:
    """Ask for a size or for yes or no beside some words, two of which a listening user says again."""
    told = sentence(rng, 10)
    asks_size = rng.random() < 0.5
    agent = f"{told}. {'What size do you need?' if asks_size else 'Do you like it?'}"
    said = sentence(rng, int(rng.integers(3, 9))).split()
    if rng.random() < listens:
        said[:2] = rng.choice(told.split(), 2, replace=False)
    answer = f"size {rng.integers(6, 12)}" if asks_size else str(rng.choice(["yes", "no"]))
    return agent, " ".join([answer, *said]) if rng.random() < 0.8 else " ".join(said)


def listeners(
    rng: Generator, n: int, prefix: str, *, each: int = 1, n_pairs: int = 4, listens: float = 0.5
) -> Corpus:
    """Hold conversations in which users answer an agent; ``each`` of one user."""
    return corpus_of(
        [[exchange(rng, listens=listens) for _ in range(n_pairs)] for _ in range(n * each)], prefix, each
    )


def pasted(rng: Generator, n: int, prefix: str) -> Corpus:
    """Put the user's side of the next conversation beside the agent's side of each."""
    said = [[exchange(rng) for _ in range(4)] for _ in range(n)]
    turned = [*said[1:], said[0]]
    mixed = [
        [(agent, answer) for (agent, _), (_, answer) in zip(own, other, strict=True)]
        for own, other in zip(said, turned, strict=True)
    ]
    return corpus_of(mixed, prefix)


def corpus_of(said: Sequence[Sequence[Exchange]], prefix: str, each: int = 1) -> Corpus:
    """Begin each conversation with a greeting of the user's, and let the exchanges follow."""
    import pandas as pd

    conversations = [
        Conversation(
            id=f"{prefix}{row}",
            user=f"{prefix}{row // each}",
            messages=(
                Message(role="user", content="hello"),
                *(
                    Message(role=role, content=text)
                    for pair in exchanges
                    for role, text in zip(("assistant", "user"), pair, strict=True)
                ),
            ),
        )
        for row, exchanges in enumerate(said)
    ]
    table = pd.DataFrame(index=[c.id for c in conversations])
    return Corpus(conversations, table, {}, language=LANGUAGE)
