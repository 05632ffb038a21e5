"""The log-rank test against SciPy's and by hand, curves with everybody at risk by hand, their errors against draws."""

import numpy as np
import pytest
from scipy import stats

from convsim.stats.hazards import Curves, LogRank, Stays, by_turn
from convsim.stats.proportions import difference, effective_share, newcombe_limits, proportion


def stays(stayed, ended, unit_of=None, n_turns=None) -> Stays:
    units = np.arange(len(stayed)) if unit_of is None else np.asarray(unit_of)
    return Stays.of(
        units, np.asarray(stayed), np.asarray(ended, bool), n_units=int(units.max()) + 1,
        n_turns=n_turns or int(max(stayed)),
    )  # fmt: skip


def drawn(rng, n: int, hazard: float) -> tuple[np.ndarray, np.ndarray]:
    until, cut = rng.geometric(hazard, n), rng.geometric(0.1, n)
    return np.minimum(until, cut), until <= cut


def test_turns_at_risk_and_endings_are_counted_by_unit():
    found = stays([2, 1, 3], [True, False, True], unit_of=[0, 0, 1])
    assert found.at_risk.tolist() == [[2, 1, 0], [1, 1, 1]]
    assert found.events.tolist() == [[0, 1, 0], [0, 0, 1]]
    nobody = stays([0, 1], [False, True])
    assert nobody.at_risk.tolist() == [[0], [1]]


@pytest.mark.parametrize("seed", range(4))
def test_the_statistic_is_scipys_but_for_its_variance(seed):
    rng = np.random.default_rng(seed)
    sides = [drawn(rng, 700, 0.2), drawn(rng, 500, 0.2 + 0.04 * (seed % 2))]
    data = [stats.CensoredData.right_censored(time, ~ended) for time, ended in sides]
    expected = stats.logrank(data[0], data[1]).statistic
    together = stays(*(np.concatenate(parts) for parts in zip(*sides, strict=True)))
    dealt = (np.arange(1200) < 700).astype(np.float32)[:, None]
    # SciPy's variance is that of the hypergeometric distribution, ours that between conversations.
    assert LogRank.of(together, dealt).process[-1, 0] == pytest.approx(expected, rel=0.06, abs=0.05)


def test_the_score_by_hand():
    # Turn 1: of 4 at risk 2 are real, and 1 of these ends: 1 - 2 / 4. Turn 2: of 3 one is real and ends, and one other.
    found = stays([1, 2, 2, 2], [True, True, True, False])
    dealt = np.array([1, 1, 0, 0], np.float32)[:, None]
    assert found.beyond_expected.sum(axis=0) == pytest.approx([0, 0])
    assert (found.beyond_expected.T @ dealt).ravel() == pytest.approx([1 - 2 / 4, 1 - 2 / 3])
    # What each adds to the sum, the share of real ones at risk being 1/2 and 1/3.
    beyond = np.array([[3 / 4, 0], [-1 / 4, 1 / 3], [-1 / 4, 1 / 3], [-1 / 4, -2 / 3]])
    assert found.beyond_expected == pytest.approx(beyond)
    real = np.array([1, 1, 0, 0])
    added = ((real[:, None] - np.array([1 / 2, 1 / 3])) * beyond).sum(axis=1)
    process = LogRank.of(found, dealt).process.ravel()
    assert process == pytest.approx(np.array([0.5, 0.5 + 1 / 3]) / np.sqrt((added**2).sum()))
    # One turn alone: the variance of a hazard of 1/4 among 2 against 2.
    alone = by_turn(found, dealt).ravel()
    assert alone[0] == pytest.approx(0.5 / np.sqrt(1 / 4 * 3 / 4 * (2 * 1 / 4 + 2 * 1 / 4)))


def test_a_user_with_the_same_conversation_four_times_is_no_more_evidence():
    rng = np.random.default_rng(5)
    time, ended = drawn(rng, 300, 0.2)
    units = np.arange(300)
    dealt = (rng.random(300) < 0.5).astype(np.float32)[:, None]
    once = LogRank.of(stays(time, ended, units), dealt).process
    four = LogRank.of(stays(np.repeat(time, 4), np.repeat(ended, 4), np.repeat(units, 4)), dealt).process
    assert four == pytest.approx(once)
    singly, fourfold = (
        by_turn(stays(np.repeat(time, k), np.repeat(ended, k), np.repeat(units, k)), dealt) for k in (1, 4)
    )
    assert np.abs(fourfold[:5]) == pytest.approx(np.abs(singly[:5]), rel=0.05)


def test_curves_by_hand():
    # Turn 1: of 5 one accepts, one leaves. Turn 2: of 3 one accepts, one is followed no further. Turn 3: one leaves.
    stayed, accepts, leaves = [1, 1, 2, 2, 3], [1, 0, 1, 0, 0], [0, 1, 0, 0, 1]
    ended = stays(stayed, np.asarray(accepts) + np.asarray(leaves))
    accepting, leaving = Curves(ended, stays(stayed, accepts)), Curves(ended, stays(stayed, leaves))
    assert accepting.there == pytest.approx([3 / 5, 2 / 5, 0])
    assert accepting.gone_so == pytest.approx([1 / 5, 1 / 5 + 3 / 5 / 3, 2 / 5])
    assert leaving.gone_so == pytest.approx([1 / 5, 1 / 5, 3 / 5])
    assert accepting.gone_so + leaving.gone_so + accepting.there == pytest.approx([1, 1, 1])


def test_errors_of_curves_are_those_of_users_drawn_anew():
    rng = np.random.default_rng(6)
    time, ended = drawn(rng, 240, 0.25)
    accepts = ended & (rng.random(240) < 0.6)

    def curves(of: np.ndarray) -> Curves:
        rows = np.concatenate([2 * of, 2 * of + 1])
        again = np.concatenate([np.arange(len(of))] * 2)
        return Curves(
            stays(time[rows], ended[rows], again, n_turns=46),
            stays(time[rows], accepts[rows], again, n_turns=46),
        )

    seen = curves(np.arange(120))
    draws = [curves(rng.integers(0, 120, 120)) for _ in range(600)]
    for name in ("there", "gone_so"):
        influence = seen.influence_on_there if name == "there" else seen.influence_on_gone
        spread = np.std([getattr(each, name)[:6] for each in draws], axis=0)
        assert np.sqrt((influence[:, :6] ** 2).sum(axis=0)) == pytest.approx(spread, rel=0.12), name
    n = seen.effective(seen.there, seen.influence_on_there)[:6]
    assert np.all(n <= 240)
    assert np.all(n > 60)


def test_uncensored_proportions_have_the_limits_of_newcombe():
    hits = [np.repeat([True, False], [30, 20]), np.repeat([True, False], [12, 28])]
    shares = [effective_share(side.astype(float), np.ones(len(side))) for side in hits]
    (share_1, n_1), (share_2, n_2) = ((np.asarray(share), np.asarray(n)) for share, n in shares)
    low, high = newcombe_limits(share_1, n_1, share_2, n_2, 1.959963984540054)
    first, second = (proportion(list(side), range(len(side)), unit="-", undefined="") for side in hits)
    assert (float(low), float(high)) == pytest.approx(difference(second, first).interval)
