"""The setting ``alpha`` of validators: one look among several is stricter, in both directions."""

from dataclasses import replace

import numpy as np
import pytest

from convsim.errors import InputError
from convsim.metrics import measure_both
from convsim.schema.conversation import Conversation, Label, Message
from convsim.stats.decision import Evidence, decide
from convsim.stats.sample_size import one_sided_errors
from convsim_validators import Copies, HumanLikeness, Transitions
from tests.made_up_talk import side, talk

FEW = 99
"""Draws; with so few the smallest p-value is .01."""


@pytest.mark.parametrize("kind", [Copies, HumanLikeness, Transitions])
@pytest.mark.parametrize("alpha", [0.0, 0.5, -0.1, "0.05", float("nan")])
def test_an_error_rate_lies_between_0_and_a_half(kind, alpha):
    with pytest.raises(InputError, match="alpha"):
        kind(alpha=alpha)


def test_half_an_interval_in_standard_errors_is_that_of_the_normal_table():
    assert [one_sided_errors(alpha) for alpha in (0.05, 0.025, 0.005)] == [1.645, 1.96, 2.576]


def test_a_difference_is_shown_at_the_error_rate_of_the_look_and_its_interval_is_named():
    shown = Evidence(0.3, 0.4, 0.1, p_adjusted=0.03)
    assert decide(shown).verdict == "different"
    stricter = decide(replace(shown, alpha=0.01))
    assert stricter.verdict == "undecided"
    assert "at most 0.400 (98 % interval)" in stricter.reason
    assert "(90 % interval)" in decide(replace(shown, p_adjusted=0.06)).reason


def acts(prefix: str, n: int, n_polite: int) -> list[Conversation]:
    return [
        Conversation(
            id=f"{prefix}{i}",
            messages=tuple(
                Message(role="user", content=f"{prefix} {i}", labels={"acts": (Label(value=[act], source="rules:1"),)})
                for act in ("inform_preference", *(["thank"] if i < n_polite else []))
            ),
        )
        for i in range(n)
    ]  # fmt: skip


def test_limits_of_equivalence_widen_and_differences_need_a_smaller_p_at_a_stricter_look():
    sides = measure_both(acts("a", 100, 50), acts("b", 100, 50))
    [usual] = Transitions(n_resamples=FEW).validate(*sides, seed=1)
    [strict] = Transitions(n_resamples=FEW, alpha=0.0001).validate(*sides, seed=1)
    assert (usual.verdict, strict.verdict) == ("aligned", "undecided")
    assert usual.estimate == strict.estimate
    apart = measure_both(acts("a", 40, 36), acts("b", 40, 4))
    looks = [Transitions(n_resamples=FEW, alpha=alpha).validate(*apart, seed=1)[0] for alpha in (0.05, 0.005)]
    assert looks[0].p_adjusted == looks[1].p_adjusted == 0.01
    assert [look.verdict for look in looks] == ["different", "undecided"]


def test_diversity_and_human_likeness_are_judged_at_the_error_rate_too():
    rng = np.random.default_rng(3)
    real, alike = side(talk(rng, 40), "r"), side(talk(rng, 40), "s")
    same = side([talk(rng, 1)[0]] * 30 + [*talk(rng, 10)], "s")

    def diversity(simulated, alpha: float):
        found = Copies(n_resamples=FEW, alpha=alpha).validate(real, simulated, seed=1)
        return next(finding for finding in found if finding.metric == "diversity")

    usual, strict = diversity(alike, 0.05), diversity(alike, 0.0001)
    # The limit is the difference and so many standard errors; the reason's interval has 1.96 of them.
    error = (usual.interval[1] - usual.estimate) / 1.96
    assert usual.details["equivalence_upper"] == pytest.approx(usual.estimate + 1.645 * error)
    assert strict.details["equivalence_upper"] == pytest.approx(strict.estimate + 3.719 * error)
    assert [diversity(same, alpha).verdict for alpha in (0.05, 0.005)] == ["different", "undecided"]

    def hls(simulated, alpha: float):
        return HumanLikeness(n_resamples=FEW, alpha=alpha).validate(real, simulated, seed=1)[0]

    betrayed = side([[*messages, "wow"] for messages in talk(rng, 40)], "s")
    assert [hls(betrayed, alpha).verdict for alpha in (0.05, 0.005)] == ["different", "undecided"]
    wide, narrow = hls(alike, 0.005), hls(alike, 0.05)
    assert wide.details["equivalence_upper"] > narrow.details["equivalence_upper"]
    assert "(99 % interval)" in wide.reason
