import pytest

from convsim.errors import InputError
from convsim.evaluation.guards import drop_failures, find_overlap, mix_warnings
from convsim.schema.conversation import Conversation


def conversation(number: int, **more) -> Conversation:
    message = {"role": "user", "content": f"boots number {number}"}
    return Conversation.model_validate({"id": f"c{number}", "messages": [message], **more})


def failed(number: int) -> Conversation:
    return conversation(number, failure="down", ending="agent_failed")


def test_failures_within_five_per_cent_are_left_out_with_a_warning():
    kept, warning = drop_failures(
        [failed(0), *map(conversation, range(1, 20))], side="simulated", allow_failures=False
    )
    assert len(kept) == 19
    assert warning == "1 of 20 simulated conversations failed (most often: down); they are left out"


def test_more_failures_are_refused_and_none_left_is_refused_even_when_allowed():
    with pytest.raises(InputError, match="2 of 20 simulated"):
        drop_failures(
            [failed(0), failed(1), *map(conversation, range(2, 20))], side="simulated", allow_failures=False
        )
    with pytest.raises(InputError, match="no conversation is left"):
        drop_failures([failed(0)], side="simulated", allow_failures=True)


def test_no_overlap_between_different_conversations():
    overlap = find_overlap([conversation(1)], [conversation(2)], hashes=("a", "b"))
    assert overlap.reason is None


def test_what_a_shopper_learned_from_is_found_by_fingerprint_and_by_file():
    real = [conversation(n) for n in range(5)]
    by_fingerprint = conversation(9, learned_from={"file": "other", "conversations": [real[2].fingerprint]})
    by_file = conversation(8, learned_from={"file": "a"})
    elsewhere = conversation(7, learned_from={"file": "a", "conversations": ["f" * 16]})
    assert find_overlap(real, [by_fingerprint, by_file, elsewhere], hashes=("a", None)).n_learned == 2


def test_renamed_copies_of_real_conversations_are_found_and_a_chance_match_is_not():
    real = [conversation(n) for n in range(30)]
    copies = [each.but(id=f"s{each.id}") for each in real]
    assert (
        "30 simulated conversations are copies of real ones"
        in find_overlap(real, copies, hashes=("a", "b")).reason
    )
    chance = [copies[0], *(conversation(n + 100) for n in range(29))]
    assert find_overlap(real, chance, hashes=("a", "b")).reason is None


def test_a_different_mix_of_tasks_is_a_warning_and_the_same_mix_is_not():
    real = [conversation(n, task="ab"[n % 2]) for n in range(100)]
    alike = [conversation(n, task="ba"[n % 2]) for n in range(100)]
    lopsided = [conversation(n, task="a") for n in range(100)]
    assert mix_warnings(real, alike) == []
    [warning] = mix_warnings(real, lopsided)
    assert "a 50%/100%, b 50%/0%" in warning
