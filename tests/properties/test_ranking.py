"""What a ranking must not depend on: what systems are called, the order of lines, a constant, a change of direction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convsim
from convsim.schema.conversation import Conversation, Label
from convsim.stats.group_levels import GroupLevels
from convsim.stats.kept_order import KeptOrder, told_apart
from tests.systems import NAMES, rated

LEVELS = (3.8, 3.2, 3.1)


@pytest.fixture(scope="module")
def sides() -> tuple[list[Conversation], list[Conversation]]:
    return rated(LEVELS, n_users=30, seed=1), rated(LEVELS, n_users=30, seed=2, name="s", met=2)


def ranked(people: list[Conversation], simulated: list[Conversation]) -> convsim.Ranking:
    return convsim.rank(people, {"sim": simulated}, seed=5)


def renamed(ranking: convsim.Ranking, names: dict[str, str]) -> list[object]:
    [simulator] = ranking.simulators
    pairs = {
        (names[p.better], names[p.worse]): (p.relation, p.told, p.people, p.simulated)
        for p in simulator.pairs
    }
    systems = {names[s.name]: (s.people, s.simulated) for s in simulator.systems}
    numbers = [
        getattr(simulator, name) for name in ("agreement", "kept", "tau_b", "spearman", "level_error", "bias")
    ]
    return [simulator.verdict, simulator.needs, simulator.kept_at_half, pairs, systems, numbers]


@settings(deadline=None, max_examples=5)
@given(st.permutations(NAMES[:3]))
def test_other_names_of_systems_change_nothing(sides, names):
    called = dict(zip(NAMES, names, strict=False))
    before = renamed(ranked(*sides), called)
    after = ranked(*([c.but(agent=called[c.agent]) for c in side] for side in sides))
    assert renamed(after, {name: name for name in names}) == before


@settings(deadline=None, max_examples=3)
@given(st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(sides, random):
    shuffled = [random.sample(side, len(side)) for side in sides]
    same = {name: name for name in NAMES}
    assert renamed(ranked(*shuffled), same) == renamed(ranked(*sides), same)


def test_a_constant_more_for_all_systems_changes_levels_and_no_order(sides):
    simulated = sides[1]

    def raised(c: Conversation) -> Conversation:
        [label] = c.labels["satisfaction"]
        return c.but(labels={"satisfaction": Label(value=label.value + 2, source="self", scale=(1.0, 7.0))})

    wider = [
        [c.but(labels={"satisfaction": c.labels["satisfaction"][0].but(scale=(1.0, 7.0))}) for c in side]
        for side in sides
    ]
    before, after = ranked(*wider), ranked(wider[0], [*map(raised, simulated)])
    for name in ("agreement", "kept", "opposite", "tau_b", "spearman", "verdict"):
        assert getattr(before.simulators[0], name) == getattr(after.simulators[0], name)
    gained = after.simulators[0].bias.estimate - before.simulators[0].bias.estimate
    assert gained == pytest.approx(2)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_kept_and_opposite_pairs_are_told_apart_and_exclude_each_other(seed, n_groups):
    rng = np.random.default_rng(seed)
    here, there = (
        GroupLevels(
            np.round(rng.normal(size=(9, n_groups)) + rng.normal(0, 2, n_groups)), np.ones((9, n_groups))
        )
        for _ in range(2)
    )
    weights = rng.integers(0, 3, (9, 4)).astype(float)
    order = KeptOrder.of(told_apart(here.drawn(weights), alpha=0.05), there.drawn(weights))
    told = order.told != 0
    assert (order.kept <= order.same).all()
    assert (order.same <= told).all()
    assert not (order.same & order.opposite).any()
    mirrored = KeptOrder.of(-order.told, order.shown)
    assert (mirrored.same == order.opposite).all()
    assert (mirrored.p_reversed[order.kept] <= 1).all()
