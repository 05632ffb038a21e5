import json

import numpy as np
import pandas as pd
import pytest

from convsim.schema import Corpus, LabelOrigin, Metric
from convsim.schema.persona import Persona
from convsim_validators.dose_response.dose_response import DoseResponse
from tests.corpora import EMPTY, corpus, ladder

SEVERITIES = [0, 0.25, 0.5, 1]
FAULT = "stale_context"
STEPS = np.asarray(SEVERITIES)


def noise(n: int, seed: int = 0, sd: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, sd, (n, len(SEVERITIES)))


def judged(simulated: Corpus, **settings):
    settings = {"fault": FAULT, "n_resamples": 499, **settings}
    findings = DoseResponse(**settings).validate(EMPTY, simulated, seed=7)
    return {finding.metric: finding for finding in findings}


def test_a_metric_that_moves_as_people_s_does_is_aligned_and_says_where_it_begins():
    values = 5 - 2.0 * (STEPS >= 0.5) + noise(60)
    found = judged(ladder({"satisfaction": values}, SEVERITIES))["satisfaction"]
    assert found.verdict == "aligned"
    assert found.details["onset"] == 0.5
    assert found.details["onset_p_values"][2:] == pytest.approx([0.002, 0.002])
    assert "begin to react at severity 0.5" in found.reason
    assert found.interval[1] < 0
    assert found.details["test"] == "page"
    assert found.details["expected"] == "decrease"
    assert "ConvApparel" in found.details["expected_source"]


def test_a_metric_that_moves_the_other_way_reacts_wrong_way():
    found = judged(ladder({"frustration": 3 - 2 * STEPS + noise(40)}, SEVERITIES))["frustration"]
    assert found.verdict == "reacts_wrong_way"


def test_shoppers_that_say_the_very_same_at_each_severity_do_not_react():
    values = np.repeat(np.random.default_rng(1).normal(0, 1, (200, 1)), len(SEVERITIES), axis=1)
    found = judged(ladder({"satisfaction": values, "x": values}, SEVERITIES))
    assert found["satisfaction"].verdict == "does_not_react"
    assert found["satisfaction"].p_value == 1
    assert found["satisfaction"].estimate == 0
    assert found["any_reaction"].verdict == "does_not_react"
    assert found["satisfaction"].details["onset"] is None


def test_a_few_personas_that_do_not_change_are_no_proof_that_nobody_would():
    values = np.repeat((np.arange(12)[:, None] % 2) * 1.0, len(SEVERITIES), axis=1)
    found = judged(ladder({"user_thanks": values}, SEVERITIES, shares=["user_thanks"]))["user_thanks"]
    assert found.verdict == "undecided"
    assert found.details["n_to_decide"] > 12
    assert "personas would show that they do not react, if they do not" in found.reason


def test_a_metric_that_nobody_knows_the_direction_of_is_shown_and_in_no_gate():
    simulated = ladder({"turns": 3 + 4 * STEPS + noise(40)}, SEVERITIES)
    found = judged(simulated)
    assert found["turns"].is_control
    assert found["turns"].verdict == "undecided"
    assert found["turns"].p_value < 0.01
    assert found["turns"].p_adjusted is None
    assert not found["any_reaction"].is_control


def test_something_that_moves_is_named_and_is_not_called_human():
    simulated = ladder({"turns": 3 + 4 * STEPS + noise(40), "quiet": noise(40, 2)}, SEVERITIES)
    found = judged(simulated)["any_reaction"]
    assert found.verdict == "aligned"
    assert found.details["moving"] == ["turns"]
    assert "turns rises" in found.reason
    assert "does not mean that they react as people do" in found.reason


def test_what_the_agent_does_is_no_reaction():
    simulated = ladder(
        {"agent_words_per_turn": 9 - 8 * STEPS + noise(40), "quiet": noise(40, 2)},
        SEVERITIES,
        controls=["agent_words_per_turn"],
    )
    found = judged(simulated)
    assert found["any_reaction"].verdict == "undecided"
    assert found["any_reaction"].details["n_metrics"] == 1
    assert "something of the agent" in found["agent_words_per_turn"].reason


def test_what_a_worse_agent_moves_by_itself_is_no_reaction():
    simulated = ladder({"conversation_words": 9 + 8 * STEPS + noise(40), "quiet": noise(40, 2)}, SEVERITIES)
    found = judged(simulated)
    assert found["any_reaction"].details["moving"] == []
    assert "counts the agent's words too" in found["conversation_words"].reason
    assert found["conversation_words"].is_control


def test_p_values_are_corrected_over_the_metrics_with_a_direction_alone():
    columns = {"satisfaction": noise(30, 1), "frustration": noise(30, 2)}
    few = judged(ladder(columns, SEVERITIES))
    many = judged(ladder({**columns, **{f"x{i}": noise(30, 3 + i) for i in range(10)}}, SEVERITIES))
    assert few["satisfaction"].p_adjusted == many["satisfaction"].p_adjusted
    plain, adjusted = (sorted(getattr(few[name], p) for name in columns) for p in ("p_value", "p_adjusted"))
    assert plain[0] < adjusted[0] <= 2 * plain[0] + 0.01
    assert plain[1] <= adjusted[1]


def test_independent_conversations_are_tested_by_jonckheere_terpstra():
    values = (5 - 2 * STEPS + noise(30)).ravel()
    faults = [None, *[FAULT] * 3] * 30
    severities = [None, *SEVERITIES[1:]] * 30
    found = judged(corpus({"satisfaction": values}, faults=faults, severities=severities))["satisfaction"]
    assert found.details["test"] == "jonckheere_terpstra"
    assert found.verdict == "aligned"
    assert found.details["n_personas"] == 120


def test_personas_that_met_one_severity_each_are_units_as_a_whole():
    # Three repeats a persona: 30 conversations, but 10 independent personas.
    personas = [Persona(id=f"p{i // 3}", need="a coat") for i in range(30)]
    half = [None] * 15 + [FAULT] * 15
    values = np.repeat(np.random.default_rng(0).normal(0, 1, 10), 3)
    simulated = corpus(
        {"satisfaction": values}, personas=personas, faults=half, severities=[0] * 15 + [1] * 15
    )
    found = judged(simulated)["satisfaction"]
    assert found.details["test"] == "jonckheere_terpstra"
    assert found.details["n_personas"] == 10


def test_repeats_of_a_persona_are_averaged_and_add_no_evidence():
    once = ladder({"satisfaction": noise(20)}, SEVERITIES)
    twice = Corpus(
        [*once.conversations, *(c.but(id=f"{c.id}-again") for c in once.conversations)],
        once.table.loc[[*once.table.index, *once.table.index]],
        once.metrics,
    )
    first, second = judged(once)["satisfaction"], judged(twice)["satisfaction"]
    assert second.estimate == pytest.approx(first.estimate)
    assert second.p_value == first.p_value
    assert second.details["n_personas"] == 20
    assert second.details["n_conversations"] == [40] * 4


def test_personas_drawn_from_one_user_are_one_unit():
    once = ladder({"satisfaction": noise(20)}, SEVERITIES)
    conversations = [
        c.but(persona=c.persona.but(metadata={"drawn_from_user": f"u{int(c.persona.id[1:]) // 2}"}))
        for c in once.conversations
    ]
    found = judged(Corpus(conversations, once.table, once.metrics))["satisfaction"]
    assert found.details["n_personas"] == 10


def test_the_bare_agent_and_a_wrapped_one_at_severity_0_are_one_step():
    values = noise(20)
    bare, wrapped = (ladder({"satisfaction": values}, SEVERITIES, bare=bare) for bare in (True, False))
    assert judged(bare)["satisfaction"] == judged(wrapped)["satisfaction"]


def test_other_faults_are_left_out():
    simulated = ladder({"satisfaction": noise(20)}, SEVERITIES)
    other = ladder({"satisfaction": 100 + noise(20)[:, :1]}, [0.5], fault="rude_text")
    both = Corpus(
        [*simulated.conversations, *(c.but(id=f"other-{c.id}") for c in other.conversations)],
        pd.concat([simulated.table, other.table]),
        simulated.metrics,
    )
    assert judged(both)["satisfaction"] == judged(simulated)["satisfaction"]


def test_a_persona_that_lacks_a_metric_at_one_severity_is_left_out_of_it():
    values = noise(30)
    values[:10, 2] = np.nan
    found = judged(ladder({"satisfaction": values, "frustration": noise(30, 1)}, SEVERITIES))
    assert found["satisfaction"].details["n_personas"] == 20
    assert found["frustration"].details["n_personas"] == 30
    assert found["satisfaction"].n_simulated == 110
    kept = judged(ladder({"satisfaction": values[10:]}, SEVERITIES))["satisfaction"]
    assert found["satisfaction"].estimate == pytest.approx(kept.estimate)


def test_too_few_personas_decide_nothing():
    found = judged(ladder({"satisfaction": 5 - 4 * STEPS + noise(7)}, SEVERITIES))
    for name in ("satisfaction", "any_reaction"):
        assert found[name].verdict == "undecided"
        assert "8" in found[name].reason
        assert found[name].details["n_to_decide"] == 8
    assert found["satisfaction"].estimate < 0


def test_a_constant_metric_decides_nothing():
    found = judged(ladder({"left": np.zeros((20, 4))}, SEVERITIES))["left"]
    assert (found.verdict, found.p_value) == ("undecided", None)
    assert "always has the same value" in found.reason


def test_a_metric_that_is_never_defined_decides_nothing():
    found = judged(ladder({"satisfaction": np.full((20, 4), np.nan)}, SEVERITIES))["satisfaction"]
    assert (found.verdict, found.estimate, found.interval) == ("undecided", None, None)
    assert found.details["means"] == [None] * 4


@pytest.mark.parametrize("severities", [[0], [0.5]])
def test_one_severity_decides_nothing_and_says_what_is_recorded(severities):
    simulated = ladder({"satisfaction": np.zeros((20, 1))}, severities)
    (found,) = judged(simulated).values()
    assert (found.metric, found.verdict) == ("any_reaction", "undecided")
    assert "at least 2" in found.reason
    assert f"--fault {FAULT}=" in found.reason


def test_a_fault_that_was_not_recorded_is_answered_with_those_that_were():
    simulated = ladder({"satisfaction": noise(20)}, SEVERITIES)
    (found,) = judged(simulated, fault="rude_text").values()
    assert found.verdict == "undecided"
    assert "'stale_context' at 0.25, 0.5, 1" in found.reason
    assert "bare agent in 20" in found.reason


def test_an_empty_side_decides_nothing():
    (found,) = judged(EMPTY).values()
    assert found.verdict == "undecided"


def test_too_many_severities_decide_nothing():
    severities = [round(i / 30, 3) for i in range(31)]
    (found,) = judged(ladder({"x": np.zeros((8, 31))}, severities)).values()
    assert found.verdict == "undecided"
    assert "at most 25" in found.reason


def test_without_severity_0_there_is_a_trend_but_neither_onset_nor_margin():
    values = 5 - 4 * STEPS[1:] + noise(30)[:, 1:]
    found = judged(ladder({"satisfaction": values}, SEVERITIES[1:]))["satisfaction"]
    assert found.verdict == "aligned"
    assert (found.details["onset"], found.details["margin"], found.details["sd"]) == (None, None, None)


def test_the_margin_is_a_share_of_the_spread_at_severity_0():
    values = noise(50)
    found = judged(ladder({"satisfaction": values}, SEVERITIES), margin_sd=0.5)["satisfaction"]
    assert found.details["sd"] == pytest.approx(values[:, 0].std(ddof=1))
    assert found.details["margin"] == pytest.approx(0.5 * values[:, 0].std(ddof=1))


def test_the_means_stand_with_their_intervals():
    values = noise(50)
    found = judged(ladder({"satisfaction": values}, SEVERITIES))["satisfaction"]
    assert found.details["means"] == pytest.approx(values.mean(axis=0))
    for mean, (low, high) in zip(found.details["means"], found.details["mean_intervals"], strict=True):
        assert low < mean < high


def test_a_label_goes_by_its_own_name_wherever_it_was_given():
    base = ladder({"satisfaction_by_turn": 5 - 4 * STEPS + noise(30)}, SEVERITIES)
    old = base.metrics["satisfaction_by_turn"]
    labelled = Metric(
        name=old.name, unit="points of 1 to 5", level="turn", description=old.name, source="a test",
        measure=old.measure, label=LabelOrigin("satisfaction", "message", "self", (1.0, 5.0)),
    )  # fmt: skip
    simulated = Corpus(base.conversations, base.table, {old.name: labelled})
    assert judged(simulated)["satisfaction_by_turn"].verdict == "aligned"


def test_the_seed_moves_the_draws_and_the_order_of_conversations_nothing():
    simulated = ladder({"satisfaction": 5 - 0.3 * STEPS + noise(30)}, SEVERITIES)
    turned = simulated.take(np.random.default_rng(0).permutation(len(simulated)))
    validator = DoseResponse(fault=FAULT, n_resamples=199)
    first = validator.validate(EMPTY, simulated, seed=1)
    assert [f.p_value for f in first] == [f.p_value for f in validator.validate(EMPTY, turned, seed=1)]
    assert first != validator.validate(EMPTY, simulated, seed=2)


def test_findings_are_json_without_nan():
    values = noise(20)
    values[3] = np.nan
    findings = DoseResponse(fault=FAULT, n_resamples=99).validate(
        EMPTY, ladder({"satisfaction": values, "left": np.zeros((20, 4))}, SEVERITIES), seed=1
    )
    for finding in findings:
        json.dumps(finding.model_dump(mode="json"), allow_nan=False)
        assert finding.n_real == 0
