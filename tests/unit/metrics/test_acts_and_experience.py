from math import isnan

import pytest

from convsim.metrics import measure, measure_both
from convsim.metrics.labels import acts_of
from convsim.schema.conversation import Conversation, Label
from tests.unit.metrics.conversations import agent, user


def acted(*messages: list[str] | None, source: str = "rules:1", name: str = "c") -> Conversation:
    """A conversation whose user messages have the acts given; None is a message without a label."""
    said = []
    for acts in messages:
        labels = {} if acts is None else {"acts": Label(value=[*acts], source=source)}
        said += [user("hello").but(labels=labels), agent("yes?")]
    return Conversation(id=name, messages=tuple(said))


def felt(*values: float | None) -> Conversation:
    said = []
    for value in values:
        labels = {} if value is None else {"satisfaction": Label(value=value, source="self", scale=(0, 1))}
        said.append(user("hm").but(labels=labels))
    return Conversation(id="c", messages=tuple(said))


def values(conversation: Conversation) -> dict[str, float]:
    return {str(name): float(x) for name, x in measure([conversation]).table.iloc[0].items()}


def test_an_acts_rate_is_the_share_of_labelled_messages_that_do_it():
    measured = values(acted(["thank", "close"], ["inform_preference"], None, ["thank"]))
    assert measured["act_thank"] == pytest.approx(2 / 3)
    assert measured["act_close"] == pytest.approx(1 / 3)


def test_acceptance_and_rejection_are_of_the_conversation_and_the_first_acceptance_has_its_number():
    measured = values(acted(["reject_recommendation"], ["other"], ["accept_recommendation"], ["thank"]))
    assert (measured["act_accepts_any"], measured["act_rejects_any"]) == (1, 1)
    assert measured["act_first_acceptance"] == 3


def test_who_never_accepts_has_no_time_of_acceptance():
    both = measure([acted(["accept_recommendation"], name="a"), acted(["other"], name="b")]).table
    assert both["act_accepts_any"].tolist() == [1, 0]
    assert isnan(both["act_first_acceptance"].iloc[1])


def test_an_act_of_one_side_alone_is_never_done_on_the_other():
    real, simulated = measure_both([acted(["thank"], name="a")], [acted(["other"], name="b")])
    assert (real.table["act_thank"].tolist(), simulated.table["act_thank"].tolist()) == ([1], [0])
    assert set(real.metrics) == set(simulated.metrics)


def test_conversations_that_nobody_labelled_are_undefined_not_zero():
    table = measure([acted(["thank"], name="a"), acted(None, name="b")]).table
    assert isnan(table["act_thank"].iloc[1])


@pytest.mark.parametrize(
    ("course", "slope"),
    [((0, 0.5, 1), 0.5), ((1, 1, 1), 0.0), ((1, None, 0), -0.5), ((1, 0, 0, 1), 0.0)],
)
def test_the_slope_of_satisfaction_is_that_of_least_squares(course, slope):
    assert values(felt(*course))["satisfaction_slope"] == pytest.approx(slope)


def test_one_labelled_message_has_no_slope():
    measured = values(felt(1, None))
    assert isnan(measured["satisfaction_slope"])
    assert measured["satisfaction_by_turn"] == 1


@pytest.mark.parametrize("value", ["thank", {"thank": 2}, ["thank", 3], ["x"] * 51, None, 1])
def test_what_is_no_list_of_names_is_no_acts(value):
    assert acts_of(value) is None


def test_a_label_of_acts_in_another_shape_gives_no_metric():
    odd = user("hi").but(labels={"acts": Label(value={"thank": 3}, source="third_party")})
    assert not any(
        name.startswith("act_") for name in measure([Conversation(id="c", messages=(odd,))]).metrics
    )
