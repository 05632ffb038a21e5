"""What no data may change: order, sides, copies."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from convsim.schema import Corpus
from convsim_validators import HumanLikeness, Marginals
from tests.corpora import corpus

numbers = st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=30)
MARGINALS = Marginals(n_resamples=49)


def judged(real: Corpus, simulated: Corpus, seed: int = 1):
    return MARGINALS.validate(real, simulated, seed=seed)[0]


@settings(max_examples=60, deadline=None)
@given(numbers, numbers)
def test_every_input_gives_a_finding_with_numbers_or_null(real, simulated):
    finding = judged(corpus({"x": real}, prefix="r"), corpus({"x": simulated}, prefix="s"))
    assert "NaN" not in finding.model_dump_json()
    assert finding.estimate is None or 0 <= finding.estimate <= 1
    if finding.interval:
        assert 0 <= finding.interval[0] <= finding.estimate <= finding.interval[1] <= 1


@settings(max_examples=40, deadline=None)
@given(numbers, numbers)
def test_swapping_the_sides_keeps_the_distance_and_mirrors_cliffs_delta(real, simulated):
    first, second = corpus({"x": real}, prefix="r"), corpus({"x": simulated}, prefix="s")
    one, other = judged(first, second), judged(second, first)
    assert one.estimate == other.estimate
    if one.estimate is not None:
        assert abs(one.details["cliffs_delta"] + other.details["cliffs_delta"]) < 1e-12


@settings(max_examples=40, deadline=None)
@given(numbers, st.randoms(use_true_random=False))
def test_the_order_of_conversations_changes_no_statistic(values, random):
    fixed = corpus({"x": np.arange(12.0)}, prefix="r")
    order = list(range(len(values)))
    random.shuffle(order)
    one, other = (
        judged(fixed, corpus({"x": side}, prefix="s")) for side in (values, [values[i] for i in order])
    )
    assert one.estimate == other.estimate
    assert one.details["simulated"]["median"] == other.details["simulated"]["median"]


def test_copies_of_the_same_users_conversations_add_no_evidence():
    rng = np.random.default_rng(7)
    real, simulated = rng.normal(0, 1, 60), rng.normal(0.35, 1, 60)
    users = [f"u{i}" for i in range(60)]
    copied = judged(
        corpus({"x": np.tile(real, 5)}, users=users * 5, prefix="r"),
        corpus({"x": np.tile(simulated, 5)}, users=users * 5, prefix="s"),
    )
    once = judged(
        corpus({"x": real}, users=users, prefix="r"), corpus({"x": simulated}, users=users, prefix="s")
    )
    assert copied.estimate == once.estimate
    assert copied.p_value == once.p_value
    assert np.allclose(copied.interval, once.interval, atol=1e-6)


def test_the_same_seed_gives_the_same_finding_and_another_seed_moves_it():
    rng = np.random.default_rng(8)
    sides = corpus({"x": rng.normal(size=80)}, prefix="r"), corpus({"x": rng.normal(0.3, 1, 80)}, prefix="s")
    assert judged(*sides, seed=4) == judged(*sides, seed=4)
    assert judged(*sides, seed=4).noise_floor != judged(*sides, seed=5).noise_floor


def test_one_more_metric_moves_no_other_metrics_draws():
    rng = np.random.default_rng(9)
    columns = [{"x": rng.normal(size=50), "y": rng.normal(size=50)} for _ in range(2)]
    both = MARGINALS.validate(corpus(columns[0], prefix="r"), corpus(columns[1], prefix="s"), seed=2)
    alone = MARGINALS.validate(
        corpus({"x": columns[0]["x"]}, prefix="r"), corpus({"x": columns[1]["x"]}, prefix="s"), seed=2
    )
    assert both[0].interval == alone[0].interval
    assert both[0].p_value == alone[0].p_value


def test_swapping_the_sides_of_a_discriminator_keeps_auc_near_and_the_verdict():
    rng = np.random.default_rng(3)
    vocabulary = np.array([f"w{i}" for i in range(200)])
    texts = [[" ".join(rng.choice(vocabulary[start:], 15)) for _ in range(60)] for start in (0, 60)]
    sides = [corpus({"x": np.zeros(60)}, texts=t, prefix=p) for t, p in zip(texts, "ab", strict=True)]
    one = HumanLikeness(n_resamples=99).validate(sides[0], sides[1], seed=1)[0]
    other = HumanLikeness(n_resamples=99).validate(sides[1], sides[0], seed=1)[0]
    assert abs(one.details["auc"] - other.details["auc"]) < 0.05
    assert one.verdict == other.verdict == "different"
