"""A whole card of a perfect simulator: does it hold a false ``different`` in more than one case of twenty?

Conversations are drawn from one population for both sides, with habits and acts; three validators judge them. With all
default validators, on conversations of people: ``python -m tests.benchmarks.null_cards FILE``.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import binom

from convsim.evaluation.family import one_family
from convsim.metrics import measure_both
from convsim.schema import Corpus, Finding
from convsim.schema.conversation import Conversation, Label, Message
from convsim_validators import HumanLikeness, Marginals, Transitions
from tests.corpora import metric

ACTS = ("inform_preference", "ask", "thank")
WORDS = [f"w{i}" for i in range(40)]
N_CARDS = 100


def conversation(name: str, rng: np.random.Generator, odd: float) -> Conversation:
    """Hold three messages of an act and five words; ``odd`` of them thank more often and say another word."""
    messages = []
    for _ in range(3):
        strange = rng.random() < odd
        act = "thank" if strange else ACTS[rng.integers(len(ACTS))]
        said = [*rng.choice(WORDS, 5), *(["odd"] if strange else [])]
        label = Label(value=[act], source="rules:1")
        messages.append(Message(role="user", content=" ".join(said), labels={"acts": (label,)}))
    return Conversation(id=name, messages=tuple(messages))


def side(prefix: str, n: int, rng: np.random.Generator, odd: float = 0.0) -> Corpus:
    """Measure six habits at random, and the acts as they are."""
    conversations = [conversation(f"{prefix}{i}", rng, odd) for i in range(n)]
    thankful = [conversation("thanks", rng, 1.0)]
    acts = measure_both(thankful, thankful)[0].metrics["act_thank"]
    common = rng.normal(size=n)
    columns = {f"x{i}": 0.5 * common + rng.normal(size=n) for i in range(6)}
    table = pd.DataFrame({**columns, "act_thank": np.full(n, np.nan)}, index=[c.id for c in conversations])
    return Corpus(conversations, table, {**{name: metric(name) for name in columns}, "act_thank": acts})


def cards(n_cards: int, validators, *, odd: float = 0.0) -> Iterator[tuple[list[Finding], list[Finding]]]:
    """Yield the findings of each card, corrected within validators and over all of them."""
    for seed in range(n_cards):
        rng = np.random.default_rng([seed, 31])
        sides = side("r", 40, rng), side("s", 40, rng, odd)
        found = [f for validator in validators for f in validator.validate(*sides, seed=seed)]
        yield found, one_family(found)


def any_different(findings: list[Finding]) -> bool:
    return any(f.verdict == "different" for f in findings)


def test_a_perfect_simulator_has_a_difference_in_at_most_one_card_of_twenty():
    cheap = Marginals(n_resamples=199), Transitions(n_resamples=199)
    found = [(any_different(alone), any_different(card)) for alone, card in cards(N_CARDS, cheap)]
    assert sum(card for _, card in found) <= binom.ppf(0.99, N_CARDS, 0.05)
    assert sum(alone for alone, _ in found) > sum(card for _, card in found)


def test_a_simulator_that_differs_in_its_acts_is_found_all_the_same():
    everything = Marginals(n_resamples=199), Transitions(n_resamples=199), HumanLikeness(n_resamples=199)
    found = [
        {f.validator for f in card if f.verdict == "different"} for _, card in cards(3, everything, odd=0.8)
    ]
    assert all({"transitions", "humanlikeness"} <= each for each in found)
    assert all("marginals" not in each for each in found)
