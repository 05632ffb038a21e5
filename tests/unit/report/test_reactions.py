import io
from collections.abc import Mapping
from types import MappingProxyType

from rich.console import Console

from convsim.evaluation import Scorecard, SideSummary
from convsim.report import print_scorecard, to_markdown
from convsim.schema import Finding

SIDE = SideSummary(path=None, sha256=None, n=80, simulator="x", arms={"good": 40, "bad": 40}, tasks={"-": 80})


def finding(validator: str, metric: str, verdict: str, **more: object) -> Finding:
    fields = {
        "question": "?", "unit": "share", "reason": f"because of {metric}", "n_real": 0, "n_simulated": 80,
        "seed": 1, "version": "1", "source": "-", **more,
    }  # fmt: skip
    return Finding.model_validate({"validator": validator, "metric": metric, "verdict": verdict, **fields})


def shift(metric: str, verdict: str, *, established: bool = True, **details: object) -> Finding:
    return finding(
        "counterfactual", metric, verdict, estimate=0.4, interval=(0.1, 0.7),
        details={
            "human_shift": {"estimate": -0.42, "interval": [-0.6, -0.2], "established": established},
            "simulated_shift": {"estimate": -0.02, "interval": [-0.2, 0.1]}, **details,
        },
    )  # fmt: skip


def shown(*findings: Finding, real: SideSummary | None = SIDE) -> str:
    card = Scorecard(real=real, simulated=SIDE, findings=findings)
    file = io.StringIO()
    print_scorecard(card, Console(file=file, width=160, color_system=None))
    return file.getvalue() + to_markdown(card)


def test_a_shift_stands_with_both_sides_their_intervals_and_the_verdict_in_words():
    text = shown(shift("satisfaction", "does_not_react"))
    assert "-0.42 [-0.6, -0.2]" in text
    assert "-0.02 [-0.2, 0.1]" in text
    assert "0.4 [0.1, 0.7]" in text
    assert "does not react" in text
    assert "People changed in 1 of 1 metric (satisfaction). Simulated shoppers fail to react in 1." in text


def test_an_undecided_shift_says_how_many_conversations_would_decide():
    arms = {"real": {"control": 40, "treatment": 45}, "simulated": {"control": 40, "treatment": 40}}
    text = shown(
        shift("turns", "undecided", established=False, n=arms, n_to_decide={"real": 250, "simulated": 310})
    )
    assert "needs more data: about 210 more people and 270 more simulated per arm" in text  # beyond 40 an arm
    assert "People changed in 0 of 1 metric. For simulated shoppers, 1 metric needs more data." in text


def test_what_is_taken_together_stands_with_its_reason():
    text = shown(
        shift("turns", "reacts_as_people"),
        finding(
            "counterfactual",
            "directional_agreement",
            "reacts_as_people",
            estimate=0.75,
            details={"metrics": ["turns"], "chance": 0.5},
        ),
        finding(
            "counterfactual",
            "joint",
            "different",
            estimate=3.1,
            p_value=0.002,
            details={"metrics": ["turns"], "t_values": {"turns": 3.1}},
        ),
    )
    assert "75 % of the simulated shifts go the same way" in text
    assert "the shifts differ from people's (p = 0.002)" in text
    assert "because of joint" in text


def test_a_ladder_shows_the_means_at_each_severity_and_where_shoppers_begin_to_react():
    details = {"severities": [0, 0.5, 1], "means": [0.1, 0.2, 0.4], "onset": 0.5, "fault": "bad"}
    text = shown(
        finding(
            "dose_response", "user_complaints", "aligned", estimate=0.3, interval=(0.2, 0.4), details=details
        ),
        finding("dose_response", "any_reaction", "aligned", details={"fault": "bad", "n_to_decide": None}),
        real=None,
    )
    assert "at 0.5" in text
    assert "0.3 [0.2, 0.4]" in text
    assert 'The shoppers react to the fault "bad".' in text
    assert "These shoppers were not compared with people." in text


def test_relations_show_the_rates_and_the_headline_counts_those_that_could_be_asked():
    rates = {"rate_control": 0.1, "rate_treated": 0.3}
    text = shown(
        finding("relations", "thanks_no_more", "reacts_wrong_way", estimate=0.2, details=rates),
        finding("relations", "complains", "aligned", estimate=0.1),
        finding("relations", "leaves_sooner", "undecided"),
        real=None,
    )
    assert (
        "2 of 3 relations could be tested: 1 holds, 1 is broken (thanks no more), 0 need more data." in text
    )
    assert "because of complains" in text
    assert "Not tested (1), as the run lacks what they need: leaves sooner" in text


def test_names_from_files_are_escaped_in_a_terminal():
    assert "\x1b[31m" not in shown(
        finding("relations", "red\x1b[31mname", "aligned", estimate=1.0), real=None
    )


def ratio(verdict: str, details: Mapping[str, object] = MappingProxyType({}), **more: object) -> Finding:
    shifts = {"turns": {"people": 0.7, "simulated": 0.6}}
    stated = {"fieller": [0.73, 1.22], "shifts_in_human_sd": shifts, **details}
    return finding("counterfactual", "reaction_ratio", verdict, details=stated, **more)


def test_the_reaction_ratio_leads_with_its_interval_verdict_and_scale():
    found = ratio("reacts_as_people", estimate=0.944, interval=(0.711, 1.219))
    text = shown(found, shift("turns", "undecided"))
    line = "eaction ratio 0.94 [0.71, 1.22]: reacts as people do; 1 = as people, 0 = does not react"
    terminal, _, markdown = text.partition("**")
    assert terminal.startswith("= Like people in reactions.")
    assert (
        terminal.index(line)
        < terminal.index("because of reaction_ratio")
        < terminal.rindex("needs more data")
    )
    assert f"\nR{line}. People changed in" in markdown.replace("\\", "")


def test_an_undecided_ratio_says_how_much_more_of_which_side_would_decide():
    needs = {"needs": {"side": "simulated", "more": 1200}}
    found = ratio("undecided", estimate=0.9, interval=(0.3, 1700.0), details=needs)
    assert "0.90 [0.30, 1,700]: needs more data: about 1,200 more simulated;" in shown(found)
    of_people = ratio(
        "undecided", estimate=0.9, interval=(0.3, 1.7), details={"needs": {"side": "people", "more": 80}}
    )
    assert "needs more data: about 80 more people;" in shown(of_people)
    assert "more simulated" not in shown(
        ratio("under_reacts", estimate=0.5, interval=(0.3, 0.7), details=needs)
    )


def test_people_who_hardly_change_leave_a_dash_for_the_ratio():
    assert "Reaction ratio –: needs more data; 1 = as people" in shown(
        ratio("undecided", details={"fieller": None})
    )
