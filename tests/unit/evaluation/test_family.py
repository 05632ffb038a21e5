import pytest

from convsim.evaluation.family import one_family
from convsim.schema import Finding


def finding(validator, p_adjusted, verdict="undecided", metric="x", **more):
    return Finding(
        validator=validator, metric=metric, question="?", unit="units", verdict=verdict, reason="it is so",
        n_real=9, n_simulated=9, seed=0, version="1", source="a test", p_adjusted=p_adjusted, **more,
    )  # fmt: skip


def test_a_difference_that_three_validators_may_have_come_upon_by_chance_becomes_undecided_and_says_so():
    card = one_family([finding("a", 0.03, "different"), finding("b", 0.4), finding("c", 0.2, "aligned")])
    assert [f.verdict for f in card] == ["undecided", "undecided", "aligned"]
    assert card[0].p_adjusted == pytest.approx(0.09)
    assert card[0].reason.startswith("no difference is shown once the 3 validators of this card are counted")


def test_a_clear_difference_stays_and_nothing_becomes_different():
    card = one_family([finding("a", 0.001, "different"), finding("b", 0.01), finding("c", 0.2)])
    assert [f.verdict for f in card] == ["different", "undecided", "undecided"]
    assert card[0].p_adjusted == pytest.approx(0.003)
    assert card[0].reason == "it is so"


def test_what_states_no_corrected_p_value_or_is_shown_only_is_left_alone_and_counts_for_nothing():
    theirs = finding("theirs", None, "different", p_value=0.001)
    shown = finding("shown", 0.9, details={"role": "control"})
    card = one_family([finding("a", 0.03, "different"), theirs, shown])
    assert card == [finding("a", 0.03, "different"), theirs, shown]


def test_one_validator_alone_is_its_own_family():
    alone = [finding("a", 0.03, "different"), finding("a", 0.5, metric="y")]
    assert one_family(alone) == alone


def test_shifts_state_the_p_value_of_people_and_are_no_part_of_it():
    shift = finding(
        "counterfactual", 0.001, "does_not_react",
        details={"human_shift": {"estimate": 1.0}, "simulated_shift": {"estimate": 0.0}},
    )  # fmt: skip
    assert one_family([finding("a", 0.03, "different"), shift])[0].verdict == "different"
