"""Validators that run somewhere else, in any order and on copies: what they find is the same."""

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
from convsim.schema import Corpus, Finding
from convsim.stats.tasks import spreading
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


class Broken:
    name = "broken"

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
        raise ValueError("no")


def test_validators_that_run_elsewhere_in_another_order_and_on_copies_find_the_same():
    rng = np.random.default_rng(0)
    sides = [crowd(rng, 16, wordy=0.5, prefix=side, simulated=side == "s") for side in "rs"]
    asked: list[Any] = [Broken(), "disclosure", make("validators", "marginals", n_resamples=99)]
    alone = convsim.validate(*sides, seed=3, validators=asked)
    elsewhere = Elsewhere()
    with spreading(elsewhere):
        spread = convsim.validate(*sides, seed=3, validators=asked)
    assert spread.model_dump_json() == alone.model_dump_json()
    assert [found.validator for found in spread.failed] == ["broken"]
    assert elsewhere.done == ["_run"] * 3


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


@pytest.mark.parametrize(
    "verb", ["compare", "counterfactual", "dose_response", "check_relations", "calibrate"]
)
def test_every_verb_that_runs_validators_takes_an_engine(verb):
    rng = np.random.default_rng(0)
    people = [c.but(arm=arm) for arm in ("good", "bad") for c in crowd(rng, 10, wordy=0.5, prefix=f"r{arm}")]
    shoppers = [
        c.but(arm=arm, **({"fault": "vague", "severity": 1.0} if arm == "bad" else {}))
        for arm in ("good", "bad")
        for c in crowd(rng, 10, wordy=0.5, prefix=f"s{arm}", simulated=True)
    ]
    ask = {
        "compare": lambda: convsim.compare(people, {"one": shoppers}, seed=0, engine="dask"),
        "counterfactual": lambda: convsim.counterfactual(
            people, shoppers, control="good", treatment="bad", seed=0, engine="dask"
        ),
        "dose_response": lambda: convsim.dose_response(shoppers, "vague", seed=0, engine="dask"),
        "check_relations": lambda: convsim.check_relations(shoppers, seed=0, engine="dask"),
        "calibrate": lambda: convsim.calibrate(people, seed=0, sizes=[8], engine="dask"),
    }[verb]
    with pytest.raises(InputError, match="engine must be one of local, ray, but is 'dask'"):
        ask()
