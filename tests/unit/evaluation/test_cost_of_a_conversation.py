"""Costs a conversation: what is not known stays unknown, with its reason."""

from convsim.evaluation.cost import cost_of
from convsim.report.html.sections import cost_rows
from convsim.schema.conversation import Conversation


def conversation(**usage: object) -> Conversation:
    return Conversation.model_validate({"id": "c", "messages": [], "usage": usage or None})


def test_means_are_over_the_conversations_that_say_what_they_used():
    found = cost_of([
        conversation(input_tokens=100, output_tokens=10, seconds=2.0, cost_usd=0.3), conversation(),
        conversation(input_tokens=300, output_tokens=30, seconds=4.0, cost_usd=0.1),
    ])  # fmt: skip
    assert (found.n_known, found.input_tokens, found.output_tokens, found.seconds) == (2, 200, 20, 3)
    assert found.cost_usd == 0.2
    assert found.reasons == {}


def test_one_unknown_price_makes_the_price_unknown_and_says_how_many():
    found = cost_of([
        conversation(input_tokens=1, output_tokens=1, seconds=1.0, cost_usd=0.3),
        conversation(input_tokens=1, output_tokens=1, seconds=1.0),
    ])  # fmt: skip
    assert found.cost_usd is None
    assert found.reasons == {"cost_usd": "the price of 1 of 2 conversations is unknown"}


def test_a_price_of_zero_is_a_price():
    assert cost_of([conversation(input_tokens=1, output_tokens=1, cost_usd=0.0)]).cost_usd == 0


def test_zeros_are_not_known_and_are_no_zeros():
    found = cost_of([conversation(seconds=0.5)])
    assert (found.input_tokens, found.output_tokens, found.cost_usd, found.seconds) == (None, None, None, 0.5)
    assert set(found.reasons) == {"input_tokens", "output_tokens", "cost_usd"}
    assert set(cost_of([conversation()]).reasons.values()) == {
        "its conversations do not record what they used"
    }


def test_conversations_that_count_no_tokens_do_not_make_the_others_cheaper():
    found = cost_of([
        conversation(input_tokens=100, output_tokens=10, seconds=2.0, cost_usd=0.3), conversation(seconds=4.0),
    ])  # fmt: skip
    assert (found.input_tokens, found.output_tokens, found.cost_usd) == (100, 10, 0.3)
    assert found.seconds == 3


def test_the_largest_numbers_that_a_file_may_hold_have_a_mean_too():
    most = {"input_tokens": 10**15, "output_tokens": 1, "seconds": 1e15, "cost_usd": 1e15}
    found = cost_of([conversation(**most)] * 20)
    assert (found.seconds, found.cost_usd, found.output_tokens) == (1e15, 1e15, 1)


def test_tokens_that_were_not_counted_are_unknown_and_so_is_their_price():
    found = cost_of([
        conversation(input_tokens=100, output_tokens=10, seconds=2.0, cost_usd=0.3),
        conversation(input_tokens=None, output_tokens=None, seconds=2.0),
    ])  # fmt: skip
    assert (found.input_tokens, found.output_tokens, found.cost_usd) == (100, 10, None)
    assert found.reasons == {"cost_usd": "the price of 1 of 2 conversations is unknown"}


def test_a_report_says_how_many_conversations_were_not_counted():
    rows, said = cost_rows([
        conversation(input_tokens=100, output_tokens=10, seconds=2.0, cost_usd=0.3),
        conversation(input_tokens=None, output_tokens=30, seconds=2.0),
    ])  # fmt: skip
    assert [(what, total) for what, total, _ in rows] == [
        ("input tokens", "100"), ("output tokens", "40"), ("seconds", "4"), ("US dollars", "0.3"),
    ]  # fmt: skip
    assert said == (
        "Use is recorded for 2 of 2 conversations, and tokens were not counted in 1 of them; no price is known for 1."
    )
