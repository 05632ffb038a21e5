from functools import cache

import numpy as np
import pytest

from convsim.errors import InputError
from convsim.evaluation.headline import headlines_of
from convsim.schema import Needs
from convsim.schema.details import RatioDetails
from convsim.schema.persona import Persona
from convsim_validators.counterfactual import first_message, survival
from convsim_validators.counterfactual.counterfactual import Counterfactual
from convsim_validators.counterfactual.ratio_decision import Rule
from convsim_validators.counterfactual.reaction_ratio import ratio_finding
from convsim_validators.counterfactual.shift_finding import Frame
from convsim_validators.counterfactual.shifts import MetricShift
from convsim_validators.counterfactual.two_arm import Arms, ArmSide
from tests.corpora import corpus
from tests.two_arms import CONTROL, TREATMENT, arms_of
from tests.two_arms import shifted as made_shifted

ARMS = Arms(CONTROL, TREATMENT)
FRAME = Frame(ARMS, margin_sd=0.2, n_resamples=9, seed=1)
RULE = Rule(margin=0.5, margin_sd=0.2, alpha=0.05)
PEOPLE = {"down": -0.9, "up": 0.6, "little": 0.2, "not": 0.0}


@cache
def side_of(shifts, n, prefix):
    return made_shifted(dict(shifts), n=n, prefix=prefix)


def shifted(shifts, *, n, prefix):
    return side_of(tuple(shifts.items()), n, prefix)


def judged(real, simulated, rule=RULE):
    sides = [ArmSide.of(side, ARMS, 9, np.random.default_rng(1)) for side in (real, simulated)]
    measured = [MetricShift.of(sides, metric, ARMS, seed=1) for metric in real.metrics.values()]
    return ratio_finding(sides, [shift for shift in measured if shift.judged], FRAME, rule)


def reacting(times, *, n=200, n_simulated=None, people=PEOPLE, rule=RULE):
    simulated = {name: times * shift for name, shift in people.items()}
    return judged(shifted(people, n=n, prefix="r"), shifted(simulated, n=n_simulated or n, prefix="s"), rule)


@pytest.mark.parametrize(
    ("times", "verdict"),
    [
        (1, "reacts_as_people"), (0, "does_not_react"), (0.4, "under_reacts"), (2, "over_reacts"),
        (-1, "reacts_wrong_way"), (0.75, "undecided"),
    ],
)  # fmt: skip
def test_simulators_are_told_apart_by_how_far_they_shift(times, verdict):
    n = 70 if verdict == "undecided" else 200
    finding = reacting(times, n=n)
    assert finding.verdict == verdict
    assert finding.estimate == pytest.approx(times, abs=0.1)
    low, high = finding.interval
    assert low < times < high
    assert f"{finding.estimate:.2f} times as far as people over 4 metrics" in finding.reason


def test_the_finding_says_what_it_stands_on():
    finding = reacting(1)
    details = finding.details
    assert isinstance(details, RatioDetails)
    assert details.shifts_in_human_sd["down"].people == pytest.approx(-0.9, abs=0.03)
    assert details.shifts_in_human_sd["up"].simulated == pytest.approx(0.6, abs=0.03)
    assert finding.interval == (
        min(details.fieller[0], details.delta[0]),
        max(details.fieller[1], details.delta[1]),
    )
    assert finding.interval[0] < details.equivalence_interval[0] < details.equivalence_interval[1]
    assert details.leave_one_out.metric in PEOPLE
    assert f"without {details.leave_one_out.metric}, which changes it most" in finding.reason
    assert details.n_units["real"] == {"control": 200, "treatment": 200}
    assert (finding.level, details.margin, details.alpha) == (0.95, 0.5, 0.05)
    assert (finding.n_real, finding.n_simulated) == (400, 400)


def test_a_lower_error_rate_makes_the_interval_wider_and_is_stated():
    strict = reacting(1, rule=RULE._replace(alpha=0.01))
    usual = reacting(1).interval
    assert strict.interval[0] < usual[0] < usual[1] < strict.interval[1]
    assert strict.level == 0.99
    assert "99 % interval" in strict.reason
    assert "98 % limits" in strict.reason


def test_a_narrower_margin_asks_for_more():
    assert reacting(1, rule=RULE._replace(margin=0.1)).verdict == "undecided"


def test_few_units_of_an_arm_get_an_interval_and_no_verdict():
    moved = {"down": -1.3, "up": 1.0}
    finding = reacting(-1, n=39, people=moved)
    assert finding.verdict == "undecided"
    assert finding.interval[1] < 0
    assert finding.details["n_units_needed"] == 40
    assert "fewer than 40 users or personas of an arm, on either side, decide nothing" in finding.reason
    assert finding.details["needs"]["side"] == "people"
    assert reacting(-1, n=40, people=moved).verdict == "reacts_wrong_way"


def test_few_simulated_conversations_ask_for_more_of_these_alone():
    finding = reacting(1, n=200, n_simulated=30)
    needs = Needs.model_validate(finding.details["needs"])
    assert needs.side == "simulated"
    assert headlines_of([finding])[0].needs == needs
    # At least 40 an arm, and not more than ten for one of people.
    assert 20 <= needs.more <= 2 * 10 * 200
    assert f"about {needs.more:,} more simulated conversations" in finding.reason
    assert reacting(1, n=200, n_simulated=30 + needs.more // 2).verdict == "reacts_as_people"


def test_few_people_ask_for_people_however_many_were_simulated():
    finding = reacting(1, n=62, n_simulated=620, people={"down": -0.7, "up": 0.5})
    assert finding.verdict == "undecided"
    needs = finding.details["needs"]
    assert needs["side"] == "people"
    assert f"about {needs['more']:,} more conversations of people" in finding.reason


def test_people_who_do_not_shift_have_no_ratio():
    still = dict.fromkeys(PEOPLE, 0.0)
    finding = judged(shifted(still, n=200, prefix="r"), shifted(still, n=200, prefix="s"))
    assert (finding.estimate, finding.interval) == (None, None)
    assert finding.verdict == "reacts_as_people"
    assert "nor do simulated shoppers" in finding.reason
    moves = judged(shifted(still, n=200, prefix="r"), shifted(PEOPLE, n=200, prefix="s"))
    assert moves.verdict == "over_reacts"
    assert moves.estimate is None
    few = judged(shifted({"x": 0.0}, n=70, prefix="r"), shifted({"x": 0.0}, n=70, prefix="s"))
    assert few.verdict == "undecided"
    assert "may be nothing at all" in few.reason
    assert few.details["needs"]["side"] == "people"
    assert "simulated ones in proportion, are needed to show that nobody shifts, if nobody does" in few.reason


def test_few_simulated_conversations_beside_people_who_do_not_shift_ask_for_more_of_these_alone():
    still = {"x": 0.0, "y": 0.0}
    finding = judged(shifted(still, n=400, prefix="r"), shifted(still, n=50, prefix="s"))
    assert finding.verdict == "undecided"
    needs = Needs.model_validate(finding.details["needs"])
    assert needs.side == "simulated"
    assert needs.more > 100


def test_what_cannot_be_judged_is_left_out_and_nothing_is_undecided():
    n = 80
    rng = np.random.default_rng(3)
    arms = [{"constant": np.ones(n), "x": rng.normal(-arm, 1, n)} for arm in (0, 1)]
    real, simulated = (arms_of(*arms, prefix=prefix) for prefix in "rs")
    assert [*judged(real, simulated).details["shifts_in_human_sd"]] == ["x"]
    alone = [arms_of({"constant": np.ones(n)}, {"constant": np.ones(n)}, prefix=prefix) for prefix in "rs"]
    finding = judged(*alone)
    assert (finding.verdict, finding.estimate, finding.interval) == ("undecided", None, None)
    assert finding.reason == "no metric can be judged"


def test_people_who_met_both_arms_narrow_the_interval():
    rng = np.random.default_rng(4)
    n = 100
    users = [f"u{i}" for i in range(n)] * 2
    habits = rng.normal(0, 1, (2, 3, n))
    arms = [CONTROL] * n + [TREATMENT] * n

    def side(number, **given):
        columns = {
            f"x{i}": np.concatenate(
                [habits[number, i] + rng.normal(arm * (1.2 - 0.8 * i), 0.7, n) for arm in (0, 1)]
            )
            for i in range(3)
        }
        return corpus(columns, arms=arms, **given)

    state = rng.bit_generator.state
    paired = judged(side(0, users=users, prefix="r"), side(1, users=[f"s{u}" for u in users], prefix="s"))
    rng.bit_generator.state = state
    unpaired = judged(side(0, prefix="r"), side(1, prefix="s"))
    assert paired.estimate == pytest.approx(unpaired.estimate, abs=0.1)
    assert np.ptp(paired.interval) < 0.8 * np.ptp(unpaired.interval)


def test_personas_drawn_from_the_judged_users_are_counted_with_them():
    rng = np.random.default_rng(5)
    n = 120
    users = [f"u{i}" for i in range(2 * n)]
    arms = [CONTROL] * n + [TREATMENT] * n
    habit = rng.normal(0, 1, 2 * n)
    moved = np.repeat([0.0, 1.0], n)
    personas = [
        Persona(id=f"p{i}", need="boots", metadata={"drawn_from_user": user}) for i, user in enumerate(users)
    ]
    others = [persona.but(metadata={"drawn_from_user": f"other {persona.id}"}) for persona in personas]
    x = [habit + rng.normal(0, 0.4, 2 * n) + moved for _ in range(2)]
    real = corpus({"x": x[0]}, arms=arms, users=users, prefix="r")
    drawn = judged(real, corpus({"x": x[1]}, arms=arms, personas=personas, prefix="s"))
    apart = judged(real, corpus({"x": x[1]}, arms=arms, personas=others, prefix="s"))
    assert drawn.details["n_units_on_both_sides"] == 2 * n
    assert apart.details["n_units_on_both_sides"] == 0
    assert np.ptp(drawn.interval) < 0.7 * np.ptp(apart.interval)


def test_the_validator_gives_the_finding_that_the_headline_reactions_stands_on(monkeypatch):
    monkeypatch.setattr(survival, "hazard_findings", lambda *a, **k: [])
    monkeypatch.setattr(first_message, "independence_findings", lambda *a, **k: [])
    sides = [
        made_shifted({**PEOPLE, "agent": 2.0}, n=300, prefix=prefix, controls=["agent"]) for prefix in "rs"
    ]
    validator = Counterfactual(control=CONTROL, treatment=TREATMENT, n_resamples=9, alpha=0.01)
    findings = validator.validate(*sides, seed=1)
    [headline] = headlines_of(findings)
    assert (headline.name, headline.verdict) == ("reactions", "reacts_as_people")
    [ratio] = [finding for finding in findings if finding.metric == "reaction_ratio"]
    assert ratio.level == 0.99
    assert ratio.details["alpha"] == 0.01
    assert ratio.p_adjusted is None


@pytest.mark.parametrize(
    "setting", [{"alpha": 0.0}, {"alpha": 0.5}, {"alpha": "low"}, {"ratio_margin": 1.0}, {"ratio_margin": 0}]
)
def test_error_rates_and_margins_out_of_range_are_refused(setting):
    [name] = setting
    with pytest.raises(InputError, match=f"counterfactual: {name} must be"):
        Counterfactual(control=CONTROL, treatment=TREATMENT, **setting)
