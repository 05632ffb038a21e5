import numpy as np
import pytest

from convsim.errors import InputError
from convsim.evaluation import default_validators
from convsim_validators import DoseResponse, HumanLikeness, Marginals
from tests.corpora import corpus


def test_a_metric_of_few_conversations_is_judged_by_their_number_alone():
    values = np.full(400, np.nan)
    values[:12] = 1.0
    sides = (corpus({"x": values}, prefix="r"), corpus({"x": values}, prefix="s"))
    [finding] = Marginals(n_resamples=99).validate(*sides, seed=1)
    assert finding.verdict == "undecided"
    assert finding.interval[1] > 0.2


@pytest.mark.calibration
def test_short_texts_that_repeat_do_not_tell_people_from_people():
    pool = np.array([f"size {size} {color} boots" for size in range(10) for color in ("red", "blue", "tan")])
    p_values = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        sides = [corpus({"x": rng.normal(size=80)}, texts=list(rng.choice(pool, 80)), prefix=p) for p in "rs"]
        p_values += [f.p_value for f in HumanLikeness(n_resamples=99).validate(*sides, seed=seed)[:1]]
    assert sum(p is not None and p <= 0.05 for p in p_values) <= 3


@pytest.mark.parametrize(
    "settings", [{"margin": float("nan")}, {"margin": -1}, {"n_resamples": 0}, {"margin": "x"}]
)
@pytest.mark.parametrize("validator", [Marginals, HumanLikeness])
def test_settings_that_mean_nothing_are_refused(validator, settings):
    with pytest.raises(InputError):
        validator(**settings)


def test_a_metric_that_one_side_never_has_is_no_habit():
    rng = np.random.default_rng(2)
    texts = [f"size {i} boots {i % 7}" for i in range(120)]
    ending = {"real": np.full(60, np.nan), "simulated": np.ones(60)}
    sides = [
        corpus(
            {"left": ending[name], "pace": rng.normal(size=60)}, texts=texts[start : start + 60], prefix=name
        )
        for start, name in ((0, "real"), (60, "simulated"))
    ]
    findings = {f.metric: f for f in HumanLikeness().validate(*sides, seed=1)}
    behaviour = findings["hls_behaviour"]
    assert behaviour.verdict != "different"  # who has an ending at all would tell the sides apart
    assert 0.3 < float(str(behaviour.details["auc"])) < 0.65
    assert "left" not in str(behaviour.details["tells"])


@pytest.mark.parametrize(
    "settings",
    [{"fault": ""}, {"fault": 3}, {"fault": "x", "margin_sd": -1}, {"fault": "x", "n_resamples": 1}],
)
def test_wrong_settings_are_refused(settings):
    with pytest.raises(InputError):
        DoseResponse(**settings)


def test_what_must_be_set_up_first_runs_only_when_it_is_named():
    assert default_validators() == [
        "by_stratum", "coherence", "consistency", "copies", "disclosure", "diversity", "endings", "humanlikeness",
        "joint", "leakage", "marginals", "prevalence", "transitions", "typography",
    ]  # fmt: skip


def test_a_side_that_says_nothing_gets_a_reason_and_no_exception():
    rng = np.random.default_rng(3)
    real = corpus({"x": rng.normal(size=40)}, texts=[f"size {i} boots please" for i in range(40)], prefix="r")
    mute = corpus({"x": rng.normal(size=40)}, texts=[""] * 40, prefix="s")
    for sides in ((real, mute), (mute, real)):
        found = {f.metric: f for f in HumanLikeness(n_resamples=99).validate(*sides, seed=1)}
        assert found["hls_length_matched"].verdict == "undecided"
        assert "0 " in found["hls_length_matched"].reason
        assert found["hls"].verdict in {"different", "undecided"}
