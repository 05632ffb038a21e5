import math

import numpy as np
import pandas as pd
import pytest

from convsim.schema import Corpus
from convsim.schema.conversation import Conversation, Message
from convsim.schema.persona import Persona
from convsim.stats.kernel import LENGTH_WEIGHT, discrepancies, embed
from convsim.stats.permutation import Dealing
from convsim_validators.counterfactual.first_message import independence_findings
from convsim_validators.counterfactual.two_arm import Arms

ARMS = Arms("good", "bad")


def opened(text, arm, *, user=None, task="shoes", persona=None, role="user", number=[0]):  # noqa: B006
    number[0] += 1
    return Conversation(
        id=f"c{number[0]}",
        arm=arm,
        user=user,
        task=task,
        persona=None if persona is None else Persona(id=persona, need="shoes"),
        simulator=None if persona is None else "a simulator",
        messages=(Message(role=role, content=text), Message(role="user", content="later words")),
    )


def side(conversations) -> Corpus:
    return Corpus(conversations, pd.DataFrame(index=range(len(conversations))), {})


def judge(conversations, n_resamples=199, seed=3):
    return independence_findings(
        side([]), side(conversations), arms=ARMS, n_resamples=n_resamples, seed=seed
    )[1]


def random_texts(rng, n, words=60):
    return [" ".join(f"w{i}" for i in rng.integers(0, words, rng.integers(4, 12))) for _ in range(n)]


def test_the_discrepancy_of_two_tiny_texts_is_the_one_by_hand():
    # Words a, b: "a b" is (1, 1) / sqrt 2, "a" is (1, 0). Of two lengths one lies one sd above the mean, one below.
    embedded, vocabulary = embed(["a b", "a"])
    assert vocabulary == ["a", "b"]
    found = discrepancies(embedded, np.array([[False, True]]), np.zeros(2, np.int64))
    words = (1 - 1 / math.sqrt(2)) ** 2 + (1 / math.sqrt(2)) ** 2
    assert found == pytest.approx([math.sqrt(words + (2 * LENGTH_WEIGHT) ** 2)])


def test_tasks_are_compared_within_and_averaged_by_hand():
    # Task 0: "a" against "b", weight 1*1/2; task 1: "a", "a" against "b", "a", weight 2*2/4; all of one length.
    embedded, _ = embed(["a", "b", "a", "a", "b", "a"])
    treated = np.array([[False, True, False, False, True, True]])
    task_of = np.array([0, 0, 1, 1, 1, 1])
    # Differences (-1, 1) and (-1/2, 1/2), with weights 1/3 and 2/3: (-2/3, 2/3).
    assert discrepancies(embedded, treated, task_of) == pytest.approx([2 / 3 * math.sqrt(2)])


def test_a_difference_of_the_mix_of_tasks_alone_is_no_discrepancy():
    texts = ["red shoes"] * 4 + ["a warm coat"] * 4
    embedded, _ = embed(texts)
    treated = np.array([[True, True, True, False, True, False, False, False]])
    assert discrepancies(embedded, treated, np.repeat([0, 1], 4)) == pytest.approx([0])


def test_dealing_keeps_how_often_each_user_met_an_arm_in_each_task():
    rng = np.random.default_rng(5)
    unit_of, task_of = rng.integers(0, 12, 60), rng.integers(0, 2, 60)
    treated = rng.random(60) < 0.4
    both = {u for u in range(12) if 0 < treated[unit_of == u].sum() < (unit_of == u).sum()}
    for dealt in np.vstack(list(Dealing.of(treated, unit_of, task_of).deal(300, np.random.default_rng(1)))):
        assert [dealt[task_of == t].sum() for t in (0, 1)] == [treated[task_of == t].sum() for t in (0, 1)]
        assert {u for u in range(12) if 0 < dealt[unit_of == u].sum() < (unit_of == u).sum()} == both


def test_users_of_one_arm_change_as_a_whole_and_those_of_both_within_themselves():
    unit_of = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    treated = np.array([True, True, False, False, True, False, False, True])
    dealing = Dealing.of(treated, unit_of, np.zeros(8, np.int64))
    dealt = np.vstack(list(dealing.deal(4000, np.random.default_rng(1))))
    assert dealing.n_movable == 4
    kinds, counts = np.unique(dealt, axis=0, return_counts=True)
    # Two ways for users 0 and 1, two within user 2, two within user 3, all equally often.
    assert len(kinds) == 8
    assert (kinds[:, 0] == kinds[:, 1]).all()
    assert (kinds[:, 4] != kinds[:, 5]).all()
    assert counts == pytest.approx(np.full(8, 500), abs=4 * math.sqrt(500))


def test_users_who_met_each_arm_in_another_task_exchange_whole_lists():
    unit_of, task_of = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    dealing = Dealing.of(np.array([True, False, False, True]), unit_of, task_of)
    dealt = np.vstack(list(dealing.deal(200, np.random.default_rng(1))))
    assert {tuple(row) for row in dealt.tolist()} == {(True, False, False, True), (False, True, True, False)}


def test_a_user_without_a_counterpart_keeps_its_arm():
    unit_of = np.array([0, 0, 0, 1, 2])
    treated = np.array([True, True, True, False, False])
    dealing = Dealing.of(treated, unit_of, np.zeros(5, np.int64))
    assert dealing.n_movable == 0
    assert (np.vstack(list(dealing.deal(50, np.random.default_rng(1)))) == treated).all()


def test_a_word_that_only_one_arm_says_is_found_and_named():
    rng = np.random.default_rng(1)
    texts = random_texts(rng, 80)
    said = [
        opened(f"broken {text}" if i % 2 else text, "bad" if i % 2 else "good", persona=f"p{i // 2}")
        for i, text in enumerate(texts)
    ]
    finding = judge(said)
    assert finding.verdict == "different"
    assert "before it has met the agent" in finding.reason
    assert finding.p_value == pytest.approx(1 / 200)
    assert finding.estimate > finding.noise_floor.q95 > finding.noise_floor.mean > 0
    assert finding.details["words"][0] == {"word": "broken", "n_control": 0, "n_treatment": 40}
    assert (finding.n_real, finding.n_simulated, finding.unit) == (0, 80, "MMD")


def test_where_people_fail_it_is_a_control_that_says_the_arms_differ_for_another_reason():
    rng = np.random.default_rng(1)
    people = [
        opened(f"coat {text}" if i % 2 else text, "bad" if i % 2 else "good", user=f"u{i}")
        for i, text in enumerate(random_texts(rng, 80))
    ]
    first, second = independence_findings(side(people), side([]), arms=ARMS, n_resamples=99, seed=1)
    assert (first.metric, first.verdict, first.is_control) == ("first_message_real", "different", True)
    assert "more than the agent" in first.reason
    assert (second.metric, second.verdict, second.is_control) == (
        "first_message_simulated",
        "undecided",
        False,
    )
    assert (first.n_real, first.n_simulated) == (80, 0)


def given(rng, *, n=160, share=0.9, ahead=0.0, simulated=False, crossed=False):
    """Let users open who were given a need by the arm, boots in the treated one, and know the arm or not."""
    said = []
    for i, text in enumerate(random_texts(rng, n)):
        arm = ("good", "bad")[i % 2]
        need = "boots" if (rng.random() < share) == (arm == "bad") else "sandals"
        words = f"{need} {text}" + (" broken" if arm == "bad" and rng.random() < ahead else "")
        one = {"persona": f"p{i // 2 if crossed else i}"} if simulated else {"user": f"u{i}"}
        said.append(opened(words, arm, **one))
    return said


def beside(people, simulated):
    return independence_findings(side(people), side(simulated), arms=ARMS, n_resamples=199, seed=3)[1]


def test_a_simulator_that_was_given_other_needs_in_each_arm_as_people_were_is_not_said_to_look_ahead():
    rng = np.random.default_rng(4)
    finding = beside(given(rng), given(rng, simulated=True))
    assert finding.p_value <= 0.05
    assert finding.verdict == "undecided"
    assert "other needs may have been given in each arm" in finding.reason
    assert finding.details["beside_people"]["p_people"] <= 0.05


def test_where_people_were_not_the_simulator_is_said_to():
    rng = np.random.default_rng(4)
    finding = beside(given(rng, share=0.5), given(rng, simulated=True))
    assert (finding.verdict, finding.details["beside_people"]["p_otherwise"]) == ("different", 1 / 200)


def test_one_that_also_knows_the_arm_is_found_beside_people_who_were_given_other_needs():
    rng = np.random.default_rng(4)
    assert beside(given(rng), given(rng, simulated=True, ahead=0.9)).verdict == "different"


def test_personas_who_met_both_arms_were_given_nothing_else_so_people_do_not_excuse_them():
    rng = np.random.default_rng(4)
    finding = beside(given(rng), given(rng, simulated=True, crossed=True))
    assert (finding.verdict, finding.details["beside_people"]) == ("different", None)


def test_personas_that_say_the_very_same_in_both_arms_are_aligned():
    texts = random_texts(np.random.default_rng(2), 40)
    said = [
        opened(text, arm, persona=f"p{i // 2}") for i, text in enumerate(texts) for arm in ("good", "bad")
    ]
    finding = judge(said)
    assert finding.verdict == "aligned"
    assert finding.estimate == pytest.approx(0, abs=1e-12)
    assert finding.p_value == 1
    assert finding.details["same_share"] == 1
    assert "20 of the 20 users or personas" in finding.reason


def test_repeats_in_another_order_are_still_the_same_and_one_other_text_is_not():
    texts = random_texts(np.random.default_rng(2), 40)
    forwards = [opened(text, "good", persona=f"p{i // 2}") for i, text in enumerate(texts)]
    backwards = [opened(text, "bad", persona=f"p{i // 2}") for i, text in reversed(list(enumerate(texts)))]
    assert judge(forwards + backwards).details["same_share"] == 1
    assert judge(forwards + backwards[1:]).verdict == "aligned"
    other = [backwards[0].but(messages=(Message(role="user", content="quite another wish"),)), *backwards[1:]]
    assert judge(forwards + other).details["same_share"] == pytest.approx(19 / 20)


def test_no_dependence_shown_is_not_independence():
    rng = np.random.default_rng(7)
    said = [
        opened(text, ("good", "bad")[i % 2], persona=f"p{i}") for i, text in enumerate(random_texts(rng, 60))
    ]
    finding = judge(said)
    assert finding.verdict == "undecided"
    assert "but independence is not shown either" in finding.reason
    assert finding.p_value > 0.05
    assert "n_to_decide" not in finding.details


def test_only_conversations_that_the_user_opens_with_text_count():
    texts = random_texts(np.random.default_rng(2), 40)
    said = [opened(text, ("good", "bad")[i % 2], persona=f"p{i}") for i, text in enumerate(texts)]
    said += [opened("How can I help?", "bad", persona=f"a{i}", role="assistant") for i in range(3)]
    said += [opened(" \n", "good", persona=f"b{i}") for i in range(2)]
    said += [opened("a hat", "bad", task="hats", persona="h"), opened("a hat", "mild", persona="m")]
    finding = judge(said)
    assert finding.n_simulated == 40
    counted = ("n_agent_first", "n_without_text", "n_other_tasks")
    assert [finding.details[name] for name in counted] == [3, 2, 1]
    assert finding.details["tasks"] == ["shoes"]


@pytest.mark.parametrize(("n_good", "n_bad"), [(0, 20), (20, 0), (7, 20), (0, 0)])
def test_fewer_than_eight_units_in_an_arm_decide_nothing(n_good, n_bad):
    said = [opened("a", "good", persona=f"g{i}") for i in range(n_good)]
    finding = judge(said + [opened("b", "bad", persona=f"b{i}") for i in range(n_bad)])
    assert finding.verdict == "undecided"
    assert (finding.estimate, finding.p_value, finding.noise_floor) == (None, None, None)
    assert "at least 8 per arm" in finding.reason


def test_arms_that_share_no_task_decide_nothing_and_say_so():
    said = [opened("a", "good", persona=f"g{i}", task="hats") for i in range(20)]
    finding = judge(said + [opened("b", "bad", persona=f"b{i}") for i in range(20)])
    assert finding.verdict == "undecided"
    assert "40 have a task that the other arm lacks" in finding.reason


def test_users_of_whom_no_two_are_alike_decide_nothing():
    said = [
        opened(f"text {i}", ("good", "bad")[user % 2], user=f"u{user}")
        for user in range(1, 21)
        for i in range(user)
    ]
    finding = judge(said)
    assert finding.verdict == "undecided"
    assert finding.estimate is None
    assert "only 0 users or personas have a counterpart" in finding.reason


def test_one_text_said_by_all_shows_nothing():
    said = [opened("Hello", ("good", "bad")[i % 2], persona=f"p{i}") for i in range(40)]
    finding = judge(said)
    assert (finding.verdict, finding.estimate, finding.p_value) == ("undecided", 0, 1)
    assert "every first message is the same text" in finding.reason


def test_hostile_texts_are_read_bounded():
    texts = [
        "😀🎉",
        "x" * 1_000_000,
        "wörter " * 150_000,
        "\x00\x1b[31m",
        "-" * 100_000,
        "()",
        "‮abc",
        "a",
    ] * 3
    said = [opened(text, ("good", "bad")[i // 4 % 2], persona=f"p{i}") for i, text in enumerate(texts)]
    finding = judge(said, n_resamples=19)
    assert finding.details["n_cut"] == 9
    assert math.isfinite(finding.estimate)
    assert max(len(entry["word"]) for entry in finding.details["words"]) <= 80


def test_texts_without_any_word_differ_in_nothing():
    said = [opened("😀" if i % 2 else "!?", ("good", "bad")[i % 2], persona=f"p{i}") for i in range(40)]
    finding = judge(said)
    assert (finding.estimate, finding.p_value, finding.details["words"]) == (0, 1, [])


def test_the_same_seed_gives_the_same_finding_and_order_changes_no_estimate():
    texts = random_texts(np.random.default_rng(2), 60)
    said = [opened(text, ("good", "bad")[i % 2], persona=f"p{i}") for i, text in enumerate(texts)]
    assert judge(said) == judge(said)
    assert judge(said[::-1]).estimate == pytest.approx(judge(said).estimate)
