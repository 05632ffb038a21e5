"""What is independent of what: users, personas, conversations."""

import pytest

from convsim.schema.conversation import Conversation
from convsim.schema.persona import Persona
from convsim.schema.units import independent_unit
from tests.corpora import corpus

FREE = Persona(id="p1", need="a coat")
DRAWN = Persona(id="p2", need="a coat", metadata={"drawn_from_user": "ann"})


def held(name: str, *, user: str | None = None, persona: Persona | None = None) -> Conversation:
    return Conversation(id=name, user=user, persona=persona, messages=())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (held("a", user="ann"), held("b", user="ann")),
        (held("a", persona=FREE), held("b", persona=FREE.but(need="a hat"))),
        (held("a", persona=DRAWN), held("b", persona=FREE.but(metadata={"drawn_from_user": "ann"}))),
        (held("a", user="ann"), held("b", persona=DRAWN)),
        (held("a", user="ann", persona=FREE), held("b", user="ann", persona=DRAWN)),
    ],
    ids=["one user", "one persona", "personas of one user", "a user and her persona", "the user comes first"],
)
def test_conversations_of_one_user_or_one_persona_are_one_unit(first, second):
    assert independent_unit(first) == independent_unit(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (held("a"), held("b")),
        (held("a", user="ann"), held("b", user="bob")),
        (held("a", persona=FREE), held("b", persona=FREE.but(id="p3"))),
        (held("x", user="x"), held("x")),
        (held("a", user="p1"), held("a", persona=FREE)),
        (held("a", user="ann", persona=FREE), held("b", user="bob", persona=FREE)),
    ],
    ids=["two", "two users", "two personas", "user and id", "user and persona", "two users, one persona"],
)
def test_others_are_not_even_where_a_user_a_persona_and_a_conversation_have_one_name(first, second):
    assert independent_unit(first) != independent_unit(second)


def test_a_corpus_names_the_independent_units():
    side = corpus({"x": [0.0] * 4}, personas=[None, FREE, DRAWN, FREE], users=[None, None, None, "bob"])
    assert side.units.tolist() == ["conversation c0", "persona p1", "user ann", "user bob"]
