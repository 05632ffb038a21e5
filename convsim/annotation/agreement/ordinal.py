"""Agreement on labels that are numbers, such as satisfaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsim.annotation.agreement.document import Agreement, Confusion
from convsim.annotation.agreement.entry import entry
from convsim.annotation.agreement.matching import Matched
from convsim.annotation.agreement.sets import Counts, class_scores, class_statistics
from convsim.schema import ExplainedEstimate, ratio
from convsim.stats.agreement import (
    by_unit,
    chance,
    estimate,
    kappa,
    kendall_tau_b,
    ordinal_alpha,
    weighted_kappa,
)
from convsim.stats.resampling import Computed, resampled

if TYPE_CHECKING:
    from numpy.random import Generator

    from convsim.schema.arrays import FloatArray

    Axes = tuple[FloatArray, FloatArray]

MAX_LEVELS = 101
"""More distinct values (a scale of 0 to 100 has 101) are not tabulated."""
UNDEFINED = {
    "kendall_tau_b": "the annotator or the reference gives the same value to every item",
    "kappa": "both give the same value to every item",
    "kappa_quadratic": "both give the same value to every item",
    "alpha": "both give the same value to every item",
    "accuracy": "there are no items",
    "macro_f1": "there are no items",
}


def ordinal_agreement(matched: Matched, *, n_resamples: int, rng: Generator) -> Agreement:
    """Compare two annotators' numbers: by order on any two scales, as classes on identical ones."""
    import numpy as np

    given, found = (np.asarray(side, np.float64) for side in (matched.reference, matched.annotated))
    same = matched.kind.scale_annotated == matched.kind.scale_reference
    axes = np.unique(given), np.unique(found)
    if same:
        axes = (np.union1d(*axes),) * 2
    units, of_item = np.unique(np.asarray(matched.units), return_inverse=True)
    n_units = len(units)
    if max(map(len, axes)) > MAX_LEVELS:
        reason = f"more than {MAX_LEVELS} different values"
        return entry(matched, {name: ExplainedEstimate(reason=reason) for name in UNDEFINED}, comparable=same)
    cell = np.searchsorted(axes[0], given) * len(axes[1]) + np.searchsorted(axes[1], found)
    counts = by_unit(np.arange(len(cell)), cell, of_item, len(axes[0]) * len(axes[1]))
    computed = resampled(counts, lambda sums: _statistics(sums, axes, same), n_resamples, rng)
    estimates = {
        name: estimate(v, n_units, undefined=UNDEFINED[name]) for name, v in computed.items() if v.ndim == 1
    }
    table = np.asarray(counts.sum(axis=1), np.float64).reshape(1, len(axes[0]), len(axes[1]))
    confusion = Confusion(
        reference=tuple(axes[0].tolist()),
        annotated=tuple(axes[1].tolist()),
        counts=tuple(tuple(int(count) for count in row) for row in table[0]),
    )
    if not same:
        reason = (
            f"the scales differ: {matched.kind.scale_annotated or 'none'} annotated, "
            f"{matched.kind.scale_reference or 'none'} by the reference"
        )
        others = {name: ExplainedEstimate(reason=reason) for name in UNDEFINED if name not in estimates}
        return entry(matched, estimates | others, confusion=confusion, comparable=False)
    if len(axes[0]) == 2:
        estimates["kappa_quadratic"] = ExplainedEstimate(reason="two values: the same as kappa")
    names = [f"{value:g}" for value in axes[0]]
    scores = class_scores(names, _counts(table), computed, n_units)
    return entry(matched, estimates, classes=scores, confusion=confusion)


def _statistics(sums: FloatArray, axes: Axes, same: bool) -> Computed:
    table = sums.reshape(len(sums), len(axes[0]), len(axes[1]))
    tau = kendall_tau_b(table)
    if not same:
        return {"kendall_tau_b": tau}
    counts = _counts(table)
    agreed = counts.both.sum(axis=1)
    return {
        **class_statistics(counts),
        "kendall_tau_b": tau,
        "accuracy": ratio(agreed, counts.n),
        "kappa": kappa(agreed, chance(counts.reference, counts.annotated, counts.n), counts.n),
        "kappa_quadratic": weighted_kappa(table, axes[0]),
        "alpha": ordinal_alpha(table + table.transpose(0, 2, 1)),
    }


def _counts(table: FloatArray) -> Counts:
    both: FloatArray = table.diagonal(axis1=1, axis2=2)
    return Counts(table.sum(axis=(1, 2)), both, table.sum(axis=2), table.sum(axis=1))
