"""The verdicts that a scorecard leads with, and the one that sums them up."""

import pytest

from tests.reports import card, finding

HABITS, WORDS = ("marginals", "all_metrics"), ("humanlikeness", "hls")
DIVERSITY, REACTIONS = ("copies", "diversity"), ("counterfactual", "reaction_ratio")


def led_by(*findings):
    return card(*findings).headlines


def test_a_headline_has_the_verdict_and_the_reason_of_the_finding_that_it_stands_on():
    habits, whole = led_by(finding(*HABITS, verdict="aligned", reason="close"))
    assert (habits.name, habits.verdict, habits.reason) == ("habits", "aligned", "close")
    assert (habits.validator, habits.metric) == HABITS
    assert (whole.name, whole.verdict, whole.reason) == (
        "all", "aligned", "like people in habits (on average)",
    )  # fmt: skip


def test_without_a_finding_that_a_headline_stands_on_there_is_none():
    assert led_by(finding("marginals", "turns"), finding("mine", "all_metrics")) == ()
    assert led_by(finding(*HABITS, details={"role": "control"})) == ()


@pytest.mark.parametrize(
    ("habits", "words", "verdict", "reason"),
    [
        ("aligned", "aligned", "aligned", "like people in habits (on average) and words"),
        ("different", "aligned", "different", "not like people in habits; like people in words"),
        ("aligned", "undecided", "undecided", "like people in habits (on average); words need more data"),
        ("undecided", "undecided", "undecided", "habits and words need more data"),
        ("different", "undecided", "different", "not like people in habits; words need more data"),
        ("failed", "aligned", "failed", "habits could not be judged; like people in words"),
        ("failed", "different", "different", "not like people in words; habits could not be judged"),
    ],
)
def test_the_whole_fails_if_one_does_and_passes_if_all_do(habits, words, verdict, reason):
    whole = led_by(finding(*HABITS, verdict=habits), finding(*WORDS, verdict=words))[-1]
    assert (whole.name, whole.verdict, whole.reason) == ("all", verdict, reason)


def test_one_failing_headline_lends_the_whole_its_verdict_and_two_do_not():
    ignoring = finding(*REACTIONS, verdict="does_not_react")
    assert led_by(ignoring)[-1].verdict == "does_not_react"
    assert led_by(finding(*WORDS, verdict="different"), ignoring)[-1].verdict == "different"


def test_what_is_lacking_is_said_for_each_and_the_whole_needs_the_most_of_it():
    def needing(place, side, more):
        return finding(
            *place, verdict="undecided",
            details={"similarity_real": 0.1, "similarity_simulated": 0.1, "needs": {"side": side, "more": more}},
        )  # fmt: skip

    whole = led_by(needing(HABITS, "simulated", 1200), needing(DIVERSITY, "people", 60))[-1]
    assert whole.reason == (
        "habits need more data: about 1,200 more simulated; diversity needs more data: about 60 more people"
    )
    assert (whole.needs.side, whole.needs.more) == ("people", 60)
    both = led_by(needing(HABITS, "people", 60), needing(WORDS, "people", 60))[-1]
    assert both.reason == "habits and words need more data: about 60 more people"
    unknown = led_by(needing(HABITS, "people", 60), finding(*WORDS, verdict="undecided"))[-1]
    assert unknown.needs is None


def test_whoever_copies_people_is_not_like_them_whatever_the_headlines_say():
    copied = finding("copies", "near_copies", verdict="copies")
    habits, whole = led_by(finding(*HABITS, verdict="aligned"), copied)
    assert (habits.verdict, whole.verdict) == ("aligned", "copies")
    assert whole.reason == "copies the people that it is judged on; like people in habits (on average)"


COHERENCE, ECHO = ("coherence", "all_coherence"), ("coherence", "echo")


@pytest.mark.parametrize(
    ("main", "other", "verdict", "stands_on"),
    [
        ("aligned", "undecided", "aligned", COHERENCE),
        ("aligned", "different", "different", ECHO),
        ("undecided", "different", "different", ECHO),
        ("different", "different", "different", COHERENCE),
    ],
)
def test_a_headline_passes_only_if_no_finding_of_its_family_fails(main, other, verdict, stands_on):
    headline, whole = led_by(finding(*COHERENCE, verdict=main), finding(*ECHO, verdict=other))
    assert (headline.verdict, whole.verdict) == (verdict, verdict)
    assert (headline.validator, headline.metric) == stands_on


def test_of_several_that_fail_the_surest_is_named_and_the_others_are_counted():
    failing = [
        finding("joint", name, verdict="different", reason="apart", p_adjusted=p)
        for name, p in (("mmd", 0.04), ("rank_correlations", 0.001))
    ]
    habits, _ = led_by(finding(*HABITS, verdict="aligned"), *failing)
    assert habits.reason == "joint/rank_correlations: apart; 1 more of this family differ"


def test_a_metric_of_marginals_may_differ_and_a_finding_that_is_shown_only_too():
    one = finding("marginals", "turns", verdict="different")
    control = finding("joint", "forest", verdict="different", details={"role": "control"})
    habits, _ = led_by(finding(*HABITS, verdict="aligned"), one, control)
    assert habits.verdict == "aligned"


def test_acts_stand_for_coherence_where_listening_was_not_asked_about():
    [coherence, _] = led_by(finding("transitions", "act_transitions", verdict="undecided", reason="few"))
    assert (coherence.name, coherence.reason) == ("coherence", "few")
