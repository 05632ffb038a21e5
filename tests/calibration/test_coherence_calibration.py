"""Coherence: false differences of people who all listen alike, at unequal sizes too, and users who do not listen."""

import numpy as np
import pytest
from numpy.random import Generator
from scipy.stats import binom

from convsim.metrics import measure_both
from convsim.schema.conversation import Conversation, Message
from convsim_validators import Coherence

pytestmark = pytest.mark.calibration
NOUNS = [f"thing{n}" for n in range(400)]
WEIGHTS = 1 / np.arange(1, 401)
N_RUNS = 100


def listener(rng: Generator, name: str, user: str, *, listens: float) -> Conversation:
    """Answer each message of the agent with words of it or with others; some people listen more than others."""
    attention = rng.beta(8 * listens, 8 * (1 - listens))
    said = rng.choice(NOUNS, size=60, p=WEIGHTS / WEIGHTS.sum()).tolist()
    messages = [Message(role="user", content=" ".join(said[:4]))]
    for turn in range(1, int(rng.integers(2, 6))):
        shown = said[8 * turn : 8 * turn + 6]
        messages.append(Message(role="assistant", content=f"{' '.join(shown)}. Do you like it?"))
        others = said[8 * turn + 6 : 8 * turn + 8]
        own = [str(rng.choice(shown)) if rng.random() < attention else word for word in others]
        yes = ["yes"] if rng.random() < attention else []
        messages.append(Message(role="user", content=" ".join([*yes, *own])))
    return Conversation(id=name, user=user, messages=tuple(messages))


def crowd(rng: Generator, prefix: str, n: int, *, each: int = 1, listens: float = 0.6) -> list[Conversation]:
    return [listener(rng, f"{prefix}{i}", f"{prefix} user {i // each}", listens=listens) for i in range(n)]


def p_values(
    sizes: tuple[int, int], each: tuple[int, int], *, listens: float = 0.6
) -> list[dict[str, float]]:
    found = []
    for seed in range(N_RUNS):
        rng = np.random.default_rng([seed, *sizes, *each])
        sides = measure_both(
            crowd(rng, "r", sizes[0], each=each[0]), crowd(rng, "s", sizes[1], each=each[1], listens=listens)
        )
        findings = Coherence(n_resamples=199).validate(*sides, seed=seed)
        found.append({f.metric: f.p_adjusted for f in findings if f.p_adjusted is not None})
    return found


@pytest.mark.parametrize(
    ("sizes", "each"), [((60, 60), (1, 1)), ((40, 240), (1, 1)), ((240, 40), (1, 1)), ((40, 120), (1, 3))]
)
def test_people_who_listen_alike_are_called_different_in_at_most_one_card_of_twenty(sizes, each):
    found = p_values(sizes, each)
    assert all({"echo", "word_uptake", "all_coherence"} <= one.keys() for one in found)
    false = sum(min(one.values()) <= 0.05 for one in found)
    assert false <= binom.ppf(0.99, N_RUNS, 0.05)


def test_who_listens_half_as_much_is_found():
    found = p_values((100, 100), (1, 1), listens=0.3)
    assert sum(min(one.values()) <= 0.05 for one in found) >= 0.9 * N_RUNS
