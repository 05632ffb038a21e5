"""Who says what when, and who leaves when."""

from convsim.evaluation.adversaries import ADVERSARIES
from convsim.evaluation.adversaries.phrases import phrases_for
from convsim.evaluation.adversaries.talk import asks
from convsim.schema.conversation import Conversation, Item, Message


def made(name: str, people: list[Conversation]) -> list[Conversation]:
    return ADVERSARIES[name].simulate(people, seed=5)


def texts(conversation: Conversation) -> list[str]:
    return [m.content for m in conversation.user_messages]


def test_all_is_said_at_once_but_the_last_message(people):
    for one, person in zip(made("says_all_at_once", people), people, strict=True):
        if len(texts(person)) > 2:
            assert texts(one)[0].split() == " ".join(texts(person)[:-1]).split()
        assert texts(one)[-1] == texts(person)[-1]
        assert len(texts(one)) == len(texts(person))


def test_the_end_of_the_first_message_waits_for_a_question():
    def talk(answer: str) -> Conversation:
        said = ("red leather shoes size 9", "Hello.", "well", answer, "yes")
        roles = ("user", "assistant")
        return Conversation(
            id="c", messages=tuple(Message(role=roles[n % 2], content=t) for n, t in enumerate(said))
        )

    assert texts(made("says_nothing_until_asked", [talk("Which?")])[0]) == [
        "red leather",
        "well",
        "shoes size 9 yes",
    ]
    assert texts(made("says_nothing_until_asked", [talk("Here.")])[0]) == ["red leather", "well", "yes"]


def test_only_acknowledging_follows_the_first_message(people):
    acknowledging = set(phrases_for(people).acknowledging)
    for one, person in zip(made("only_acknowledges", people), people, strict=True):
        assert texts(one)[0] == texts(person)[0]
        assert set(texts(one)[1:]) <= acknowledging


def test_half_of_the_messages_begin_with_a_hedge_and_say_what_they_said(people):
    hedges = phrases_for(people).hedging
    before = [text for c in people for text in texts(c)]
    after = [text for c in made("hedges_always", people) for text in texts(c)]
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert 0.3 < len(changed) / len(before) < 0.7
    assert all(any(b == f"{hedge} {a}" for hedge in hedges) for a, b in changed)


def test_the_first_message_names_what_is_shown_last():
    shown = (Item(id="1", title="Durnholt Cinder shorts"), Item(id="2", title="Other"))
    talk = Conversation(
        id="c",
        messages=(
            Message(role="user", content="shorts please"),
            Message(role="assistant", content="Here.", items=shown),
            Message(role="user", content="thanks"),
        ),
    )
    assert texts(made("knows_the_answer", [talk])[0]) == ["shorts please Durnholt Cinder", "thanks"]
    bare = talk.but(
        messages=(talk.messages[0], Message(role="assistant", content="Try our magnificent shorts"))
    )
    assert texts(made("knows_the_answer", [bare])[0]) == ["shorts please magnificent Try"]


def test_non_buyers_alone_stay_three_turns_longer_and_end_as_they_did(people):
    for one, person in zip(made("never_leaves", people), people, strict=True):
        longer = len(texts(one)) - len(texts(person))
        if person.ending == "accepted":
            assert longer == 0
        else:
            assert longer >= 3
            assert one.messages[0] == person.messages[0] or len(texts(person)) == 1
            assert one.messages[-1] == person.messages[-1] or len(texts(person)) == 1
        assert one.ending == person.ending


def test_non_buyers_stay_longer_and_buyers_so_much_shorter_that_the_mean_is_peoples(people):
    crowd = made("non_buyers_stay", people)
    turns = [[sum(1 for _ in c.turns()) for c in side] for side in (crowd, people)]
    assert sum(turns[0]) == sum(turns[1])
    for one, person, after, before in zip(crowd, people, *turns, strict=True):
        assert one.ending == person.ending
        if person.ending == "accepted":
            assert after <= before
            assert one.messages[-1] == person.messages[-1]
        else:
            assert after >= before + 3


def test_a_broken_off_conversation_ends_with_an_open_question(people):
    changed = 0
    for one, person in zip(made("leaves_a_question_open", people), people, strict=True):
        if len(one.messages) != len(person.messages):
            changed += 1
            assert one.messages == person.messages[: len(one.messages)]
            assert asks(one.messages[-1].content)
            assert one.ending == "left"
    assert changed > 30


def test_all_endings_are_one(people):
    crowd = [c for c in made("all_endings_alike", people) if len(texts(c)) > 1]
    assert len({texts(c)[-1] for c in crowd}) == 1
    assert {c.ending for c in crowd} == {"accepted"}
    assert all(
        texts(a)[:-1] == texts(b)[:-1] for a, b in zip(made("all_endings_alike", people), people, strict=True)
    )


def test_a_coin_toss_cuts_a_conversation_after_a_whole_turn(people):
    crowd = made("leaves_after_a_coin_toss", people)
    for one, person in zip(crowd, people, strict=True):
        assert one.messages == person.messages[: len(one.messages)]
        assert len(texts(one)) >= 1
        assert one.ending == ("left" if len(one.messages) < len(person.messages) else person.ending)
    assert sum(len(texts(c)) == 1 for c in crowd) >= 10
