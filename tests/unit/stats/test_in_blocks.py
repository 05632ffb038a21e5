"""What is computed block by block, where all replicates do not fit into memory, is what is computed at once."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from convsim.stats import scores, two_sample
from convsim.stats.discriminator import Rows, cross_fit
from convsim.stats.resampling import in_blocks, permute
from convsim.stats.two_sample import Compared, distances
from convsim.stats.view import logistic_regression

RNG = np.random.default_rng(3)


def test_blocks_hold_every_replicate_once_and_in_order() -> None:
    weights = RNG.random((7, 10)).astype(np.float32)
    blocks = [*in_blocks(weights, 21)]
    assert [block.shape for block in blocks] == [(7, 3), (7, 3), (7, 3), (7, 1)]
    assert np.array_equal(np.column_stack(blocks), weights)


def test_a_side_of_more_units_than_fit_is_computed_a_replicate_at_a_time() -> None:
    assert [block.shape for block in in_blocks(np.ones((7, 3), np.float32), 2)] == [(7, 1)] * 3


def test_distances_in_blocks_are_those_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    is_real = np.arange(60) < 30
    dealt = np.column_stack(
        [is_real, permute(np.zeros(60, np.int64), is_real, 40, np.random.default_rng(1))]
    ).astype(np.float32)
    counts = csr_matrix((RNG.random((60, 12)) < 0.4).astype(np.float32))
    kinds = [Compared(counts, counts)]
    whole = distances(kinds, np.arange(60), dealt)
    monkeypatch.setattr(two_sample, "in_blocks", partial(in_blocks, most=60 * 7))
    parts = distances(kinds, np.arange(60), dealt)
    np.testing.assert_allclose(parts.values, whole.values, rtol=1e-9)
    assert parts.largest == whole.largest


def test_scores_in_blocks_are_those_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    is_human = np.arange(80) < 40
    features = RNG.normal(size=(80, 3)) + is_human[:, None] * 0.8
    rows = Rows(features, is_human, np.arange(80), is_human.astype(np.int64))
    fitted = [cross_fit(rows, logistic_regression, seed=1)]
    whole = scores.score(fitted, n_resamples=60, seed=2)
    monkeypatch.setattr(scores, "in_blocks", lambda weights, most=0: in_blocks(weights, 80 * 11))
    parts = scores.score(fitted, n_resamples=60, seed=2)
    for name in ("hls", "accuracy", "auc", "people"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), rel=1e-9)
        np.testing.assert_allclose(
            getattr(parts, f"resampled_{name}"), getattr(whole, f"resampled_{name}"), rtol=1e-5
        )
