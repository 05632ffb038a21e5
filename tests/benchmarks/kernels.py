"""Permutation and bootstrap kernels beside SciPy's generic ones, and hyppo's, on the same arrays.

    python tests/benchmarks/kernels.py [--hyppo PYTHON] [--n 1000] [--json FILE]

Both sides are drawn from one distribution: half of the columns are counts, half numbers. Where the same statistic is
computed, the observed values are compared before anything is timed. SciPy's functions take one column and any statistic
and resample conversations; ours deal and draw whole units for all columns at once. So SciPy's are timed on few columns
and few resamples, and what they would take for all is worked out: their time grows in proportion. ``--hyppo`` names an
interpreter that has hyppo: its energy distance of all columns stands beside ours of the joint validator, which takes
ranks within sides anew in every dealing. Figures are medians of processor time, in one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import numpy as np
from scipy import stats

from convsim.stats.copula import DISTANCE, Pairs
from convsim.stats.ecdf import Cells, cumulative, cut_points, superiority
from convsim.stats.resampling import draw_units, permute
from tests.benchmarks.rows import Row, report, with_json

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

N_COLUMNS, N_JOINT = 40, 12
N_RESAMPLES, N_DEALINGS = 999, 99
FEW_COLUMNS, FEW_RESAMPLES = 2, 49
"""What SciPy's generic functions are timed on."""
HYPPO = """
import json, sys, time, warnings
import numpy as np
from hyppo.ksample import Energy
both = np.load(sys.argv[1])
x, y, reps = both["real"], both["simulated"], int(sys.argv[2])
warnings.simplefilter("ignore")
Energy().test(x[:50], y[:50], reps=3, workers=1, auto=False)  # compiles
begun = time.process_time()
statistic, p_value = Energy().test(x, y, reps=reps, workers=1, auto=False)
print(json.dumps({"seconds": time.process_time() - begun, "p_value": float(p_value)}))
"""


def sides(n: int, *, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return two samples of one distribution, shape (n, columns) each."""
    rng = np.random.default_rng(seed)

    def draw() -> FloatArray:
        counts = rng.poisson(3.0, size=(n, N_COLUMNS // 2))
        return np.concatenate([counts, rng.normal(size=(n, N_COLUMNS // 2))], axis=1)

    return draw(), draw()


def cells(real: FloatArray, simulated: FloatArray) -> list[Cells]:
    """Put each column of both sides into cells; every conversation is a unit."""
    made = []
    for column in np.concatenate([real, simulated]).T:
        cuts = cut_points(column)
        of = np.searchsorted(cuts, column).astype(np.int64)
        made.append(Cells.of(of, np.arange(len(column)), n_cells=len(cuts), n_units=len(column)))
    return made


def ks_permuted(real: FloatArray, simulated: FloatArray) -> FloatArray:
    """Return the distance of every column, as observed and in every dealing; shape (columns, 1 + permutations)."""
    n = len(real) + len(simulated)
    is_real = np.arange(n) < len(real)
    dealt = permute(np.zeros(n, np.int64), is_real, N_RESAMPLES, np.random.default_rng(1))
    weights = np.column_stack([is_real.astype(np.float32), dealt])
    return np.stack(
        [
            np.abs(cumulative(column.resampled(weights)) - cumulative(column.resampled(1 - weights))).max(
                axis=0
            )
            for column in cells(real, simulated)
        ]
    )


def delta_resampled(real: FloatArray, simulated: FloatArray) -> FloatArray:
    """Return Cliff's delta of every column, as observed and of both sides drawn anew; (columns, 1 + resamples)."""
    rng = np.random.default_rng(1)
    drawn = []
    for side in (real, simulated):
        weights = draw_units(len(side), N_RESAMPLES, rng)
        drawn.append(np.column_stack([np.ones(len(side), np.float32), weights]))
    none = [np.zeros_like(each) for each in drawn]
    first, second = np.concatenate([drawn[0], none[1]]), np.concatenate([none[0], drawn[1]])
    return np.stack(
        [superiority(column.resampled(first), column.resampled(second)) for column in cells(real, simulated)]
    )


def ks(first: FloatArray, second: FloatArray) -> float:
    """Return SciPy's distance of two samples."""
    return float(stats.ks_2samp(first, second, method="asymp").statistic)


def delta(first: FloatArray, second: FloatArray) -> float:
    """Return Cliff's delta of two samples by SciPy's statistic of Mann and Whitney."""
    u = float(stats.mannwhitneyu(second, first, method="asymptotic").statistic)
    return 2 * u / (len(first) * len(second)) - 1


def scipy_permutation(first: FloatArray, second: FloatArray) -> None:
    """Permute one column by SciPy's generic function."""
    stats.permutation_test(
        (first, second), ks, n_resamples=FEW_RESAMPLES, vectorized=False, alternative="greater",
        rng=np.random.default_rng(1),
    )  # fmt: skip


def scipy_bootstrap(first: FloatArray, second: FloatArray) -> None:
    """Resample one column by SciPy's generic function."""
    stats.bootstrap(
        (first, second), delta, n_resamples=FEW_RESAMPLES, vectorized=False, method="percentile",
        rng=np.random.default_rng(1),
    )  # fmt: skip


def beside_scipy(
    name: str,
    ours: Callable[[FloatArray, FloatArray], FloatArray],
    statistic: Callable[[FloatArray, FloatArray], float],
    generic: Callable[[FloatArray, FloatArray], None],
    both: tuple[FloatArray, FloatArray],
) -> Iterator[Row]:
    """Check that both compute the same, and time both."""
    real, simulated = both
    expected = [statistic(first, second) for first, second in zip(real.T, simulated.T, strict=True)]
    # Columns of more than 1,000 values are read at as many quantiles.
    np.testing.assert_allclose(ours(real, simulated)[:, 0], expected, atol=2e-3)
    mine = seconds(lambda: ours(real, simulated), rounds=3)
    their_own = [
        seconds(lambda at=at: generic(real[:, at], simulated[:, at]), rounds=1)  # type: ignore[misc]
        for at in (0, N_COLUMNS - 1)
    ]
    whole = sum(their_own) / FEW_COLUMNS * N_COLUMNS * N_RESAMPLES / FEW_RESAMPLES
    case = f"{name}, {N_COLUMNS} columns, n = {len(real)} a side, {N_RESAMPLES} resamples"
    measured: Any = {"measure": "processor time", "unit": "s"}
    yield Row(case=f"convsim, {case}", **measured, value=mine, beside="SciPy", ratio=mine / whole)
    yield Row(case=f"SciPy, {case} (worked out)", **measured, value=whole)


def joint(python: str | None, both: tuple[FloatArray, FloatArray]) -> Iterator[Row]:
    """Time the distance of all columns together, beside hyppo's energy distance."""
    real, simulated = (side[:, -N_JOINT:] for side in both)
    values = np.concatenate([real, simulated])
    n = len(values)
    dealt = permute(np.zeros(n, np.int64), np.arange(n) < len(real), N_DEALINGS, np.random.default_rng(1))
    pairs = Pairs(values, np.arange(n))
    mine = seconds(lambda: pairs.distances(dealt, {"energy_distance": DISTANCE}), rounds=3)
    case = f"energy distance, {N_JOINT} columns, n = {len(real)} a side, {N_DEALINGS} permutations"
    whole = None
    if python is not None:
        with tempfile.TemporaryDirectory() as folder:
            arrays = Path(folder) / "arrays.npz"
            np.savez(arrays, real=real, simulated=simulated)
            asked = [python, "-c", HYPPO, str(arrays), str(N_DEALINGS)]
            ended = subprocess.run(asked, check=True, capture_output=True, text=True)
        whole = float(json.loads(ended.stdout.splitlines()[-1])["seconds"])
    yield Row(
        case=f"convsim, {case}",
        measure="processor time",
        unit="s",
        value=mine,
        beside="hyppo" if whole else None,
        ratio=mine / whole if whole else None,
    )
    if whole is not None:
        yield Row(case=f"hyppo, {case}", measure="processor time", unit="s", value=whole)


def seconds(work: Callable[[], object], *, rounds: int) -> float:
    """Return the median processor time of some work."""
    took = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        took.append(time.process_time() - begun)
    return median(took)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hyppo", metavar="PYTHON", help="an interpreter that has hyppo")
    parser.add_argument("--n", type=int, default=1000, help="conversations a side")
    with_json(parser)
    asked = parser.parse_args()
    both = sides(asked.n, seed=0)
    rows = [
        *beside_scipy("Kolmogorov-Smirnov, permuted", ks_permuted, ks, scipy_permutation, both),
        *beside_scipy("Cliff's delta, resampled", delta_resampled, delta, scipy_bootstrap, both),
        *joint(asked.hyppo, both),
    ]
    report(rows, asked.json)


if __name__ == "__main__":
    main()
