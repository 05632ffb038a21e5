"""Whether simulated shoppers stop when and how people do."""

import numpy as np
import pytest

from convsim.schema.conversation import Conversation
from convsim.schema.details import EndingsDetails
from convsim_validators import Endings
from convsim_validators.endings.followed import Followed
from convsim_validators.endings.inference import reading_of
from tests.demo_data.crowd import crowd
from tests.drawn_stays import drawn, side, stay

NAMES = ["survival", "hazard", "mix_of_endings", "accepting", "leaving"]


def found(people: list[Conversation], simulated: list[Conversation], **settings):
    answers = Endings(n_resamples=199, **settings).validate(side(people), side(simulated), seed=1)
    assert [f.metric for f in answers] == NAMES
    assert all(isinstance(f.details, EndingsDetails) for f in answers)
    assert all(f.reason for f in answers)
    return {f.metric: f for f in answers}


def people(seed: int = 1, n: int = 200, **settings) -> list[Conversation]:
    return drawn(np.random.default_rng(seed), f"p{seed}-", n, **settings)


def longer(conversation: Conversation, by: int) -> Conversation:
    extra = stay(f"{conversation.id} more", abs(by), "left").messages
    if by > 0:
        return conversation.but(messages=extra + conversation.messages)
    return conversation.but(messages=conversation.messages[-2 * by :] or conversation.messages[:2])


def test_users_who_buy_nothing_and_stay_longer_are_found_though_the_mean_length_is_right():
    simulated = []
    for c in people(2):
        turns = len(c.messages) // 2
        by = 3 if c.ending == "left" else -min(2, turns - 1)
        simulated.append(longer(c, by))
    lengths = [np.mean([len(c.messages) / 2 for c in of]) for of in (people(1), simulated)]
    assert abs(lengths[0] - lengths[1]) < 0.6
    answers = found(people(1), simulated)
    assert answers["leaving"].verdict == "different"
    said = answers["leaving"].details["giveaway"]
    assert said.startswith("simulated shoppers who buy nothing stay ")
    assert "turns longer" in said
    shown = answers["leaving"].details["examples"]
    assert [each["side"] for each in shown] == ["simulated"] * 3 + ["people"]
    endings = {c.id: c.ending for c in (*people(1), *simulated)}
    assert {endings[each["conversation"]] for each in shown} == {"left"}
    assert shown[0]["value"] > shown[3]["value"]


def test_a_turn_in_which_many_stop_is_named():
    simulated = [c if len(c.messages) < 8 else c.but(messages=c.messages[:8]) for c in people(2)]
    answers = found(people(1), simulated)
    assert answers["hazard"].verdict == "different"
    assert answers["hazard"].details["turns_that_differ_most"] == [4, 4]
    assert "there in turn 4, 100% end the conversation, of people " in answers["hazard"].details["giveaway"]
    assert answers["survival"].verdict == "different"


def test_curves_that_cross_are_found():
    rng = np.random.default_rng(3)
    simulated = [
        stay(f"s{n}", int(rng.choice([4, 5])), "accepted" if rng.random() < 0.6 else "left")
        for n in range(200)
    ]
    answers = found(people(1), simulated)
    assert answers["survival"].verdict == "different"
    assert abs(answers["survival"].details["supremum"]) > 4 > abs(answers["survival"].details["log_rank"])


def test_another_mix_of_endings_is_told_with_both_proportions():
    simulated = [c.but(ending="accepted") for c in people(2)]
    answers = found(people(1), simulated)
    mix = answers["mix_of_endings"]
    assert mix.verdict == "different"
    left = np.mean([c.ending == "left" for c in people(1)])
    assert mix.details["giveaway"] == (
        "100% of simulated conversations end with an item taken, of people's " + f"{1 - left:.0%}"
    )
    assert mix.estimate == pytest.approx(left)
    assert answers["survival"].verdict != "different"
    assert answers["leaving"].details["giveaway"].startswith("0% of simulated shoppers buy nothing, ")


def test_many_conversations_of_equal_sides_are_alike_and_few_say_how_many_more_it_takes():
    many = found(people(1, 900), people(2, 900))
    assert {f.verdict for f in many.values()} == {"aligned"}
    few = found(people(1, 60), people(2, 60))
    assert few["survival"].verdict == "undecided"
    assert few["survival"].details["n_to_decide"]["real"] >= 60
    assert few["survival"].details["needs"]["more"] > 0


def test_a_limit_on_one_side_cuts_both_off_in_the_turn_before_it():
    simulated = people(2, limit=4)
    assert any(c.ending == "turn_limit" for c in simulated)
    answers = found(people(1), simulated)
    assert {f.details["follow_up_turns"] for f in answers.values()} == {3}
    assert not [f for f in answers.values() if f.verdict == "different"]
    watched = [each["turn"] for each in answers["survival"].details["curves"]]
    assert watched == [1, 2, 3]
    mix = answers["mix_of_endings"].details["mix"]
    still = np.mean([len(c.messages) > 6 for c in people(1)])
    assert mix["still_there"]["real"] == pytest.approx(still)


def test_what_looks_like_a_limit_where_no_ending_is_recorded_is_one():
    simulated = people(2, limit=5, recorded=False)
    followed = Followed.of(side(people(1, recorded=False)), side(simulated))
    assert followed.follow_up == 4
    one_stray = [*people(2)[:-1], stay("stray", 2, "turn_limit")]
    assert Followed.of(side(people(1)), side(one_stray)).follow_up > 10


def test_one_long_conversation_that_is_cut_off_leaves_the_others_judged():
    longest = max(len(c.messages) // 2 for c in people(1, 900))
    simulated = [*people(2, 900), stay("long", longest - 1, "turn_limit")]
    answers = found(people(1, 900), simulated)
    assert answers["survival"].details["follow_up_turns"] >= longest
    assert answers["survival"].verdict == answers["leaving"].verdict == "aligned"


def test_the_same_numbers_come_in_any_order_of_lines():
    first, second = found(people(1, 40), people(2, 40)), found(people(1, 40)[::-1], people(2, 40)[::-1])
    assert [f.p_value for f in first.values()] == [f.p_value for f in second.values()]
    assert [f.estimate for f in first.values()] == pytest.approx([f.estimate for f in second.values()])


def test_conversations_of_one_user_are_one_unit():
    several = people(2, 8, each=(10,), frailty=1.0)
    answers = found(people(1, 80), several)
    assert answers["survival"].details["n_units_simulated"] == 8
    assert answers["survival"].n_simulated == 80
    assert answers["survival"].verdict != "aligned"


def test_endings_that_a_record_leaves_out_are_no_way_of_ending():
    simulated = [c.but(ending="unknown") if n < 18 else c for n, c in enumerate(people(2))]
    mix = found(people(1), simulated)["mix_of_endings"]
    assert mix.details["source_of_endings"] == "recorded"
    assert mix.details["mix"]["otherwise"] == {"real": 0, "simulated": 0}


def test_too_few_users_decide_nothing():
    answers = found(people(1, 7), people(2, 50))
    assert {f.verdict for f in answers.values()} == {"undecided"}
    assert "7 real and 50 simulated users" in answers["survival"].reason
    assert answers["survival"].estimate is None
    assert Endings().validate(side([]), side(people(1, 20)), seed=1) == []


def test_conversations_of_one_turn_decide_no_length_but_their_endings_are_compared():
    one = [stay(f"r{n}", 1, "accepted" if n % 2 else "left") for n in range(60)]
    other = [stay(f"s{n}", 1, "accepted" if n % 2 else "left") for n in range(60)]
    answers = found(one, other)
    assert answers["survival"].verdict == answers["hazard"].verdict == "undecided"
    assert "all conversations of both sides have 1 turns" in answers["survival"].reason
    assert answers["mix_of_endings"].estimate == 0
    unknown = found([c.but(ending="unknown") for c in one], [c.but(ending="unknown") for c in other])
    assert {f.verdict for f in unknown.values()} == {"undecided"}
    assert "what looks like one" in unknown["survival"].reason


def test_where_nobody_ends_only_a_higher_limit_would_help():
    cut = [stay(f"{name}{n}", 3, "turn_limit") for name in "rs" for n in range(40)]
    answers = found(cut[:40], cut[40:])
    assert {f.verdict for f in answers.values() if f.metric != "mix_of_endings"} == {"undecided"}
    assert "a higher limit of turns is needed" in answers["survival"].reason
    endless = [stay(f"{name}{n}", 70, "left") for name in "rs" for n in range(10)]
    assert "in the 60 turns in which both sides" in found(endless[:10], endless[10:])["survival"].reason


def test_failed_conversations_leave_the_mix_undecided():
    answers = found(people(1), people(2, failing=0.1))
    assert answers["mix_of_endings"].verdict == "undecided"
    assert "failed before they ended" in answers["mix_of_endings"].reason
    assert answers["survival"].p_value is not None


def told(seed: int, n: int, *, record: bool, useless: bool = False) -> list[Conversation]:
    made = []
    for number, c in enumerate(people(seed, n)):
        says = {"accepted": "i'll take it", "left": "no thanks, bye"}[c.ending]
        if useless or number % 5 == 0:
            says = "hm"
        last = c.messages[-2].but(content=f"{says} {seed} {number}")
        ending = c.ending if record else "unknown"
        made.append(c.but(messages=(*c.messages[:-2], last, c.messages[-1]), ending=ending))
    return made


def test_endings_that_one_side_does_not_record_are_read_on_both_with_the_error_told():
    answers = found(told(1, 200, record=False), told(2, 200, record=True))
    assert answers["mix_of_endings"].details["source_of_endings"] == "inferred"
    accepted, left = answers["accepting"].details["reading"]
    assert (accepted["way"], left["way"]) == ("accepted", "left")
    assert accepted["measured_on"] == "200 conversations of these files"
    assert accepted["sensitivity"]["estimate"] == pytest.approx(0.8, abs=0.1)
    assert accepted["specificity"]["estimate"] == 1
    assert accepted["youden"]["interval"][0] > 0.5
    assert {f.verdict for f in answers.values()} <= {"aligned", "undecided"}
    assert all(answers[name].verdict == "undecided" for name in ("mix_of_endings", "accepting", "leaving"))


def test_a_wrong_mix_is_found_in_endings_that_are_read():
    all_left = [
        c for seed in (2, 3, 4) for c in told(seed, 200, record=False) if c.messages[-2].content[0] == "n"
    ]
    answers = found(told(1, 200, record=False), all_left)
    assert answers["mix_of_endings"].verdict == "different"
    assert answers["mix_of_endings"].reason.endswith("(endings read from the text)")
    assert answers["mix_of_endings"].details["reading"][0]["measured_on"].startswith("stand-in people")


def test_endings_that_cannot_be_read_leave_ways_undecided_and_lengths_judged():
    answers = found(told(1, 200, record=False, useless=True), told(2, 200, record=True, useless=True))
    for name in ("mix_of_endings", "accepting", "leaving"):
        assert answers[name].verdict == "undecided"
        assert "hardly told from other endings (Youden's J 0.00" in answers[name].reason
        assert "record how conversations end" in answers[name].reason
    assert answers["survival"].p_value is not None


def test_a_follow_up_that_sees_few_people_end_shows_no_likeness():
    shorter = [c.but(messages=c.messages[-4:]) for c in people(2, recorded=False)]
    answers = found(people(1, recorded=False), shorter)
    assert answers["survival"].details["follow_up_turns"] == 1
    assert answers["survival"].verdict == "undecided"
    assert "of people are still there after turn 1" in answers["survival"].reason


def test_in_another_language_nothing_says_how_well_endings_are_read():
    def greek(seed: int) -> list[Conversation]:
        return [
            c.but(messages=tuple(m.but(content=f"ψάχνω για παπούτσια {c.id}") for m in c.messages), ending="unknown")
            for c in people(seed, 40)
        ]  # fmt: skip

    answers = found(greek(1), greek(2))
    assert "no list el/endings.toml" in answers["leaving"].reason
    assert answers["survival"].p_value is not None


def test_the_shipped_error_is_that_of_stand_in_people():
    recorded = side([c for c in crowd(900, seed=0) if c.ending in ("accepted", "left")])
    bare = side([stay(f"{number}", 2, "unknown") for number in range(20)])
    measured, shipped = Followed.of(recorded, bare), Followed.of(bare, bare)
    for way in ("accepted", "left"):
        here, there = reading_of(measured, way), reading_of(shipped, way)
        assert not isinstance(here, str)
        assert not isinstance(there, str)
        assert there.measured_on.startswith("stand-in people")
        assert (here.sensitivity.hits, here.sensitivity.n) == (there.sensitivity.hits, there.sensitivity.n)
        assert (here.specificity.hits, here.specificity.n) == (there.specificity.hits, there.specificity.n)
