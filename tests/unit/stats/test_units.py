from convsim.schema.persona import Persona
from convsim.stats.resampling import Design
from convsim.stats.units import fold_keys, linked, scenario_keys, too_large
from tests.corpora import corpus


def sides(real_tasks, simulated_tasks, **more):
    real = corpus({"x": [0.0] * len(real_tasks)}, tasks=real_tasks, prefix="r", **more)
    return real, corpus({"x": [0.0] * len(simulated_tasks)}, tasks=simulated_tasks, prefix="s")


def test_a_task_with_few_units_a_side_is_a_scenario_and_one_with_many_is_not():
    few = [f"t{i}" for i in range(10) for _ in range(2)]
    group = linked(scenario_keys(*sides(few, few)))
    assert len(set(group)) == 10
    assert list(group[:20]) == list(group[20:])
    many = [f"t{i}" for i in range(3) for _ in range(6)]
    assert len(set(linked(scenario_keys(*sides(many, many))))) == 36


def test_a_task_of_which_one_side_has_little_stays_a_task_where_the_other_side_has_much():
    group = linked(scenario_keys(*sides(["a"] * 18 + ["b"] * 2, ["a"] * 10 + ["b"] * 10)))
    assert len(set(group)) == 40


def test_one_need_is_one_scenario_whatever_its_personas_are_called():
    needs = [f"boots of size {i}" for i in range(10)]
    real = corpus({"x": [0.0] * 10}, personas=[Persona(id=f"a{i}", need=n) for i, n in enumerate(needs)])
    simulated = corpus(
        {"x": [0.0] * 10}, personas=[Persona(id=f"b{i}", need=f"  {n.upper()}") for i, n in enumerate(needs)]
    )
    group = linked(scenario_keys(real, simulated))
    assert list(group[:10]) == list(group[10:])


def test_identical_texts_share_a_fold_on_one_side_and_on_both_whatever_their_case_and_white_space():
    real = corpus({"x": [0.0] * 3}, texts=["Hi  there", "boots", "red ones"], prefix="r")
    simulated = corpus({"x": [0.0] * 2}, texts=["hi there", "Boots "], prefix="s")
    assert list(linked(fold_keys(real, simulated))) == [0, 1, 2, 0, 1]


def test_sides_are_dealt_within_a_scenario_and_freely_where_one_user_met_them_all():
    nested = [f"t{i}" for i in range(12)]
    design = Design.of(*sides(nested, nested))
    assert len(set(design.exchangeable)) == 12
    assert design.too_few_permutations() is None
    crossed = [f"t{i}" for i in range(6)] * 4
    users = [f"u{i // 6}" for i in range(24)]
    design = Design.of(*sides(crossed, crossed, users=users))
    assert len(set(design.exchangeable)) == 1


def test_seven_pairs_can_be_dealt_in_too_few_ways_and_the_reason_counts_them():
    tasks = [f"t{i}" for i in range(7)]
    assert "128 ways" in (Design.of(*sides(tasks, tasks)).too_few_permutations() or "")


def test_a_group_of_over_a_fifth_is_named_by_what_links_it():
    real = corpus({"x": [0.0] * 10}, users=["ann"] * 3 + [None] * 7, prefix="r")
    simulated = corpus({"x": [0.0] * 10}, prefix="s")
    keys = fold_keys(real, simulated)
    reason = too_large(keys, linked(keys), 10)
    assert reason is not None
    assert reason.startswith("3 of 10 real conversations hang together (user ann links 3 of them)")


def test_nothing_is_too_large_where_all_stand_alone():
    real, simulated = corpus({"x": [0.0] * 10}, prefix="r"), corpus({"x": [0.0] * 10}, prefix="s")
    keys = fold_keys(real, simulated)
    assert too_large(keys, linked(keys), 10) is None


def test_trials_of_a_task_that_the_other_side_did_not_meet_are_one_unit():
    design = Design.of(*sides([f"a{i}" for i in range(8)], [f"b{i // 2}" for i in range(16)]))
    assert (design.real.n_units, design.simulated.n_units) == (8, 8)


def test_tasks_recorded_on_one_side_alone_stay_tasks():
    design = Design.of(*sides([None] * 30, ["a"] * 6 + ["b"] * 24))
    assert (design.real.n_units, design.simulated.n_units) == (30, 30)


def test_what_one_side_repeats_word_for_word_is_one_unit_and_short_texts_are_not():
    long = [f"I need rain boots in size {i % 5} for work" for i in range(20)]
    real = corpus({"x": [0.0] * 20}, texts=long, prefix="r")
    simulated = corpus({"x": [0.0] * 20}, texts=["boots please"] * 20, prefix="s")
    design = Design.of(real, simulated)
    assert (design.real.n_units, design.simulated.n_units) == (5, 20)
