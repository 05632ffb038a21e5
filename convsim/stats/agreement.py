"""Statistics of agreement from counts, for many resamples at once; NaN where one is undefined.

Arrays have shape (r, …), one row a resample. ``reference`` and ``annotated`` count the items that each puts into each
of k classes, ``n`` counts items, and a table of shape (r, k, m) the items of each reference value and annotated value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]


def quotient(above: FloatArray, below: FloatArray) -> FloatArray:
    """Divide elementwise; NaN where ``below`` is 0."""
    import numpy as np

    above, below = np.broadcast_arrays(above, below)
    quotients: FloatArray = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotients, where=below != 0)
    return quotients


def kappa(agreed: FloatArray, expected: FloatArray, n: FloatArray) -> FloatArray:
    """Return Cohen's kappa: (observed - expected) / (1 - expected) agreement.

    Args:
        agreed: Items on which both agree.
        expected: Items on which they would agree by chance, given how often each gives each class.
        n: Items.

    Source:
        Cohen (1960), A coefficient of agreement for nominal scales, equation 1.
    """
    return quotient(agreed - expected, n - expected)


def chance(reference: FloatArray, annotated: FloatArray, n: FloatArray) -> FloatArray:
    """Return how many of ``n`` items would agree by chance; classes on the last axis exclude one another."""
    return quotient((reference * annotated).sum(axis=-1), n)


def weighted_kappa(table: FloatArray, values: FloatArray) -> FloatArray:
    """Return Cohen's kappa, disagreements weighted by the squared distance of ``values``, shape (k,).

    Source:
        Cohen (1968), Weighted kappa. The distance is that of the values, not of their ranks among those that occur,
        so that a value that nobody gave changes nothing.
    """
    distance = (values[:, None] - values[None, :]) ** 2
    rows, columns = table.sum(axis=2), table.sum(axis=1)
    seen = (table * distance).sum(axis=(1, 2))
    by_chance = quotient(((rows @ distance) * columns).sum(axis=1), rows.sum(axis=1))
    return 1 - quotient(seen, by_chance)


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
    return 1 - quotient((total - 1) * (total - 2 * agreed), pairs)


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
    return 1 - quotient((margins.sum(axis=1) - 1) * seen, by_chance)


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
    return quotient(surplus, np.sqrt(untied[0] * untied[1]))


def _pairs(counts: FloatArray) -> FloatArray:
    return counts * (counts - 1) / 2
