"""Trials and orders: matched, balanced over sides and simulators, each rater's own."""

from collections import Counter
from itertools import groupby

import pytest

from convsim.web.blind_test import ArenaStudy
from convsim.web.blind_test.study import order_for
from tests.unit.web.blind_test.studies import side, study, transcripts


def sides_of(made: ArenaStudy, numbers: list[int]) -> Counter[str | None]:
    return Counter(made.simulator_of(made.trials[number]) for number in numbers)


def test_half_of_single_trials_are_human_and_simulators_have_equal_shares() -> None:
    made = study(n=48, simulators=("bot", "doll", "echo"))
    assert sides_of(made, list(range(48))) == {None: 24, "bot": 8, "doll": 8, "echo": 8}


def test_the_sides_stay_balanced_whenever_a_rater_leaves_after_a_block() -> None:
    made = study(n=40, simulators=("bot", "doll"))
    blocks = [len(list(group)) for _, group in groupby(made.trials, key=lambda trial: trial.block)]
    done = 0
    for size in blocks:
        done += size
        shares = sides_of(made, [place.trial for place in order_for(made, "Ada")[:done]])
        assert shares[None] == done / 2
        assert shares["bot"] == shares["doll"] == done / 4


@pytest.mark.parametrize("rater", ["Ada", "Grace", "李"])
def test_the_human_stands_left_in_half_of_the_pairs_of_every_simulator(rater: str) -> None:
    made = study("pair", n=40, simulators=("bot", "doll"))
    left = Counter(
        (made.simulator_of(made.trials[place.trial]), place.human_left) for place in order_for(made, rater)
    )
    assert left == {("bot", True): 10, ("bot", False): 10, ("doll", True): 10, ("doll", False): 10}


def test_raters_have_their_own_order_of_the_same_first_trials_and_it_stays() -> None:
    made = study(n=40)
    ada, grace = (order_for(made, name) for name in ("Ada", "Grace"))
    assert ada != grace
    assert {place.trial for place in ada[:10]} == {place.trial for place in grace[:10]}
    assert order_for(made, "ADA") == ada
    assert sorted(place.trial for place in ada) == list(range(40))


def test_people_and_simulators_are_matched_by_task() -> None:
    made = study("pair", n=30)
    for trial in made.trials:
        assert trial.human is not None
        assert trial.simulated is not None
        assert made.conversations[trial.human].task == made.conversations[trial.simulated].task


def test_no_conversation_is_drawn_twice() -> None:
    made = study("pair", n=60, simulators=("bot", "doll"))
    names = [(each.simulator, each.id) for each in made.conversations]
    assert len(set(names)) == len(names) == 120


def test_another_seed_draws_others() -> None:
    first, second = (study(n=10, seed=seed) for seed in (1, 2))
    assert {c.id for c in first.conversations} != {c.id for c in second.conversations}


def test_fewer_trials_than_asked_are_said() -> None:
    made = study(n=100, size=20)
    assert len(made.trials) == 40
    assert "40 trials can be made of these conversations; 100 were asked for" in made.warnings


def test_a_simulator_without_a_name_is_called_after_its_file() -> None:
    from convsim.web.blind_test import prepare

    nameless = transcripts("first_try", [c.but(simulator=None) for c in side("x", 10).conversations])
    made = prepare(side("human", 10), [nameless], mode="pair", n=5, seed=0)
    assert made.simulators == ("first_try",)


def test_two_runs_of_one_simulator_are_both_called_after_their_files_too() -> None:
    from convsim.web.blind_test import prepare

    runs = [
        transcripts(name, side(name[0], 6, simulator="hybrid").conversations) for name in ("stays", "leaves")
    ]
    other = side("o", 6, simulator="icl")
    made = prepare(side("human", 20), [*runs, other], mode="pair", n=6, seed=0)
    assert made.simulators == ("hybrid (stays)", "hybrid (leaves)", "icl")
    assert {each.simulator for each in made.conversations} == {None, *made.simulators}


def test_conversations_in_which_the_user_says_nothing_are_left_out() -> None:
    from convsim.web.blind_test import prepare

    mute = [c.but(messages=(c.messages[1],)) for c in side("m", 3, simulator="bot").conversations]
    spoken = side("x", 5, simulator="bot").conversations
    made = prepare(side("human", 10), [transcripts("x", [*mute, *spoken])], mode="pair", n=8, seed=0)
    assert len(made.trials) == 5
    assert "simulated data: 3 conversations in which the user says nothing are left out" in made.warnings
