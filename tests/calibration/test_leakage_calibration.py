"""Leakage: false leaks of people whose first messages tell something, and what is found."""

import numpy as np
import pandas as pd
import pytest
from numpy.random import Generator
from scipy.stats import binom

from convsim.schema import Corpus
from convsim.schema.conversation import Conversation, Message
from convsim.stats.multiplicity import permutation_p_value
from convsim.stats.sides import Sides
from convsim_validators.leakage.predictors import first_messages, outcomes

pytestmark = pytest.mark.calibration
WORDS = np.asarray([f"word{k}" for k in range(40)])


def side(
    rng: Generator, prefix: str, n: int, *, each: int = 1, own: float = 0.3, leak: float = 0.0
) -> Corpus:
    """Users of whom those accept sooner who say the first word, as people do; ``leak`` of buyers say the second."""
    made = []
    for i in range(n * each):
        said = list(rng.choice(WORDS, 5, p=1 / np.arange(1, 41) / (1 / np.arange(1, 41)).sum()))
        accepts = rng.random() < 0.4 + own * ("word0" in said)
        said += ["mine"] * int(accepts and rng.random() < leak)
        made.append(
            Conversation(
                id=f"{prefix}{i}", user=f"{prefix}{i // each}", ending="accepted" if accepts else "left",
                messages=(Message(role="user", content=" ".join(said)),),
            )
        )  # fmt: skip
    return Corpus(made, pd.DataFrame(index=[c.id for c in made]), {})


def p_value(real: Corpus, simulated: Corpus, seed: int) -> float:
    sides = Sides.of(real, simulated)
    told = first_messages(sides, outcomes(sides), "outcome")
    assert not isinstance(told, str)
    statistic = told.statistic(sides.design.dealings(199, np.random.default_rng(seed)))
    return permutation_p_value(float(statistic[0]), statistic[1:])


@pytest.mark.parametrize(
    ("sizes", "each"),
    [((60, 60), (1, 1)), ((60, 240), (1, 1)), ((240, 60), (1, 1)), ((40, 40), (4, 4)), ((40, 120), (4, 1))],
)
def test_people_leak_in_no_more_than_one_case_of_twenty(sizes, each):
    n_runs, false = 150, 0
    for seed in range(n_runs):
        rng = np.random.default_rng([seed, *sizes, *each])
        made = [side(rng, name, n, each=k) for name, n, k in zip("rs", sizes, each, strict=True)]
        false += p_value(made[0], made[1], seed) <= 0.05
    assert false <= binom.ppf(0.99, n_runs, 0.05)


def test_a_third_of_the_buyers_that_say_so_at_once_are_found_at_100_a_side():
    found = 0
    for seed in range(30):
        rng = np.random.default_rng([seed, 3])
        found += p_value(side(rng, "r", 100), side(rng, "s", 100, leak=0.35), seed) <= 0.05
    assert found >= 25
