import math

import numpy as np
import pytest

from convsim.errors import InputError
from convsim.metrics import measure_both
from convsim.schema.conversation import Conversation, Label, Message
from convsim.stats.resampling import Design
from convsim_validators.labels.transitions import Transitions, steps_of

POLITE = [["inform_preference"], ["accept_recommendation"], ["thank"]]
CURT = [["inform_preference"], ["accept_recommendation"]]


def conversation(
    name: str, acts: list[list[str]], source: str = "rules:1", user: str | None = None
) -> Conversation:
    messages = [
        Message(role="user", content="hi", labels={"acts": (Label(value=[*each], source=source),)})
        for each in acts
    ]
    return Conversation(id=name, user=user, messages=tuple(messages))


def side(prefix: str, n: int, share_polite: float, **more: str) -> list[Conversation]:
    return [conversation(f"{prefix}{i}", POLITE if i < n * share_polite else CURT, **more) for i in range(n)]


def found(real, simulated, **settings):
    return Transitions(**settings).validate(*measure_both(real, simulated), seed=1)


def origin(told: Conversation):
    return measure_both([told], [told])[0].metrics["act_thank"].label


def test_steps_include_start_and_end_and_a_message_of_two_acts_shares_its_steps():
    told = conversation("a", [["inform_preference"], ["thank", "close"]])
    assert dict(steps_of(told, origin(told))) == {
        ("(start)", "inform_preference"): 1,
        ("inform_preference", "thank"): 0.5,
        ("inform_preference", "close"): 0.5,
        ("thank", "(end)"): 0.5,
        ("close", "(end)"): 0.5,
    }


def test_the_distance_is_the_share_of_steps_that_lie_elsewhere():
    [finding] = found(side("a", 40, 1.0), side("b", 40, 0.0))
    # polite: 4 steps of 1/4; curt: 3 of 1/3; in common 2 of 1/4 each: half of the sum of differences is 1/2.
    assert finding.estimate == pytest.approx(0.5)
    assert finding.verdict == "different"
    assert finding.details["transitions"][0]["to"] in {"(end)", "thank"}
    assert finding.interval[0] <= 0.5 <= finding.interval[1]


def test_many_alike_are_aligned_and_few_are_undecided():
    assert found(side("a", 400, 0.5), side("b", 400, 0.5))[0].verdict == "aligned"
    few = found(side("a", 5, 0.5), side("b", 40, 0.5))[0]
    assert (few.verdict, few.p_value) == ("undecided", None)


def test_ten_conversations_that_all_go_one_way_are_undecided_and_fifty_are_aligned():
    few, more = (found(side("a", n, 1.0), side("b", n, 1.0))[0] for n in (10, 50))
    assert (few.verdict, few.estimate, more.verdict) == ("undecided", 0, "aligned")
    # Wilson's 90 % limit for what n did not show is 2.706 / (n + 2.706), and there are two sides.
    assert math.hypot(2.706 / (25 + 2.706), 2.706 / (250 + 2.706)) <= 0.1 < 2.706 / (24 + 2.706)
    assert few.details["needs"] == {"side": "people", "more": 15}
    assert few.details["n_to_decide"] == {"real": 25, "simulated": 250}


def test_a_difference_names_the_step_that_differs_most_and_no_p_value():
    [finding] = found(side("a", 60, 0.9), side("b", 60, 0.3))
    assert finding.verdict == "different"
    assert "of people's steps go from" in finding.reason
    assert "p =" not in finding.reason


def test_where_the_sides_can_be_dealt_in_a_few_ways_alone_there_is_no_p_value(monkeypatch):
    monkeypatch.setattr(Design, "too_few_permutations", lambda design: "too few ways")
    [few] = found(side("a", 60, 0.9), side("b", 60, 0.3))
    assert (few.verdict, few.p_value, few.p_adjusted) == ("undecided", None, None)
    assert "; too few ways" in few.reason


def test_sides_labelled_by_two_annotators_or_by_none_give_no_finding():
    assert found(side("a", 20, 0.5), side("b", 20, 0.5, source="judge:m")) == []
    bare = [Conversation(id=f"c{i}", messages=(Message(role="user", content="hi"),)) for i in range(20)]
    assert found(side("a", 20, 0.5), bare) == []


@pytest.mark.calibration
def test_under_the_null_it_rejects_at_alpha_also_where_users_come_again():
    rng = np.random.default_rng(5)
    rejected = 0
    n_tests = 120
    for test in range(n_tests):
        sides = []
        for prefix in "ab":
            habits = rng.random(25) < 0.5
            sides.append(
                [
                    conversation(f"{prefix}{user}-{turn}", POLITE if polite else CURT, user=f"{prefix}{user}")
                    for user, polite in enumerate(habits)
                    for turn in range(3)
                ]
            )
        [finding] = Transitions(n_resamples=199).validate(*measure_both(*sides), seed=test)
        rejected += finding.p_value <= 0.05
    assert rejected <= 13  # the 99 % point of Binomial(120, .05)


def test_settings_are_checked():
    with pytest.raises(InputError, match=r"transitions: margin must be a number from 0 to 1, but is 2"):
        Transitions(margin=2)
