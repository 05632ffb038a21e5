import numpy as np
import pytest

from convsim.stats.multiplicity import across_families, max_t


def by_definition(statistics):
    """Step-down max-T, a permutation at a time."""
    z = {name: (x - np.mean(x)) / np.std(x) for name, x in statistics.items()}
    left = sorted(z, key=lambda name: -z[name][0])
    p_values, smallest = {}, 0.0
    while left:
        seen = z[left[0]][0]
        n = sum(max(z[name][b] for name in left) >= seen - 1e-9 for b in range(len(z[left[0]])))
        smallest = max(smallest, n / len(z[left[0]]))
        p_values[left.pop(0)] = smallest
    return p_values


def test_max_t_is_its_definition_counted_permutation_by_permutation():
    rng = np.random.default_rng(4)
    common = rng.normal(size=200)
    statistics = {
        f"m{i}": np.abs(rng.normal(size=200) + common) * 10.0 ** rng.integers(-3, 4) for i in range(7)
    }
    statistics["m0"][0] *= 3
    statistics["m3"][0] *= 2
    assert max_t(statistics) == pytest.approx(by_definition(statistics))


def test_max_t_by_hand():
    # Standardised, a: 1.34, -1.34, -.45, .45; b: 0, 1.41, -1.41, 0. a's 1.34 is reached by itself and b's 1.41: 2/4.
    # b is then asked alone: its 0 is reached by 0, 1.41 and 0, which makes 3/4.
    found = max_t({"a": np.array([3.0, 0, 1, 2]), "b": np.array([1.0, 2, 0, 1])})
    assert found == {"a": 2 / 4, "b": 3 / 4}


def test_of_one_question_max_t_is_its_own_p_value():
    values = np.array([5.0, 1, 2, 6, 5])
    assert max_t({"x": values}) == {"x": 3 / 5}
    assert max_t({}) == {}


def test_one_clear_difference_among_three_hundred_questions_is_shown_with_199_permutations():
    rng = np.random.default_rng(1)
    statistics = {f"m{i}": rng.random(200) for i in range(300)}
    statistics["m7"][0] = 50.0
    assert max_t(statistics)["m7"] == 1 / 200


def test_a_question_that_never_varies_is_no_evidence():
    found = max_t({"constant": np.zeros(100), "clear": np.array([9.0, *np.linspace(0, 1, 99)])})
    assert found["constant"] == 1.0
    assert found["clear"] == 1 / 100


def test_families_of_one_question_are_corrected_by_holm():
    # Holm of .01, .02 and .03: 3 x .01; 2 x .02; .03, but no smaller than the one before.
    found = across_families({"a": [0.02], "b": [0.01], "c": [0.03]})
    assert found == {"a": [pytest.approx(0.04)], "b": [pytest.approx(0.03)], "c": [pytest.approx(0.04)]}


def test_a_family_passes_its_part_on_once_all_of_it_is_rejected_and_not_before():
    assert across_families({"whole": [0.001, 0.002], "other": [0.04]})["other"] == [pytest.approx(0.04)]
    assert across_families({"partly": [0.001, 0.9], "other": [0.04]})["other"] == [pytest.approx(0.08)]


def test_no_corrected_p_value_is_smaller_than_the_stated_one_or_above_one():
    rng = np.random.default_rng(2)
    for _ in range(200):
        stated = {f"f{i}": list(rng.random(rng.integers(0, 5)) ** 3) for i in range(rng.integers(1, 5))}
        found = across_families(stated)
        assert found.keys() == {name for name, values in stated.items() if values}
        for name, values in found.items():
            assert all(p <= q <= 1 for p, q in zip(stated[name], values, strict=True))


@pytest.mark.parametrize("n_true", [1, 3])
def test_whatever_differs_a_question_without_a_difference_is_rejected_in_at_most_five_of_a_hundred(n_true):
    """Three families of two, each family corrected within itself by Bonferroni; in some, the first truly differs."""
    rng = np.random.default_rng(3)
    false = 0
    for _ in range(4000):
        stated = {}
        for family in range(3):
            p_values = rng.random(2)
            if family < n_true - 1:
                p_values[0] = 1e-9
            stated[str(family)] = list(np.minimum(1, 2 * p_values))
        found = across_families(stated)
        null = [found[str(f)][q] for f in range(3) for q in range(2) if not (f < n_true - 1 and q == 0)]
        false += min(null) <= 0.05
    assert false <= 243  # the 99.9 % point of Binomial(4000, .05)
