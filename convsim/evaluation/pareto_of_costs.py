"""Puts simulators on the front of realism against cost, in the unit of cost that all of them state."""

from __future__ import annotations

from collections.abc import Sequence

from convsim.evaluation.comparison import CostAxis, SimulatorReport
from convsim.evaluation.pareto import Apart, Candidate, LeanerPair, leaner_pairs, places
from convsim.schema import Standing

APART = "mean_distance_difference"


def placed(
    reports: Sequence[SimulatorReport], standings: Sequence[Standing]
) -> tuple[CostAxis | None, list[SimulatorReport], list[LeanerPair]]:
    """Place simulators between realism and cost.

    Returns:
        What cost is measured in (US dollars if every simulator has a price, else seconds; None where nobody states
        either), the reports with their places, and the pairs of which one costs less.
    """
    axis = _axis(reports)
    candidates = [_candidate(report, axis) for report in reports]
    differences = {
        (s.simulator, s.against): Apart(s.estimate, s.interval)
        for s in standings
        if s.metric == APART and s.against is not None and s.estimate is not None
    }
    where = places(candidates, differences)
    return axis, [r.but(front=where[r.name]) for r in reports], leaner_pairs(candidates, differences)


def _axis(reports: Sequence[SimulatorReport]) -> CostAxis | None:
    judged = [report for report in reports if report.not_judged is None]
    if judged and all(report.cost.cost_usd is not None for report in judged):
        return "cost_usd"
    return "seconds" if any(report.cost.seconds is not None for report in judged) else None


def _candidate(report: SimulatorReport, axis: CostAxis | None) -> Candidate:
    distance = report.mean_distance.estimate
    cost = None if axis is None else {"cost_usd": report.cost.cost_usd, "seconds": report.cost.seconds}[axis]
    reasons = []
    if distance is None:
        reasons.append(f"its distance from people is not known: {report.mean_distance.reason}")
    if cost is None:
        why = report.cost.reasons.get(axis or "seconds", "nobody states a cost")
        reasons.append(f"its cost is not known: {why}")
    return Candidate(report.name, distance, cost, "; ".join(reasons))
