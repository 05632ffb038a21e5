"""Quantiles of a sketch are NumPy's within the stated error, and merging is counting in one."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from convsim.stats.sketch import LEAST, MOST, RELATIVE_ERROR, Sketch, Sketching

ROUNDING = 1e-9


def sketch_of(amounts) -> Sketch:
    made = Sketching()
    for amount in amounts:
        made.add(float(amount))
    return made.so_far


@pytest.mark.parametrize("shape", ["lognormal", "exponential", "uniform", "two peaks"])
def test_quantiles_are_numpys_within_the_stated_relative_error(shape):
    rng = np.random.default_rng(5)
    drawn = {
        "lognormal": rng.lognormal(-1, 1.5, 20_000),
        "exponential": rng.exponential(0.2, 20_000),
        "uniform": rng.uniform(0.01, 90, 20_000),
        "two peaks": np.concatenate([rng.normal(0.3, 0.02, 9_000), rng.normal(60, 3, 1_100)]),
    }[shape]
    made = sketch_of(drawn)
    for q in (0, 0.01, 0.5, 0.9, 0.99, 0.999, 1):
        exact = np.quantile(drawn, q, method="lower")
        assert abs(made.quantile(q) - exact) <= (RELATIVE_ERROR + ROUNDING) * exact
    assert made.n == len(drawn)
    assert made.total == pytest.approx(drawn.sum())
    assert (made.min, made.max) == (drawn.min(), drawn.max())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(LEAST, MOST), min_size=1, max_size=60),
    st.integers(0, 60),
    st.floats(0, 1),
)
def test_merged_parts_are_the_whole_and_keep_its_error(amounts, cut, q):
    whole = sketch_of(amounts)
    parts = [sketch_of(amounts[:cut]), sketch_of(amounts[cut:])]
    for merged in (Sketch.merged(parts), Sketch.merged(reversed(parts))):
        assert (merged.n, merged.buckets, merged.min, merged.max) == (
            whole.n, whole.buckets, whole.min, whole.max,
        )  # fmt: skip
    exact = np.quantile(amounts, q, method="lower")
    assert abs(Sketch.merged(parts).quantile(q) - exact) <= (RELATIVE_ERROR + ROUNDING) * exact


def test_it_is_read_back_from_json_with_the_percentiles_that_people_read():
    made = sketch_of([0.1, 0.2, 4.0])
    written = json.loads(made.model_dump_json())
    assert written["p50"] == pytest.approx(0.2, rel=RELATIVE_ERROR)
    assert written["max"] == 4.0
    assert Sketch.model_validate(written) == made


@pytest.mark.parametrize("bucket", [10**9, -(10**9), 700])
def test_a_bucket_that_no_amount_falls_into_is_refused(bucket):
    with pytest.raises(ValidationError):
        Sketch(n=1, total=1.0, min=1.0, max=1.0, buckets={bucket: 1})


def test_of_nothing_there_is_no_quantile():
    assert Sketch().p90 is None
    assert Sketch.merged([Sketch(), Sketch()]) == Sketch()


def test_what_is_beyond_its_range_is_counted_and_its_buckets_stay_few():
    made = sketch_of([0.0, -1.0, 1e-9, 1e9, *np.geomspace(1e-8, 1e8, 50_000)])
    assert made.n == 50_004
    assert made.quantile(1) <= made.max
    assert len(made.buckets) <= 1_383
