"""Beyond ``max_exact`` texts a side humanlikeness hashes words and streams; up to it nothing changes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from convsim.schema import Corpus, Finding
from convsim_validators import HumanLikeness
from convsim_validators.humanlikeness.features import first_words, words
from tests.corpora import corpus

N = 80
COMMON = [f"w{number}" for number in range(40)]


def side(seed: int, tell: float) -> Corpus:
    rng = np.random.default_rng(seed)
    said = [
        " ".join([*rng.choice(COMMON, size=6), *(["certainly"] if rng.random() < tell else [])])
        for _ in range(N)
    ]
    return corpus({}, texts=said, prefix=f"s{seed}-")


REAL, ALIKE, APART = side(1, 0.2), side(2, 0.2), side(3, 0.9)


@cache
def validated(name: str, most: int) -> tuple[Finding, ...]:
    simulated = {"alike": ALIKE, "apart": APART}[name]
    return tuple(HumanLikeness(n_resamples=199, max_exact=most).validate(REAL, simulated, seed=1))


def test_up_to_the_limit_words_are_not_hashed() -> None:
    texts = [*REAL.user_texts, *APART.user_texts]
    for view in (words, first_words):
        known, limited = (view(texts, N, np.arange(2 * N), max_exact=most) for most in (10**9, N))
        assert (known.features != limited.features).nnz == 0
        assert [*known.names] == [*limited.names]
        assert known.detail == limited.detail
    assert all("n_hash_columns" not in found.details for found in validated("apart", N))


def test_beyond_it_the_same_is_found_and_the_number_of_columns_is_said() -> None:
    for name in ("alike", "apart"):
        exact, hashed = validated(name, N), validated(name, N - 1)
        for known, found in zip(exact, hashed, strict=True):
            assert (found.metric, found.verdict) == (known.metric, known.verdict)
            assert abs((found.estimate or 0) - (known.estimate or 0)) < 0.05
        assert hashed[0].details["n_hash_columns"] == 1 << 18
        assert "n_hash_columns" not in hashed[2].details  # habits have no words


def test_beyond_it_giveaways_are_named_and_the_largest_difference_is_told() -> None:
    hls = validated("apart", N - 1)[0]
    assert hls.verdict == "different"
    assert "“certainly” in" in hls.reason
    assert hls.details["tells"]["simulated"][0]["feature"] == "certainly"  # type: ignore[call-overload]


def test_beyond_it_simulators_are_compared_by_hashed_words_too() -> None:
    exact, hashed = (
        HumanLikeness(n_resamples=19, max_exact=most).compare(REAL, {"alike": ALIKE, "apart": APART}, seed=1)
        for most in (N, N - 1)
    )
    for known, found in zip(exact, hashed, strict=True):
        assert (found.metric, found.simulator, found.against) == (
            known.metric,
            known.simulator,
            known.against,
        )
        assert abs((found.estimate or 0) - (known.estimate or 0)) < 0.1


@pytest.mark.parametrize("most", [1, 10**9])
@pytest.mark.parametrize("said", ["", "?!", "{side}x{user}"])
def test_where_no_word_is_shared_by_two_users_nothing_is_found_for_that_reason(said: str, most: int) -> None:
    """Also where a user says again and again what nobody else says."""
    sides = [
        corpus(
            {},
            texts=[said.format(side=side, user=number // 3) for number in range(90)],
            users=[f"{side}{number // 3}" for number in range(90)],
            prefix=side,
        )
        for side in "rs"
    ]
    found = HumanLikeness(n_resamples=19, max_exact=most).validate(*sides, seed=1)
    assert [each.verdict for each in found] == ["undecided"] * 3
    assert "there is nothing to learn from" in found[0].reason
