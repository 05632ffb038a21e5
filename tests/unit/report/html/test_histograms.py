import numpy as np

from convsim.report.html.figures.distributions import histograms


def test_few_whole_numbers_get_a_bar_each():
    people, simulated, edges = histograms(np.array([1.0, 1, 2, 4]), np.array([4.0, 4]))
    assert edges.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert people.tolist() == [0.5, 0.25, 0, 0.25]
    assert simulated.tolist() == [0, 0, 0, 1]


def test_what_lies_far_out_is_in_the_last_bin_and_not_lost():
    people, simulated, _ = histograms(np.linspace(0, 1, 400), np.array([0.5, 1e6]))
    assert people.sum() == 1
    assert simulated.sum() == 1
    assert simulated[-1] == 0.5


def test_values_that_are_all_alike_still_have_a_scale():
    people, _, edges = histograms(np.full(5, 0.25), np.full(5, 0.25))
    assert people.sum() == 1
    assert (np.diff(edges) > 0).all()
