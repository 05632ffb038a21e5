"""Habits that do not belong together, and users who do not stay one person."""

import re
from collections import Counter

from convsim.evaluation.adversaries import ADVERSARIES
from convsim.metrics import measure
from convsim.schema.conversation import Conversation, Message


def made(name: str, people: list[Conversation]) -> list[Conversation]:
    return ADVERSARIES[name].simulate(people, seed=5)


def texts(conversation: Conversation) -> list[str]:
    return [m.content for m in conversation.user_messages]


def test_tasks_are_dealt_out_anew_and_nothing_else_changes(people):
    crowd = made("tasks_permuted", people)
    assert Counter(c.task for c in crowd) == Counter(c.task for c in people)
    assert [c.fingerprint for c in crowd] == [c.fingerprint for c in people]
    assert sum(a.task != b.task for a, b in zip(crowd, people, strict=True)) > 30


def test_moved_question_marks_leave_every_habit_as_it_was_and_turn_the_correlation_around(people):
    names = ["user_questions", "user_no_final_punctuation", "user_words_per_turn", "turns"]
    before, after = (
        measure(side, metrics=names).table for side in (people, made("terse_people_ask", people))
    )
    for name in names:
        assert sorted(before[name].dropna().round(9)) == sorted(after[name].dropna().round(9))
    held = [
        table["user_words_per_turn"].corr(table["user_questions"], method="spearman")
        for table in (before, after)
    ]
    assert held[1] < held[0] - 0.2


def test_even_messages_have_the_same_words_in_as_many_messages(people):
    for one, person in zip(made("even_messages", people), people, strict=True):
        assert " ".join(texts(one)).split() == " ".join(texts(person)).split()
        lengths = [len(text.split()) for text in texts(one)]
        assert max(lengths) - min(lengths) <= 1


def test_numbers_alone_are_redrawn_with_as_many_digits(people):
    changed = 0
    for one, person in zip(made("numbers_redrawn", people), people, strict=True):
        for a, b in zip(texts(one), texts(person), strict=True):
            assert re.sub(r"\d", "#", a) == re.sub(r"\d", "#", b)
            changed += a != b
    assert changed > 10


def turns(name: str, *said: str) -> Conversation:
    roles = ("user", "assistant")
    return Conversation(
        id=name,
        task="t",
        messages=tuple(Message(role=roles[n % 2], content=text) for n, text in enumerate(said)),
    )


def test_a_spliced_conversation_goes_on_as_somebody_else_of_the_same_length():
    pair = [turns("a", *[f"a{n}" for n in range(8)]), turns("b", *[f"b{n}" for n in range(8)])]
    half = [[m.content[0] for m in c.messages] for c in made("two_people_spliced", pair)]
    assert sorted(map("".join, half)) == ["aaaabbbb", "bbbbaaaa"]
    first = [[m.content[0] for m in c.messages] for c in made("another_need_after_the_first_message", pair)]
    assert sorted(map("".join, first)) == ["aabbbbbb", "bbaaaaaa"]


def test_splicing_keeps_what_is_said_in_all(people):
    for name in ("two_people_spliced", "another_need_after_the_first_message"):
        crowd = made(name, people)
        said = [Counter(m.content for c in side for m in c.messages) for side in (crowd, people)]
        assert said[0] == said[1]
        assert [len(c.messages) for c in crowd] == [len(c.messages) for c in people]


def test_the_need_is_repeated_before_every_later_message(people):
    for one, person in zip(made("repeats_the_need_each_turn", people), people, strict=True):
        first, *later = texts(person)
        assert texts(one) == [first, *(f"{first} {text}".strip() for text in later)]
