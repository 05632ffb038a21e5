"""Each class against all others: precision, recall, F1, kappa and alpha, and what a constant answer would reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convsim.annotation.agreement.document import ClassScore
from convsim.stats.agreement import Computed, chance, estimate, kappa, nominal_alpha, quotient

if TYPE_CHECKING:
    from convsim.stats.agreement import FloatArray


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
    f1 = quotient(2 * both, reference + annotated)
    occurs = ~np.isnan(f1)
    return {
        "precision": quotient(both, annotated),
        "recall": quotient(both, reference),
        "f1": f1,
        "class_accuracy": quotient(agreed, n),
        "class_kappa": kappa(agreed, chance(sides[0], sides[1], n), n),
        "class_alpha": nominal_alpha(agreed, sides[0] + sides[1], n),
        "macro_f1": quotient(np.where(occurs, f1, 0.0).sum(axis=1), occurs.sum(axis=1).astype(np.float64)),
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
