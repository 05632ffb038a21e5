import numpy as np
import pytest

from convsim.schema import Corpus, Metric
from convsim.schema.persona import Persona
from convsim_validators.relations.relation import Relation
from convsim_validators.relations.relations import Relations
from tests.corpora import EMPTY, corpus, ladder

SEVERITIES = [0, 0.5, 1]
FAULT = "ignored_constraint"


def relation(**changes) -> Relation:
    fields = {"name": "r", "question": "Does it?", "fault": FAULT, "metric": "turns", "kind": "directional"}
    if changes.get("kind") != "hard":
        fields["direction"] = "increase"
    return Relation.model_validate({**fields, **changes})


def judged(simulated: Corpus, *relations: Relation, **settings):
    validator = Relations(relations=relations or None, **{"n_resamples": 499, **settings})
    findings = validator.validate(EMPTY, simulated, seed=7)
    assert len({finding.metric for finding in findings}) == len(findings)
    return {finding.metric: finding for finding in findings}


def answers(n: int, *rates: float, seed: int = 0) -> np.ndarray:
    """Zeros and ones of n personas at each severity, at the rates given."""
    return (np.random.default_rng(seed).random((n, len(rates))) < rates).astype(float)


def shares(columns: dict[str, np.ndarray], fault: str = FAULT) -> Corpus:
    return ladder(columns, SEVERITIES, fault=fault, shares=list(columns))


@pytest.mark.parametrize(
    ("direction", "rates", "verdict"),
    [
        ("increase", (0.1, 0.3, 0.6), "aligned"),
        ("increase", (0.6, 0.3, 0.1), "reacts_wrong_way"),
        ("decrease", (0.6, 0.3, 0.1), "aligned"),
        ("decrease", (0.1, 0.3, 0.6), "reacts_wrong_way"),
        ("no_increase", (0.3, 0.3, 0.1), "aligned"),
        ("no_increase", (0.1, 0.3, 0.6), "reacts_wrong_way"),
        ("no_decrease", (0.1, 0.3, 0.3), "aligned"),
        ("no_decrease", (0.6, 0.3, 0.1), "reacts_wrong_way"),
    ],
)
@pytest.mark.parametrize("compare", ["highest", "slope"])
def test_a_direction_is_found_and_so_is_its_opposite(direction, rates, verdict, compare):
    tolerance = 0.1 if direction.startswith("no_") else 0.0
    asked = relation(metric="accepted", direction=direction, tolerance=tolerance, compare=compare)
    values = answers(120, *rates)
    found = judged(shares({"accepted": values}), asked)["r"]
    assert found.verdict == verdict
    assert found.details["rate_control"] == pytest.approx(values[:, 0].mean())
    assert found.details["rate_treated"] == pytest.approx(values[:, 2].mean())
    assert found.estimate == pytest.approx((values[:, 2] - values[:, 0]).mean())
    assert (found.details["severity"], found.details["n_pairs"]) == (1, 120)


def test_who_does_the_same_whatever_the_agent_does_does_not_react():
    same = np.repeat(answers(120, 0.3), 3, axis=1)
    found = judged(shares({"accepted": same}), relation(metric="accepted"))["r"]
    assert found.verdict == "does_not_react"
    assert found.details["margin"] == 0.05


def test_who_never_complains_at_all_does_not_react_where_the_bounds_are_known():
    found = judged(shares({"accepted": np.zeros((120, 3))}), relation(metric="accepted"))["r"]
    assert found.verdict == "does_not_react"
    low, high = found.details["equivalence_interval"]
    # With 120 personas none of whom did, at most 1 - .05 ** (1 / 120) = .025 would.
    assert (low, high) == pytest.approx((-0.025, 0.025), abs=0.004)


def test_a_constant_number_without_bounds_decides_nothing():
    found = judged(ladder({"turns": np.full((120, 3), 4.0)}, SEVERITIES, fault=FAULT), relation())["r"]
    assert found.verdict == "undecided"
    assert "always has the same value" in found.reason


def test_nothing_changed_is_enough_where_nothing_must_get_worse():
    same = np.repeat(answers(120, 0.3), 3, axis=1)
    asked = relation(metric="accepted", direction="no_increase", tolerance=0.1)
    found = judged(shares({"accepted": same}), asked)["r"]
    assert found.verdict == "aligned"
    assert "does not mean that they react" in found.reason


def test_twelve_personas_that_never_accept_do_not_show_that_none_would():
    asked = relation(metric="accepted", direction="no_increase", tolerance=0.1)
    found = judged(shares({"accepted": np.zeros((12, 3))}), asked)["r"]
    # (1 - .1) ** 12 = .28: at the tolerance itself, twelve such personas are nothing special.
    assert found.p_value == pytest.approx(0.28, abs=0.06)
    assert found.verdict == "undecided"
    assert found.details["n_to_decide"] > 12


def test_a_tolerance_must_be_passed():
    values = answers(300, 0.2, 0.3, 0.4)
    small, large = relation(metric="accepted"), relation(name="s", metric="accepted", tolerance=0.3)
    found = judged(shares({"accepted": values}), small, large)
    assert found["r"].verdict == "aligned"
    assert found["s"].verdict in ("undecided", "does_not_react")


def test_an_explicit_margin_counts():
    same = np.repeat(answers(40, 0.3), 3, axis=1)
    simulated = shares({"accepted": same})
    narrow, wide = (relation(metric="accepted", margin=margin) for margin in (0.05, 0.2))
    assert judged(simulated, narrow)["r"].verdict == "undecided"
    assert judged(simulated, wide)["r"].verdict == "does_not_react"


def test_any_fault_is_each_that_was_recorded():
    first, second = (shares({"accepted": answers(20, 0.1, 0.2, 0.3)}, fault) for fault in ("a", "b"))
    conversations = [*first.conversations, *(c.but(id=f"b-{c.id}") for c in second.conversations if c.fault)]
    both = corpus(
        {"accepted": np.zeros(len(conversations))},
        faults=[c.fault for c in conversations],
        severities=[c.severity for c in conversations],
        personas=[c.persona for c in conversations],
    )
    found = judged(both, relation(metric="accepted", fault="any"))
    assert list(found) == ["r@a", "r@b", "severity_zero"]
    assert [f.details["relation"]["fault"] for f in found.values()] == ["a", "b", "any"]


def test_p_values_are_corrected_over_all_that_were_tested():
    columns = {f"x{i}": answers(40, 0.2, 0.3, 0.4, seed=i) for i in range(3)}
    asked = [relation(name=f"r{i}", metric=f"x{i}") for i in range(3)]
    found = [judged(shares(columns), *asked)[f"r{i}"] for i in range(3)]
    ordered = sorted(found, key=lambda f: f.p_value)
    holm = np.maximum.accumulate([left * f.p_value for left, f in zip((3, 2, 1), ordered, strict=True)])
    assert [f.p_adjusted for f in ordered] == pytest.approx(np.minimum(holm, 1).tolist())


def test_a_fault_that_was_not_recorded_says_what_to_do():
    found = judged(shares({"accepted": answers(20, 0.1, 0.2, 0.3)}), relation(fault="rude_text"))["r"]
    assert (found.verdict, found.estimate, found.p_value) == ("undecided", None, None)
    assert "--fault rude_text=1" in found.reason
    assert "'ignored_constraint' at 0.5, 1" in found.reason


def test_without_the_bare_agent_there_is_nothing_to_compare_with():
    simulated = ladder({"turns": np.zeros((20, 2))}, [0.5, 1], fault=FAULT)
    found = judged(simulated, relation())["r"]
    assert found.verdict == "undecided"
    assert "bare agent" in found.reason


def test_a_label_that_nobody_gave_decides_nothing():
    found = judged(shares({"accepted": answers(20, 0.1, 0.2, 0.3)}), relation(metric="satisfaction"))["r"]
    assert found.verdict == "undecided"
    assert "convsim annotate" in found.reason


def test_other_personas_with_the_degraded_agent_are_no_pairs():
    simulated = corpus(
        {"turns": np.arange(40.0)},
        personas=[Persona(id=f"p{i}", need="a coat") for i in range(40)],
        faults=[None] * 20 + [FAULT] * 20,
        severities=[None] * 20 + [1] * 20,
    )
    found = judged(simulated, relation())["r"]
    assert found.verdict == "undecided"
    assert "other personas" in found.reason


def test_conversations_without_a_persona_are_no_pairs():
    simulated = corpus(
        {"turns": np.arange(40.0)}, faults=[None] * 20 + [FAULT] * 20, severities=[None] * 20 + [1] * 20
    )
    assert judged(simulated, relation())["r"].verdict == "undecided"


def test_fewer_than_eight_personas_decide_nothing():
    found = judged(ladder({"turns": np.array([[1.0, 5.0]] * 7)}, [0, 1], fault=FAULT), relation())["r"]
    assert (found.verdict, found.details["n_to_decide"]) == ("undecided", 8)
    assert found.estimate == 4
    assert found.p_adjusted is None


def test_personas_drawn_from_one_user_are_one_unit_of_two_pairs():
    simulated = shares({"accepted": answers(40, 0.1, 0.3, 0.6)})
    conversations = [
        c.but(persona=c.persona.but(metadata={"drawn_from_user": f"u{int(c.persona.id[1:]) // 2}"}))
        for c in simulated.conversations
    ]
    one = Corpus(conversations, simulated.table, simulated.metrics)
    found = judged(one, relation(metric="accepted"))["r"]
    assert (found.details["n_personas"], found.details["n_pairs"]) == (20, 40)


def test_a_relation_may_bring_a_metric_of_its_own():
    long_ids = Metric(
        name="digits", unit="digits", level="conversation", description="digits", source="a test",
        measure=lambda columns: np.asarray(
            [float(len(c.id)) + 3 * (c.severity or 0) for c in columns.conversations]
        ),
    )  # fmt: skip
    found = judged(shares({"accepted": answers(20, 0.1, 0.2, 0.3)}), relation(metric=long_ids))["r"]
    assert found.verdict == "aligned"
    assert found.details["relation"]["metric"] == "digits"


@pytest.mark.parametrize(
    ("n", "n_broken", "tolerance", "verdict"),
    [(100, 0, 0.0, "aligned"), (20, 0, 0.0, "undecided"), (100, 1, 0.0, "different"),
     (400, 4, 0.02, "aligned"), (100, 30, 0.02, "different")],
)  # fmt: skip
def test_a_hard_relation_is_a_share_of_personas(n, n_broken, tolerance, verdict):
    values = np.zeros((n, 3))
    values[:n_broken, 1] = 1
    asked = relation(kind="hard", metric="turns", fault="any", tolerance=tolerance)
    found = judged(ladder({"turns": values}, SEVERITIES, fault=FAULT), asked)["r"]
    assert found.verdict == verdict
    assert found.estimate == n_broken / n
    assert found.n_simulated == 3 * n
    assert found.details["n_personas"] == n
    assert found.p_value is None


def test_a_hard_relation_that_nobody_could_break_decides_nothing():
    values = np.full((20, 3), np.nan)
    found = judged(ladder({"turns": values}, SEVERITIES, fault=FAULT), relation(kind="hard", fault="any"))[
        "r"
    ]
    assert (found.verdict, found.estimate, found.interval) == ("undecided", None, None)


def test_a_hard_relation_of_one_fault_leaves_the_bare_agent_out():
    values = np.zeros((100, 3))
    values[:, 0] = 1
    simulated = ladder({"turns": values}, SEVERITIES, fault=FAULT)
    assert judged(simulated, relation(kind="hard"))["r"].verdict == "aligned"
    assert judged(simulated, relation(kind="hard", fault="any"))["r"].verdict == "different"


def test_an_empty_side_decides_nothing():
    assert {f.verdict for f in judged(EMPTY).values()} == {"undecided"}


def test_the_order_of_conversations_changes_nothing():
    simulated = shares({"accepted": answers(40, 0.2, 0.3, 0.4)})
    turned = simulated.take(np.random.default_rng(0).permutation(len(simulated)))
    asked = relation(metric="accepted", direction="no_increase", tolerance=0.3)
    assert judged(simulated, asked)["r"] == judged(turned, asked)["r"]
