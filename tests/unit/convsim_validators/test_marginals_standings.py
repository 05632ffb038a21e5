"""``Marginals.compare``: several simulators beside one another, over the metrics that all of them have."""

from dataclasses import replace

import numpy as np
import pytest

from convsim.schema import Comparer, Corpus, LabelOrigin
from convsim.seeds import generator
from convsim.stats.resampling import Design, bootstrap
from convsim_validators import HumanLikeness, Marginals
from convsim_validators.marginals.ranking import MeanDistance
from convsim_validators.metric_tests.column import Column
from tests.corpora import corpus

ZEROS, HALF, QUARTER = [0.0] * 8, [0.0] * 4 + [1.0] * 4, [0.0] * 6 + [1.0] * 2


def compare(real: Corpus, seed: int = 1, **simulated: Corpus):
    """Return the standings by metric, simulator and other simulator."""
    standings = Marginals(n_resamples=99).compare(real, simulated, seed=seed)
    assert len({(s.metric, s.simulator, s.against) for s in standings}) == len(standings)
    return {(s.metric, s.simulator, s.against): s for s in standings}


def normals(seed: int, n: int, shift: float = 0.0, prefix: str = "s") -> Corpus:
    rng = np.random.default_rng(seed)
    return corpus({"x": rng.normal(shift, 1, n), "y": rng.normal(shift, 1, n)}, prefix=prefix)


def labelled(side: Corpus, name: str, source: str) -> Corpus:
    origin = LabelOrigin(name, "conversation", source, (1.0, 5.0))
    return replace(side, metrics={**side.metrics, name: replace(side.metrics[name], label=origin)})


@pytest.mark.parametrize("validator", [Marginals(), HumanLikeness()])
def test_both_validators_can_compare(validator):
    assert isinstance(validator, Comparer)


def test_the_mean_distance_and_its_differences_are_as_by_hand():
    real = corpus({"x": ZEROS, "y": ZEROS}, prefix="r")
    # a: 1/2 and 0; b: 1/4 and 1/2.
    said = compare(
        real,
        a=corpus({"x": HALF, "y": ZEROS}, prefix="a"),
        b=corpus({"x": QUARTER, "y": HALF}, prefix="b"),
    )
    assert said["mean_distance", "a", None].estimate == 0.25
    assert said["mean_distance", "b", None].estimate == 0.375
    assert said["mean_distance_difference", "a", "b"].estimate == -0.125
    assert said["mean_distance", "a", None].details["metrics"] == ["x", "y"]
    assert said["mean_distance", "a", None].details["noise_floor"] == {"mean": 0.0, "q95": 0.0}
    assert (said["mean_distance", "a", None].n_real, said["mean_distance", "a", None].n_simulated) == (8, 8)


def test_a_difference_and_its_interval_have_the_other_sign_the_other_way_round():
    said = compare(normals(1, 60, prefix="r"), a=normals(2, 40, 0.8), b=normals(3, 90))
    forth, back = (said["mean_distance_difference", *pair] for pair in (("a", "b"), ("b", "a")))
    assert forth.estimate == pytest.approx(-back.estimate)
    assert forth.interval == pytest.approx((-back.interval[1], -back.interval[0]))
    assert forth.interval[0] > 0
    assert "further from people" in forth.reason
    assert "closer to people" in back.reason


def test_controls_and_labels_of_another_source_are_left_out():
    columns = {"x": HALF, "agent": ZEROS, "satisfaction": ZEROS}
    real = labelled(corpus(columns, prefix="r", controls=["agent"]), "satisfaction", "self")
    judged = labelled(corpus(columns, prefix="s", controls=["agent"]), "satisfaction", "judge:m")
    told = labelled(corpus(columns, prefix="t", controls=["agent"]), "satisfaction", "self")
    assert compare(real, s=judged, t=told)["mean_distance", "t", None].details["metrics"] == ["x"]
    assert compare(real, t=told)["mean_distance", "t", None].details["metrics"] == ["x", "satisfaction"]


def test_a_metric_that_one_simulator_hardly_has_is_left_out_for_all():
    real = corpus({"x": HALF, "y": HALF}, prefix="r")
    rare = corpus({"x": HALF, "y": [1.0] * 7 + [np.nan]}, prefix="a")
    full = corpus({"x": HALF, "y": ZEROS}, prefix="b")
    said = compare(real, a=rare, b=full)
    assert said["mean_distance", "b", None].details["metrics"] == ["x"]
    assert said["mean_distance", "b", None].estimate == 0
    assert compare(real, b=full)["mean_distance", "b", None].estimate == 0.25


def test_too_small_a_simulator_has_a_reason_and_costs_the_others_nothing():
    real, a, b = normals(1, 50, prefix="r"), normals(2, 30), normals(3, 40)
    without = compare(real, a=a, b=b)
    said = compare(real, tiny=normals(4, 7), a=a, nothing=corpus({}), b=b)
    assert {key: said[key] for key in without} == without
    for key in set(said) - set(without):
        assert said[key].estimate is None
        assert said[key].interval is None
        assert "at least 8" in said[key].reason
    assert "7 simulated" in said["mean_distance", "tiny", None].reason


def test_too_few_people_decide_nothing():
    assert all(s.estimate is None for s in compare(normals(1, 7, prefix="r"), a=normals(2, 30)).values())


def test_simulators_without_a_metric_in_common_have_no_distance():
    real = corpus({"x": HALF, "y": HALF}, prefix="r")
    only = [corpus({"x": HALF, "y": [np.nan] * 8}), corpus({"x": [np.nan] * 8, "y": HALF})]
    said = compare(real, a=only[0], b=only[1])
    assert said["mean_distance", "a", None].estimate is None
    assert "every simulator" in said["mean_distance", "a", None].reason
    neither = corpus({"x": [np.nan] * 8, "y": [np.nan] * 8})
    said = compare(real, a=neither, b=corpus({"x": HALF, "y": ZEROS}))
    assert said["mean_distance", "a", None].estimate is None
    assert said["mean_distance", "b", None].estimate == 0.25


def test_one_simulator_has_no_difference_and_none_has_nothing():
    assert list(compare(normals(1, 20, prefix="r"), a=normals(2, 20))) == [("mean_distance", "a", None)]
    assert compare(normals(1, 20, prefix="r")) == {}


def test_conversations_that_a_user_repeats_add_no_evidence():
    def sides(times: int):
        rng = np.random.default_rng(5)
        for prefix, n, shift in (("r", 40, 0.0), ("a", 30, 0.5), ("b", 50, 0.0)):
            users = [f"{prefix}{i:02}" for i in range(n) for _ in range(times)]
            yield corpus({"x": np.repeat(rng.normal(shift, 1, n), times)}, users=users, prefix=prefix)

    once, thrice = (compare(real, a=a, b=b) for real, a, b in (sides(1), sides(3)))
    for key, standing in once.items():
        assert standing.estimate == pytest.approx(thrice[key].estimate)
        assert standing.interval == pytest.approx(thrice[key].interval)


def test_a_larger_simulator_is_read_at_fewer_units_as_by_hand():
    real, simulated = corpus({"x": HALF}, prefix="r"), corpus({"x": HALF[2:6]}, prefix="s")
    design = Design.of(real, simulated)
    drawn = [bootstrap(side, 9, generator(1)) for side in (design.real, design.simulated)]
    placed = MeanDistance.of(
        {"x": Column.of(real, simulated, "x", design)}, (drawn[0], drawn[1]), (drawn[0], drawn[0]), seed=1
    )
    assert placed.at_size("x", 4) == 0
    # Two of the values 0, 0, 1, 1: two of six pairs are alike and lie 1/2 from people. Four errors of 200 subsets.
    assert placed.at_size("x", 2) == pytest.approx(1 / 3 / 2, abs=4 * 0.5 * np.sqrt(2 / 9 / 200))
    assert placed.at_size("x", 1) == 0.5


def test_the_same_seed_says_the_same_and_names_are_text_like_any_other():
    real, a = normals(1, 40, prefix="r"), normals(2, 30)
    hostile = "\x1b[31m<b>[red]"
    first, again = (
        Marginals(n_resamples=99).compare(real, {hostile: a, "b": normals(3, 60)}, seed=4) for _ in range(2)
    )
    assert first == again
    assert first[0].simulator == hostile
    assert all(hostile not in standing.reason for standing in first)
