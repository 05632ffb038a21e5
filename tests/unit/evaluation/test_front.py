"""Realism against cost, by hand: distances and costs of a few simulators, and what their differences show."""

from convsim.evaluation.pareto import Apart, Candidate, leaner_pairs, places

NEAR = Candidate("near", 0.10, 3.0, cost_interval=(2.8, 3.2))
FAR = Candidate("far", 0.30, 1.0, cost_interval=(0.9, 1.1))


def apart(*pairs: tuple[str, str, float, float]) -> dict[tuple[str, str], Apart]:
    """Make differences with intervals, each also the other way round."""
    found = {}
    for one, other, low, high in pairs:
        middle = (low + high) / 2
        found[one, other] = Apart(middle, (low, high))
        found[other, one] = Apart(-middle, (-high, -low))
    return found


def at(candidates, differences):
    return {name: where.place for name, where in places(candidates, differences).items()}


def test_who_is_nearer_and_dearer_and_who_is_farther_and_cheaper_are_both_on_the_front():
    assert at([NEAR, FAR], apart(("far", "near", 0.1, 0.3))) == {"near": "on", "far": "on"}


def test_who_is_farther_and_dearer_is_off_it_where_the_difference_is_shown():
    dear = Candidate("dear", 0.30, 5.0)
    found = places([NEAR, dear], apart(("dear", "near", 0.01, 0.4)))
    assert found["near"].place == "on"
    assert found["dear"].place == "off"
    assert found["dear"].reason == "near costs no more and is closer to people"


def test_where_the_interval_of_the_difference_reaches_0_it_is_undecided_and_the_rival_is_named():
    dear = Candidate("dear", 0.12, 5.0)
    for differences in (apart(("dear", "near", 0.0, 0.05)), apart(("dear", "near", -0.02, 0.06)), {}):
        found = places([NEAR, dear], differences)
        assert (found["near"].place, found["dear"].place) == ("on", "undecided")
        assert found["dear"].reason.startswith("near: costs no more")


def test_an_interval_that_is_not_known_decides_nothing():
    dear = Candidate("dear", 0.30, 5.0)
    assert at([NEAR, dear], {("dear", "near"): Apart(0.2, None)})["dear"] == "undecided"


def test_two_that_are_alike_in_both_are_each_others_rivals():
    twins = [Candidate("a", 0.2, 1.0), Candidate("b", 0.2, 1.0)]
    assert at(twins, apart(("a", "b", -0.1, 0.1))) == {"a": "undecided", "b": "undecided"}


def test_one_beaten_by_the_second_of_three_is_off_although_the_first_is_undecided():
    three = [Candidate("x", 0.30, 4.0), Candidate("y", 0.28, 3.0), Candidate("z", 0.10, 2.0)]
    differences = apart(("x", "y", -0.1, 0.14), ("x", "z", 0.1, 0.3), ("y", "z", 0.08, 0.28))
    assert at(three, differences) == {"x": "off", "y": "off", "z": "on"}


def test_an_equal_price_is_no_more():
    same = Candidate("same", 0.30, 3.0)
    assert at([NEAR, same], apart(("same", "near", 0.1, 0.3))) == {"near": "on", "same": "off"}


def test_without_a_price_or_a_distance_nothing_is_decided_and_nobody_else_is_harmed():
    unpriced = Candidate("unpriced", 0.01, None, "its cost is not known: no time was recorded")
    unmeasured = Candidate("unmeasured", None, 0.01)
    found = places([NEAR, unpriced, unmeasured], {})
    assert (found["unpriced"].place, found["unpriced"].reason) == ("undecided", unpriced.reason)
    assert found["unmeasured"].reason == "its distance or its cost is unknown"
    assert found["near"].place == "on"


def test_one_alone_is_on_the_front():
    assert at([NEAR], {}) == {"near": "on"}


def test_a_leaner_one_lost_realism_where_the_whole_interval_lies_above_0():
    [pair] = leaner_pairs([NEAR, FAR], apart(("far", "near", 0.1, 0.3)))
    assert (pair.cheaper, pair.dearer, pair.lost_realism) == ("far", "near", True)
    assert abs(pair.cost_ratio - 1 / 3) < 1e-12
    assert (pair.difference, pair.interval) == (0.2, (0.1, 0.3))


def test_an_interval_that_reaches_0_shows_no_loss():
    [pair] = leaner_pairs([NEAR, FAR], apart(("far", "near", 0.0, 0.3)))
    assert not pair.lost_realism


def test_no_pair_where_nobody_is_cheaper_or_a_number_is_missing():
    differences = apart(("far", "near", 0.1, 0.3))
    assert leaner_pairs([NEAR, FAR._replace(cost=3.0)], differences) == []
    assert leaner_pairs([NEAR, FAR._replace(cost=None)], differences) == []
    assert leaner_pairs([NEAR, FAR], {}) == []


def test_a_cost_that_differs_by_less_than_its_noise_is_not_called_cheaper():
    differences = apart(("far", "near", 0.1, 0.3))
    # By hand: the halves are 0.4 and 0.3, so that a difference of 0.5 = the root of 0.16 + 0.09 is the limit.
    noisy = FAR._replace(cost=2.4, cost_interval=(2.0, 2.8))
    dearer = [NEAR._replace(cost=cost, cost_interval=(cost - 0.3, cost + 0.3)) for cost in (2.89, 2.91)]
    assert [len(leaner_pairs([each, noisy], differences)) for each in dearer] == [0, 1]
    assert leaner_pairs([NEAR, FAR._replace(cost_interval=None)], differences) == []


def test_the_difference_counts_where_it_is_known_since_small_samples_look_further_from_people():
    few = Candidate("few", 0.12, 5.0)
    found = places([NEAR, few], apart(("few", "near", -0.05, 0.03)))
    assert found["few"].place == "on"
    assert found["few"].reason.startswith("by the point estimates at equal sample sizes, no other is")


def test_the_reason_says_how_far_on_the_front_goes_where_others_are_unknown():
    unpriced = Candidate("unpriced", 0.01, None)
    assert (
        places([NEAR, unpriced], {})["near"].reason
        == "the only simulator whose distance and cost are both known"
    )
    reason = places([NEAR, FAR, unpriced], {})["near"].reason
    assert "no other of the 2 whose distance and cost are known is both as close" in reason


def test_many_rivals_and_long_names_are_cut_in_the_reason():
    names = ["n" * 1_000, "b", "c", "d", "e"]
    rivals = [Candidate(name, 0.1, 1.0) for name in names]
    reason = places([*rivals, Candidate("last", 0.2, 2.0)], {})["last"].reason
    assert reason.startswith(f"{'n' * 60}, b, c and 2 more: costs no more")
