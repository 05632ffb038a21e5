"""Pieces that somebody else does, in any order and on copies: what comes of them is the same."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import convsim
from convsim.errors import InputError
from convsim.evaluation.on_ray import on_engine
from convsim.plugins import make
from convsim.stats.tasks import in_tasks, spreading
from tests.populations import crowd


class Elsewhere:
    """Does the last piece first, on copies of all that it is given, as another process would."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def __call__(self, function, pieces: Sequence[object], shared: object) -> Iterator[tuple[int, object]]:
        for place in reversed(range(len(pieces))):
            there, held, piece = copied((function, shared, pieces[place]))
            self.done.append(there.__name__)
            yield place, copied(there(held, piece))


def copied(thing: Any) -> Any:
    return pickle.loads(pytest.importorskip("ray.cloudpickle").dumps(thing))  # noqa: S301


def added(shared: int, piece: int) -> int:
    return shared + piece


def test_results_come_in_the_order_of_the_pieces_wherever_these_are_done():
    here = [*in_tasks(added, range(5), shared=10)]
    with spreading(Elsewhere()):
        assert [*in_tasks(added, range(5), shared=10, threads=2)] == here == [10, 11, 12, 13, 14]


def test_without_anybody_else_a_piece_is_done_when_its_result_is_asked_for():
    done = []
    results = in_tasks(lambda _, piece: done.append(piece), range(3), shared=None)
    next(results)
    assert done == [0]


def test_a_validation_whose_parts_are_done_elsewhere_finds_the_same_to_the_last_bit():
    rng = np.random.default_rng(0)
    sides = [crowd(rng, 24, wordy=0.5, prefix=side, simulated=side == "s") for side in "rs"]
    asked = [make("validators", name, n_resamples=99) for name in ("humanlikeness", "marginals")]
    alone = convsim.validate(*sides, seed=3, validators=asked)
    elsewhere = Elsewhere()
    with spreading(elsewhere):
        spread = convsim.validate(*sides, seed=3, validators=asked)
    assert spread.model_dump_json() == alone.model_dump_json()
    assert {"_run", "_judge", "_auc", "_scored", "_sample"} == set(elsewhere.done)


@pytest.mark.parametrize(
    ("engine", "address", "said"),
    [
        ("dask", None, "engine must be one of local, ray, but is 'dask'"),
        ("local", "host:1", "needs --engine ray"),
    ],
)
def test_an_engine_that_there_is_not_and_an_address_of_none_are_refused(engine, address, said):
    with pytest.raises(InputError, match=said), on_engine(engine, address):
        pass
