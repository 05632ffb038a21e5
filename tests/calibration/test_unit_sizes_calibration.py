"""Units of one conversation against units of several: is anything said to differ because of that alone?

Real people who came once are held against personas that each meet several agents, and the other way round. Units differ
from one another as much as conversations of one unit do.
"""

import numpy as np
import pytest
from scipy.stats import binom

from convsim.metrics import measure_both
from convsim.schema import Corpus, Finding
from convsim.schema.conversation import Conversation, Label, Message
from convsim_validators import Copies, Marginals, Transitions
from tests.corpora import corpus

SIZES = [((30, 1), (200, 4)), ((100, 1), (100, 5)), ((100, 4), (40, 1))]
N_COLUMNS = 20


def habits(rng: np.random.Generator, n_units: int, each: int, prefix: str) -> Corpus:
    """Draw columns of intraclass correlation .5."""
    n = n_units * each
    columns = {
        f"x{i}": np.repeat(rng.normal(0, 0.5**0.5, n_units), each) + rng.normal(0, 0.5**0.5, n)
        for i in range(N_COLUMNS)
    }
    return corpus(columns, prefix=prefix, users=[f"{prefix}{row // each}" for row in range(n)])


def cards(sizes, n_cards: int) -> list[list[Finding]]:
    found = []
    for seed in range(n_cards):
        rng = np.random.default_rng([seed, 41])
        sides = [habits(rng, n, each, prefix) for (n, each), prefix in zip(sizes, "rs", strict=True)]
        found.append(list(Marginals(n_resamples=199).validate(*sides, seed=seed)))
    return found


@pytest.mark.parametrize("sizes", SIZES)
def test_a_card_of_habits_holds_a_difference_in_at_most_one_case_of_twenty(sizes):
    found = cards(sizes, 50)
    assert sum(any(f.verdict == "different" for f in card) for card in found) <= binom.ppf(0.99, 50, 0.05)
    together = [f.p_value for card in found for f in card if f.metric == "all_metrics"]
    assert sum(p <= 0.05 for p in together) <= binom.ppf(0.99, 50, 0.05)
    # The largest of many points is a little smaller where it stands on whole units: .07 where .05 is asked.
    single = [f.p_value for card in found for f in card if f.metric != "all_metrics"]
    assert sum(p <= 0.05 for p in single) <= binom.ppf(0.999, len(single), 0.07)
    deltas = [f.details["cliffs_delta_p_value"] for card in found for f in card if f.metric != "all_metrics"]
    assert sum(p <= 0.05 for p in deltas) <= binom.ppf(0.999, len(deltas), 0.05)


def test_units_of_one_size_lose_nothing_by_it():
    rng = np.random.default_rng(1)
    sides = habits(rng, 60, 2, "r"), habits(rng, 60, 2, "s")
    moved = sides[1].table.assign(x0=sides[1].table["x0"] + 0.9)
    found = Marginals(n_resamples=299).validate(
        sides[0], Corpus(sides[1].conversations, moved, sides[1].metrics), seed=0
    )
    assert next(f for f in found if f.metric == "x0").verdict == "different"


def talk(rng: np.random.Generator, n_units: int, each: int, prefix: str) -> list[Conversation]:
    """Hold conversations of two to five messages, with acts and words of which every unit has its own."""
    acts, words = ["a", "b", "c", "d"], [f"w{i}" for i in range(200)]
    said = []
    for unit in range(n_units):
        liked = rng.dirichlet(np.full(4, 1.5))
        own = rng.choice([f"own{i}" for i in range(300)], 8)
        for number in range(each):
            messages = [
                Message(
                    role="user",
                    content=" ".join([*rng.choice(own, 4), *rng.choice(words, 6)]),
                    labels={"acts": (Label(value=[str(rng.choice(acts, p=liked))], source="rules:1"),)},
                )
                for _ in range(rng.integers(2, 6))
            ]
            said.append(
                Conversation(id=f"{prefix}{unit}-{number}", user=f"{prefix}{unit}", messages=tuple(messages))
            )
    return said


@pytest.mark.parametrize("sizes", [((40, 1), (100, 4)), ((60, 3), (60, 1))])
def test_neither_steps_nor_repeats_differ(sizes):
    p_values: dict[str, list[float]] = {}
    for seed in range(40):
        rng = np.random.default_rng([seed, 43])
        sides = measure_both(
            *(talk(rng, n, each, prefix) for (n, each), prefix in zip(sizes, "rs", strict=True))
        )
        for validator in (Transitions(n_resamples=99), Copies(n_resamples=99)):
            for finding in validator.validate(*sides, seed=seed):
                if finding.p_value is not None:
                    p_values.setdefault(finding.metric, []).append(finding.p_value)
                assert finding.verdict != "copies"
    assert {"act_transitions", "diversity"} <= set(p_values)
    assert sum(p <= 0.05 for p in p_values["act_transitions"]) <= binom.ppf(0.999, 40, 0.05)
    # Of two questions asked of diversity the smaller p-value.
    assert sum(p <= 0.05 for p in p_values["diversity"]) <= binom.ppf(0.999, 40, 0.10)
