import pytest

from convsim.errors import AgentError, ModelError
from convsim.schema import AgentReply, NoMoveError, UserMove
from convsim.schema.conversation import Usage
from convsim.simulation import Arm, Planned, hold
from tests.doubles import ITEM, Obliging, Told, people, say


def planned(shopper, agent=None, **changes) -> Planned:
    fields = {
        "study": "s", "shopper": shopper, "model": None, "persona": people(1)[0],
        "arm": Arm("good", agent or Obliging()), "repeat": 0, "seed": 3,
    }  # fmt: skip
    return Planned(**{**fields, **changes})


def raising(error: Exception):
    def moves(turn: int) -> UserMove:
        raise error

    return moves


async def test_a_shopper_that_accepts_with_words_adds_one_message_and_ends():
    moves = [say("hi"), UserMove(action="accept", text="ok the boots", accepted=("b1",))]
    held = await hold(planned(Told(lambda turn: moves[turn])), max_turns=9)
    assert [m.role for m in held.messages] == ["user", "assistant", "user"]
    assert held.messages[-1].accepted == ("b1",)
    assert held.messages[1].items == (ITEM,)
    assert (held.ending, held.failure) == ("accepted", None)


async def test_leaving_without_words_adds_nothing():
    moves = [say("hi"), UserMove(action="leave")]
    held = await hold(planned(Told(lambda turn: moves[turn])), max_turns=9)
    assert [m.role for m in held.messages] == ["user", "assistant"]
    assert held.ending == "left"


async def test_the_turn_limit_is_an_ending_of_its_own():
    held = await hold(planned(Told(lambda turn: say())), max_turns=3)
    assert held.ending == "turn_limit"
    assert sum(1 for _ in held.turns()) == 3


async def test_an_agent_may_end_the_conversation():
    agent = Obliging(reply_with=lambda: AgentReply(content="bye", ends=True))
    held = await hold(planned(Told(lambda turn: say()), agent), max_turns=9)
    assert held.ending == "agent_ended"


@pytest.mark.parametrize(
    ("error", "reason"),
    [(AgentError("no route"), "no route"), (ValueError("x" * 5000), "obliging raised ValueError: xxx")],
)
async def test_an_agent_that_fails_is_a_record_and_what_was_said_is_kept(error, reason):
    def fail() -> AgentReply:
        raise error

    held = await hold(planned(Told(lambda turn: say("hi")), Obliging(reply_with=fail)), max_turns=9)
    assert held.ending == "agent_failed"
    assert held.failure.actor == "agent"
    assert held.failure.reason.startswith(reason)
    assert len(held.failure.reason) <= 500
    assert [m.content for m in held.messages] == ["hi"]


@pytest.mark.parametrize("error", [ModelError("said nothing"), KeyError("a bug"), SystemExit(0)])
async def test_a_shopper_that_fails_is_a_record(error):
    held = await hold(planned(Told(raising(error))), max_turns=9)
    assert (held.ending, held.failure.actor, held.failure.turn) == ("shopper_failed", "shopper", 0)
    assert held.messages == ()


async def test_costs_add_up_and_an_unknown_price_stays_unknown():
    held = await hold(planned(Told(lambda turn: say())), max_turns=3)
    assert (held.usage.input_tokens, held.usage.output_tokens) == (9, 6)
    assert held.usage.cost_usd == pytest.approx(0.03)
    unpriced = Obliging(reply_with=lambda: Obliging().reply_with().but(usage={"input_tokens": 1}))
    assert (await hold(planned(Told(lambda turn: say()), unpriced), max_turns=3)).usage.cost_usd is None


async def test_slips_are_counted_on_the_conversation():
    held = await hold(planned(Told(lambda turn: say().but(role_slips=1))), max_turns=2)
    assert held.metadata == {"role_slips": 2}


async def test_arms_share_their_random_numbers_and_personas_do_not():
    first, second, other = Told(lambda turn: say()), Told(lambda turn: say()), Told(lambda turn: say())
    await hold(planned(first, arm=Arm("good", Obliging())), max_turns=2)
    await hold(planned(second, arm=Arm("bad", Obliging())), max_turns=2)
    await hold(planned(other, persona=people(2)[1]), max_turns=2)
    assert first.seeds == second.seeds
    assert not set(first.seeds) & set(other.seeds)


def test_everything_that_tells_conversations_apart_enters_the_id():
    told = Told(lambda turn: say())
    base = planned(told)
    others = [
        planned(told, study="t"), planned(Told(lambda turn: say(), name="else")), planned(told, model="m"),
        planned(told, persona=people(2)[1]), planned(told, arm=Arm("bad", Obliging())), planned(told, repeat=1),
        planned(told, seed=4), planned(told, arm=Arm("good", Obliging(name="z"))),
        planned(told, arm=Arm("good", Obliging(), severity=0.5)),
    ]  # fmt: skip
    assert len({base.id, *(other.id for other in others)}) == len(others) + 1
    assert planned(told).id == base.id


async def test_what_a_failed_move_cost_and_how_often_it_slipped_is_counted():
    spent = Usage(input_tokens=5, output_tokens=4, cost_usd=0.5)
    error = NoMoveError(
        "slipped, 2 times in a row", usage=spent, counts={"role_slips": 2, "empty_answers": 0}
    )
    held = await hold(planned(Told(raising(error))), max_turns=9)
    assert (held.ending, held.failure.reason) == ("shopper_failed", "slipped, 2 times in a row")
    assert held.metadata == {"role_slips": 2}
    assert (held.usage.output_tokens, held.usage.cost_usd) == (4, 0.5)
