"""How often out-of-fold labels are right, with intervals that resample users, beside what the commonest label gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from convsim.annotation.classifier.dataset import Target
from convsim.annotation.definitions import OTHER
from convsim.schema.record import Count, Name, Number, Record
from convsim.seeds import generator

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from pydantic import JsonValue

    FloatArray = npt.NDArray[np.float64]
    IntArray = npt.NDArray[np.int64]

N_REPLICATES = 1000
AT_ONCE = 100
MIN_OTHER = 5
"""``other`` counts among the classes when so many messages carry it in truth."""


class Score(Record):
    """An estimate and its 95 % interval; null where it is undefined (no such act was said, say)."""

    estimate: Number | None
    interval: tuple[Number, Number] | None = None


class ClassScores(Record):
    """Precision, recall and F1 of one act, or of one value of an ordered label."""

    name: Name
    n: Count
    """How many carry it in truth."""
    precision: Score
    recall: Score
    f1: Score
    f1_of_always: Number
    """What saying it of everything would get."""


class Scores(Record):
    """Of one target; the folds, like the intervals, keep whole users together, or conversations.

    The intervals resample what the folds said, not the fitting, and are somewhat narrow for it: of 95 % intervals of
    tau over labels that were drawn by coin for 145 users, 87 in 100 held 0 (Bengio and Grandvalet, 2004, show that
    cross-validation has no unbiased estimate of its variance).
    """

    n: Count
    n_groups: Count
    """Users, or conversations, that n messages or conversations come from."""
    accuracy: Score
    """Of acts: how often the whole set is right."""
    accuracy_of_commonest: Number
    """What saying the commonest label of everything would get."""
    macro_f1: Score
    macro_f1_of_commonest: Number
    """What saying the commonest act, or value, of everything would get."""
    tau_b: Score | None = None
    """Kendall's tau-b, of ordered labels; 0 where what is said has nothing to do with the truth."""
    mean: Score | None = None
    """Of ordered labels: the mean of what was said; beside it stands the truth."""
    true_mean: Number | None = None
    classes: tuple[ClassScores, ...]


def score(
    target: Target, truth: Sequence[JsonValue], said: Sequence[JsonValue], group: IntArray, *, seed: int
) -> Scores:
    """Compare what was said out of fold with the truth; both have one value a unit, ``group`` the unit's user."""
    import numpy as np

    names, here, there = _indicators(target, truth, said)
    exact = np.asarray([float(a == b) for a, b in zip(truth, said, strict=True)])
    tables = (
        np.einsum("ni,nj->nij", here, there) if target.kind == "ordered" else np.zeros((len(exact), 0, 0))
    )
    per_unit = np.column_stack(
        [np.ones(len(exact)), exact, here * there, here, there, tables.reshape(len(exact), -1)]
    )
    groups, group_of = np.unique(group, return_inverse=True)
    sums = np.zeros((len(groups), per_unit.shape[1]))
    np.add.at(sums, group_of, per_unit)
    estimates = _measure(sums.sum(axis=0)[None], target, len(names))
    replicates = np.vstack(
        [_measure(weights @ sums, target, len(names)) for weights in _resampled(len(groups), seed)]
    )
    scores = [_score(*pair) for pair in zip(estimates[0], replicates.T, strict=True)]
    share = here.mean(axis=0)
    always = 2 * share / (1 + share)
    by_class = np.reshape(np.asarray(scores, object)[4:], (3, len(names)))
    classes = tuple(
        ClassScores(
            name=name, n=int(here[:, k].sum()), precision=by_class[0, k], recall=by_class[1, k],
            f1=by_class[2, k], f1_of_always=float(always[k]),
        )
        for k, name in enumerate(names)
    )  # fmt: skip
    is_ordered = target.kind == "ordered"
    return Scores(
        n=len(exact), n_groups=len(groups), accuracy=scores[0], accuracy_of_commonest=_commonest(truth),
        macro_f1=scores[1], macro_f1_of_commonest=float(always[np.argmax(share)]) / len(names),
        tau_b=scores[2] if is_ordered else None, mean=scores[3] if is_ordered else None,
        true_mean=float(share @ target.values) if is_ordered else None, classes=classes,
    )  # fmt: skip


def _indicators(
    target: Target, truth: Sequence[JsonValue], said: Sequence[JsonValue]
) -> tuple[list[str], FloatArray, FloatArray]:
    """Return the names of the classes, and who has which in truth and by what was said; each (units, classes)."""
    import numpy as np

    def has(values: Sequence[JsonValue], classes: Sequence[JsonValue]) -> FloatArray:
        rows = [[c in value if isinstance(value, list) else c == value for c in classes] for value in values]
        return np.asarray(rows, np.float64)

    if target.kind == "ordered":
        return [f"{value:g}" for value in target.values], has(truth, target.values), has(said, target.values)
    n_other = sum(isinstance(value, list) and OTHER in value for value in truth)
    names = [*target.acts, *([OTHER] if n_other >= MIN_OTHER else [])]
    return names, has(truth, names), has(said, names)


def _measure(sums: FloatArray, target: Target, k: int) -> FloatArray:
    """Turn sums over units into scores; (replicates, sums) to (replicates, accuracy, macro, tau, mean, 3 a class)."""
    import numpy as np

    n, exact, rest = sums[:, 0], sums[:, 1], sums[:, 2:]
    both, true, said = rest[:, :k], rest[:, k : 2 * k], rest[:, 2 * k : 3 * k]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall, f1 = both / said, both / true, 2 * both / (true + said)
        # A class that nobody has and nobody says has no F1; it counts in no replicate's mean.
        macro = np.nansum(f1, axis=1) / (~np.isnan(f1)).sum(axis=1)
        tau = mean = np.full(len(n), np.nan)
        if target.kind == "ordered":
            tau = _tau_b(rest[:, 3 * k :].reshape(-1, k, k))
            mean = said @ target.values / n
        return np.column_stack([exact / n, macro, tau, mean, precision, recall, f1])


def _tau_b(tables: FloatArray) -> FloatArray:
    """Kendall's tau-b of contingency tables, (tables, rows, columns), values rising along both; NaN if one is constant.

    Source: Kendall (1945), The treatment of ties in ranking problems: (C - D) / sqrt((n0 - n1)(n0 - n2)).
    """
    import numpy as np

    k = tables.shape[1]
    below_right, below_left = np.zeros_like(tables), np.zeros_like(tables)
    for row in range(k):
        for column in range(k):
            below_right[:, row, column] = tables[:, row + 1 :, column + 1 :].sum(axis=(1, 2))
            below_left[:, row, column] = tables[:, row + 1 :, :column].sum(axis=(1, 2))
    agreement = (tables * (below_right - below_left)).sum(axis=(1, 2))

    def pairs(counts: FloatArray) -> FloatArray:
        return counts * (counts - 1) / 2

    n0 = pairs(tables.sum(axis=(1, 2)))
    n1, n2 = pairs(tables.sum(axis=2)).sum(axis=1), pairs(tables.sum(axis=1)).sum(axis=1)
    tau: FloatArray = agreement / np.sqrt((n0 - n1) * (n0 - n2))
    return tau


def _resampled(n_groups: int, seed: int) -> Iterator[FloatArray]:
    """Yield how often each group is drawn; shape (replicates at once, groups)."""
    draws = generator(seed, "scores")
    for _ in range(N_REPLICATES // AT_ONCE):
        yield draws.multinomial(n_groups, [1 / n_groups] * n_groups, size=AT_ONCE).astype(float)


def _score(estimate: float, replicates: FloatArray) -> Score:
    import numpy as np

    if np.isnan(estimate):
        return Score(estimate=None)
    defined = replicates[~np.isnan(replicates)]
    if 2 * len(defined) < len(replicates):
        return Score(estimate=float(estimate))
    low, high = np.quantile(defined, [0.025, 0.975])
    return Score(estimate=float(estimate), interval=(float(low), float(high)))


def _commonest(truth: Sequence[JsonValue]) -> float:
    counts: dict[str, int] = {}
    for value in truth:
        counts[str(value)] = counts.get(str(value), 0) + 1
    return max(counts.values()) / len(truth)
