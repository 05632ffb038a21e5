import json
import math

import numpy as np
import pandas as pd
import pytest

from convsim.schema import Corpus
from convsim.schema.conversation import Conversation
from convsim_validators.counterfactual.leaving import Leaving, event_to_count
from convsim_validators.counterfactual.survival import hazard_findings
from convsim_validators.counterfactual.two_arm import Arms

REPLY = {"role": "assistant", "content": "b"}
SAID = {"role": "user", "content": "a"}


def faulty(acted: bool) -> dict:
    return {**REPLY, "faults": [{"name": "rude_text", "severity": 1.0, "acted": acted}]}


def conversation(name, arm, replies, ending, **more):
    """Let a user speak before each of ``replies``, a number or the replies themselves."""
    given = [REPLY] * replies if isinstance(replies, int) else replies
    said = {**SAID, "content": name}  # nobody repeats another: who does is one unit with them
    messages = [message for reply in given for message in (said, reply)]
    return Conversation.model_validate(
        {"id": name, "arm": arm, "messages": [*messages, *more.pop("after", [])], "ending": ending, **more}
    )


def side(conversations) -> Corpus:
    return Corpus(conversations, pd.DataFrame(index=range(len(conversations))), {})


def judge(real, simulated, n_resamples=499, seed=3, **settings):
    (finding,) = hazard_findings(
        side(real), side(simulated), arms=Arms("good", "bad"), n_resamples=n_resamples, seed=seed, **settings
    )
    return finding


def people(seed, n, control, treatment, *, prefix="r", **more):
    """Let ``n`` users an arm leave after each reply with a chance that is the arm's, or accept with one of .1."""
    rng = np.random.default_rng(seed)
    drawn = []
    for i in range(2 * n):
        hazard = (control, treatment)[i % 2]
        for replies in range(1, 9):
            u = rng.random()
            if u < hazard + 0.1 or replies == 8:
                ending = "left" if u < hazard else "accepted" if u < hazard + 0.1 else "turn_limit"
                drawn.append(conversation(f"{prefix}{i}", ("good", "bad")[i % 2], replies, ending, **more))
                break
    return drawn


@pytest.mark.parametrize(
    ("ending", "after", "n_at_risk", "left"),
    [
        ("left", [], 3, True),
        ("left", [{**SAID, "action": "leave"}], 3, True),
        ("accepted", [{**SAID, "action": "accept"}], 3, False),
        ("turn_limit", [], 2, False),
        ("agent_ended", [], 2, False),
        ("agent_ended", [SAID], 3, False),
        ("unknown", [], 2, False),
        ("unknown", [SAID], 2, False),
    ],
)
def test_a_reply_is_at_risk_where_the_user_chose_whether_to_stay(ending, after, n_at_risk, left):
    found = Leaving.of([conversation("c", "good", 3, ending, after=after)], "left")
    assert found.turn.tolist() == list(range(n_at_risk))
    assert found.event.tolist() == [False] * (n_at_risk - 1) + [left]


@pytest.mark.parametrize(
    ("ending", "n_events"), [("unknown", 1), ("accepted", 1), ("left", 1), ("turn_limit", 0)]
)
def test_where_endings_are_unknown_any_end_by_the_user_counts(ending, n_events):
    assert Leaving.of([conversation("c", "good", 3, ending)], "ended").event.sum() == n_events


def test_what_the_agent_says_first_and_a_message_without_answer_are_no_turns_at_risk():
    greeted = Conversation.model_validate({"id": "c", "messages": [REPLY], "ending": "left"})
    unanswered = Conversation.model_validate({"id": "d", "messages": [SAID], "ending": "left"})
    assert len(Leaving.of([greeted, unanswered], "left").turn) == 0


def test_two_agent_messages_in_a_row_are_one_reply():
    double = Conversation.model_validate(
        {"id": "c", "messages": [SAID, REPLY, faulty(True)], "ending": "left"}
    )
    found = Leaving.of([double], "left")
    assert (found.event.tolist(), found.faulty.tolist()) == ([True], [True])


def test_the_event_is_chosen_by_the_side_that_knows_less():
    known = [conversation(str(i), "good", 1, "left") for i in range(10)]
    half = [conversation(str(i), "good", 1, "unknown" if i < 5 else "left") for i in range(10)]
    more = [conversation(str(i), "good", 1, "unknown" if i < 6 else "left") for i in range(10)]
    assert event_to_count(known, half) == "left"
    assert event_to_count(known, more) == event_to_count(more, known) == "ended"
    assert event_to_count([], []) == "left"


def test_a_simulator_that_never_walks_away_does_not_react():
    finding = judge(people(1, 150, 0.1, 0.5), people(2, 150, 0.0, 0.0, prefix="s"))
    assert finding.verdict == "does_not_react"
    assert finding.details["human_shift"]["established"]
    assert finding.details["simulated_hazards"] == {"control": 0, "treatment": 0}
    low, high = finding.details["simulated_shift"]["interval"]
    assert low < 0 < high
    assert finding.interval[1] < 0
    assert (finding.validator, finding.metric) == ("counterfactual", "hazard_of_leaving")
    assert (finding.n_real, finding.n_simulated) == (300, 300)
    assert finding.noise_floor.q95 > finding.noise_floor.mean > 0
    assert finding.details["event"] == "left"


@pytest.mark.parametrize(
    ("control", "treatment", "verdict"),
    [
        (0.1, 0.5, "reacts_as_people"),
        (0.1, 0.85, "over_reacts"),
        (0.1, 0.22, "under_reacts"),
        (0.5, 0.1, "reacts_wrong_way"),
    ],
)
def test_each_reaction_is_told(control, treatment, verdict):
    assert judge(people(1, 400, 0.1, 0.5), people(2, 400, control, treatment, prefix="s")).verdict == verdict


def test_where_people_do_not_shift_neither_must_the_simulator():
    same = judge(people(1, 900, 0.3, 0.3), people(2, 900, 0.3, 0.3, prefix="s"))
    assert same.verdict == "reacts_as_people"
    assert not same.details["human_shift"]["established"]
    assert judge(people(1, 300, 0.3, 0.3), people(2, 300, 0.1, 0.6, prefix="s")).verdict == "over_reacts"


def test_endings_that_nobody_knows_change_the_event_and_the_finding_says_so():
    unknown = [c.but(ending="unknown") for c in people(1, 60, 0.1, 0.5)]
    finding = judge(unknown, people(2, 60, 0.1, 0.5, prefix="s"))
    assert finding.details["event"] == "ended"
    assert "whatever the reason" in finding.question
    assert "endings are unknown" in finding.reason
    assert finding.details["n_unknown_endings"] == {"real": 120, "simulated": 0}
    # Each conversation ends once.
    counts = finding.details["counts"]["real"]
    assert [counts[arm]["events"] for arm in ("control", "treatment")] == [60, 60]


def test_hazards_after_a_bad_reply_are_counted_where_faults_are_recorded():
    good = [conversation(f"g{i}", "good", 2, "accepted") for i in range(10)]
    bad = [
        conversation(
            f"b{i}", "bad", [faulty(False), faulty(True), REPLY][: 2 + i % 2], "left" if i < 6 else "accepted"
        )
        for i in range(10)
    ]
    finding = judge(people(1, 20, 0.1, 0.5), good + bad, n_resamples=99)
    after = finding.details["after_bad_reply"]
    assert after["real"] is None
    # Ten second replies are faulty; of the users who heard no third, b0, b2 and b4 left after it, b1, b3, b5 one later.
    assert (after["simulated"]["bad"]["events"], after["simulated"]["bad"]["at_risk"]) == (3, 10)
    assert (after["simulated"]["other"]["events"], after["simulated"]["other"]["at_risk"]) == (3, 15)
    assert after["simulated"]["bad"]["hazard"] == pytest.approx(0.3)
    low, high = after["simulated"]["bad"]["interval"]
    assert 0 <= low < 0.3 < high <= 1


def test_a_hazard_of_replies_that_never_were_is_null():
    good = [conversation(f"g{i}", "good", 1, "accepted") for i in range(10)]
    bad = [conversation(f"b{i}", "bad", [faulty(True)], "left") for i in range(10)]
    after = judge(people(1, 20, 0.1, 0.5), good + bad, n_resamples=99).details["after_bad_reply"]["simulated"]
    assert after["other"] == {"events": 0, "at_risk": 0, "hazard": None, "interval": None}


def test_curves_have_at_most_forty_turns_and_fall_within_their_intervals():
    long = [conversation(f"g{i}", ("good", "bad")[i % 2], 40 + i % 9, "left") for i in range(40)]
    finding = judge(long, people(1, 30, 0.1, 0.5, prefix="s"), n_resamples=199)
    for name in ("real", "simulated"):
        for arm in ("control", "treatment"):
            curve = finding.details["curves"][name][arm]
            assert len(curve) <= 40
            assert [point["turn"] for point in curve] == list(range(1, len(curve) + 1))
            survivals = [point["survival"] for point in curve]
            assert survivals == sorted(survivals, reverse=True)
            assert all(p["interval"][0] <= p["survival"] <= p["interval"][1] for p in curve)
    # Turns beyond the fortieth are in no curve, but in the hazard.
    assert finding.details["counts"]["real"]["control"]["events"] == 20
    assert sum(point["events"] for point in finding.details["curves"]["real"]["control"]) < 20


def test_hazards_are_averaged_over_tasks_so_that_their_mix_is_no_shift():
    mix = [
        conversation(f"{arm}{task}{i}", arm, 1, "left" if i < left else "accepted", task=task)
        for arm, sizes in (("good", {"easy": 40, "hard": 10}), ("bad", {"easy": 10, "hard": 40}))
        for task, n in sizes.items()
        for left, i in ((n * (1 if task == "easy" else 5) // 10, i) for i in range(n))
    ]
    finding = judge(mix, people(2, 30, 0.1, 0.5, prefix="s", task="easy"))
    assert finding.details["tasks"] == ["easy"]
    both = people(2, 40, 0.1, 0.5, prefix="s", task="easy") + people(3, 40, 0.1, 0.5, prefix="t", task="hard")
    finding = judge(mix, both)
    assert finding.details["human_shift"]["estimate"] == pytest.approx(0)
    assert finding.details["human_hazards"]["control"] == pytest.approx((0.1 + 0.5) / 2)


def test_conversations_of_one_user_are_one_unit_and_add_no_evidence():
    once = people(1, 40, 0.1, 0.4)
    copies = [c.but(id=f"{c.id}-{k}", user=c.id) for c in once for k in range(4)]
    others = people(2, 40, 0.1, 0.4, prefix="s")
    one, four = judge(once, others), judge(copies, others)
    assert (
        four.details["n_units"]["real"] == one.details["n_units"]["real"] == {"control": 40, "treatment": 40}
    )
    assert four.details["n"]["real"] == {"control": 160, "treatment": 160}
    widths = [np.ptp(finding.details["human_shift"]["interval"]) for finding in (one, four)]
    assert widths[1] == pytest.approx(widths[0], rel=0.15)


@pytest.mark.parametrize("n_treated", [0, 7])
def test_fewer_than_eight_units_in_an_arm_decide_nothing(n_treated):
    few = [c for c in people(1, 30, 0.1, 0.5) if c.arm == "good"]
    few += [conversation(f"b{i}", "bad", 1, "left") for i in range(n_treated)]
    for finding in (judge(few, people(2, 30, 0.1, 0.5)), judge(people(2, 30, 0.1, 0.5), few)):
        assert finding.verdict == "undecided"
        assert finding.reason


def test_nothing_at_all_is_undecided_with_null_numbers():
    finding = judge([], [])
    assert (finding.verdict, finding.estimate, finding.interval, finding.p_value) == (
        "undecided",
        None,
        None,
        None,
    )
    assert finding.details["curves"]["real"] == {"control": [], "treatment": []}
    json.loads(finding.model_dump_json())


def test_needed_conversations_are_conversations_and_not_replies():
    finding = judge(people(1, 20, 0.1, 0.2), people(2, 20, 0.1, 0.2, prefix="s"))
    assert finding.verdict == "undecided"
    assert finding.details["n_to_decide"]["real"] >= 20
    assert finding.details["n"]["real"] == {"control": 20, "treatment": 20}


def test_the_same_seed_gives_the_same_finding_and_another_only_other_intervals():
    sides = people(1, 30, 0.1, 0.5), people(2, 30, 0.1, 0.5, prefix="s")
    assert judge(*sides) == judge(*sides)
    other = judge(*sides, seed=4)
    assert other.estimate == judge(*sides).estimate
    assert other.interval != judge(*sides).interval


def test_a_wider_margin_is_a_setting():
    sides = people(1, 30, 0.3, 0.3), people(2, 30, 0.3, 0.3, prefix="s")
    assert judge(*sides, margin_sd=0.4).details["margin"] == pytest.approx(
        2 * judge(*sides).details["margin"]
    )


def test_no_number_is_nan():
    finding = judge(people(1, 30, 0.0, 0.0), people(2, 30, 0.1, 0.5, prefix="s"))
    assert finding.verdict == "undecided"
    assert "NaN" not in finding.model_dump_json()
    assert math.isfinite(finding.estimate)


def test_where_everybody_stays_equally_long_nothing_is_decided():
    def held(prefix: str) -> list[Conversation]:
        return [conversation(f"{prefix}{i}", ("good", "bad")[i % 2], 3, "unknown") for i in range(40)]

    found = judge(held("r"), held("s"))
    assert found.verdict == "undecided"
    assert "all users of one side stay equally long" in found.reason
