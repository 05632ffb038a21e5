"""The longest run of words that stands elsewhere: against a search of all runs, and in hostile texts."""

import numpy as np
import pytest

from convsim.stats.shared_runs import longest_shared_runs


def by_search(text, others):
    for n in range(len(text), 0, -1):
        runs = {tuple(text[i : i + n]) for i in range(len(text) - n + 1)}
        if any(tuple(other[i : i + n]) in runs for other in others for i in range(len(other) - n + 1)):
            return n
    return 0


@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_a_search_of_all_runs_finds(seed):
    rng = np.random.default_rng(seed)
    words = list("abcd"[: 2 + seed % 3])
    texts = [list(rng.choice(words, rng.integers(0, 14))) for _ in range(6)]
    others = [list(rng.choice(words, rng.integers(0, 14))) for _ in range(4)]
    assert longest_shared_runs(texts, others).tolist() == [by_search(text, others) for text in texts]


def test_a_run_never_goes_on_from_one_text_into_the_next():
    assert longest_shared_runs([["a", "b"], ["c"]], [["a"], ["b", "c"]]).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("texts", "others"), [([], [["a"]]), ([["a"]], []), ([[]], [[]]), ([["a"]], [["b"]])]
)
def test_where_nothing_is_shared_it_is_nothing(texts, others):
    assert longest_shared_runs(texts, others).tolist() == [0] * len(texts)


def test_one_word_said_a_thousand_times_is_one_long_run():
    assert longest_shared_runs([["no"] * 1000], [["no"] * 700]).tolist() == [700]
