"""Agreement on labels that are sets of names, such as the acts of a message, and on each of their classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from convsim.annotation.agreement.document import Agreement, ClassScore
from convsim.annotation.agreement.entry import entry
from convsim.annotation.agreement.matching import Matched
from convsim.schema import ExplainedEstimate, ratio
from convsim.stats.agreement import by_unit, chance, estimate, kappa, nominal_alpha
from convsim.stats.resampling import Computed, resampled

if TYPE_CHECKING:
    from numpy.random import Generator

    from convsim.schema.arrays import FloatArray


@dataclass(frozen=True)
class Counts:
    """Items by class; shape (r, k) but for ``n``, of shape (r,)."""

    n: FloatArray
    both: FloatArray
    reference: FloatArray
    annotated: FloatArray


def class_statistics(counts: Counts) -> Computed:
    """Compare each class with all others, and average F1 over the classes that occur on either side."""
    import numpy as np

    n, both, reference, annotated = counts.n[:, None], counts.both, counts.reference, counts.annotated
    agreed = n - reference - annotated + 2 * both
    sides = [np.stack([yes, n - yes], axis=-1) for yes in (reference, annotated)]
    f1 = ratio(2 * both, reference + annotated)
    occurs = ~np.isnan(f1)
    return {
        "precision": ratio(both, annotated),
        "recall": ratio(both, reference),
        "f1": f1,
        "class_accuracy": ratio(agreed, n),
        "class_kappa": kappa(agreed, chance(sides[0], sides[1], n), n),
        "class_alpha": nominal_alpha(agreed, sides[0] + sides[1], n),
        "macro_f1": ratio(np.where(occurs, f1, 0.0).sum(axis=1), occurs.sum(axis=1).astype(np.float64)),
    }


def class_scores(
    names: Sequence[str], observed: Counts, computed: Computed, n_units: int
) -> tuple[ClassScore, ...]:
    """Write one score a class; ``observed`` holds one row, what was seen."""
    n = float(observed.n[0])
    scores = []
    for column, name in enumerate(names):
        given, found = float(observed.reference[0, column]), float(observed.annotated[0, column])
        of = {statistic: values[:, column] for statistic, values in computed.items() if values.ndim == 2}
        neither = "both give or neither gives it everywhere"
        scores.append(
            ClassScore(
                name=name,
                n_reference=round(given),
                n_annotated=round(found),
                prevalence_reference=given / n,
                prevalence_annotated=found / n,
                precision=estimate(of["precision"], n_units, undefined="the annotator never gives it"),
                recall=estimate(of["recall"], n_units, undefined="the reference never gives it"),
                f1=estimate(of["f1"], n_units, undefined="neither gives it"),
                accuracy=estimate(of["class_accuracy"], n_units, undefined="there are no items"),
                kappa=estimate(of["class_kappa"], n_units, undefined=neither),
                alpha=estimate(of["class_alpha"], n_units, undefined=neither),
                always_f1=2 * given / (n + given),
            )
        )
    return tuple(scores)


MAX_CLASSES = 100
"""The most names that are scored, the most frequent first."""
ONE_SET = "every item has the same set"
UNDEFINED = {
    "kappa": ONE_SET,
    "alpha": ONE_SET,
    "accuracy": "there are no items",
    "macro_f1": "all sets are empty",
}
NO_ORDER = ExplainedEstimate(reason="sets of names have no order")
Sets = Sequence[tuple[str, ...]]


def set_agreement(matched: Matched, *, n_resamples: int, rng: Generator) -> Agreement:
    """Compare two annotators' sets, name by name and as wholes."""
    import numpy as np

    annotated, reference = (
        [v for v in s if isinstance(v, tuple)] for s in (matched.annotated, matched.reference)
    )
    frequency = Counter(name for names in (*annotated, *reference) for name in names)
    names = sorted(name for name, _ in frequency.most_common(MAX_CLASSES))
    layout = _Layout(
        {name: place for place, name in enumerate(names)},
        {names: place for place, names in enumerate(dict.fromkeys([*reference, *annotated]))},
    )
    rows, columns = np.asarray(list(layout.marks(annotated, reference)), np.int64).T
    units, of_item = np.unique(np.asarray(matched.units), return_inverse=True)
    counts = by_unit(rows, columns, of_item, layout.n_columns)
    computed = resampled(counts, layout.statistics, n_resamples, rng)
    observed = np.asarray(counts.sum(axis=1), np.float64).reshape(1, -1)
    estimates = {
        name: estimate(computed[name], len(units), undefined=reason) for name, reason in UNDEFINED.items()
    }
    return entry(
        matched,
        estimates | {"kendall_tau_b": NO_ORDER, "kappa_quadratic": NO_ORDER},
        classes=class_scores(names, layout.counts(observed), computed, len(units)),
    )


class _Layout(NamedTuple):
    """Which column counts what: items, equal sets, then by name and by whole set."""

    names: dict[str, int]
    wholes: dict[tuple[str, ...], int]

    @property
    def n_columns(self) -> int:
        return 2 + 3 * len(self.names) + 2 * len(self.wholes)

    def marks(self, annotated: Sets, reference: Sets) -> Iterator[tuple[int, int]]:
        """Yield the item and the column of everything that is counted."""
        k = len(self.names)
        end = 2 + 3 * k
        for item, (mine, theirs) in enumerate(zip(annotated, reference, strict=True)):
            yield item, 0
            if mine == theirs:
                yield item, 1
            for name in theirs:
                if name in self.names:
                    yield item, 2 + k + self.names[name]
            for name in mine:
                if name in self.names:
                    yield item, 2 + 2 * k + self.names[name]
                    if name in theirs:
                        yield item, 2 + self.names[name]
            yield item, end + self.wholes[theirs]
            yield item, end + len(self.wholes) + self.wholes[mine]

    def counts(self, sums: FloatArray) -> Counts:
        """Take the counts by name from sums of shape (r, columns)."""
        k = len(self.names)
        both, reference, annotated = (sums[:, 2 + part * k : 2 + (part + 1) * k] for part in range(3))
        return Counts(sums[:, 0], both, reference, annotated)

    def statistics(self, sums: FloatArray) -> Computed:
        """Compute everything from sums of shape (r, columns)."""
        n, agreed = sums[:, 0], sums[:, 1]
        middle = self.n_columns - len(self.wholes)
        reference, annotated = sums[:, middle - len(self.wholes) : middle], sums[:, middle:]
        return {
            **class_statistics(self.counts(sums)),
            "accuracy": ratio(agreed, n),
            "kappa": kappa(agreed, chance(reference, annotated, n), n),
            "alpha": nominal_alpha(agreed, reference + annotated, n),
        }
