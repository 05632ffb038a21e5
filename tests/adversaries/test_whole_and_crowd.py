"""Copies and crowds: whose conversations they are, how many of each, and that one word alone is another."""

from collections import Counter
from statistics import median

from convsim.evaluation.adversaries import ADVERSARIES
from convsim.evaluation.adversaries.talk import pieces, users_of
from convsim.schema.conversation import Conversation


def texts(conversation: Conversation) -> list[str]:
    return [m.content for m in users_of(conversation)]


def made(name: str, people: list[Conversation]) -> list[Conversation]:
    return ADVERSARIES[name].simulate(people, seed=5)


def n_words_changed(one: Conversation, other: Conversation) -> int:
    pairs = zip(texts(one), texts(other), strict=True)
    words = [zip(pieces(a).parts, pieces(b).parts, strict=True) for a, b in pairs]
    return sum(a != b for each in words for a, b in each)


def test_other_people_are_as_they_were(people):
    assert [c.fingerprint for c in made("other_people", people)] == [c.fingerprint for c in people]


def test_a_copy_has_one_word_replaced_and_the_agent_as_it_was(people):
    for copy, person in zip(made("copies_with_a_word_swapped", people), people, strict=True):
        assert n_words_changed(copy, person) <= 1
        assert [m for m in copy.messages if m.role == "assistant"] == [
            m for m in person.messages if m.role == "assistant"
        ]


def test_a_cut_copy_lacks_one_character_a_message(people):
    for copy, person in zip(made("copies_cut_by_a_character", people), people, strict=True):
        assert texts(copy) == [text[:-1] for text in texts(person)]


def test_a_crowd_of_few_has_each_as_often_as_it_says(people):
    verbatim = made("forty_people_four_times_verbatim", people)
    assert sorted(Counter(c.fingerprint for c in verbatim).values()) == [4] * 15
    assert len(verbatim) == len(people)
    tenfold = made("twenty_people_ten_times", people)
    sources = [_nearest(people, copy).id for copy in tenfold]
    assert sorted(Counter(sources).values()) == [10] * 6


def _nearest(people: list[Conversation], copy: Conversation) -> Conversation:
    """Return whom a copy with one word replaced was made of."""
    sizes = {c.id: [len(pieces(text).parts) for text in texts(c)] for c in (*people, copy)}
    return min((c for c in people if sizes[c.id] == sizes[copy.id]), key=lambda c: n_words_changed(c, copy))


def test_median_people_vary_less_and_about_the_same_middle(people):
    crowd = made("only_median_people", people)
    assert len(crowd) == len(people) // 2
    lengths = [sorted(len(texts(c)) for c in side) for side in (people, crowd)]
    assert lengths[1][-1] < lengths[0][-1]
    assert abs(median(lengths[0]) - median(lengths[1])) <= 1
    assert {c.fingerprint for c in crowd} < {c.fingerprint for c in people}


def test_the_most_common_task_is_left_out(people):
    (task, n), *_ = Counter(c.task for c in people).most_common()
    crowd = made("a_task_left_out", people)
    assert len(crowd) == len(people) - n
    assert task not in {c.task for c in crowd}


def test_long_conversations_are_left_out(people):
    crowd = made("no_long_conversations", people)
    lengths = sorted(len(texts(c)) for c in people)
    assert len(crowd) == 40
    assert sorted(len(texts(c)) for c in crowd) == lengths[:40]


def test_one_persons_words_are_all_of_one(people):
    said = {text for c in made("one_persons_words", people) for text in texts(c)}
    assert [c for c in people if said <= set(texts(c))]


def test_openings_are_one_for_all_or_for_a_fifth(people):
    assert len({c.first_words for c in made("one_opening", people)}) == 1
    some = made("one_opening_for_a_fifth", people)
    assert Counter(c.first_words for c in some).most_common(1)[0][1] >= 12
    changed = [texts(a) != texts(b) for a, b in zip(some, people, strict=True)]
    assert 10 <= sum(changed) <= 12
    assert all(texts(a)[1:] == texts(b)[1:] for a, b in zip(some, people, strict=True))


def test_one_word_is_the_first(people):
    for one, person in zip(made("messages_of_one_word", people), people, strict=True):
        assert texts(one) == ["".join(text.split()[:1]) for text in texts(person)]


def test_bots_are_as_many_as_said_and_keep_the_number_of_messages(people):
    for name, n in (("a_tenth_are_bots", 6), ("a_fifth_are_bots", 12)):
        crowd = made(name, people)
        assert [len(texts(c)) for c in crowd] == [len(texts(c)) for c in people]
        assert sum(texts(a) != texts(b) for a, b in zip(crowd, people, strict=True)) == n


def test_slipped_roles_say_one_line_of_an_agents(people):
    lines = {m.content for c in people for m in c.messages if m.role == "assistant"}
    slipped = made("a_fifth_speak_as_the_agent", people)
    assert sum(bool(lines & set(texts(c))) for c in slipped) == 12
    assert all(texts(a)[0] == texts(b)[0] for a, b in zip(slipped, people, strict=True))
