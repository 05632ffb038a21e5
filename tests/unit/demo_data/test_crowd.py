"""Crowds of stand-in people: as many as asked for, other people by another seed, with endings, in a file."""

from collections import Counter

from convsim.io import read
from tests.demo_data.crowd import crowd, main


def test_a_crowd_has_as_many_people_as_asked_for_in_all_tasks():
    people = crowd(40, seed=1)
    assert len({c.user for c in people}) == 40
    assert set(Counter(c.task for c in people).values()) == {10}
    assert Counter(c.arm for c in people) == {"good": 32, "bad": 8}
    assert all(c.simulator is None for c in people)


def test_endings_are_known_and_who_accepted_says_what():
    for c in crowd(40, seed=1):
        assert c.ending in ("accepted", "left", "turn_limit")
        assert (c.ending == "accepted") == bool(c.user_messages[-1].accepted)


def test_the_seed_alone_moves_the_draws():
    assert crowd(20, seed=1) == crowd(20, seed=1)
    other = {c.fingerprint for c in crowd(20, seed=2)}
    assert not other & {c.fingerprint for c in crowd(20, seed=1)}


def test_the_command_writes_what_convsim_reads(tmp_path, capsys):
    file = tmp_path / "people.jsonl"
    assert main(["12", "--out", str(file), "--seed", "3"]) == 0
    assert [*read(file).conversations] == crowd(12, seed=3)
    assert "wrote 12 stand-in people with seed 3" in capsys.readouterr().err
