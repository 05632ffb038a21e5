"""By stratum: false differences of people whose habits hang on the task, what is found, error at the margin."""

import numpy as np
import pytest
from numpy.random import Generator
from scipy.stats import binom

from convsim.schema import Corpus
from convsim_validators import ByStratum
from tests.corpora import corpus

pytestmark = pytest.mark.calibration
N_HABITS = 8
TASKS = ("boots", "coats", "hats")
USUAL = ("a", "the", "some", "please", "want", "need")
WORDS = {"boots": "snow leather", "coats": "rain long", "hats": "sun straw"}


def side(rng: Generator, prefix: str, n: int, *, each: int = 1, mix=(1, 1, 1), effect: float = 0.6) -> Corpus:
    """Draw counts of ``n`` people with ``each`` conversations, of any task each; habits and words hang on the task."""
    of_person = 0.7 * rng.normal(size=(n, N_HABITS)).repeat(each, axis=0)
    task_of = rng.choice(3, size=n * each, p=np.asarray(mix) / sum(mix))
    hidden = of_person + 0.7 * rng.normal(size=(n * each, N_HABITS)) + effect * (task_of[:, None] - 1)
    values = np.floor(np.exp(hidden))
    values[:, 0] = values[:, 0] > 1
    values[rng.random(len(values)) < 0.2, 1] = np.nan
    said = [[*rng.choice(USUAL, 3), rng.choice(WORDS[TASKS[t]].split())] for t in task_of]
    texts = [f"{' '.join(words)} {prefix}{i}" for i, words in enumerate(said)]
    users = [f"{prefix}{i // each}" for i in range(len(values))]
    tasks = [TASKS[t] for t in task_of]
    columns = {f"x{k}": values[:, k] for k in range(N_HABITS)}
    return corpus(columns, prefix=prefix, users=users, tasks=tasks, texts=texts)


@pytest.mark.parametrize(
    ("sizes", "each", "mix"),
    [((60, 60), (1, 1), (1, 1, 1)), ((60, 240), (1, 1), (1, 1, 1)), ((240, 60), (1, 1), (1, 2, 3)),
     ((40, 40), (3, 3), (1, 1, 1)), ((100, 40), (1, 4), (1, 1, 1))],
)  # fmt: skip
def test_people_are_called_different_in_at_most_one_card_of_twenty(sizes, each, mix):
    n_runs, false = 100, 0
    for seed in range(n_runs):
        rng = np.random.default_rng([seed, *sizes, *each])
        real = side(rng, "r", sizes[0], each=each[0])
        simulated = side(rng, "s", sizes[1], each=each[1], mix=mix)
        found = ByStratum(n_resamples=199).validate(real, simulated, seed=seed)
        false += any(f.verdict == "different" for f in found)
    assert false <= binom.ppf(0.99, n_runs, 0.05)


@pytest.mark.parametrize(("n", "effect", "least"), [(100, 0.6, 0.9), (200, 0.4, 0.9)])
def test_tasks_that_are_ignored_are_found(n, effect, least):
    n_runs, found = 20, 0
    for seed in range(n_runs):
        rng = np.random.default_rng([seed, n])
        real, other = side(rng, "r", n, effect=effect), side(rng, "s", n, effect=effect)
        dealt = rng.permutation(np.asarray([str(c.task) for c in other.conversations]))
        ignores = [c.but(task=str(task)) for c, task in zip(other.conversations, dealt, strict=True)]
        simulated = Corpus(ignores, other.table, other.metrics)
        by_name = {f.metric: f for f in ByStratum(n_resamples=239).validate(real, simulated, seed=seed)}
        found += by_name["habits_by_task"].verdict == "different"
    assert found >= least * n_runs


def test_at_the_margin_the_sides_are_hardly_ever_called_alike_and_at_equality_they_mostly_are():
    """All habits of all tasks differ by Cliff's delta .147: normal values by .262 standard deviations."""
    n_runs = 60
    alike = {0.0: 0, 0.262: 0}
    for shift in alike:
        for seed in range(n_runs):
            rng = np.random.default_rng([seed, 9])
            tasks = [TASKS[i % 3] for i in range(240)]
            made = [
                corpus(
                    {f"x{k}": rng.normal(size=240) + moved for k in range(N_HABITS)},
                    tasks=tasks,
                    prefix=prefix,
                )
                for prefix, moved in (("r", 0.0), ("s", shift))
            ]
            found = {f.metric: f for f in ByStratum(n_resamples=99).validate(*made, seed=seed)}
            alike[shift] += found["habits_by_task"].verdict == "aligned"
    assert alike[0.262] <= binom.ppf(0.99, n_runs, 0.05)
    assert alike[0.0] >= 0.6 * n_runs
