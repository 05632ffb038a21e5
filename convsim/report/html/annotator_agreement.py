"""How far the labels that a comparison stands on agree with people's, a row a label."""

from __future__ import annotations

from collections.abc import Iterable

from convsim.annotation.agreement import Reliability
from convsim.report.agreement import STATISTICS, written
from convsim.report.html.text import name
from convsim.report.words import number

MAX_LABELS = 100


def trust_rows(reliability: Iterable[Reliability]) -> list[tuple[str, ...]]:
    """Return annotator, held against, label, items, statistic, its value, accuracy, accuracy of a constant answer."""
    rows: list[tuple[str, ...]] = []
    for document in reliability:
        for entry in document.entries[:MAX_LABELS]:
            field = "kendall_tau_b" if entry.kind == "ordinal" else "macro_f1"
            rows.append(
                (
                    name(document.source), name(document.against), f"{name(entry.label)} of a {entry.level}",
                    f"{entry.n:,}", STATISTICS[field], written(getattr(entry, field)), written(entry.accuracy),
                    number(entry.majority_accuracy),
                )
            )  # fmt: skip
    return rows[:MAX_LABELS]
