"""``diversity`` on made-up crowds: whom it flags that are as varied as people, and which collapses it finds."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from convsim.schema import Corpus
from convsim_validators import Diversity
from tests.corpora import metric
from tests.made_up_talk import one_word, side, swapped, talk

VALIDATOR = Diversity(n_resamples=199)
N_NULL, N_POWER = 80, 15
N_HABITS = 10


def habits(rng, n_units: int, a_unit: int = 1) -> np.ndarray:
    """Ten habits with one common factor, half of it the user's own; some are rare, some are undefined."""
    of_unit = rng.normal(size=(n_units, N_HABITS)) + rng.normal(size=(n_units, 1))
    values = np.repeat(of_unit, a_unit, axis=0) + rng.normal(size=(n_units * a_unit, N_HABITS))
    values[:, 0] = np.round(np.exp(values[:, 0] / 2))
    values[:, 1] = values[:, 1] > 2.5
    values[rng.random(len(values)) < 0.3, 2] = np.nan
    return np.asarray(values)


def crowd(said, values, prefix: str, a_unit: int = 1) -> Corpus:
    made = side(said, prefix)
    conversations = [
        each.but(user=f"{prefix}{number // a_unit}") if a_unit > 1 else each
        for number, each in enumerate(made.conversations)
    ]
    names = [f"x{number}" for number in range(values.shape[1])]
    table = pd.DataFrame(values, columns=names, index=[c.id for c in conversations])
    return Corpus(conversations, table, {name: metric(name) for name in names})


def people(rng, n: int, prefix: str, a_unit: int = 1) -> Corpus:
    return crowd(talk(rng, n * a_unit), habits(rng, n, a_unit), prefix, a_unit)


def different(real: Corpus, simulated: Corpus) -> set[str]:
    return {f.metric for f in VALIDATOR.validate(real, simulated, seed=1) if f.verdict == "different"}


@pytest.mark.parametrize(
    ("real", "simulated"),
    [((100, 1), (100, 1)), ((160, 1), (40, 1)), ((40, 1), (160, 1)), ((30, 1), (120, 4)), ((40, 6), (40, 2))],
    ids=["equal", "4 to 1", "1 to 4", "users of one, personas of four", "six against two"],
)
def test_crowds_of_one_population_are_hardly_ever_different(real, simulated):
    found = 0
    for run in range(N_NULL):
        rng = np.random.default_rng([23, run])
        found += bool(
            different(people(rng, real[0], "r", real[1]), people(rng, simulated[0], "s", simulated[1]))
        )
    assert found <= binom.ppf(0.99, N_NULL, 0.05)


def repeated(n_people: int, times: int):
    def simulated(rng, n):
        said, values = talk(rng, n_people), habits(rng, n_people)
        again = [messages for messages in said for _ in range(times)]
        return crowd(swapped(rng, again, one_word(rng)), np.repeat(values, times, axis=0), "s")

    return simulated


def middle(rng, n):
    """The habits of people of the two middle quintiles, with words of their own."""
    values = habits(rng, 5 * n)
    level = np.nanmean(values, axis=1)
    low, high = np.quantile(level, [0.3, 0.7])
    return crowd(talk(rng, n), values[(level >= low) & (level <= high)][:n], "s")


def invented(rng, n):
    """A fifth are bots that follow one script."""
    n_bots = n // 5
    script = swapped(rng, talk(rng, 1) * n_bots, one_word(rng))
    bots = np.tile(habits(rng, 1), (n_bots, 1))
    return crowd([*talk(rng, n - n_bots), *script], np.vstack([habits(rng, n - n_bots), bots]), "s")


def one_text(rng, n):
    n_same = n // 10
    return crowd([*talk(rng, n - n_same), *(talk(rng, 1) * n_same)], habits(rng, n), "s")


@pytest.mark.parametrize("n", [100, 200])
@pytest.mark.parametrize(
    ("simulator", "by"),
    [
        (repeated(40, 4), {"coverage", "text_coverage", "effective_number", "near_duplicates"}),
        (repeated(20, 10), {"coverage", "text_coverage", "effective_number", "near_duplicates"}),
        (middle, {"coverage", "forward_kl", "habit_spread"}),
        (invented, {"backward_kl", "effective_number", "near_duplicates"}),
        (one_text, {"near_duplicates", "openings"}),
    ],
    ids=["40 four times", "20 ten times", "the middle of people", "a fifth bots", "a tenth one text"],
)
def test_crowds_that_collapsed_are_found_by_what_should_find_them(n, simulator, by):
    found = 0
    for run in range(N_POWER):
        rng = np.random.default_rng([29, n, run])
        found += bool(different(people(rng, n, "r"), simulator(rng, n)) & by)
    assert found >= 0.9 * N_POWER


def test_users_who_are_another_person_each_time_are_found():
    found = 0
    for run in range(N_POWER):
        rng = np.random.default_rng([31, run])
        simulated = crowd(talk(rng, 180), habits(rng, 180), "s", 3)
        found += "persona_icc" in different(people(rng, 60, "r", 3), simulated)
    assert found >= 0.9 * N_POWER
