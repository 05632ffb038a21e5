"""What raters see: alike on both sides, cut, and without anything that turns or hides text."""

import pytest

from convsim._text import readable
from convsim.schema.conversation import Conversation, Fault, Item, Label, Message
from convsim.web.blind_test import prepare
from convsim.web.blind_test.rendering import (
    MAX_CONVERSATION_CHARACTERS,
    MAX_MESSAGE_CHARACTERS,
    Shelf,
    show,
)
from tests.unit.web.blind_test.studies import conversation, side, transcripts

ALL = Shelf(items=True, prices=True)


def test_nothing_that_names_a_side_is_shown() -> None:
    secret = conversation("id-secret", simulator="sim-secret", task="task-secret").but(
        agent="agent-secret", arm="arm-secret", user="user-secret", ending="left", source="source-secret",
        labels={"satisfaction": Label(value="label-secret", source="self")},
        messages=(
            Message(role="system", content="system-secret"),
            Message(role="user", content="hello", action="leave", accepted=("accepted-secret",)),
            Message(
                role="assistant", content="hi", items=(Item(id="item-secret", title="Boot"),),
                faults=(Fault(name="fault-secret", severity=1.0, acted=True),),
            ),
        ),
    )  # fmt: skip
    assert "secret" not in show(secret, ALL).model_dump_json()


def test_five_megabytes_are_cut_and_the_cut_is_marked() -> None:
    shown = show(Conversation(id="c", messages=(Message(role="user", content="word " * 1_000_000),)), ALL)
    assert shown.said[0].text.startswith("word word ")
    assert MAX_MESSAGE_CHARACTERS - 5 <= len(shown.said[0].text) <= MAX_MESSAGE_CHARACTERS
    assert shown.said[0].cut


def test_a_conversation_of_many_messages_is_cut() -> None:
    long = Conversation(id="c", messages=tuple(Message(role="user", content="x" * 3000) for _ in range(200)))
    shown = show(long, ALL)
    assert sum(len(said.text) for said in shown.said) <= MAX_CONVERSATION_CHARACTERS
    assert shown.n_cut == 200 - len(shown.said)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\x00b\x1b[31mc\x07", "a�b�[31mc�"),
        ("abc\u202egpj.exe", "abc�gpj.exe"),
        ("\u2066x\u2069", "�x�"),
        ("\ufeffx\ud800", "�x�"),
        ("👩\u200d👩\u200d👧 می\u200cخواهم", "👩\u200d👩\u200d👧 می\u200cخواهم"),
        ("one\r\ntwo\tthree", "one\ntwo\tthree"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_control_characters_are_neutralised_and_scripts_of_the_world_are_kept(text: str, seen: str) -> None:
    assert readable(text) == seen


def test_words_are_counted_without_white_space_and_of_the_user_alone() -> None:
    shown = show(conversation("ann"), ALL)
    assert shown.said[0].pieces()[:3] == [(0, "i"), (None, " "), (1, "want")]
    assert shown.word(0, 4) == "ann"
    assert shown.word(0, 5) is None
    assert shown.word(1, 0) is None
    assert shown.word(-1, 0) is None


def test_prices_that_one_side_lacks_are_shown_on_neither() -> None:
    bare = Message(role="assistant", content="Here.", items=(Item(id="b1", title="A boot"),))
    without = [c.but(messages=(c.messages[0], bare)) for c in side("x", 10, simulator="bot").conversations]
    made = prepare(side("human", 10), [transcripts("x", without)], mode="pair", n=10, seed=0)
    assert {item for c in made.conversations for said in c.shown.said for item in said.items} == {"A boot"}
    assert any("prices are not shown" in warning for warning in made.warnings)


def test_items_that_one_side_lacks_are_shown_on_neither() -> None:
    bare = Message(role="assistant", content="Here.")
    without = [c.but(messages=(c.messages[0], bare)) for c in side("x", 10, simulator="bot").conversations]
    made = prepare(side("human", 10), [transcripts("x", without)], mode="pair", n=10, seed=0)
    assert not any(said.items for c in made.conversations for said in c.shown.said)
    assert any("items are not shown" in warning for warning in made.warnings)
