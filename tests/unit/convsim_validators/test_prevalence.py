"""``prevalence``: when it speaks, what it corrects, and when it refuses."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from convsim.errors import InputError
from convsim.metrics import measure_both
from convsim.stats.resampling import Design
from convsim_validators.labels.correction import fieller
from convsim_validators.labels.prevalence import Prevalence
from tests.labelled import labelled_messages, labelled_sessions


def judged(real, simulated, **settings) -> list[Any]:
    return list(Prevalence(n_resamples=299, **settings).validate(*measure_both(real, simulated), seed=5))


def binary(truth, said, *, known=None, source="judge:m:1", people="self", prefix="r", scale=(0, 1)):
    known = len(truth) if known is None else known
    values = {source: said, people: [int(t) if i < known else None for i, t in enumerate(truth)]}
    return labelled_sessions("satisfaction", values, prefix=prefix, scale=scale)


def exact(n_true: int, n_false: int, hits: int, rejections: int):
    """Make a truth and what an annotator says with so many hits and correct rejections."""
    truth = [1] * n_true + [0] * n_false
    said = [1] * hits + [0] * (n_true - hits) + [0] * rejections + [1] * (n_false - rejections)
    return truth, said


def counted(n: int, n_yes: int, *, source="judge:m:1", prefix="s"):
    return labelled_sessions("satisfaction", {source: [1] * n_yes + [0] * (n - n_yes)}, prefix=prefix)


def test_the_estimate_is_rogans_and_gladens():
    # Sensitivity 32 / 40, specificity 54 / 60, J = .7; counted .38 on the real side and .59 on the simulated one.
    [finding] = judged(binary(*exact(40, 60, 32, 54)), counted(100, 59))
    assert finding.details["sensitivity"]["estimate"] == pytest.approx(0.8)
    assert finding.details["specificity"]["estimate"] == pytest.approx(0.9)
    assert finding.details["raw"]["estimate"] == pytest.approx(0.21)
    assert finding.estimate == pytest.approx(0.21 / 0.7)
    assert finding.details["adjusted"]["estimate"] == finding.estimate
    assert finding.details["adjusted"]["real"]["estimate"] == pytest.approx((0.38 + 0.9 - 1) / 0.7)
    assert finding.details["adjusted"]["simulated"]["estimate"] == pytest.approx((0.59 + 0.9 - 1) / 0.7)
    assert finding.verdict == "different"
    assert finding.details["n_calibration"] == 100
    assert "may be false" in finding.details["assumption"]


def test_a_faultless_annotator_leaves_the_difference_as_counted():
    truth = [1] * 150 + [0] * 350
    [finding] = judged(binary(truth, truth), counted(500, 300))
    assert finding.estimate == pytest.approx(0.3)
    raw, adjusted = finding.details["raw"]["interval"], finding.interval
    assert adjusted == pytest.approx(raw, abs=0.02)


def test_fiellers_limits_solve_their_equation():
    covariance = np.array([[0.0004, 0.0001], [0.0001, 0.002]])
    low, high = fieller(0.2, 0.7, covariance, 2.0)
    for limit in (low, high):
        spread = covariance[0, 0] - 2 * limit * covariance[0, 1] + limit**2 * covariance[1, 1]
        assert abs(0.2 - limit * 0.7) / np.sqrt(spread) == pytest.approx(2.0)
    assert low < 0.2 / 0.7 < high


def test_swapping_what_is_counted_mirrors_the_sign():
    truth, said = exact(40, 60, 32, 54)
    turned = [1 - t for t in truth], [1 - s for s in said]
    [one] = judged(binary(truth, said), counted(100, 59))
    [other] = judged(binary(*turned), counted(100, 41))
    assert other.estimate == pytest.approx(-one.estimate)


@pytest.mark.parametrize(
    ("real", "simulated"),
    [
        (counted(50, 20, prefix="r"), counted(50, 25)),
        (binary(*exact(20, 30, 18, 27)), counted(50, 25, source="judge:other:1")),
        (binary(*exact(20, 30, 18, 27), source="third_party"), counted(50, 25, source="third_party")),
        (binary([1, 5] * 20, [1, 5] * 20, scale=(1, 5)), binary([1, 5] * 20, [1, 5] * 20, scale=(1, 5), prefix="s")),
    ],
    ids=["nobody else's labels", "two annotators", "no annotator", "a scale of five"],
)  # fmt: skip
def test_where_nothing_can_be_corrected_it_says_nothing(real, simulated):
    assert judged(real, simulated) == []


def test_without_labels_units_are_not_found_out(monkeypatch):
    monkeypatch.setattr(Design, "of", lambda *_: pytest.fail("units were asked for"))
    unlabelled = labelled_sessions("satisfaction", {"self": [None] * 12})
    assert judged(unlabelled, unlabelled) == []


def test_an_annotator_that_may_tell_nothing_is_refused_and_what_was_counted_stands():
    [finding] = judged(binary(*exact(50, 50, 25, 26)), counted(100, 70))
    assert finding.verdict == "undecided"
    assert (finding.estimate, finding.interval, finding.p_value) == (None, None, None)
    assert finding.details["adjusted"] is None
    assert finding.details["raw"]["estimate"] == pytest.approx(0.21)
    assert "Youden's J" in finding.reason


def test_an_annotator_that_says_the_opposite_is_refused():
    [finding] = judged(binary(*exact(50, 50, 5, 5)), counted(100, 70))
    assert finding.details["adjusted"] is None
    assert "says the opposite" in finding.reason
    assert "n_to_decide" not in finding.details


@pytest.mark.parametrize("known", [1, 7])
def test_few_calibrated_units_decide_nothing(known):
    truth, said = exact(4, 96, 4, 96)
    [finding] = judged(binary(truth, said, known=known), counted(100, 50))
    assert finding.verdict == "undecided"
    assert finding.reason.startswith(f"{known} real users or conversations have labels by self too")
    assert "at least 8 are needed" in finding.reason
    assert "n_to_decide" not in finding.details
    assert finding.details["raw"] is None
    assert finding.details["counted"] == {"real": pytest.approx(0.04), "simulated": 0.5}


def test_a_reference_of_one_class_tells_no_errors():
    [finding] = judged(binary([0] * 40, [0] * 30 + [1] * 10), counted(40, 10))
    assert finding.verdict == "undecided"
    assert "the same everywhere, so the errors of" in finding.reason


def test_eight_shoppers_none_of_whom_shows_it_are_not_taken_for_a_population_without_it():
    truth = [1] * 10 + [0] * 190
    [finding] = judged(binary(truth, truth), counted(8, 0))
    assert finding.estimate == pytest.approx(-0.05)
    assert finding.verdict == "undecided"
    [finding] = judged(binary(truth, truth), counted(800, 0))
    assert finding.verdict == "aligned"


def test_equal_shares_with_much_known_are_aligned():
    truth = [1] * 300 + [0] * 700
    [finding] = judged(binary(truth, truth), counted(1000, 305))
    assert finding.verdict == "aligned"
    [finding] = judged(binary(truth, truth), counted(1000, 305), margin=0.001)
    assert finding.verdict == "undecided"
    assert set(finding.details["n_to_decide"]) == {"real", "simulated", "calibration"}


def acts(n: int, share: float, *, prefix: str, known: int = 0, source: str = "classifier:ab", seed: int = 0):
    rng = np.random.default_rng([seed, n])
    truth = rng.random((n, 2)) < share
    said = np.where(rng.random((n, 2)) < 0.9, truth, ~truth)
    names = np.array(["compare", "thank"])
    values = {source: [names[row].tolist() for row in said]}
    if known:
        values["third_party"] = [names[row].tolist() if i < known else None for i, row in enumerate(truth)]
        values["self"] = [["thank"] if i < known else None for i in range(n)]
    return labelled_messages("acts", values, per_conversation=3, prefix=prefix)


def test_acts_are_corrected_one_by_one_and_counted_as_the_metric_of_their_name():
    corpora = measure_both(acts(300, 0.3, prefix="r", known=120), acts(300, 0.6, prefix="s", seed=1))
    findings: Sequence[Any] = Prevalence(n_resamples=199).validate(*corpora, seed=1)
    assert [f.metric for f in findings] == ["act_compare", "act_thank"]
    for finding in findings:
        means = [float(corpus.table[finding.metric].mean()) for corpus in corpora]
        assert finding.details["counted"] == {
            "real": pytest.approx(means[0]),
            "simulated": pytest.approx(means[1]),
        }
        assert finding.details["raw"]["estimate"] == pytest.approx(means[1] - means[0])
        assert finding.details["reference"] == "third_party"
        assert finding.details["n_calibration"] == 40
        assert finding.verdict == "different"


def test_feelings_are_held_against_the_people_who_had_them():
    truth, said = exact(40, 60, 36, 54)
    real = binary(truth, said)
    values = {"judge:m:1": said, "third_party": [1 - t for t in truth], "self": truth}
    both = labelled_sessions("satisfaction", values, prefix="r")
    assert judged(both, counted(100, 59))[0].estimate == judged(real, counted(100, 59))[0].estimate


def test_units_are_users_where_they_are_known():
    truth, said = exact(40, 60, 32, 54)
    made = binary(truth, said)
    users = [c.model_copy(update={"user": f"u{i % 6}"}) for i, c in enumerate(made)]
    [finding] = judged(users, counted(100, 59))
    assert finding.verdict == "undecided"
    assert finding.reason.startswith("6 real and 100 simulated users or conversations")


def test_where_the_sides_can_be_dealt_in_a_few_ways_alone_there_is_no_p_value(monkeypatch):
    monkeypatch.setattr(Design, "too_few_permutations", lambda design: "too few ways")
    truth = [1] * 30 + [0] * 70
    [few] = judged(binary(truth, truth), counted(100, 90))
    assert (few.verdict, few.p_value, few.p_adjusted) == ("undecided", None, None)
    assert "; too few ways" in few.reason


def test_a_difference_of_nothing_asks_for_the_number_that_shows_it_in_four_of_five_cases():
    truth = [1] * 30 + [0] * 70
    [finding] = judged(binary(truth, truth), counted(100, 32))
    low, high = finding.details["adjusted"]["interval_90"]
    # 80 % of estimates lie within 1.28 errors of 0, and a 90 % interval reaches 1.645 further.
    needed = 100 * ((high - low) / 2 / 1.645 * (1.645 + 1.2816) / 0.1) ** 2
    assert finding.details["n_to_decide"]["real"] == pytest.approx(needed, rel=0.06)
    assert "if nothing differs" in finding.reason


def test_p_values_are_adjusted_for_the_number_of_acts():
    findings = judged(acts(300, 0.3, prefix="r", known=150), acts(300, 0.35, prefix="s", seed=1))
    assert all(f.p_adjusted >= f.p_value for f in findings)
    assert any(f.p_adjusted > f.p_value for f in findings)


def test_an_unlabelled_simulated_message_is_left_out_and_counted():
    simulated = labelled_sessions("satisfaction", {"judge:m:1": [1, 0] * 25 + [None] * 10}, prefix="s")
    [finding] = judged(binary(*exact(40, 60, 36, 54)), simulated)
    assert finding.n_simulated == 50
    assert finding.details["counted"]["simulated"] == 0.5


@pytest.mark.parametrize("settings", [{"margin": 2}, {"margin": "x"}, {"n_resamples": 1}])
def test_settings_out_of_range_are_an_error(settings):
    with pytest.raises(InputError, match="prevalence"):
        Prevalence(**settings)
