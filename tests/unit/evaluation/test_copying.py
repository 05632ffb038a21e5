"""What shoppers have from others: titles that nobody showed them, whole sentences of the people they learned from."""

import pytest

from convsim.evaluation.leakage import known_titles, titles_named_early
from convsim.evaluation.memorisation import Learned, memorisation
from convsim.schema.conversation import Conversation, Item, Message
from convsim.schema.persona import Persona
from tests.hanging import ended_if_it_hangs

TITLE = "Trail Runner 3 Boots"
SAID = "I want red boots for my walks"


def user(text: str) -> Message:
    return Message(role="user", content=text)


def agent(text: str, *titles: str) -> Message:
    items = tuple(Item(id=f"i{number}", title=title) for number, title in enumerate(titles))
    return Message(role="assistant", content=text, items=items)


def held(*messages: Message, name: str = "c", **more) -> Conversation:
    return Conversation.model_validate({"id": name, "messages": messages, **more})


def named_early(*messages: Message, titles: tuple[str, ...] = (TITLE,)) -> float | None:
    shop = held(user("hello"), agent("look", *titles), name="shop")
    found = titles_named_early([held(*messages), shop], known_titles([shop]))
    return None if found.estimate is None else found.hits


def test_a_full_title_before_anybody_showed_it_is_a_leak_whatever_its_case_and_punctuation():
    assert named_early(user("do you have the TRAIL runner, 3 boots?"), agent("yes", TITLE)) == 1


def test_a_title_that_was_shown_before_or_that_the_agent_said_is_none():
    assert named_early(user("boots"), agent("these?", TITLE), user("the Trail Runner 3 Boots then")) == 0
    assert named_early(user("boots"), agent("a Trail Runner 3 Boots?"), user("trail runner 3 boots, ok")) == 0


def test_a_title_that_comes_later_or_never_is_one():
    assert (
        named_early(user("boots"), agent("these?", "Other Long Title"), user(TITLE), agent("ok", TITLE)) == 1
    )
    assert named_early(user("boots"), agent("these?"), user(TITLE)) == 1


def test_part_of_a_title_is_none_and_neither_is_a_short_title():
    assert named_early(user("a trail runner 3 please")) == 0
    assert named_early(user("red boots"), titles=("Red Boots", TITLE)) == 0


def test_a_title_inside_another_that_was_shown_is_none():
    titles = ("Acme Trail Runner Boots", "Acme Trail Runner", "Trail Runner Boots")
    shown = agent("these?", titles[0])
    for said in titles:
        assert named_early(user("boots"), shown, user(f"the {said} please"), titles=titles) == 0
    assert named_early(user("boots"), agent("these?", titles[1]), user(titles[0]), titles=titles) == 1


def test_titles_that_begin_alike_and_long_messages_are_searched_without_going_back():
    shop = held(agent("look", *(f"a a a {'a ' * n}b" for n in range(37))))
    long = held(user("a " * 30_000), agent("?"))
    with ended_if_it_hangs():
        early = titles_named_early([long, shop], known_titles([shop]))
    assert early.hits == 0


def test_conversations_of_one_persona_count_as_one_unit():
    shop = held(user("hello"), agent("look", TITLE), name="shop")
    said = [held(user(f"the {TITLE}"), agent("yes", TITLE), name=f"c{n}") for n in range(6)]
    of_two = [c.but(persona=Persona(id=f"p{n % 2}", need="boots")) for n, c in enumerate(said)]
    learned = Learned.of([[held(user(SAID), name="l")]])
    for conversations, n_units in ((said, 6), (of_two, 2)):
        early = titles_named_early(conversations, known_titles([shop]))
        assert (early.hits, early.n, early.n_units) == (6, 6, n_units)
        again = [c.but(messages=(user(SAID),)) for c in conversations]
        copied = memorisation(again, learned, leave_out_learned=False).messages
        assert (copied.hits, copied.n, copied.n_units) == (6, 6, n_units)


def test_without_items_nothing_is_known():
    found = titles_named_early([held(user(TITLE))], known_titles([held(agent("x", TITLE))]))
    assert (found.estimate, found.reason[:21]) == (None, "no items are recorded")
    short = held(user("red boots"), agent("x", "Red Boots"))
    assert "3 words" in titles_named_early([short], known_titles([short])).reason


def test_people_and_simulators_are_held_to_all_titles_of_both():
    people, simulated = held(user("hi"), agent("x", "A B C")), held(user("a b c"), agent("x", "D E F"))
    assert titles_named_early([simulated], known_titles([people, simulated])).hits == 1


def words_again(*said: str, learned: Learned | None = None, **more):
    source = held(user(SAID), agent("these?"), user("no thank you"), user("not these ones"), name="source")
    known = Learned.of([[source]]) if learned is None else learned
    simulated = held(*(user(text) for text in said), **more)
    return memorisation([simulated], known, leave_out_learned=False)


@pytest.mark.parametrize("text", [SAID, "i want RED boots, for my walks!", f"  {SAID}\n"])
def test_a_message_said_again_is_found_whatever_its_case_punctuation_and_white_space(text):
    assert words_again(text).messages.hits == 1


def test_a_run_of_short_messages_said_as_one_is_found():
    found = words_again("no thank you\nnot these ones").messages
    assert (found.hits, found.n) == (1, 1)


@pytest.mark.parametrize("text", ["I want blue boots for my walks", "I want red boots for my long walks"])
def test_a_message_with_another_word_is_not(text):
    assert words_again(text).messages.hits == 0


def test_messages_under_five_words_are_not_looked_at():
    found = words_again("no thank you").messages
    assert (found.estimate, found.n) == (None, 0)
    assert "at least 5 words" in found.reason


def test_first_messages_are_left_out_of_the_second_share():
    found = words_again(SAID, "and something else of my own")
    assert (found.messages.hits, found.messages.n) == (1, 2)
    assert (found.after_first.hits, found.after_first.n) == (0, 1)


@pytest.mark.parametrize("persona", [
    {"id": "p", "need": "anything", "metadata": {"drawn_from": "source"}}, {"id": "p", "need": SAID.upper()},
])  # fmt: skip
def test_personas_that_were_drawn_from_what_was_learned_are_counted(persona):
    assert words_again("hello", persona=persona).n_personas_drawn == 1
    assert words_again("hello", persona={"id": "p", "need": "of my own"}).n_personas_drawn == 0


def test_what_was_not_given_is_undefined_with_its_reason():
    found = memorisation([held(user(SAID))], None, leave_out_learned=False)
    assert found.messages.estimate is None
    assert "--learned" in found.messages.reason


def test_people_who_are_themselves_learned_from_are_left_out_and_others_stay():
    own, other = held(user(SAID), name="own"), held(user(SAID), agent("ok"), name="other")
    known = Learned.of([[own]])
    found = memorisation([own.but(id="copy"), other], known, leave_out_learned=True)
    assert (found.messages.hits, found.messages.n) == (1, 1)
    assert "all its conversations" in memorisation([own], known, leave_out_learned=True).messages.reason


@pytest.mark.parametrize(("learned_from", "missed"), [
    (None, False), ({"conversations": ["f" * 16]}, True), ({"file": "0" * 64}, True),
])  # fmt: skip
def test_what_a_shopper_learned_from_elsewhere_is_noticed(learned_from, missed):
    known = Learned.of([[held(user(SAID))]])
    assert known.misses_some_of([held(user("hi"), learned_from=learned_from)]) is missed
    here = {"conversations": [held(user(SAID)).fingerprint]}
    assert not known.misses_some_of([held(user("hi"), learned_from=here)])
