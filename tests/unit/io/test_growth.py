"""By what a run folder was made larger: whose plan follows whose, and what a command that was cut short means."""

import json

import pytest

from convsim.errors import InputError, StudyError
from convsim.io import Growth, Manifest, current_n, growth_of, open_run
from convsim.io.growth import growth_between

PLAN = {"n": 3, "personas": ["a", "b"], "arms": ["good", "bad"], "seed": 1}


def made(folder, plan=PLAN, *, held: int | None = None, growth: Growth | None = None):
    """Open a run of ``plan`` and close it with ``held`` conversations, all of them where none is said."""
    with open_run(folder, {"plan": plan}, growth=growth) as run:
        n = plan["n"] * len(plan["arms"]) if held is None else held
        run.done = {str(number) for number in range(n)}
    return json.loads((folder / "manifest.json").read_text())


def test_the_plan_and_what_was_added_are_written_and_all_else_stays(tmp_path):
    before = made(tmp_path)
    growth = growth_of(tmp_path, 2)
    assert growth == Growth(3, 5)
    after = made(tmp_path, {**PLAN, "n": 5}, growth=growth)
    [entry] = after.pop("grown")
    assert (entry["before"], entry["n"]) == (3, 5)
    assert after.pop("plan") == {**before.pop("plan"), "n": 5}
    assert after.pop("outcome") == {"conversations": 10, "failed": 0, "too_many_failed": False}
    before.pop("outcome")
    assert after == before


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"arms": ["good"]},
        {"personas": ["b", "a"]},
        {"personas": ["a", "b", "c"]},
        {"n": 6},
        {"x": 1},
    ],
    ids=str,
)
def test_a_plan_that_is_more_than_larger_is_refused_and_changes_nothing(tmp_path, change):
    made(tmp_path)
    before = (tmp_path / "manifest.json").read_bytes()
    with pytest.raises(StudyError, match="another plan"):
        made(tmp_path, {**PLAN, "n": 5, **change}, growth=growth_of(tmp_path, 2))
    assert (tmp_path / "manifest.json").read_bytes() == before


def test_personas_that_were_drawn_one_a_conversation_may_become_more_in_the_same_order():
    drawn: Manifest = {"n": 2, "personas": ["a", "b"]}
    assert growth_between(drawn, {"n": 4, "personas": ["a", "b", "c", "d"]}) == Growth(2, 4)
    assert growth_between(drawn, {"n": 4, "personas": ["a", "b", "c"]}) == Growth(2, 4)
    assert growth_between(drawn, {"n": 4, "personas": ["a", "c", "b"]}) is None
    assert growth_between(drawn, {"n": 2, "personas": ["a", "b"]}) is None
    assert growth_between(drawn, {"n": 1, "personas": ["a"]}) is None


def test_a_larger_plan_without_asking_is_refused_with_what_to_ask(tmp_path):
    made(tmp_path)
    with pytest.raises(StudyError, match=r"n was 3 and is now 5\); --add 2 makes the run larger"):
        made(tmp_path, {**PLAN, "n": 5})


def test_the_same_addition_again_finishes_the_one_that_was_cut_short_and_then_adds_more(tmp_path):
    made(tmp_path)
    made(tmp_path, {**PLAN, "n": 5}, growth=growth_of(tmp_path, 2), held=7)
    assert growth_of(tmp_path, 2) == Growth(3, 5, is_begun=True)
    with pytest.raises(StudyError, match="--add 2 is not finished"):
        growth_of(tmp_path, 4)
    made(tmp_path, {**PLAN, "n": 5}, growth=growth_of(tmp_path, 2))
    assert growth_of(tmp_path, 2) == Growth(5, 7)
    assert len(json.loads((tmp_path / "manifest.json").read_text())["grown"]) == 1


def test_a_kill_after_the_last_conversation_and_before_the_command_ended_adds_nothing_twice(tmp_path):
    first = made(tmp_path)
    after = made(tmp_path, {**PLAN, "n": 5}, growth=growth_of(tmp_path, 2))
    (tmp_path / "manifest.json").write_text(json.dumps({**after, "outcome": first["outcome"]}))
    assert growth_of(tmp_path, 2) == Growth(3, 5, is_begun=True)


def test_a_run_that_is_not_complete_itself_can_be_made_larger(tmp_path):
    made(tmp_path, held=1)
    assert growth_of(tmp_path, 2) == Growth(3, 5)


def test_any_earlier_size_stands_for_the_present_one_and_no_other_does(tmp_path):
    assert current_n(tmp_path, 3) == 3
    made(tmp_path)
    made(tmp_path, {**PLAN, "n": 5}, growth=growth_of(tmp_path, 2))
    made(tmp_path, {**PLAN, "n": 6}, growth=growth_of(tmp_path, 1))
    assert [current_n(tmp_path, n) for n in (3, 5, 6, 4, 7)] == [6, 6, 6, 4, 7]


@pytest.mark.parametrize("add", [0, -1, 2.0, "2", True, None], ids=repr)
def test_what_is_no_number_to_add_is_refused(tmp_path, add):
    made(tmp_path)
    with pytest.raises(InputError, match="--add must be a whole number"):
        growth_of(tmp_path, add)


def test_where_there_is_no_run_nothing_can_be_added(tmp_path):
    with pytest.raises(StudyError, match="no run to add to"):
        growth_of(tmp_path / "none", 2)


@pytest.mark.parametrize(
    "manifest",
    [{"plan": {}}, {"plan": {**PLAN, "n": "3"}}, {"plan": PLAN, "grown": [{"n": 5}]}, {"plan": [3]}, {}],
    ids=str,
)
def test_a_manifest_that_states_no_size_is_refused(tmp_path, manifest):
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StudyError, match=r"manifest\.json"):
        growth_of(tmp_path, 2)
