import pytest

from convsim.metrics import METRICS, measure, measure_both
from convsim.schema import LabelOrigin
from convsim.schema.conversation import Conversation, Label, Message
from tests.unit.metrics.conversations import agent, user


def label(value: object, source: str = "self", scale: tuple[float, float] | None = (0, 1)) -> Label:
    return Label.model_validate({"value": value, "source": source, "scale": scale})


def labelled(
    name: str = "c", turns: tuple[Label, ...] = (), **session: Label | tuple[Label, ...]
) -> Conversation:
    messages: list[Message] = []
    for given in turns:
        messages += [user("hello").but(labels={"satisfaction": given}), agent("yes?")]
    return Conversation.model_validate(
        {"id": name, "messages": messages or [user("hello")], "labels": session}
    )


def test_the_label_of_a_conversation_gives_the_metric_of_its_name_and_those_of_turns_their_mean():
    corpus = measure([labelled("a", (label(1), label(0)), satisfaction=label(1)), labelled("b")])
    assert corpus.table["satisfaction"].tolist()[0] == 1
    assert corpus.table["satisfaction_by_turn"].tolist()[0] == 0.5
    assert corpus.table.loc["b", ["satisfaction", "satisfaction_by_turn"]].isna().all()
    assert corpus.metrics["satisfaction"].label == LabelOrigin(
        "satisfaction", "conversation", "self", (0.0, 1.0)
    )
    assert list(corpus.table.columns)[: len(METRICS)] == list(METRICS)


def test_labels_that_are_no_numbers_or_on_the_agents_messages_are_no_metric():
    messages = [user("hi"), agent("hello").but(labels={"relevance": label(1)})]
    conversation = Conversation.model_validate(
        {"id": "a", "messages": messages, "labels": {"vote": label("win", scale=None), "likes": label(True)}}
    )
    corpus = measure([conversation])
    assert set(corpus.metrics) - set(METRICS) == {"likes"}
    assert corpus.table["likes"].tolist() == [1.0]


def test_a_label_called_like_a_metric_does_not_replace_it():
    named = {"turns": label(7, scale=None), "accepted": label(0)}
    corpus = measure([labelled("a").but(labels=named)])
    assert corpus.table["label_turns"].tolist() == [7]
    assert corpus.table["turns"].tolist() == [1]


def test_both_sides_are_measured_by_a_source_that_they_share():
    real = [labelled("a", satisfaction=(label(1), label(0, "judge:m")))]
    simulated = [labelled("b", satisfaction=label(1, "judge:m"))]
    sides = measure_both(real, simulated)
    assert [side.metrics["satisfaction"].label.source for side in sides] == ["judge:m", "judge:m"]
    assert [side.table["satisfaction"].tolist() for side in sides] == [[0], [1]]


def acts(source: str, *names: str) -> Conversation:
    given = label(list(names), source, scale=None)
    return Conversation(id=source, messages=(user("hello").but(labels={"acts": (given,)}), agent("yes?")))


def test_acts_that_only_another_annotator_gives_are_no_metrics_of_the_one_compared():
    theirs, ours = acts("tool", "CRI", "CON"), acts("rules", "close")
    both = (*theirs.messages[0].labels["acts"], *ours.messages[0].labels["acts"])
    real = [theirs.but(messages=(user("hello").but(labels={"acts": both}),))]
    for side in measure_both(real, [acts("rules", "ask_item")]):
        assert {name for name in side.metrics if name.startswith("act_")} == {"act_close", "act_ask_item"}
    alone = measure([acts("a tool", "CRI"), acts("b tool", "CON")])
    assert {name for name in alone.metrics if name.startswith("act_")} == {"act_CRI"}


def test_sides_that_share_several_sources_get_a_metric_of_each_the_participants_own_first():
    both = (label(1, "third_party"), label(0, "self"))
    sides = measure_both([labelled("a", satisfaction=both)], [labelled("b", satisfaction=both)])
    for side in sides:
        assert side.metrics["satisfaction"].label.source == "self"
        assert side.table["satisfaction@third_party"].tolist() == [1]


@pytest.mark.parametrize(
    "other",
    [label(1, "rules:1"), label(1, "self", (0, 2)), label(1, "self", None)],
    ids=lambda each: repr(each),
)
def test_another_source_or_scale_is_another_origin(other):
    sides = measure_both([labelled("a", satisfaction=label(1))], [labelled("b", satisfaction=other)])
    assert sides[0].metrics["satisfaction"].label != sides[1].metrics["satisfaction"].label
