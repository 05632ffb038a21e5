"""Rankings of recommenders: which order is kept, which is reversed, what cannot be decided, and what is refused."""

import asyncio

import numpy as np
import pytest

import convsim
from convsim.errors import InputError, PluginError
from convsim.evaluation.ranking.outcomes import Outcome, common_tasks
from convsim.evaluation.ranking.record import Ranking
from convsim.metrics import measure
from convsim.schema.conversation import Conversation, Label
from tests.systems import NAMES, rated

APART = (3.9, 3.1, 2.3)


@pytest.fixture(scope="module")
def people():
    return rated(APART, n_users=40, seed=1)


def ranked(people, simulated, **asked) -> Ranking:
    return convsim.rank(people, [simulated], seed=3, **asked)


def relations(ranking: Ranking) -> dict[tuple[str, str], str]:
    return {(pair.better, pair.worse): pair.relation for pair in ranking.simulators[0].pairs}


def test_the_same_order_is_kept(people):
    found = ranked(people, rated(APART, n_users=40, seed=2, name="s"))
    [simulator] = found.simulators
    assert simulator.verdict == "aligned"
    assert set(relations(found).values()) == {"kept"}
    assert [each.name for each in simulator.systems] == ["ant", "bee", "cat"]
    assert simulator.agreement.estimate == simulator.kept.estimate == simulator.tau_b.estimate == 1
    assert simulator.spearman.estimate == simulator.most_tau_b == 1
    assert simulator.opposite.estimate == 0
    assert simulator.agreement.people.limit > 0.5
    assert (found.outcome, found.by, found.better, found.two_valued) == (
        "satisfaction",
        "agent",
        "higher",
        False,
    )
    assert found.labelled_by == "self on a scale of 1 to 5"


def test_levels_are_means_of_conversations(people):
    found = ranked(people, rated(APART, n_users=40, seed=2, name="s"))
    ratings = [c.labels["satisfaction"][0].value for c in people if c.agent == "bee"]
    level = found.simulators[0].systems[1].people
    assert (level.n, level.n_units) == (40, 40)
    assert level.estimate == pytest.approx(np.mean(ratings))
    assert level.interval[0] < level.estimate < level.interval[1]


def test_a_reversed_order_is_different_and_says_which_pair(people):
    found = ranked(people, rated(APART[::-1], n_users=40, seed=2, name="s"))
    [simulator] = found.simulators
    assert simulator.verdict == "different"
    assert "it reverses 3 pairs that people tell apart beyond chance" in simulator.reason
    assert "cat above ant" in simulator.reason
    assert set(relations(found).values()) == {"reversed"}
    assert simulator.tau_b.estimate == -1
    assert found.failing("different") == found.failing("undecided") == found.simulators


def test_a_simulator_with_one_level_for_all_is_different_once_it_has_enough_conversations(people):
    found = ranked(people, rated((3.1, 3.1, 3.1), n_users=150, seed=2, name="s"))
    [simulator] = found.simulators
    assert simulator.verdict == "different"
    assert "with differences half as large as people's" in simulator.reason
    assert simulator.kept_at_half.limit > simulator.kept.estimate


def test_too_few_simulated_conversations_are_undecided_with_how_many_more(people):
    found = ranked(people, rated((3.5, 3.3, 3.1), n_users=10, seed=5, name="s"))
    [simulator] = found.simulators
    assert simulator.verdict == "undecided"
    assert simulator.needs.side == "simulated"
    assert simulator.needs.more > 10
    assert found.failing("different") == ()
    assert found.failing("undecided") == found.simulators


def test_of_many_pairs_one_may_be_unsure_where_all_have_peoples_order():
    names = [f"n{place}" for place in range(8)]
    levels = [2.2 + place / 4 for place in range(8)]
    people, simulated = (
        rated(levels, n_users=60, seed=s, names=names, name=n) for s, n in ((1, "u"), (2, "s"))
    )
    [simulator] = ranked(people, simulated).simulators
    assert simulator.kept.estimate < 1
    assert simulator.verdict == "aligned"
    assert "of the pairs that people tell apart are in their order" in simulator.reason
    assert simulator.agreement.interval[0] >= simulator.agreement.people.limit - 0.1


def test_systems_that_people_cannot_tell_apart_are_tied_and_nothing_is_decided():
    people = rated((3.0, 3.0, 3.0), n_users=20, seed=4)
    [simulator] = ranked(people, rated(APART, n_users=40, seed=2, name="s")).simulators
    assert simulator.verdict == "undecided"
    assert "people tell no two of the systems apart" in simulator.reason
    assert simulator.agreement.estimate is None
    assert simulator.agreement.reason == "people tell no two of the systems apart"
    assert simulator.tau_b.estimate is None
    assert {pair.relation for pair in simulator.pairs} == {"added"}
    assert simulator.needs is None or simulator.needs.side == "people"


def test_of_two_systems_one_pair_is_judged_and_no_correlation_is_stated():
    people = rated((3.8, 2.8), n_users=30, seed=1)
    [simulator] = ranked(people, rated((3.8, 2.8), n_users=30, seed=2, name="s")).simulators
    assert simulator.verdict == "aligned"
    assert "the only pair" in simulator.reason
    assert simulator.tau_b.estimate is None
    assert simulator.tau_b.reason == "two systems are one pair, of which there is no correlation"
    assert simulator.most_tau_b is None


def test_where_lower_is_better_the_order_turns_round_and_levels_stay_as_they_are(people):
    simulated = rated(APART, n_users=40, seed=2, name="s")
    up, down = (ranked(people, simulated, higher_is_better=higher) for higher in (True, False))
    assert [each.name for each in down.simulators[0].systems] == ["cat", "bee", "ant"]
    assert set(relations(down)) == {pair[::-1] for pair in relations(up)}
    assert {each.name: each.people.estimate for each in down.simulators[0].systems} == {
        each.name: pytest.approx(each.people.estimate) for each in up.simulators[0].systems
    }
    for name in ("agreement", "tau_b", "level_error"):
        assert getattr(up.simulators[0], name) == getattr(down.simulators[0], name)
    assert down.simulators[0].bias.estimate == pytest.approx(up.simulators[0].bias.estimate)
    assert down.simulators[0].bias.interval == pytest.approx(up.simulators[0].bias.interval)


def test_an_outcome_with_two_values_has_success_rates_and_a_mix_of_failures():
    people = rated(APART, n_users=40, seed=1, accepts=True)
    simulated = [
        c if c.ending == "accepted" else c.but(ending="turn_limit")
        for c in rated(APART, n_users=40, seed=2, name="s", accepts=True)
    ]
    found = ranked(people, simulated, outcome="accepted")
    [simulator] = found.simulators
    assert found.two_valued
    assert (simulator.failure_mix_of, simulator.failure_mix.estimate) == ("endings", 1.0)
    assert simulator.failure_mix.people.mean == 0
    rates = [[np.mean([c.ending == "accepted" for c in side if c.agent == name]) for name in NAMES[:3]]
             for side in (people, simulated)]  # fmt: skip
    assert simulator.bias.estimate == pytest.approx(np.mean(rates[1]) - np.mean(rates[0]))
    assert simulator.level_error.estimate == pytest.approx(np.abs(np.asarray(rates[0]) - rates[1]).mean())


def acting(conversations: list[Conversation], act: str) -> list[Conversation]:
    """Return conversations whose users' messages are of one act where they rated 1 or 2, and of another elsewhere."""
    made = []
    for c in conversations:
        acts = [act, "thanks"] if c.labels["satisfaction"][0].value < 3 else ["greeting"]
        label = Label(value=acts, source="rules:one")
        made.append(c.but(messages=(c.messages[0].but(labels={"acts": label}), *c.messages[1:])))
    return made


def test_where_no_endings_are_known_failures_are_mixed_of_acts(people):
    simulated = rated(APART, n_users=40, seed=2, name="s")
    bound = np.median([c.labels["satisfaction"][0].value for c in people])
    assert bound == 3
    [simulator] = ranked(acting(people, "complaint"), acting(simulated, "question")).simulators
    # Half of all acts are shared.
    assert (simulator.failure_mix_of, simulator.failure_mix.estimate) == ("acts", 0.5)
    [simulator] = ranked(people, simulated).simulators
    assert simulator.failure_mix.estimate is None
    assert simulator.failure_mix.reason == "neither endings nor acts are recorded on both sides"


def test_a_conversation_that_is_stated_many_times_is_one(people):
    simulated = rated((3.5, 3.1, 2.9), n_users=9, seed=2, name="s")
    again = [c.but(id=f"{c.id}-{n}", user=f"{c.user}-{n}") for c in simulated for n in range(20)]
    once, often = (ranked(people, side).simulators[0] for side in (simulated, again))
    assert [(s.simulated.n, s.simulated.n_units) for s in often.systems] == [(180, 9)] * 3
    assert [pair.relation for pair in often.pairs] == [pair.relation for pair in once.pairs]
    for before, after in zip(once.pairs, often.pairs, strict=True):
        assert after.simulated.interval == pytest.approx(before.simulated.interval)


def test_users_who_say_the_same_are_several(people):
    said = rated(APART, n_users=20, seed=2, name="s")
    alike = [
        c.but(messages=(c.messages[0].but(content="boots"), c.messages[1].but(content=f"answer {place}")))
        for place, c in enumerate(said)
    ]
    assert ranked(people, alike).simulators[0].systems[0].simulated.n_units == 20


def test_an_outcome_that_never_varies_decides_nothing(people):
    label = Label(value=4, source="self", scale=(1.0, 5.0))
    flat = [c.but(labels={"satisfaction": label}) for c in rated(APART, n_users=20, seed=2, name="s")]
    known = convsim.rank(None, [flat], seed=0, known_order=["ant", "bee", "cat"]).simulators[0]
    assert (known.verdict, known.known_order.p_falling, known.known_order.p_rising) == ("undecided", 1, 1)
    assert known.tau_b.reason == "all systems have the same level"
    [simulator] = ranked([c.but(labels={"satisfaction": label}) for c in people], flat).simulators
    assert simulator.verdict == "undecided"
    assert simulator.needs is None
    assert "choose systems that differ more" in simulator.reason
    [simulator] = ranked(people, flat).simulators
    assert (simulator.verdict, simulator.kept.estimate, simulator.opposite.estimate) == ("different", 0, 0)


def test_calibration_is_over_systems_and_tasks_weighted_by_people():
    people, simulated = rated(APART, n_users=40, seed=1), rated(APART, n_users=30, seed=2, name="s")
    [simulator] = ranked(people, simulated).simulators

    def level(side, system, task):
        return np.mean(
            [c.labels["satisfaction"][0].value for c in side if (c.agent, c.task) == (system, task)]
        )

    errors = [
        abs(level(simulated, system, task) - level(people, system, task))
        for system in NAMES[:3] for task in ("boots", "coats")
    ]  # fmt: skip
    assert simulator.calibration_error.estimate == pytest.approx(
        np.mean(errors)
    )  # each cell holds twenty of people's


def test_tasks_that_hardly_anybody_met_are_one_and_take_no_room(people):
    def of_many_tasks(conversations):
        return [c.but(task=f"task {place}") for place, c in enumerate(conversations)]

    simulated = rated(APART, n_users=30, seed=2, name="s")
    by_tasks = ranked(of_many_tasks(people), of_many_tasks(simulated)).simulators[0]
    assert by_tasks.calibration_error.estimate == pytest.approx(by_tasks.level_error.estimate)
    outcome = Outcome.of(
        measure(people), "satisfaction", [c.agent for c in people], "people", higher_is_better=True, sides=(),
    )  # fmt: skip
    tasks = common_tasks(outcome, outcome, 3)
    assert sorted(tasks) == ["boots", "coats"]
    assert outcome.cells(NAMES[:3], tasks[:1]).counts.sum(axis=0).tolist() == [20.0] * 6


def test_messages_labels_are_averaged_where_conversations_have_none(people):
    def by_message(conversations):
        return [
            c.but(labels={}, messages=(c.messages[0].but(labels=c.labels), *c.messages[1:]))
            for c in conversations
        ]

    found = ranked(by_message(people), by_message(rated(APART, n_users=40, seed=2, name="s")))
    assert found.outcome == "satisfaction_by_turn"
    assert found.simulators[0].verdict == "aligned"


def test_another_field_may_tell_systems_apart(people):
    def moved(conversations):
        return [
            c.but(agent=None, metadata={"release": {"ant": 1, "bee": 2.5, "cat": True}[c.agent]})
            for c in conversations
        ]

    found = ranked(moved(people), moved(rated(APART, n_users=40, seed=2, name="s")), by="release")
    assert [each.name for each in found.simulators[0].systems] == ["1", "2.5", "true"]


def test_a_simulator_of_these_very_conversations_is_not_judged(people):
    [simulator] = ranked(people, [c.but(simulator="copy") for c in people]).simulators
    assert simulator.verdict == "undecided"
    assert "copies of real ones" in simulator.reason
    [simulator] = ranked(people, [c.but(simulator="copy") for c in people], allow_overlap=True).simulators
    assert simulator.verdict == "aligned"


def test_a_known_order_needs_no_people():
    found = convsim.rank(
        None, {"ladder": rated(APART, n_users=30, seed=2)}, seed=0, known_order=["ant", "bee", "cat"]
    )
    [simulator] = found.simulators
    assert simulator.verdict == "aligned"
    assert found.real is None
    assert simulator.known_order.p_falling < 0.01 < simulator.known_order.p_rising
    assert simulator.level_error.estimate is None
    wrong = convsim.rank(None, [rated(APART, n_users=30, seed=2)], seed=0, known_order=["cat", "bee", "ant"])
    assert wrong.simulators[0].verdict == "different"
    flat = convsim.rank(
        None, [rated((3, 3, 3), n_users=30, seed=2)], seed=0, known_order=["ant", "bee", "cat"]
    )
    assert flat.simulators[0].verdict == "undecided"


def test_severity_is_an_order_that_starts_at_the_bare_agent():
    steps = {"ant": None, "bee": 0.5, "cat": 1.0}
    ladder = [
        c.but(agent="shop", severity=steps[c.agent], fault=steps[c.agent] and "stale_context")
        for c in rated(APART, n_users=30, seed=2)
    ]
    found = convsim.rank(None, [ladder], seed=0, by="severity", known_order=["0", "0.5", "1"])
    assert found.simulators[0].verdict == "aligned"


def test_systems_that_few_met_are_told_and_left_out(people):
    few = rated((3.5,), n_users=5, seed=9, names=["gnu"], name="f")
    found = ranked([*people, *few], rated(APART, n_users=40, seed=2, name="s"))
    assert "people: fewer than 8 users met gnu, which is left out" in found.simulators[0].warnings
    more = rated((3.5,), n_users=9, seed=9, names=["gnu"], name="f")
    found = ranked(people, [*rated(APART, n_users=40, seed=2, name="s"), *more])
    assert "simulator 1 has systems that people did not meet, left out: gnu" in found.simulators[0].warnings
    found = ranked([*people, *more], rated(APART, n_users=40, seed=2, name="s"), only=["ant", "cat"])
    assert [each.name for each in found.simulators[0].systems] == ["ant", "cat"]


def test_systems_met_in_other_tasks_are_told(people):
    mixed = [c.but(task="boots" if c.agent == "ant" else "coats") for c in people]
    found = ranked(mixed, rated(APART, n_users=40, seed=2, name="s"))
    assert any("people: ant was met in other tasks" in warning for warning in found.simulators[0].warnings)


def unlabelled(conversations: list[Conversation]) -> list[Conversation]:
    return [c.but(labels={}) for c in conversations]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"by": "agnet"}, "--by agnet: there is no such field; fields of people: agent, task"),
        ({"by": "arm"}, "--by arm: no conversation of people states one; fields of people: agent, task"),
        (
            {"by": "task", "only": ["boots", "hats"]},
            "no conversation of people is with 'hats', which --only asks for; there are boots, coats",
        ),
        (
            {"outcome": "satisfction"},
            "there is no metric or label 'satisfction' to rank by; did you mean satisfaction?; labels that can be "
            "ranked by: satisfaction; or a metric, such as accepted or turns",
        ),
        (
            {"outcome": "accepted"},
            "the outcome accepted of people is not recorded: no conversation has a number",
        ),
        ({"outcome": " "}, "there is no metric or label '' to rank by"),
        ({"outcome": "default"}, "there is no metric or label 'default' to rank by"),
        (
            {"only": ["ant"]},
            "--by agent: an order needs two systems with 8 users or more on each side, and only 'ant'",
        ),
        (
            {"known_order": ["ant"]},
            "expected people's conversations to hold simulators against, or a known order",
        ),
    ],
)
def test_mistakes_are_one_line(people, asked, said):
    with pytest.raises(InputError) as raised:
        ranked(people, rated(APART, n_users=20, seed=2, name="s"), **asked)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_system_that_the_simulator_lacks_is_an_error_that_names_the_way_out(people):
    with pytest.raises(InputError) as raised:
        ranked(people, rated(APART[:2], n_users=20, seed=2, name="s"))
    assert str(raised.value) == (
        "no conversation of simulator 1 is with 'cat', whom people met; there are ant, bee; compare what is there with "
        "--only 'ant' --only 'bee'"
    )


def test_an_outcome_of_one_side_or_by_other_labellers_is_refused(people):
    with pytest.raises(InputError, match="is a label of people and not of simulator 1"):
        ranked(people, unlabelled(rated(APART, n_users=20, seed=2, name="s")))
    judged = [
        c.but(labels={"satisfaction": Label(value=c.labels["satisfaction"][0].value, source="judge:x")})
        for c in rated(APART, n_users=20, seed=2, name="s")
    ]
    with pytest.raises(InputError, match="cannot be compared: labels of the real data are by self"):
        ranked(people, judged)


def test_simulators_with_other_labels_are_ranked_one_by_one(people):
    label = Label(value=3, source="judge:x")
    judged = [c.but(labels={"satisfaction": (*c.labels["satisfaction"], label)}) for c in people]
    own = rated(APART, n_users=20, seed=2, name="s")
    other = [c.but(labels={"satisfaction": label}) for c in rated(APART, n_users=20, seed=3, name="t")]
    with pytest.raises(InputError, match="for another, as their labels are; rank them one by one"):
        convsim.rank(judged, [own, other], seed=0)


def test_words_are_no_outcome():
    said = [
        c.but(labels={"vote": Label(value="tie", source="self")}) for c in rated(APART, n_users=10, seed=1)
    ]
    with pytest.raises(InputError, match="the label vote has no numbers, and cannot be ranked by"):
        ranked(said, said, outcome="vote")


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (["ant"], "--known-order 'ant': expected two or more systems"),
        (["ant", "ant"], "--known-order names 'ant' twice"),
        (["ant", "gnu"], "no conversation of simulator 1 is with 'gnu', which the known order has"),
    ],
)
def test_a_known_order_that_is_none_is_refused(order, said):
    with pytest.raises(InputError, match=said):
        convsim.rank(None, [rated(APART, n_users=20, seed=2)], seed=0, known_order=order)


def test_too_many_values_of_a_field_are_no_systems(people):
    numbered = [c.but(metadata={"number": place}) for place, c in enumerate(people)]
    with pytest.raises(InputError, match="people have 120 values of it; at most 50 systems are compared"):
        ranked(numbered, numbered, by="number")


def test_long_values_of_a_field_and_numbers_too_large_are_refused(people):
    long = [c.but(agent=c.agent * 200) for c in people]
    with pytest.raises(
        InputError, match="people have a value of more than 500 characters; expected names of systems"
    ):
        ranked(long, long)
    huge = [c.but(labels={"satisfaction": Label(value=1e200, source="self")}) for c in people]
    with pytest.raises(InputError, match=r"has the value 1e\+200; at most 1e\+100 can be ranked by"):
        ranked(huge, huge)


def test_a_metric_that_cannot_be_loaded_is_a_plugin_error(people):
    with pytest.raises(PluginError):
        ranked(people, people, outcome="nowhere:metric")


def test_the_async_twin_and_the_document(people):
    simulated = rated(APART, n_users=20, seed=2, name="s")
    found = asyncio.run(convsim.arank(people, [simulated], seed=3))
    assert found == ranked(people, simulated)
    assert Ranking.model_validate(found.to_dict()) == found
    assert found.to_dict()["schema"] == "convsim.ranking/1"
    assert repr(found) == f"Ranking(by agent, satisfaction: 'simulator 1' {found.simulators[0].verdict})"
