"""How soon is it decided, and how often wrongly? The rule before (Kolmogorov-Smirnov .10), today's, and the headline.

    python -m tests.benchmarks.decided_share FILE ... [--runs 60] [--sizes 100 150x1500 250 500 1000 2000]

The conversations of each FILE are taken for a population; both sides are drawn from it with replacement. A simulator
at a distance is drawn with weights that rise along the habits' first principal component, until its joint distance is
that many margins. Conversations are units here, whoever held them. A row a file, distance and size: the proportion of
metrics alike before and now, those shown far off, the headline's verdicts, and the proportion of cards in which each
metric is alike.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from convsim.evaluation.sides import Selection, Side
from convsim.metrics import measure_both
from convsim.stats.contrasts import Contrast, Contrasts
from convsim.stats.ecdf import Cells, cut_points
from convsim.stats.equivalence import Margins, location_limit, normal_quantile
from convsim.stats.joint_equivalence import Joint, JointRule, far_off, normal_draws
from convsim.stats.proportions import wilson_limits

BEFORE = 0.10
MARGINS = Margins()
RULE = JointRule()
Z = normal_quantile(0.95)
DISTANCES = (0.0, 0.5, 1.0, 2.0)


def table(path: Path) -> tuple[np.ndarray, list[str]]:
    """Measure a file; metrics that are judged, vary, and are defined in half of it."""
    side = Side.of(path, "real", Selection())
    corpus, _ = measure_both(side.conversations, side.conversations)
    names = [
        name
        for name, metric in corpus.metrics.items()
        if metric.role == "metric"
        and corpus.table[name].notna().mean() >= 0.5
        and corpus.table[name].nunique() > 1
    ]
    return corpus.table[names].to_numpy(float), names


def contrasts(
    real: np.ndarray, simulated: np.ndarray
) -> tuple[Contrasts, list[tuple[np.ndarray, np.ndarray]]]:
    """Compare all metrics that both samples have; with the cell counts of each."""
    by_metric: dict[str, Contrast] = {}
    counts = []
    for k in range(real.shape[1]):
        sides = [side[~np.isnan(side[:, k]), k] for side in (real, simulated)]
        rows = [np.flatnonzero(~np.isnan(side[:, k])) for side in (real, simulated)]
        if min(map(len, sides)) < 8:
            continue
        cuts = cut_points(np.concatenate(sides))
        cells = [
            Cells.of(np.searchsorted(cuts, values), row, n_cells=len(cuts), n_units=len(side))
            for values, row, side in zip(sides, rows, (real, simulated), strict=True)
        ]
        by_metric[str(k)] = Contrast.of(*cells)
        counts.append((cells[0].counts, cells[1].counts))
    strata = (np.zeros(len(real), np.int64), np.zeros(len(simulated), np.int64))
    return Contrasts(tuple(by_metric), by_metric, strata), counts


def ks_limit(real: np.ndarray, simulated: np.ndarray) -> float:
    """The upper 90 % limit of the distance: the largest pointwise Newcombe limit, as ``marginals`` has it."""
    shares = [np.cumsum(side)[:-1] / side.sum() for side in (real, simulated)]
    if not len(shares[0]):
        return float(np.hypot(*(Z**2 / (side.sum() + Z**2) for side in (real, simulated))))
    limits = [
        wilson_limits(share, np.full(len(share), side.sum()), Z)
        for share, side in zip(shares, (real, simulated), strict=True)
    ]
    gap = shares[0] - shares[1]
    upwards = gap + np.hypot(limits[0][1] - shares[0], shares[1] - limits[1][0])
    downwards = -gap + np.hypot(shares[0] - limits[0][0], limits[1][1] - shares[1])
    return float(max(upwards.max(), downwards.max()))


def alike(
    contrast: Contrast, variance: np.ndarray, counts: tuple[np.ndarray, np.ndarray]
) -> tuple[bool, bool]:
    """Whether a metric was alike by the rule before, and is by today's."""
    ks = ks_limit(*counts)
    errors = np.sqrt(variance)
    shares = [side / side.sum() for side in counts]
    common = int((shares[0] + shares[1]).argmax())
    delta = location_limit(
        contrast, float(errors[0]), largest_atoms=(shares[0][common], shares[1][common]),
        n_units=(counts[0].sum(), counts[1].sum()), z=Z,
    )  # fmt: skip
    spread = 0.0 if len(counts[0]) <= 2 else abs(contrast.estimates[1]) + Z * errors[1]
    return ks <= BEFORE, delta <= MARGINS.delta and spread <= MARGINS.spread and ks <= MARGINS.ks


def one_run(real: np.ndarray, simulated: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """Judge one pair of samples."""
    both, counts = contrasts(real, simulated)
    k = len(both.names)
    variances = np.diag(both.covariance)
    metrics = [
        alike(both.by_metric[name], variances[[i, k + i]], counts[i]) for i, name in enumerate(both.names)
    ]
    location, spread = (joint.limits(RULE.z)[1] for joint in (Joint.of(both), Joint.of(both, "spread")))
    margins = np.repeat([MARGINS.delta, MARGINS.spread], k)
    off = far_off(both.estimates, both.covariance, margins, alpha=RULE.alpha, rng=rng)
    is_alike = location <= RULE.margin and spread <= RULE.spread_margin and not off.any()
    return {
        "metrics alike before": float(np.mean([before for before, _ in metrics])),
        "metrics alike now": float(np.mean([now for _, now in metrics])),
        "metrics far off": float((off[:k] | off[k:]).mean()),
        "headline alike": float(is_alike),
        "headline different": float(not is_alike and (off.any() or _joint_p(both, rng) <= 0.05)),
        "all alike before": float(all(before for before, _ in metrics)),
        "all alike now": float(all(now for _, now in metrics)),
    }


def _joint_p(both: Contrasts, rng: np.random.Generator) -> float:
    """The joint test of any difference: the permutations' distribution, as the normal one with its correlation."""
    k = len(both.names)
    people, simulated = both.covariances_at_equality
    null = (people + simulated)[:k, :k]
    errors = np.sqrt(np.diag(null))
    told = errors > 0
    scaled = null[np.ix_(told, told)] / np.outer(errors[told], errors[told])
    observed = ((both.delta[told] / errors[told]) ** 2).sum()
    drawn = (normal_draws(scaled, 999, rng) ** 2).sum(axis=1)
    return float(((drawn >= observed).sum() + 1) / 1000)


def weights_at(values: np.ndarray, target: float) -> np.ndarray | None:
    """Weights of rows at which a simulator drawn by them lies at a joint distance from people."""
    if not target:
        return None
    ranks = np.zeros(values.shape)
    for k, column in enumerate(values.T):
        known = ~np.isnan(column)
        ranks[known, k] = 2 * (rankdata(column[known]) - 0.5) / known.sum() - 1
    ranks = (ranks - ranks.mean(axis=0)) / np.maximum(ranks.std(axis=0), 1e-9)
    direction = np.linalg.svd(ranks, full_matrices=False)[0][:, 0]
    direction /= direction.std()
    low, high = 0.0, 6.0
    for _ in range(12):
        size = (low + high) / 2
        weights = np.exp(size * direction - (size * direction).max())
        weights /= weights.sum()
        rng = np.random.default_rng(1)
        people = values[rng.choice(len(values), 6000)]
        distance = Joint.of(contrasts(people, values[rng.choice(len(values), 6000, p=weights)])[0]).distance
        low, high = (size, high) if distance < target else (low, size)
    return np.asarray(weights)


def rows(path: Path, sizes: list[tuple[int, int]], runs: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield one row a distance and size."""
    values, names = table(path)
    for distance in DISTANCES:
        weights = weights_at(values, distance * RULE.margin)
        for n, m in sizes:
            found = []
            for run in range(runs):
                rng = np.random.default_rng([run, n, m, int(10 * distance)])
                simulated = values[rng.choice(len(values), m, p=weights)]
                found.append(one_run(values[rng.choice(len(values), n)], simulated, rng))
            where = f"{path.name} ({len(names)} metrics), {distance:g} margins, {n} v. {m}"
            yield where, {key: float(np.mean([f[key] for f in found])) for key in found[0]}


def main() -> None:
    """Print a row for each file, distance and size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, nargs="+")
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--sizes", nargs="+", default=["100", "150x1500", "250", "500", "1000", "2000"])
    given = parser.parse_args()
    sizes = [(int(size.split("x")[0]), int(size.split("x")[-1])) for size in given.sizes]
    for path in given.file:
        for where, share in rows(path, sizes, given.runs):
            print(f"{where}: {', '.join(f'{key} {value:.2f}' for key, value in share.items())}", flush=True)


if __name__ == "__main__":
    main()
