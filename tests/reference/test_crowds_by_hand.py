"""Statistics of crowds against hand calculations, enumeration, SciPy and eigenvalues."""

from itertools import combinations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import entropy

from convsim.stats.cluster_divergence import divergence
from convsim.stats.crowds import Crowds
from convsim.stats.manifolds import Filled, Space, filled
from convsim.stats.own_units import two_of_each_unit
from convsim.stats.variety import distinct_share, effective_number, mean_of_pairs, twin_share
from convsim.stats.within_units import Repeated


def column(members, n: int) -> np.ndarray:
    side = np.zeros((n, 1), np.float32)
    side[list(members)] = 1
    return side


def crowds_of(people, simulated, n: int) -> Crowds:
    return Crowds(column(people, n), column(simulated, n))


def distances(points, others=None) -> np.ndarray:
    a = np.asarray(points, np.float32)
    b = a if others is None else np.asarray(others, np.float32)
    return np.asarray(np.abs(a[:, None] - b[None, :]))


def test_precision_recall_density_and_coverage_are_those_counted_by_hand():
    people, simulated = [0, 1, 2, 10], [1.5, 11, 30]
    # With k = 1 people reach 1, 1, 1 and 8 far, simulated units 9.5, 9.5 and 19. 1.5 lies within the reach of 1 and 2,
    # 11 within that of 10, and 30 within nobody's; only 0 reaches nobody; everybody is within some simulated reach.
    found = filled(distances(people), distances(simulated), distances(people, simulated), k=1)
    assert found == Filled(precision=2 / 3, recall=1.0, density=1.0, coverage=3 / 4)


def test_coverage_by_neighbours_is_coverage_by_distances_in_any_draw():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(120, 3))
    distance = np.linalg.norm(points[:, None] - points[None], axis=2).astype(np.float32)
    space = Space.of(distance)
    people = (rng.permuted(np.tile(np.arange(120)[:, None] < 50, (1, 6)), axis=0)).astype(np.float32)
    everybody, few = Crowds(people, 1 - people), Crowds(people, (1 - people) * (np.arange(120) < 30)[:, None])
    lonely = crowds_of(range(8), range(8, 16), 120)  # the lists of neighbours do not reach so far
    few = Crowds(few.people[:, :1], few.simulated[:, :1])
    for crowds in (everybody, few, lonely):
        expected = [each.coverage for each in space.filled(crowds)]
        assert space.coverage(crowds) == pytest.approx(expected)


def test_divergences_are_scipys_of_smoothed_shares():
    cluster_of = np.repeat([0, 1, 2, 0, 2], [6, 3, 1, 2, 8])
    found = divergence(cluster_of, 3, crowds_of(range(10), range(10, 20), 20))
    p, q = (np.array(counts) + 1 / 3 for counts in ([6, 3, 1], [2, 0, 8]))
    assert found.forward == pytest.approx(entropy(p, q))
    assert found.backward == pytest.approx(entropy(q, p))


def test_the_effective_number_is_the_vendi_score_of_order_2():
    rng = np.random.default_rng(2)
    rows = rng.random((7, 4))
    kernel = (rows := rows / np.linalg.norm(rows, axis=1, keepdims=True)) @ rows.T
    eigenvalues = np.linalg.eigvalsh(kernel / 7)
    found = effective_number((kernel**2).astype(np.float32), column(range(7), 7), 7)
    assert found == pytest.approx(1 / (eigenvalues**2).sum(), rel=1e-5)


@pytest.mark.parametrize(("groups", "expected"), [([0, 0, 0, 0], 1), ([0, 1, 2, 3], 4), ([0, 0, 1, 1], 2)])
def test_the_effective_number_counts_groups_of_the_same(groups, expected):
    same = (np.array(groups)[:, None] == groups).astype(np.float32)
    assert effective_number(same, column(range(4), 4), 4) == pytest.approx(expected)


def test_the_mean_of_pairs_is_that_of_the_pairs_of_a_side():
    matrix = distances([0, 1, 3, 100])
    assert mean_of_pairs(matrix + np.eye(4, dtype=np.float32), column(range(3), 4)) == pytest.approx(
        (1 + 3 + 2) / 3
    )


def test_distinct_and_twin_shares_are_the_means_over_all_smaller_crowds():
    group = np.array([0, 0, 0, 1, 2, 2, 3])
    same = group[:, None] == group
    np.fill_diagonal(same, val=False)
    crowds = list(combinations(range(7), 3))
    distinct = np.mean([len(set(group[list(chosen)])) / 3 for chosen in crowds])
    twins = np.mean([same[np.ix_(chosen, chosen)].any(axis=1).mean() for chosen in crowds])
    side = column(range(7), 7)
    assert distinct_share(group, side, 3) == pytest.approx(distinct)
    assert twin_share(csr_matrix(same.astype(np.float32)), side, 3) == pytest.approx(twins)


@pytest.mark.parametrize(
    ("values", "unit_of", "expected"),
    [
        # Means 2 and 6 about 4: 16 between; 4 within on 2 degrees of freedom; (16 - 2) / (16 + 2).
        ([1, 3, 5, 7], [0, 0, 1, 1], 14 / 18),
        # 19.2 between, 10 / 3 within, n0 = 5 - 13 / 5 = 2.4.
        ([1, 3, 5, 6, 8], [0, 0, 0, 1, 1], (19.2 - 10 / 3) / (19.2 + 1.4 * 10 / 3)),
        # Who has but one conversation says nothing of what lies within.
        ([1, 3, 5, 7, 100], [0, 0, 1, 1, 2], 14 / 18),
    ],
)
def test_the_intraclass_correlation_is_that_of_an_analysis_of_variance_by_hand(values, unit_of, expected):
    n_units = max(unit_of) + 1
    repeated = Repeated.of(np.array(values, float)[:, None], np.array(unit_of), n_units)
    assert repeated.correlation(np.ones((n_units, 1), np.float32)) == pytest.approx(expected)


def test_four_fifths_tell_the_standard_error_of_a_mean():
    rng = np.random.default_rng(3)
    values = rng.normal(size=200)
    thinned, factor = Crowds.thinned(np.arange(200) < 100, 4000, rng)
    means = values @ thinned.people / thinned.n[0]
    assert factor * means.std(ddof=1) == pytest.approx(values[:100].std(ddof=1) / 10, rel=0.05)


def test_two_conversations_are_taken_of_each_unit_that_has_as_many():
    unit_of = np.array([0, 1, 1, 2, 2, 2, 0, 3])
    rows = two_of_each_unit(unit_of, np.random.default_rng(4))
    assert sorted(unit_of[rows]) == [0, 0, 1, 1, 2, 2]
    assert len(set(rows)) == 6
