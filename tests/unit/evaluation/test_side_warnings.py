import pytest

from convsim import validate
from convsim.errors import InputError
from convsim.evaluation import refuse_simulated_people
from convsim.evaluation.guards import mix_warnings
from convsim.evaluation.side_warnings import side_warnings
from convsim.schema.conversation import Conversation, Message
from convsim_validators import Marginals


def side(prefix: str, n: int = 40, **more) -> list[Conversation]:
    said = "a pair of {} boots that are number {} in my size please"
    return [
        Conversation(
            id=f"{prefix}{i}", messages=(Message(role="user", content=said.format(f"{prefix * 3}{i}", i)),), **more
        )
        for i in range(n)
    ]  # fmt: skip


@pytest.fixture
def people():
    return side("p", ending="left")


@pytest.fixture
def shoppers():
    return side("s", simulator="gpt", ending="accepted")


def test_people_and_shoppers_in_their_places_are_no_matter(people, shoppers):
    assert side_warnings(people, shoppers) == []
    refuse_simulated_people(people, shoppers)


def test_exchanged_sides_are_told_and_a_gate_refuses_them(people, shoppers):
    [said] = side_warnings(shoppers, people)
    assert said.startswith("the sides look exchanged: all 40 real conversations name a simulator (gpt)")
    with pytest.raises(InputError, match="people come first"):
        refuse_simulated_people(shoppers, people)


def test_a_simulator_among_the_people_is_named_and_a_gate_refuses_it(people, shoppers):
    mixed = [*people[:30], *shoppers[:10]]
    [said] = side_warnings(mixed, shoppers)
    assert said.startswith("10 of 40 real conversations name a simulator (gpt)")
    with pytest.raises(InputError, match="10 of 40"):
        refuse_simulated_people(mixed, shoppers)


def test_two_simulators_against_each_other_are_not_called_exchanged(shoppers):
    [said] = side_warnings(side("r", simulator="old", ending="left"), shoppers)
    assert "exchanged" not in said
    assert "40 of 40" in said


@pytest.mark.parametrize(("n", "warned"), [(15, False), (16, True)])
def test_turns_that_ran_out_are_told_from_two_fifths_of_a_side(people, n, warned):
    cut = [c.but(ending="turn_limit") if i < n else c for i, c in enumerate(side("s", ending="left"))]
    said = side_warnings(people, cut)
    assert bool(said) is warned
    assert not warned or "simulated side: 16 of 40 conversations ended at the turn limit" in said[0]


def test_a_side_without_endings_is_told_and_endings_are_not_compared(people):
    unknown = side("s")
    assert "no simulated conversation says how it ended" in side_warnings(people, unknown)[0]
    assert "no real conversation says how it ended" in side_warnings(unknown, people)[0]
    assert side_warnings(side("r"), unknown) == []
    card = validate(
        unknown, people, seed=1, validators=[Marginals(n_resamples=19)], metrics=["accepted", "left"]
    )
    assert {(f.verdict, f.estimate) for f in card.findings} == {("undecided", None)}


@pytest.mark.parametrize(("n", "warned"), [(1, False), (2, True)])
def test_repeats_are_told_from_one_in_twenty(people, shoppers, n, warned):
    again = [shoppers[0].but(id=f"again{i}") for i in range(n)]
    said = side_warnings(people, [*again, *shoppers[: 40 - n]])
    assert bool(said) is warned
    assert (
        not warned
        or "simulated side: 2 of 40 conversations repeat what another user said (2 word for word)" in said[0]
    )


def lopsided(prefix: str, arms: str) -> list[Conversation]:
    return [c.but(arm=arms[i % len(arms)] if arms else None) for i, c in enumerate(side(prefix, 100))]


def test_an_arm_that_both_sides_have_can_be_chosen():
    [said] = mix_warnings(lopsided("p", "ab"), lopsided("s", "aaaab"))
    assert "choose one that both have with --arm (a, b)" in said


def test_nobody_is_told_to_choose_an_arm_that_one_side_does_not_state():
    [said] = mix_warnings(lopsided("p", ""), lopsided("s", "ab"))
    assert "--arm" not in said
    assert 'the real side states no arm, so that none can be chosen: state the "arm"' in said


def test_one_arm_beside_logs_that_state_none_is_no_mix():
    assert mix_warnings(lopsided("p", ""), lopsided("s", "a")) == []
    assert mix_warnings(lopsided("p", "a"), lopsided("s", "")) == []
    assert len(mix_warnings(lopsided("p", "b"), lopsided("s", "a"))) == 1


def test_nobody_is_told_to_choose_an_arm_that_is_not_on_both_sides():
    [said] = mix_warnings(lopsided("p", "ab"), lopsided("s", "cd"))
    assert "--arm" not in said
    assert "no arm stands on both sides" in said


def test_a_side_whose_agent_says_nothing_is_told_where_the_others_does(people, shoppers):
    answer = Message(role="assistant", content="these?")
    answered = [c.model_copy(update={"messages": (*c.messages, answer)}) for c in shoppers]
    [said] = side_warnings(people, answered)
    assert said.startswith("real side: no conversation has a message of the agent")
    assert side_warnings(answered, answered[:1])[-1:] != [said]
