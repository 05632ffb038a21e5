"""A pace alone, with servers and a clock that are arithmetic."""

from statistics import median

import pytest

from convsim.models.pace import MOST, START, Pace
from tests.unit.models.made_up_servers import Served, Simulation, batching, queueing, refusing

SEEDS = (1, 2, 3)


def settled(server, *, seed: int, answers: int = 3_000) -> Simulation:
    simulation = Simulation(server, Pace(), seed=seed)
    simulation.run(answers)
    simulation.limits.clear()
    simulation.run(1_500)
    return simulation


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("k", [1, 3, 10, 30, 100])
def test_it_settles_near_what_a_server_that_queues_serves_at_a_time(k, seed):
    limits = settled(queueing(k), seed=seed).limits
    assert k / 1.5 <= median(limits) <= 1.5 * k


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("k", [1, 3, 10, 30, 100])
def test_it_settles_at_what_a_server_takes_before_it_pushes_back(k, seed):
    simulation = Simulation(refusing(k), Pace(), seed=seed)
    simulation.run(2_000)
    assert k / 1.5 <= median(simulation.limits[1_000:]) <= k
    assert simulation.pace.pushed_back <= 20 + k / 2, "few are pushed back on the way"


def test_a_server_that_takes_all_is_given_all():
    simulation = Simulation(queueing(10**6), Pace())
    simulation.run(2_000)
    assert simulation.pace.limit == simulation.pace.highest == MOST


def test_it_grows_where_answers_become_slower_but_more_of_them_come():
    assert median(settled(batching(32), seed=1).limits) >= 2 * 32


def test_the_length_of_answers_does_not_look_like_a_slow_server():
    short, long = Pace(), Pace()
    Simulation(queueing(40), short, spread=0.1).run(3_000)
    Simulation(queueing(40), long, spread=1.5).run(3_000)
    assert 25 <= short.limit <= 60
    assert 25 <= long.limit <= 60


def test_one_burst_of_push_backs_counts_once():
    pace = Pace(limit=100)
    for _ in range(100):
        pace.begin(0.0)
    for n in range(60):
        pace.was_pushed_back(0.0, 1.0 + n / 1000, why="429")
        pace.end(1.0 + n / 1000)
    assert (pace.limit, pace.pushed_back) == (70, 60)


def test_the_limit_is_never_below_one_nor_above_its_most():
    pace = Pace(limit=2, most=3)
    for time in range(5):
        pace.begin(2.0 * time)
        pace.was_pushed_back(2.0 * time, 2.0 * time + 1, why="429")
        pace.end(2.0 * time + 1)
    assert pace.limit == 1
    assert Pace(limit=8, most=3).limit == 3
    simulation = Simulation(queueing(10**6), Pace(most=20))
    simulation.run(1_000)
    assert simulation.pace.highest == 20


def test_a_wait_that_is_asked_for_pauses_the_endpoint():
    pace = Pace()
    pace.begin(0.0)
    pace.was_pushed_back(0.0, 1.0, asked_s=30.0, why="429")
    assert pace.paused_until == 31.0
    pace.begin(1.0)
    pace.was_pushed_back(1.0, 2.0, asked_s=5.0, why="429")
    assert pace.paused_until == 31.0, "the longest wait counts"


def test_pauses_double_while_nobody_is_answered_and_end_with_an_answer():
    pace, pauses = Pace(), []
    for time in (0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0):
        pace.begin(time)
        pace.was_pushed_back(time, time + 1, least_s=0.5, why="429")
        pace.end(time + 1)
        pauses.append(pace.paused_until - time - 1)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    pace.begin(70.0)
    pace.has_answered(70.0, 71.0, 40.0)
    pace.end(71.0)
    pace.begin(72.0)
    pace.was_pushed_back(72.0, 73.0, least_s=0.5, why="429")
    assert pace.paused_until < 73.0, "an endpoint that answers needs no pause, only fewer requests"


def test_a_server_with_fewer_places_for_a_while_gets_fewer_and_then_more_again():
    places = 40

    def changing(simulation: Simulation, units: float) -> Served:
        return queueing(places)(simulation, units)

    simulation = Simulation(changing, Pace())
    simulation.run(3_000)
    before = median(simulation.limits[-500:])
    places = 6
    simulation.run(1_500)
    during = median(simulation.limits[-500:])
    places = 40
    simulation.free_at.extend([simulation.now] * 34)
    simulation.run(4_000)
    after = median(simulation.limits[-500:])
    assert 27 <= before <= 60
    assert during <= 18
    assert after >= 25


def test_without_enough_to_ask_the_limit_stays():
    simulation = Simulation(queueing(10**6), Pace(), most=4)
    simulation.run(500)
    assert simulation.pace.limit == START


def test_every_change_says_why():
    said: list[str] = []
    pace = Pace(on_change=said.append)
    Simulation(refusing(20), pace).run(1_000)
    assert any("throughput grows" in why for why in said)
    assert "429" in said
