import pytest

from convsim.schema.conversation import LearnedFrom
from convsim_validators.counterfactual.counterfactual import Counterfactual
from tests.two_arms import CONTROL, TREATMENT, changed, labelled, shifted

NAMES = ("x", "y", "z")
REAL = shifted(dict.fromkeys(NAMES, 1.0), n=150, prefix="r")


def side(shift, prefix, **fields):
    return changed(shifted(dict.fromkeys(NAMES, shift), n=150, prefix=prefix), lambda c: fields)


def learned(*arms, texts=("f1",)):
    return {"shopper": "resample", "learned_from": LearnedFrom(conversations=texts, arms=arms)}


BOTH = side(1.0, "b", **learned(CONTROL, TREATMENT))


def generalisation(simulated, saw_both=None, **settings):
    validator = Counterfactual(
        control=CONTROL, treatment=TREATMENT, n_resamples=299, saw_both=saw_both, **settings
    )
    return {f.metric: f for f in validator.validate(REAL, simulated, seed=1)}["generalisation"]


def test_a_simulator_that_saw_the_treated_arm_is_refused_and_its_arms_named():
    finding = generalisation(side(1.0, "s", **learned(CONTROL, TREATMENT)), BOTH)
    assert (finding.verdict, finding.estimate) == ("undecided", None)
    assert finding.reason.startswith("generalisation cannot be certified: it saw the treated arm 'bad'")
    assert finding.details["saw_treated"] is True
    assert finding.details["learned_arms"] == ["bad", "good"]


def test_what_it_learned_is_found_among_real_conversations_whatever_it_says():
    treated = next(c for c in REAL.conversations if c.arm == TREATMENT)
    finding = generalisation(side(1.0, "s", **learned(CONTROL, texts=(treated.fingerprint,))))
    assert finding.details["saw_treated"] is True


def test_fingerprints_alone_tell_the_arms_where_all_are_found():
    texts = tuple(c.fingerprint for c in REAL.conversations if c.arm == CONTROL)
    finding = generalisation(side(1.0, "s", **learned(texts=texts)))
    assert finding.details["learned_arms"] == [CONTROL]
    assert finding.details["saw_treated"] is False
    unknown = generalisation(side(1.0, "s", **learned(texts=(*texts, "elsewhere"))))
    assert unknown.reason.startswith("generalisation cannot be certified: 300 of 300")


def test_who_does_not_say_what_it_learned_from_is_refused():
    finding = generalisation(side(1.0, "s"), BOTH)
    assert finding.verdict == "undecided"
    assert "300 of 300 simulated conversations do not say" in finding.reason
    assert finding.details["saw_treated"] is None


def test_a_file_without_conversations_says_nothing_of_arms():
    fields = {"shopper": "resample", "learned_from": LearnedFrom(sha256="0" * 64)}
    assert generalisation(side(1.0, "s", **fields)).details["saw_treated"] is None


@pytest.mark.parametrize(
    "fields", [{"shopper": "prompted"}, {"shopper": "prompted", "learned_from": LearnedFrom()}]
)
def test_a_shopper_that_learned_from_nothing_has_seen_neither_arm(fields):
    finding = generalisation(side(1.0, "s", **fields))
    assert finding.details["learned_arms"] == []
    assert finding.details["saw_treated"] is False
    assert (
        "so it has seen neither arm; to measure the cost, give a simulator that saw both arms"
        in finding.reason
    )


def test_without_one_that_saw_both_arms_only_what_is_proven_is_said():
    finding = generalisation(side(1.0, "s", **learned(CONTROL)))
    assert (finding.verdict, finding.estimate) == ("undecided", None)
    assert finding.reason == (
        "the simulator never saw 'bad'; to measure the cost, give a simulator that saw both arms"
    )


def test_one_that_did_not_see_both_arms_is_no_comparison():
    finding = generalisation(side(1.0, "s", **learned(CONTROL)), side(1.0, "b", **learned(CONTROL)))
    assert (finding.verdict, finding.estimate) == ("undecided", None)
    assert "does not say that it saw both arms: it names 'good'" in finding.reason


def test_not_having_seen_the_arm_costs_what_the_simulator_fails_to_shift():
    finding = generalisation(side(0.0, "s", **learned(CONTROL)), BOTH)
    assert finding.verdict == "different"
    # Its shifts lie 1 from people's, and those of the one that saw both lie 0 from them; the standard deviation is 1.
    assert finding.estimate == pytest.approx(1.0, abs=0.02)
    assert finding.details["distance"] == pytest.approx(1.0, abs=0.02)
    assert finding.details["distance_saw_both"] == 0.0


def test_a_simulator_that_generalises_is_aligned_within_the_margin():
    finding = generalisation(side(1.0, "s", **learned(CONTROL)), BOTH, margin_sd=0.3)
    assert finding.verdict == "aligned"
    assert abs(finding.estimate) < 0.05


def test_labels_by_another_source_are_left_out_of_the_cost():
    both = labelled(BOTH, "x", "judge:m")
    finding = generalisation(side(0.0, "s", **learned(CONTROL)), both)
    assert finding.details["metrics"] == ["y", "z"]
