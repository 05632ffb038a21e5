"""Limits of a share that hold at 0 and 1 too."""

from __future__ import annotations

import numpy as np

from convsim.stats.ecdf import FloatArray


def wilson_limits(share: FloatArray, n: FloatArray, z: float) -> tuple[FloatArray, FloatArray]:
    """Return Wilson's (1927) score limits of shares of ``n`` effective units, ``z`` standard errors to either side."""
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.minimum(centre - half, share), np.maximum(centre + half, share)
