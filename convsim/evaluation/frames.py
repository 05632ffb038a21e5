"""Findings and simulators as tables: one row each, columns of one kind."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, get_args

from convsim.schema import Finding, Interval, PlannedFinding, PlannedPower, Verdict

if TYPE_CHECKING:
    import pandas as pd

    from convsim.evaluation.comparison import SimulatorReport
    from convsim.evaluation.nearness import Nearness
    from convsim.schema import Estimate

OF_FINDINGS: Mapping[str, str] = {
    "validator": "object", "metric": "object", "estimate": "float64", "interval_low": "float64",
    "interval_high": "float64", "level": "float64", "p_value": "float64", "p_adjusted": "float64",
    "noise_floor_mean": "float64", "noise_floor_q95": "float64", "unit": "object", "verdict": "category",
    "control": "bool", "reason": "object", "question": "object", "n_real": "int64", "n_simulated": "int64",
    "seed": "object", "version": "object", "source": "object", "details": "object",
}  # fmt: skip
"""Columns and their kinds; a seed may be larger than 64 bits."""
COUNTS = ("n", "n_seeds", "failures", "aligned", "different", "undecided", "n_learned", "n_identical")
WORDS = ("simulator", "front", "not_judged")


def findings_frame(findings: Sequence[Finding]) -> pd.DataFrame:
    """Put findings into a table, one row each, in their order."""
    import pandas as pd

    rows = pd.DataFrame([_finding(finding) for finding in findings], columns=[*OF_FINDINGS], dtype="object")
    frame = rows.astype({name: kind for name, kind in OF_FINDINGS.items() if kind != "category"})
    return frame.assign(verdict=pd.Categorical(frame["verdict"], categories=[*get_args(Verdict)]))


def simulators_frame(reports: Iterable[SimulatorReport]) -> pd.DataFrame:
    """Put simulators into a table, one row each; the index is their names."""
    import pandas as pd

    rows = {each.name: _simulator(each) for each in reports}
    names = pd.Index([*rows], dtype="object", name="simulator")
    columns = [*next(iter(rows.values()))] if rows else []
    kinds = {
        name: "int64" if name in COUNTS else "object" if name in WORDS else "float64" for name in columns
    }
    return pd.DataFrame([*rows.values()], index=names, columns=columns).astype(kinds)


OF_PLANS: Mapping[str, str] = {
    "validator": "object", "metric": "object", "truth": "object", "margin": "float64", "n_simulated": "float64",
    "power": "float64", "smallest_margin": "float64", "needs_side": "object", "needs_more": "float64",
    "pays_up_to": "float64", "n_real": "int64", "n_units_real": "int64", "reason": "object",
}  # fmt: skip


def planned_frame(findings: Sequence[PlannedFinding]) -> pd.DataFrame:
    """Put plans into a table: a row a question and number of simulated conversations, or one without a number."""
    import pandas as pd

    rows = [_planned(finding, at) for finding in findings for at in finding.at or (None,)]
    return pd.DataFrame(rows, columns=[*OF_PLANS], dtype="object").astype(dict(OF_PLANS))


def _planned(finding: PlannedFinding, at: PlannedPower | None) -> dict[str, object]:
    needs = finding.needs
    return {
        **{name: getattr(finding, name) for name in OF_PLANS if name in PlannedFinding.model_fields},
        "margin": _float(finding.margin),
        "pays_up_to": _float(finding.pays_up_to),
        "n_simulated": _float(at.n_simulated if at else None),
        "power": _float(at.power if at else None),
        "smallest_margin": _float(at.smallest_margin if at else None),
        "needs_side": needs.side if needs else None,
        "needs_more": _float(needs.more if needs else None),
    }


def _finding(finding: Finding) -> dict[str, object]:
    low, high = _limits(finding.interval)
    baseline = finding.noise_floor
    return {
        **{name: getattr(finding, name) for name in OF_FINDINGS if name in Finding.model_fields},
        **{name: _float(getattr(finding, name)) for name in ("estimate", "level", "p_value", "p_adjusted")},
        "interval_low": low,
        "interval_high": high,
        "noise_floor_mean": _float(baseline.mean if baseline else None),
        "noise_floor_q95": _float(baseline.q95 if baseline else None),
        "control": finding.is_control,
    }


def _simulator(report: SimulatorReport) -> dict[str, object]:
    baseline = report.mean_distance_floor
    return {
        "n": report.side.n,
        "n_seeds": max(1, len(report.seeds)),
        "failures": report.failures,
        **_estimate("mean_distance", report.mean_distance),
        "mean_distance_floor_q95": _float(baseline.q95 if baseline else None),
        **_estimate("hls", report.hls),
        **_estimate("relative_hls", report.relative_hls),
        "aligned": report.judged.aligned,
        "different": report.judged.different,
        "undecided": report.judged.undecided,
        **_estimate("agreement", report.reactions.agreement),
        "joint_p": _float(report.reactions.joint_p),
        **_estimate("reaction_ratio", report.reactions.ratio),
        "n_learned": report.overlap.n_learned,
        "n_identical": report.overlap.n_identical,
        "titles_named_early": _float(report.titles_named_early.estimate),
        "memorised": _float(report.memorisation.after_first.estimate),
        **_nearness(report.nearness),
        "requests": _float(report.cost.requests),
        "input_tokens": _float(report.cost.input_tokens),
        "output_tokens": _float(report.cost.output_tokens),
        "seconds": _float(report.cost.seconds),
        "cost_usd": _float(report.cost.cost_usd),
        "front": report.front.place,
        "not_judged": report.not_judged,
    }


def _nearness(near: Nearness | None) -> dict[str, float]:
    """Return how near a simulator lies to what was learned from; NaN where that was not given."""
    return {
        "longest_run": _float(near.longest_run if near else None),
        "longest": _float(near.longest if near else None),
        **_estimate("similarity_to_learned", near.similarity if near else None),
        **_estimate("nearer_than_people", near.nearer_than_people if near else None),
    }


def _estimate(name: str, of: Estimate | None) -> dict[str, float]:
    low, high = _limits(of.interval if of else None)
    return {name: _float(of.estimate if of else None), f"{name}_low": low, f"{name}_high": high}


def _limits(interval: Interval | None) -> tuple[float, float]:
    return (interval[0], interval[1]) if interval else (math.nan, math.nan)


def _float(value: float | None) -> float:
    return math.nan if value is None else value
