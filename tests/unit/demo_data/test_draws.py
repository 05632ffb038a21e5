"""Seeded draws: fixed by their seed and name, and as likely as they say."""

from __future__ import annotations

from collections import Counter

from tests.demo_data.draws import Draws


def test_a_stream_is_fixed_by_seed_and_name() -> None:
    first, again, other = Draws(1, "a"), Draws(1, "a"), Draws(1, "b")
    drawn = [first.unit() for _ in range(5)]
    assert drawn == [again.unit() for _ in range(5)]
    assert drawn != [other.unit() for _ in range(5)]


def test_weights_are_kept() -> None:
    draws = Draws(2, "weights")
    counts = Counter(draws.weighted({"a": 3, "b": 1, "never": 0}) for _ in range(4000))
    assert counts["never"] == 0
    assert abs(counts["a"] / 4000 - 0.75) < 0.03


def test_some_options_differ_and_never_exceed_what_is_there() -> None:
    draws = Draws(3, "some")
    assert sorted(draws.some("abc", 5)) == ["a", "b", "c"]
    assert all(len(set(draws.some("abcdef", 4))) == 4 for _ in range(100))


def test_noise_is_centered_between_minus_one_and_one() -> None:
    draws = Draws(4, "noise")
    values = [draws.noise() for _ in range(4000)]
    assert -1 <= min(values) < -0.9
    assert 0.9 < max(values) < 1
    assert abs(sum(values) / len(values)) < 0.03
