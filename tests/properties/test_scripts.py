"""What a fine-tuned shopper learns is what it is asked, whatever a conversation looks like."""

from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from convsim.schema.conversation import Conversation, Ending, Item, Message
from convsim.schema.persona import Persona
from convsim.shoppers.finetuned import asked, script
from convsim.shoppers.finetuned.script import possible

N_ITEMS = 2
SOMEBODY = Persona(id="p", need="rain boots")
TEXTS = st.sampled_from(["", " ", "boots", "leave: now", "accept 1:", "say:", "größer\nbitte", "\u200b"])
ITEMS = st.lists(st.sampled_from("abc"), max_size=3, unique=True).map(
    lambda ids: tuple(Item(id=name) for name in ids)
)
USERS = st.builds(
    Message,
    role=st.just("user"),
    content=TEXTS,
    action=st.sampled_from([None, "say", "accept", "leave"]),
    accepted=st.sampled_from([(), ("a",), ("gone",)]),
)
AGENTS = st.builds(
    Message, role=st.sampled_from(["assistant", "assistant", "tool"]), content=TEXTS, items=ITEMS
)
ENDINGS: list[Ending] = ["accepted", "left", "unknown", "turn_limit", "agent_ended"]
CONVERSATIONS = st.builds(
    Conversation,
    id=st.just("c"),
    persona=st.just(SOMEBODY),
    messages=st.lists(USERS | AGENTS, max_size=9).map(tuple),
    ending=st.sampled_from(ENDINGS),
)


def before_each_turn(conversation: Conversation) -> list[Conversation]:
    """The conversation as it stood before each turn of the user's, and as it stood at the end."""
    spoken = [m for m in conversation.messages if m.role in ("user", "assistant")]
    starts, place = [], 0
    for role, run in groupby(spoken, key=lambda message: message.role):
        if role == "user":
            starts.append(place)
        place += len(list(run))
    return [conversation.but(messages=tuple(spoken[:start])) for start in [*starts, place]]


@settings(deadline=None)
@given(CONVERSATIONS)
def test_each_move_that_is_learned_answers_what_would_be_asked_and_was_possible(conversation):
    made = script(conversation, n_items=N_ITEMS)
    stood = {
        len(prompt): (before, prompt)
        for before in before_each_turn(conversation)
        if (prompt := asked(before, SOMEBODY, n_items=N_ITEMS))[-1].role == "user"
    }
    for place, opening in made.openings.items():
        before, prompt = stood[place]
        assert opening in possible(before, n_items=N_ITEMS)
        assert made.messages[:place] == tuple(prompt)
        assert made.messages[place].content.startswith(opening)


@settings(deadline=None)
@given(CONVERSATIONS)
def test_the_sides_take_turns_and_every_answer_opens_with_a_move(conversation):
    made = script(conversation, n_items=N_ITEMS)
    assert [m.role for m in made.messages[:2]] in (["system", "user"], ["system"])
    roles = [message.role for message in made.messages[1:]]
    assert roles == [("user", "assistant")[place % 2] for place in range(len(roles))]
    answers = [place for place, message in enumerate(made.messages) if message.role == "assistant"]
    assert {*made.openings} <= {*answers}
    assert len(answers) == len(made.openings) + made.n_empty or not made.openings


@settings(deadline=None)
@given(CONVERSATIONS)
def test_only_the_last_move_ends(conversation):
    made = script(conversation, n_items=N_ITEMS)
    ends = [place for place, opening in made.openings.items() if opening != "say:"]
    assert ends in ([], [len(made.messages) - 1])
    if conversation.ending in ("turn_limit", "agent_ended"):
        assert not ends
