"""What is computed in pieces is the same, to the last bit, wherever and in whatever order the pieces are done."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from convsim.metrics import FAMILY_METRICS, measure_both, measure_family
from convsim.stats import tasks
from convsim.stats.copula import DISTANCE, Pairs
from convsim.stats.discriminator import Rows, cross_fit, cross_fit_repeatedly, out_of_fold_aucs
from convsim.stats.tasks import NUMBERS_OF_A_TASK, in_tasks, spreading
from convsim.stats.two_sample import Compared, distances
from convsim.stats.view import logistic_regression
from tests.populations import crowd

N, COLUMNS = 120, 60


class Elsewhere:
    """Does the last piece first, on copies of all that it is given, as another process would."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(
        self, function: Callable[[Any, Any], Any], pieces: Sequence[object], shared: object
    ) -> Iterator[tuple[int, object]]:
        for place in reversed(range(len(pieces))):
            there, held, piece = _copied((function, shared, pieces[place]))
            self.done += 1
            yield place, _copied(there(held, piece))


def _copied(thing: Any) -> Any:
    return pickle.loads(pytest.importorskip("ray.cloudpickle").dumps(thing))  # noqa: S301


def _rows() -> Rows:
    rng = np.random.default_rng(0)
    is_human = np.arange(N) % 2 == 0
    features = rng.normal(size=(N, COLUMNS)) + 0.1 * is_human[:, None]
    return Rows(features, is_human, np.arange(N) // 2, is_human.astype(np.int64))


def _dealt() -> np.ndarray:
    return (np.random.default_rng(1).random((N, 400)) < 0.5).astype(np.float32)


def _tree() -> Any:
    return _Scored()


class _Scored:
    def fit(self, features: Any, labels: Any, sample_weight: Any) -> object:
        self.tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(features, labels, sample_weight)
        return self

    def decision_function(self, features: Any) -> np.ndarray:
        return np.asarray(self.tree.predict_proba(features)[:, 1])


def _folds() -> list[np.ndarray]:
    fitted = cross_fit_repeatedly(_rows(), logistic_regression, repeats=2, seed=3)
    return [part for one in fitted for part in (one.score, one.probability, one.fold, *one.inner)]


def _trees() -> list[np.ndarray]:
    rows = Rows(
        _rows().features[:, :20], *(getattr(_rows(), name) for name in ("is_human", "group", "stratum"))
    )
    return [cross_fit(rows, lambda: _tree(), seed=3, n_models=100).probability]


def _aucs() -> list[np.ndarray]:
    return [out_of_fold_aucs([_rows(), _rows().take(np.arange(N - 20))], logistic_regression, seed=3)]


def _permuted() -> list[np.ndarray]:
    counts = np.random.default_rng(2).poisson(0.4, (N, COLUMNS)).astype(np.float64)
    kinds = [Compared(counts, counts), Compared(counts[:, :30] * 2, counts[:, :30])]
    found = distances(kinds, np.arange(N), _dealt())
    return [found.values, np.asarray(found.largest)]


def _copulas() -> list[np.ndarray]:
    pairs = Pairs(np.random.default_rng(3).normal(size=(N, 8)).round(1), np.arange(N))
    return [pairs.distances(_dealt(), {"distance": DISTANCE})["distance"]]


def _families() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    sides = [crowd(rng, 40, wordy=0.5, prefix=side, simulated=side == "s") for side in "rs"]
    corpora = measure_both(*sides)
    return [side.table.to_numpy() for side in measure_family(*corpora, FAMILY_METRICS.values())]


@pytest.mark.parametrize("compute", [_folds, _trees, _aucs, _permuted, _copulas, _families])
def test_pieces_that_are_done_elsewhere_give_the_same_to_the_last_bit(
    compute: Callable[[], list[np.ndarray]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tasks, "NUMBERS_OF_A_TASK", 1_000)
    here, elsewhere = compute(), Elsewhere()
    with spreading(elsewhere):
        there = compute()
    assert elsewhere.done >= 2
    assert [each.tobytes() for each in here] == [each.tobytes() for each in there]


def _is_here(shared: set[int], piece: int) -> bool:
    shared.add(piece)
    return True


def test_pieces_that_are_too_small_to_be_sent_are_done_where_they_are_asked_for():
    touched: set[int] = set()
    with spreading(Elsewhere()):
        assert in_tasks(_is_here, range(3), shared=touched, n_numbers=NUMBERS_OF_A_TASK - 1) == [True] * 3
        assert touched == {0, 1, 2}
        touched.clear()
        in_tasks(_is_here, range(3), shared=touched, n_numbers=NUMBERS_OF_A_TASK)
    assert touched == set()
