"""Simulators that take more than a budget allows are marked and not ranked; what is not known is said to be so."""

import json
from functools import partial
from pathlib import Path

import pytest

from convsim import compare
from convsim.errors import InputError
from convsim.evaluation import Comparison, budgets_of
from convsim.evaluation.budgets import Budget, within
from convsim.evaluation.cost import Cost
from convsim.evaluation.spending import RunUse
from convsim.models.metering import Measuring
from convsim.report.comparison import comparison_to_markdown
from tests.unit.evaluation.test_spending import talk
from tests.unit.simulation.test_study import study

SLOW, FAST = (
    RunUse(conversations=4, message_p90_s=3.0),
    RunUse(conversations=4, message_p90_s=0.5, energy_wh=2.0),
)
PRICED, UNPRICED = (
    Cost(n_known=4, cost_usd=0.03, reasons={}),
    Cost(n_known=4, reasons={"cost_usd": "no price"}),
)


@pytest.mark.parametrize(
    ("said", "bound", "most"),
    [
        ("latency_p90=1.5s", "latency_p90", 1.5), ("latency_p50=800ms", "latency_p50", 0.8),
        ("latency_p99=2", "latency_p99", 2.0), ("usd=$0.02", "usd", 0.02), ("usd=.02usd", "usd", 0.02),
        ("wh=0.5Wh", "wh", 0.5),
    ],
)  # fmt: skip
def test_a_bound_is_read_with_its_unit(said, bound, most):
    assert Budget.read(said) == Budget(bound=bound, most=most)


@pytest.mark.parametrize(
    "said", ["", "latency_p90", "latency_p90=", "latency_p95=1s", "latency_p90=-1", "latency_p90=nan", "usd=1s",
             "wh=1ms", "latency_p90=$1", "latency_p90=$1s", "wh=$1wh", "latency_p90=1e999", "latency_p90=1s extra"],
)  # fmt: skip
def test_what_is_no_bound_is_refused(said):
    with pytest.raises(InputError, match="--budget"):
        Budget.read(said)


@pytest.mark.parametrize("number", ["nan", "-1", "1,5", "1e9", ""])
def test_what_is_wrong_with_a_number_is_said(number):
    with pytest.raises(InputError, match=f"'{number}' is no number of s from 0"):
        Budget.read(f"latency_p90={number}")
    with pytest.raises(InputError, match="where NAME is one of latency_p50"):
        Budget.read("speed=1")


def test_a_bound_that_is_given_twice_is_refused():
    with pytest.raises(InputError, match="given twice"):
        budgets_of(["usd=1", "usd=2"])


@pytest.mark.parametrize(
    ("said", "cost", "run", "state", "reason"),
    [
        ([], PRICED, FAST, None, ""),
        (["latency_p90=1s"], PRICED, FAST, "within", ""),
        (["latency_p90=1s"], PRICED, SLOW, "over", "latency_p90 is 3 s a user message, over 1"),
        (["latency_p90=1s"], PRICED, None, "unknown", "no run folder"),
        (["latency_p50=1s"], PRICED, SLOW, "unknown", "measured no message"),
        (["usd=0.02"], PRICED, None, "over", "usd is 0.03 US dollars a conversation"),
        (["usd=0.02"], UNPRICED, None, "unknown", "no price"),
        (["wh=0.4"], PRICED, FAST, "over", "wh is 0.5"),
        (["wh=0.4"], PRICED, SLOW, "unknown", "tells no energy"),
        (["usd=0.02", "latency_p90=1s"], UNPRICED, SLOW, "over", "over 1; usd is not known: no price"),
        (["usd=0.02", "latency_p90=1s"], UNPRICED, FAST, "unknown", "usd is not known"),
    ],
)
def test_a_simulator_is_over_within_or_not_known(said, cost, run, state, reason):
    found = within(budgets_of(said), cost, run)
    assert (found.state if found else None) == state
    assert reason in (found.reason if found else "")


def run_of(folder: Path, seed: int, seconds: float | None) -> Path:
    """Run a study, and let its manifest say how long its messages took; None lets it say nothing."""
    study(n=8, seed=seed).run(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["measured"]
    if seconds is not None:
        at = Measuring()
        for _ in range(20):
            at.said("shopper", seconds)
        manifest["measured"] = at.so_far.model_dump(mode="json")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_who_is_over_is_neither_ranked_nor_on_the_front_and_who_is_not_known_stays(tmp_path):
    people = [talk(f"p{n}") for n in range(20)]
    sims = {
        "fast": run_of(tmp_path / "a", 1, 0.2),
        "slow": run_of(tmp_path / "b", 2, 9.0),
        "silent": run_of(tmp_path / "c", 3, None),
    }
    compared = partial(compare, people, sims, seed=1, validators="marginals", allow_failures=True)
    found = compared(budget=["latency_p90=1s"])
    states = {each.name: each.budget.state for each in found.simulators}
    assert states == {"fast": "within", "slow": "over", "silent": "unknown"}
    places = {each.name: each.front.reason for each in found.simulators}
    assert places["slow"].startswith("over the budget: latency_p90 is ")
    assert not [pair for pair in found.leaner if "slow" in (pair.cheaper, pair.dearer)]
    text = comparison_to_markdown(found)
    assert "| – slow |" in text
    assert "slow is over the budget (latency\\_p90 1 s)" in text
    assert "Whether silent keeps within the budget" in text
    assert "fast: " in comparison_to_markdown(found, full=True)
    assert "decided finding" in comparison_to_markdown(found, full=True)
    assert Comparison.model_validate(found.to_dict()) == found
    without = compared()
    assert "budget" not in without.to_dict()
    assert all("budget" not in each for each in without.to_dict()["simulators"])


def test_runs_that_are_pooled_are_measured_together_and_one_without_measures_leaves_all_unknown(tmp_path):
    people = [talk(f"p{n}") for n in range(20)]
    runs = {"s-1": run_of(tmp_path / "a", 1, 0.2), "s-2": run_of(tmp_path / "b", 2, 9.0)}
    asked = partial(compare, people, seed=1, validators="marginals", allow_failures=True, pool_seeds=True)
    (both,) = asked(runs, budget=["latency_p99=1s"]).simulators
    assert both.budget.state == "over"
    assert both.validation.run.message_p50_s == pytest.approx(0.2, rel=0.02)
    assert both.validation.run.message_p99_s == pytest.approx(9.0, rel=0.02)
    runs["s-2"] = run_of(tmp_path / "c", 2, None)
    (both,) = asked(runs, budget=["latency_p99=1s"]).simulators
    assert both.budget.state == "unknown"
    assert "name the folder that simulate wrote" in both.budget.reason
