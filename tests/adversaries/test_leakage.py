"""Users who know the outcome or the arm at once, and are as people in all else."""

from convsim.evaluation.adversaries import ADVERSARIES
from convsim.schema.conversation import Conversation


def made(name: str, people: list[Conversation]) -> list[Conversation]:
    return ADVERSARIES[name].simulate(people, seed=5)


def changed(before: list[Conversation], after: list[Conversation]) -> list[tuple[Conversation, Conversation]]:
    return [(a, b) for a, b in zip(before, after, strict=True) if a.fingerprint != b.fingerprint]


def test_half_of_the_buyers_say_their_last_words_first(people):
    pairs = changed(people, made("buyers_know_it_at_once", people))
    n_accepted = sum(c.ending == "accepted" for c in people)
    assert 0.25 * n_accepted < len(pairs) < 0.75 * n_accepted
    for before, after in pairs:
        assert before.ending == "accepted"
        assert after.user_messages[0].content.endswith(before.user_messages[-1].content)
        assert [m.content for m in after.user_messages[1:]] == [m.content for m in before.user_messages[1:]]


def test_only_users_of_one_arm_deflect_at_once(people):
    pairs = changed(people, made("the_arm_is_known_at_once", people))
    assert pairs
    assert len({before.arm for before, _ in pairs}) == 1
    for before, after in pairs:
        assert after.user_messages[0].content.startswith(before.user_messages[0].content)
        assert after.messages[1:] == before.messages[1:]
