"""Hashed n-grams count what a vocabulary counts, say where two share a column, and teach the same to a classifier."""

from __future__ import annotations

import numpy as np
import pytest

from convsim.stats.discriminator import Rows, cross_fit
from convsim.stats.hashed import (
    HashedNames,
    hashed_counts,
    hashed_words,
    streamed_regression,
    word_runs,
)
from convsim.stats.ngrams import word_ngrams
from convsim.stats.scores import score
from convsim.stats.view import tells

N = 300
HUMAN = np.arange(2 * N) < N


def texts() -> list[str]:
    rng = np.random.default_rng(1)
    common = [f"w{number}" for number in range(60)]
    made = []
    for row in range(2 * N):
        said = list(rng.choice(common, size=8))
        if rng.random() < (0.1 if row < N else 0.7):
            said.append("certainly")
        made.append(" ".join(said))
    return made


def views():
    rows, kept = np.arange(2 * N), np.ones(2 * N, bool)
    return [make(texts(), N, rows, kept, {}) for make in (word_ngrams, hashed_words)]


def test_words_and_pairs_are_counted_as_they_stand_whatever_column_they_get() -> None:
    counts = hashed_counts(["red red boots", "", "boots"], word_runs, 1 << 18)
    assert sorted(counts[0].data.tolist()) == [1, 1, 1, 2]  # red twice; boots, red red, red boots
    assert counts[1].nnz == 0
    assert counts[2].indices[0] in counts[0].indices


def test_in_one_column_all_n_grams_fall_together() -> None:
    assert hashed_counts(["red red boots"], word_runs, 1).toarray().tolist() == [[5]]


def test_a_column_is_named_by_what_most_texts_have_and_says_that_others_share_it() -> None:
    said = ["boots", "boots", "coat"]
    alone = hashed_counts(said, word_runs, 1 << 18)
    columns = np.unique(alone.indices).astype(np.int64)
    names = HashedNames(said, alone[:, columns], columns, word_runs, 1 << 18, "“{}”")
    assert sorted(names) == ["“boots”", "“coat”"]
    together = HashedNames(said, hashed_counts(said, word_runs, 1), np.zeros(1, np.int64), word_runs, 1)
    assert together[0] == "boots (or 1 rarer, hashed alike)"


def test_hashed_words_weigh_as_much_as_those_of_a_vocabulary() -> None:
    exact, hashed = views()
    assert hashed.detail == {"n_hash_columns": 1 << 18}
    place = {name: number for number, name in enumerate(hashed.names)}
    assert place.keys() == set(exact.names)
    order = [place[name] for name in exact.names]
    np.testing.assert_allclose(
        hashed.features[:, order].toarray(), exact.features.toarray(), atol=1e-6, strict=False
    )


def test_the_streamed_classifier_finds_what_the_exact_one_finds() -> None:
    scores = []
    for view in views():
        rows = Rows(view.features, HUMAN, np.arange(2 * N), HUMAN.astype(np.int64))
        scores.append(score([cross_fit(rows, view.make, seed=1)], n_resamples=19, seed=1))
    exact, hashed = scores
    assert exact.auc > 0.65
    assert hashed.auc == pytest.approx(exact.auc, abs=0.02)
    assert hashed.hls == pytest.approx(exact.hls, abs=0.02)


def test_what_gives_the_simulator_away_is_named_in_hashed_columns_too() -> None:
    for view in views():
        assert tells(view, HUMAN, view.make)["simulated"][0]["feature"] == "certainly"  # type: ignore[call-overload]


def test_a_streamed_fit_depends_on_rows_alone() -> None:
    _, view = views()
    fits = [
        streamed_regression().fit(view.features, HUMAN, sample_weight=np.ones(2 * N)).coef_  # type: ignore[attr-defined]
        for _ in range(2)
    ]
    assert np.array_equal(*fits)
