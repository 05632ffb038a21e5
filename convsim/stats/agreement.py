"""Agreement between raters: kappa, tau and alpha from counts, for many resamples at once.

Arrays have shape (r, …), one row a resample. ``reference`` and ``annotated`` count the items that each puts into each
of k classes, ``n`` counts items, and a table of shape (r, k, m) the items of each reference value and annotated value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsim.schema import ExplainedEstimate, ratio

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from convsim.schema.arrays import FloatArray, IntArray


MIN_UNITS = 8
"""Fewer resampling units give no interval."""


def by_unit(rows: IntArray, columns: IntArray, unit_of: IntArray, n_columns: int) -> csr_matrix:
    """Count the marks of each unit.

    Args:
        rows: Shape (marks,): the item of each mark.
        columns: Shape (marks,): what is counted there.
        unit_of: Shape (items,): each item's unit, from 0 on.
        n_columns: How many different things are counted.

    Returns:
        Shape (columns, units).
    """
    import numpy as np
    from scipy.sparse import csr_matrix

    shape = (n_columns, int(unit_of.max()) + 1)
    return csr_matrix((np.ones(len(rows)), (columns, unit_of[rows])), shape=shape)


def estimate(values: FloatArray, n_units: int, *, undefined: str) -> ExplainedEstimate:
    """Summarise one statistic: the observed value, and a percentile interval over the resamples that define it.

    Args:
        values: Shape (1 + resamples,), the observed value first; NaN where undefined.
        n_units: Independent units that were drawn.
        undefined: Why the statistic can be undefined.
    """
    import numpy as np

    if np.isnan(values[0]):
        return ExplainedEstimate(reason=undefined)
    observed, drawn = float(values[0]), values[1:][~np.isnan(values[1:])]
    if n_units < MIN_UNITS:
        return ExplainedEstimate(
            estimate=observed,
            reason=f"no interval: {n_units} users, personas or conversations; at least {MIN_UNITS} are needed",
        )
    if len(drawn) < (len(values) - 1) / 2:
        return ExplainedEstimate(estimate=observed, reason=f"no interval: in most resamples {undefined}")
    if np.ptp(drawn) < 1e-12:
        return ExplainedEstimate(
            estimate=observed, reason="no interval: the units are all alike, resampling shows no spread"
        )
    low, high = np.quantile(drawn, [0.025, 0.975])
    return ExplainedEstimate(estimate=observed, interval=(float(low), float(high)))


def kappa(agreed: FloatArray, expected: FloatArray, n: FloatArray) -> FloatArray:
    """Return Cohen's kappa: (observed - expected) / (1 - expected) agreement.

    Args:
        agreed: Items on which both agree.
        expected: Items on which they would agree by chance, given how often each gives each class.
        n: Items.

    Source:
        Cohen (1960), A coefficient of agreement for nominal scales, equation 1.
    """
    return ratio(agreed - expected, n - expected)


def chance(reference: FloatArray, annotated: FloatArray, n: FloatArray) -> FloatArray:
    """Return how many of ``n`` items would agree by chance; classes on the last axis exclude one another."""
    return ratio((reference * annotated).sum(axis=-1), n)


def weighted_kappa(table: FloatArray, values: FloatArray) -> FloatArray:
    """Return Cohen's kappa, disagreements weighted by the squared distance of ``values``, shape (k,).

    Source:
        Cohen (1968), Weighted kappa. The distance is that of the values, not of their ranks among those that occur,
        so that a value that nobody gave changes nothing.
    """
    distance = (values[:, None] - values[None, :]) ** 2
    rows, columns = table.sum(axis=2), table.sum(axis=1)
    seen = (table * distance).sum(axis=(1, 2))
    by_chance = ratio(((rows @ distance) * columns).sum(axis=1), rows.sum(axis=1))
    return 1 - ratio(seen, by_chance)


def nominal_alpha(agreed: FloatArray, margins: FloatArray, n: FloatArray) -> FloatArray:
    """Return Krippendorff's alpha of two annotators without gaps, for categories without order.

    Args:
        agreed: Items on which both agree.
        margins: How often each category was given by either; classes on the last axis exclude one another.
        n: Items; each has two values.

    Source:
        Krippendorff (2011), Computing Krippendorff's alpha-reliability, section B.
    """
    total = 2 * n
    pairs = total**2 - (margins**2).sum(axis=-1)
    return 1 - ratio((total - 1) * (total - 2 * agreed), pairs)


def ordinal_alpha(coincidences: FloatArray) -> FloatArray:
    """Return Krippendorff's alpha of ordered categories, from coincidence matrices of shape (r, k, k).

    A disagreement weighs the squared number of values that lie between the two, each end counted half.

    Source:
        Krippendorff (2011), Computing Krippendorff's alpha-reliability, section D.
    """
    margins = coincidences.sum(axis=2)
    middle = margins.cumsum(axis=1) - margins / 2
    distance = (middle[:, :, None] - middle[:, None, :]) ** 2
    seen = (coincidences * distance).sum(axis=(1, 2))
    by_chance = (margins[:, :, None] * margins[:, None, :] * distance).sum(axis=(1, 2))
    return 1 - ratio((margins.sum(axis=1) - 1) * seen, by_chance)


def kendall_tau_b(table: FloatArray) -> FloatArray:
    """Return Kendall's tau-b; values of both sides in ascending order. NaN where a side is constant.

    Source:
        Kendall (1945), The treatment of ties in ranking problems.
    """
    import numpy as np

    below = np.zeros_like(table)
    below[:, 1:] = table.cumsum(axis=1)[:, :-1]
    concordant, discordant = np.zeros_like(table), np.zeros_like(table)
    concordant[:, :, 1:] = below.cumsum(axis=2)[:, :, :-1]
    discordant[:, :, :-1] = below[:, :, ::-1].cumsum(axis=2)[:, :, ::-1][:, :, 1:]
    surplus = (table * (concordant - discordant)).sum(axis=(1, 2))
    untied = [_pairs(table.sum(axis=(1, 2))) - _pairs(table.sum(axis=axis)).sum(axis=1) for axis in (1, 2)]
    return ratio(surplus, np.sqrt(untied[0] * untied[1]))


def _pairs(counts: FloatArray) -> FloatArray:
    return counts * (counts - 1) / 2
