from convsim.evaluation import check_severity_zero
from convsim.schema import AgentReply
from convsim.schema.conversation import Conversation, Message
from tests.doubles import Obliging

TALK = [
    Conversation(
        id=f"c{i}",
        messages=(
            Message(role="assistant", content="welcome"),
            Message(role="user", content="boots"),
            Message(role="assistant", content="these?"),
            Message(role="user", content="no"),
            Message(role="assistant", content="those?"),
        ),
    )
    for i in range(3)
]


def checked(bare: Obliging, wrapped: Obliging, **settings):
    found = check_severity_zero(bare, wrapped, TALK, seed=1, **settings)
    return found.verdict, found.estimate, found.details


def test_agents_that_reply_alike_are_aligned_and_every_recorded_answer_is_asked_for():
    verdict, estimate, details = checked(Obliging(), Obliging())
    assert (verdict, estimate, details["n_replies"], details["n_recorded"]) == ("aligned", 1, 6, 6)


def test_another_reply_is_different():
    verdict, estimate, _ = checked(Obliging(), Obliging(reply_with=lambda: AgentReply(content="these ?")))
    assert (verdict, estimate) == ("different", 0)


def test_a_bound_on_what_is_asked_is_said():
    assert checked(Obliging(), Obliging(), limit=4)[2]["n_replies"] == 4
    assert checked(Obliging(), Obliging(), limit=4)[2]["n_recorded"] == 6


def test_an_agent_that_differs_from_itself_decides_nothing():
    draws = iter(range(99))
    moody = Obliging(reply_with=lambda: AgentReply(content=str(next(draws))))
    verdict, estimate, details = checked(moody, Obliging())
    assert (verdict, estimate, details["n_unstable"]) == ("undecided", None, 6)


def test_an_agent_that_raises_anything_is_counted_and_no_crash():
    def broken() -> AgentReply:
        raise KeyError("shop")

    verdict, estimate, details = checked(Obliging(), Obliging(reply_with=broken))
    assert (verdict, estimate, details["n_failed"]) == ("undecided", None, 6)
