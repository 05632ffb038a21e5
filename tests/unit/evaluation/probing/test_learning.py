"""No shopper is asked about whom it learned from."""

import pytest

from convsim.errors import InputError
from convsim.evaluation.probing.learning import find_learners
from convsim.schema.conversation import LearnedFrom
from convsim.shoppers import Resample
from tests.doubles import Told, say
from tests.unit.shoppers.logs import logged

LOGS = [logged(f"c{n}", f"rain boots {n}", f"cheaper {n}", by=f"u{n // 2}") for n in range(20)]


def resampled(conversations):
    return Resample(conversations), True


def learners(make, **more):
    given = {"learned": None, "sha256": None, "allow_overlap": False, "seed": 1, **more}
    return find_learners(make, LOGS, **given)


def test_who_learns_from_the_log_itself_is_made_anew_for_each_fifth_of_the_people():
    found = learners(resampled)
    assert set(found.by_conversation) == {c.id for c in LOGS}
    assert len(found.shoppers) == 5
    users = {c.fingerprint: c.user for c in LOGS}
    for conversation in LOGS:
        learned = found.by_conversation[conversation.id].learned_from.conversations
        assert conversation.user not in {users[fingerprint] for fingerprint in learned}
    assert "for each person from those of other people alone (5 parts)" in found.said


def test_conversations_of_the_same_words_are_in_one_part():
    twins = [logged(f"t{n}", "the very same boots", by=f"twin{n}") for n in range(6)]
    found = find_learners(resampled, [*LOGS, *twins], learned=None, sha256=None, allow_overlap=False, seed=1)
    assert len({id(found.by_conversation[twin.id]) for twin in twins}) == 1


def test_the_parts_are_a_matter_of_the_seed():
    def parts(seed):
        found = learners(resampled, seed=seed)
        number = {id(each): place for place, each in enumerate(found.shoppers)}
        return [number[id(found.by_conversation[c.id])] for c in LOGS]

    assert parts(1) == parts(1)
    assert parts(1) != parts(2)


def test_of_a_trained_shopper_what_it_learned_from_is_left_out_with_its_users():
    trained = Told(lambda turn: say(), learned_from=LearnedFrom.of(LOGS[:7], sha256=None))
    found = learners(lambda conversations: (trained, False))
    # c6 was learned from, so c7, of the same user, is left out too.
    assert set(found.by_conversation) == {f"c{n}" for n in range(8, 20)}
    everybody = learners(lambda conversations: (trained, False), allow_overlap=True)
    assert len(everybody.by_conversation) == 20


def test_users_of_the_file_that_is_learned_from_are_left_out():
    others = [logged("x", "other words", by="u3")]
    found = learners(resampled, learned=others)
    assert "c6" not in found.by_conversation
    assert "c7" not in found.by_conversation
    assert len(found.by_conversation) == 18


def test_nobody_left_is_refused():
    trained = Told(lambda turn: say(), learned_from=LearnedFrom(file="f" * 64))
    with pytest.raises(InputError, match="told learned from all of these people"):
        learners(lambda conversations: (trained, False), sha256="f" * 64)
    one = [logged(f"c{n}", f"boots {n}", by="u") for n in range(4)]
    with pytest.raises(InputError, match="there is one person alone"):
        find_learners(resampled, one, learned=None, sha256=None, allow_overlap=False, seed=1)


def test_what_was_learned_before_is_held_against_who_is_made_anew_too():
    """Such as the policy of a shopper whose words are learned from the log itself."""
    policy = LearnedFrom.of(LOGS[:7], sha256=None)

    def both(conversations):
        words = Resample(conversations).learned_from
        return Told(lambda turn: say(), learned_from=LearnedFrom.joined([policy, words])), True

    found = learners(both)
    assert set(found.by_conversation) == {f"c{n}" for n in range(8, 20)}
    policy = LearnedFrom.of(LOGS, sha256=None)
    with pytest.raises(InputError, match="learned from all of these people"):
        learners(both)
