"""A headline that is undecided says how much more would decide it, and of which side."""

import numpy as np
import pytest
from scipy.stats import norm

from convsim.schema import Needs
from convsim_validators import Copies, HumanLikeness
from tests.made_up_talk import one_word, side, swapped, talk


def words(real, simulated):
    return HumanLikeness(n_resamples=99).validate(real, simulated, seed=1)[0]


def test_words_of_few_people_need_more_of_them_and_say_so():
    rng = np.random.default_rng(3)
    found = words(side(talk(rng, 40), "r"), side(talk(rng, 40), "s"))
    needs = found.details["needs"]
    assert (found.verdict, needs["side"]) == ("undecided", "people")
    assert f"about {needs['more']} more people would show it" in found.reason
    # Of the AUC: the error that its interval states shrinks with the inverse sizes, ten simulated for one of people.
    error = (found.details["equivalence_upper"] - found.details["auc"]) / 1.645
    real, simulated = (found.details["n_to_decide"][name] for name in ("real", "simulated"))
    assert (real, simulated) == (40 + needs["more"], 10 * (40 + needs["more"]))

    def power(n):
        return norm.cdf(0.1 / (error * ((1 / n + 1 / (10 * n)) / (2 / 40)) ** 0.5) - 1.645) - 0.025

    assert power(real) >= 0.8 - 1e-3
    assert power(0.9 * real) < 0.8


def test_a_classifier_that_takes_copies_for_people_is_no_pass_and_no_lack_of_data():
    rng = np.random.default_rng(3)
    said = talk(rng, 40)
    found = words(side(said, "r"), side(swapped(rng, said, one_word(rng)), "s"))
    assert found.details["auc_interval"][1] < 0.5
    assert found.verdict == "undecided"
    assert "is below 0.5" in found.reason
    assert "needs" not in found.details


@pytest.mark.parametrize(
    ("n_people", "n_simulated", "margin", "lacking"),
    [(60, 15, 0.01, "simulated"), (15, 150, 0.005, "people")],
)
def test_diversity_needs_simulated_conversations_until_only_people_would_help(
    n_people, n_simulated, margin, lacking
):
    rng = np.random.default_rng(5)
    found = [
        Copies(n_resamples=99, diversity_margin=margin).validate(
            side(talk(rng, n_people), "r"), side(talk(rng, n_simulated), "s"), seed=1
        )[1]
        for _ in range(6)
    ]
    undecided = [each for each in found if each.verdict == "undecided"]
    assert {each.metric for each in undecided} == {"diversity"}
    assert {Needs.model_validate(each.details["needs"]).side for each in undecided} == {lacking}
