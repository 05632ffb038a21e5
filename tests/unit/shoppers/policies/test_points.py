"""Where people decided, and what they did there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from convsim.errors import InputError
from convsim.schema.conversation import Conversation, Item, Label, Message
from convsim.shoppers.policies.points import find_points

BOOT = Item(id="b", title="boot")


def user(text: str, **more: object) -> Message:
    return Message.model_validate({"role": "user", "content": text, **more})


def agent(text: str, *items: Item) -> Message:
    return Message(role="assistant", content=text, items=items)


def talk(*messages: Message, **more: object) -> Conversation:
    return Conversation.model_validate({"id": "c", "messages": messages, **more})


def moves(*conversations: Conversation, infer: bool = False) -> list[tuple[int, str]]:
    found = find_points(conversations, language="en", infer_endings=infer)
    return [(point.turn, point.move) for point in found.points]


OPENED = (user("boots please"), agent("this?", BOOT), user("no"), agent("that?", BOOT))


def test_what_a_person_did_after_each_reply_is_told_by_their_actions() -> None:
    accepted = find_points(
        [talk(*OPENED, user("yes", action="accept", accepted=("b",)))], language="en", infer_endings=False
    )
    assert [(p.turn, p.move, p.taken) for p in accepted.points] == [(1, "say", ()), (2, "accept", ("b",))]
    assert moves(talk(*OPENED, user("bye", action="leave"), agent("but"), user("no"))) == [
        (1, "say"),
        (2, "leave"),
    ]


def test_an_ending_tells_the_decision_at_the_end_of_a_log_without_actions() -> None:
    assert moves(talk(*OPENED, ending="accepted")) == [(1, "say"), (2, "accept")]
    assert moves(talk(*OPENED, user("bye"), ending="left")) == [(1, "say"), (2, "leave")]


def test_nobody_decides_before_they_have_spoken_and_messages_in_a_row_are_one_move() -> None:
    messages = (
        agent("hello"),
        user("hi"),
        user("boots"),
        agent("this?"),
        agent("or that?"),
        user("no"),
        user("why?"),
    )
    assert moves(talk(*messages, agent("so?"), ending="left")) == [(1, "say"), (2, "leave")]


@pytest.mark.parametrize(
    ("value", "acts"),
    [
        (["reject", "ask"], ("reject", "ask")),
        ("reject", ("reject",)),
        ({"reject": 3.0, "ask": 2, "chat": 1.0}, ("reject", "ask")),
        ({"reject": "often"}, ()),
        ("  ", ()),
        (["", 7, None], ()),
        (0.5, ()),
        (True, ()),
    ],
)
def test_acts_are_read_from_any_label_that_is_named_as_texts_or_as_votes(
    value: Any, acts: tuple[str, ...]
) -> None:
    labels = {
        "intents": Label(value=value, source="third_party"),
        "acts": Label(value=["other"], source="rules:1"),
    }
    talks = [talk(*OPENED[:2], user("no", labels=labels), OPENED[3], ending="left")]
    found = find_points(talks, language="en", infer_endings=False, acts_label="intents")
    assert (found.points[0].acts, found.labelled) == (acts, int(bool(acts)))


@pytest.mark.parametrize("ending", ["turn_limit", "agent_ended", "agent_failed", "shopper_failed", "unknown"])
def test_a_conversation_that_was_cut_short_goes_on_as_far_as_it_is_known(ending: str) -> None:
    whole = talk(*OPENED, ending="left", id="whole")
    found = find_points([talk(*OPENED, ending=ending), whole], language="en", infer_endings=False)
    assert [p.move for p in found.points if p.seen.id == "c"] == ["say"]
    assert found.censored == 1


def test_what_comes_after_a_point_is_not_in_what_was_seen_and_neither_are_labels_or_the_ending() -> None:
    label = {"acts": Label(value=["reject"], source="rules:1")}
    (first, last) = find_points(
        [talk(OPENED[0], OPENED[1], user("no", labels=label), OPENED[3], ending="left", user="u")],
        language="en",
        infer_endings=False,
    ).points
    assert [m.content for m in first.seen.messages] == ["boots please", "this?"]
    assert (last.seen.ending, last.seen.messages[2].labels) == ("unknown", {})
    assert (first.acts, last.acts, first.unit) == (("reject",), (), "user u")


def test_logs_that_tell_no_decision_are_refused_unless_endings_are_to_be_read() -> None:
    with pytest.raises(InputError, match=r"record no decision.*--infer-endings"):
        moves(talk(*OPENED))
    assert moves(talk(*OPENED, user("i'll take it")), infer=True) == [(1, "say"), (2, "accept")]


def test_a_read_ending_was_decided_where_it_was_said_and_not_at_the_end_of_the_log() -> None:
    thanked = talk(*OPENED, user("i'll take it"), agent("Good."), user("thanks"), agent("Bye."))
    assert moves(thanked, infer=True) == [(1, "say"), (2, "accept")]
    assert moves(talk(*OPENED, user("thanks"), agent("Bye.")), infer=True) == [
        (1, "say"),
        (2, "say"),
        (3, "end"),
    ]


def read(conversations: Sequence[Conversation]) -> str:
    return str(find_points(conversations, language="en", infer_endings=True).read)


def test_the_error_of_read_endings_is_told_by_conversations_that_state_theirs() -> None:
    silent = talk(*OPENED, user("i'll take it"))
    stated = [
        talk(*OPENED, user("i'll take it"), id=f"c{n}", ending="left" if n < 3 else "accepted")
        for n in range(20)
    ]
    assert "their error is unknown: 1 conversations" in read([silent, stated[0]])
    assert read([silent, *stated]).endswith(
        "of 20 conversations that state their ending it is told of 20, and wrong of 3"
    )


def test_endings_are_not_read_in_a_language_without_phrases() -> None:
    with pytest.raises(InputError, match="no phrases of taking or giving up in eo"):
        find_points([talk(*OPENED)], language="eo", infer_endings=True)
