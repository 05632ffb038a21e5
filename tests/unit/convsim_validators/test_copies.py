from collections.abc import Callable

import numpy as np
import pytest

from convsim.schema.persona import Persona
from convsim_validators import Copies
from tests.made_up_talk import every_second, one_word, side, small_talk, swapped, talk

N = 60


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def judged(real, simulated, **settings):
    found = Copies(n_resamples=199, **settings).validate(real, simulated, seed=1)
    return {finding.metric: finding for finding in found}


def near_copies(real, simulated, **settings):
    return judged(real, simulated, **settings)["near_copies"]


def test_other_people_are_no_copies(rng):
    found = judged(side(talk(rng, N), "r"), side(talk(rng, N), "s"))
    assert {f.verdict for f in found.values()} == {"aligned"}
    assert found["near_copies"].details["pairs"] == []


def test_people_with_one_word_exchanged_are_copies_and_every_pair_is_named(rng):
    said = talk(rng, N)
    found = near_copies(side(said, "r"), side(swapped(rng, said, one_word(rng)), "s"))
    assert found.verdict == "copies"
    assert found.estimate == 1
    assert found.p_value < 1e-20
    assert "copy the people that they are judged on" in found.reason
    assert found.details["n_pairs"] == N
    assert all(pair["simulated"] == pair["real"].replace("r", "s") for pair in found.details["pairs"])


def test_people_with_every_second_word_exchanged_are_copies(rng):
    said = talk(rng, N)
    assert near_copies(side(said, "r"), side(swapped(rng, said, every_second), "s")).verdict == "copies"


def test_people_s_messages_dealt_anew_are_copies(rng):
    said = talk(rng, N)
    every = [message for messages in said for message in messages]
    dealt = [[str(rng.choice(every)) for _ in range(3)] for _ in range(N)]
    found = near_copies(side(said, "r"), side(dealt, "s"))
    assert found.verdict == "copies"


def test_messages_of_other_people_dealt_anew_are_no_copies(rng):
    every = [message for messages in talk(rng, N) for message in messages]
    dealt = [[str(rng.choice(every)) for _ in range(3)] for _ in range(N)]
    assert near_copies(side(talk(rng, N), "r"), side(dealt, "s")).verdict == "aligned"


def test_short_common_messages_are_no_copies(rng):
    half = [*talk(rng, N // 2), *small_talk(rng, N // 2)]
    assert near_copies(side(half, "r"), side(small_talk(rng, N), "s")).verdict != "copies"


def test_a_tenth_of_copies_among_others_is_found(rng):
    said = talk(rng, 100)
    mixed = [*talk(rng, 90), *swapped(rng, said[:10], one_word(rng))]
    found = near_copies(side(said, "r"), side(mixed, "s"))
    assert (found.verdict, found.estimate) == ("copies", 0.1)


def shared(rng, n_tasks, a_task):
    """What people and shoppers say of common tasks: half of their words are the task's."""
    topics = [talk(rng, 1, n_words=24)[0] for _ in range(n_tasks)]
    sides = []
    for _ in range(2):
        said = [swapped(rng, [topics[task % n_tasks]], every_second)[0] for task in range(n_tasks * a_task)]
        sides.append(said)
    return sides, [f"task {task % n_tasks}" for task in range(n_tasks * a_task)]


@pytest.mark.parametrize("a_task", [2, 3, 6])
def test_talking_of_the_task_of_several_people_is_no_copying(rng, a_task):
    (real, simulated), tasks = shared(rng, 24, a_task)
    assert near_copies(side(real, "r", tasks=tasks), side(simulated, "s", tasks=tasks)).verdict == "aligned"


def test_where_one_person_alone_met_a_task_nothing_can_be_told_and_the_reason_says_so(rng):
    (real, simulated), tasks = shared(rng, 40, 1)
    found = near_copies(side(real, "r", tasks=tasks), side(simulated, "s", tasks=tasks))
    assert found.verdict == "undecided"
    assert "the one person who shares their user, task or need" in found.reason
    assert "several people a task" in found.reason
    without_tasks = near_copies(side(real, "r"), side(simulated, "s"))
    assert without_tasks.verdict == "copies"


def test_the_need_of_one_person_is_a_scenario_too(rng):
    (real, simulated), tasks = shared(rng, 40, 1)
    mine = [Persona(id=f"p{n}", need=task) for n, task in enumerate(tasks)]
    theirs = [Persona(id=f"q{n}", need=task.upper()) for n, task in enumerate(tasks)]
    found = near_copies(side(real, "r", personas=mine), side(simulated, "s", personas=theirs))
    assert found.verdict == "undecided"


def test_nearly_all_words_of_the_one_person_of_a_task_are_more_than_a_task_explains(rng):
    said, tasks = talk(rng, 40), [f"task {n}" for n in range(40)]
    copied = swapped(rng, said, one_word(rng))
    found = near_copies(side(said, "r", tasks=tasks), side(copied, "s", tasks=tasks))
    assert found.verdict == "copies"
    assert "more than a shared scenario explains" in found.reason


def test_a_shopper_who_begins_with_the_need_it_was_given_copies_nobody(rng):
    needs = [messages[0] for messages in talk(rng, 40, n_messages=1, n_words=30)]
    sides = [
        [[need, *later] for need, later in zip(needs, talk(rng, 40, n_messages=1), strict=True)]
        for _ in range(2)
    ]
    personas = [Persona(id=f"p{n}", need=need) for n, need in enumerate(needs)]
    found = near_copies(side(sides[0], "r", personas=personas), side(sides[1], "s", personas=personas))
    assert found.verdict == "undecided"


def test_a_person_who_comes_back_is_no_copy_of_herself(rng):
    said = talk(rng, N)
    users = [f"u{n}" for n in range(N)]
    again = swapped(rng, said, every_second)
    found = near_copies(side(said, "r", users=users), side(again, "s", users=users))
    assert found.verdict == "undecided"


def test_two_conversations_of_one_judged_person_do_not_hide_who_copied_them(rng):
    said = talk(rng, N)
    twice = [*said, *swapped(rng, said, one_word(rng))]
    users = [f"u{n % N}" for n in range(2 * N)]
    copied = swapped(rng, said, one_word(rng))
    assert near_copies(side(twice, "r", users=users), side(copied, "s")).verdict == "copies"


def test_forty_conversations_four_times_each_repeat_one_another(rng):
    real, forty = talk(rng, 160), talk(rng, 40)
    found = judged(side(real, "r"), side(forty * 4, "s"))["diversity"]
    assert found.verdict == "different"
    assert found.p_adjusted == pytest.approx(1 / 200)
    assert found.details["identical_simulated"] == 1
    assert found.details["identical_real"] == 0


@pytest.mark.parametrize("times", [2, 4])
def test_repeats_with_a_word_exchanged_repeat_one_another_too(rng, times):
    few = talk(rng, 120 // times)
    said = [messages for _ in range(times) for messages in swapped(rng, few, one_word(rng))]
    assert judged(side(talk(rng, 120), "r"), side(said, "s"))["diversity"].verdict == "different"


def test_one_persona_that_says_the_same_in_every_arm_repeats_nobody(rng):
    said = talk(rng, 40)
    personas = [Persona(id=f"p{n % 40}", need=f"need {n % 40}") for n in range(80)]
    found = judged(side(talk(rng, 80), "r"), side(said * 2, "s", personas=personas))["diversity"]
    assert found.verdict == "aligned"


def test_people_who_repeat_one_another_more_are_no_fault_of_the_simulator(rng):
    found = judged(side(talk(rng, 40) * 4, "r"), side(talk(rng, 160), "s"))["diversity"]
    assert found.verdict == "aligned"
    assert found.estimate < 0


HOSTILE: dict[str, Callable[[np.random.Generator, int], list]] = {
    "all alike": lambda rng, n: [["the very same words from everybody here"]] * n,
    "one letter": lambda rng, n: [["a"]] * n,
    "no word": lambda rng, n: [["…"]] * n,
    "nothing": lambda rng, n: [[""]] * n,
    "all different": lambda rng, n: [[f"x{i}" * 3 + f" y{i} z{i} a{i} b{i} c{i} d{i}"] for i in range(n)],
    "usual": lambda rng, n: talk(rng, n),
}


@pytest.mark.parametrize("real", HOSTILE)
@pytest.mark.parametrize("simulated", HOSTILE)
def test_whatever_is_said_there_is_a_finding_with_a_reason(rng, real, simulated):
    found = judged(side(HOSTILE[real](rng, 12), "r"), side(HOSTILE[simulated](rng, 30), "s"))
    assert set(found) == {"near_copies", "diversity"}
    assert all(finding.reason for finding in found.values())
    assert all(f.p_value is None or 0 < f.p_value <= 1 for f in found.values())
    if simulated != real:
        assert found["near_copies"].verdict != "copies"


def test_one_user_with_all_conversations_decides_nothing(rng):
    found = judged(side(talk(rng, N), "r"), side(talk(rng, N), "s", users=["u"] * N))
    assert {f.verdict for f in found.values()} == {"undecided"}
    assert all("8" in f.reason for f in found.values())


def test_two_thousand_against_twenty(rng):
    found = judged(side(talk(rng, 2_000), "r"), side(talk(rng, 20), "s"))
    assert found["near_copies"].verdict == "undecided"
    assert found["near_copies"].details["n_to_decide"]["simulated"] == 29
    assert found["diversity"].verdict in ("aligned", "undecided")


def test_an_empty_side_has_no_finding(rng):
    assert Copies().validate(side([], "r"), side(talk(rng, N), "s"), seed=1) == []


def test_of_a_large_side_whole_users_are_drawn(rng, monkeypatch):
    monkeypatch.setattr("convsim_validators.copies.copies.MAX_CONVERSATIONS", 50)
    said = talk(rng, 120)
    users = [f"u{n // 2}" for n in range(120)]
    found = judged(side(said, "r"), side(swapped(rng, said, one_word(rng)), "s", users=users))
    assert found["near_copies"].verdict == "copies"
    assert (found["near_copies"].n_simulated, found["near_copies"].details["n_units_simulated"]) == (50, 25)
