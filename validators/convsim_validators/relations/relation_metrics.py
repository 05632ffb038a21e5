"""Finds what a relation measures: a column of the table, a metric that only relations use, or a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np

from convsim.errors import InputError
from convsim.metrics import METRICS, RELATION_METRICS
from convsim.metrics.expectations import expectations
from convsim.schema import Columns, Corpus, Metric
from convsim.stats.ecdf import FloatArray
from convsim_validators.relations.relation import Relation


class Measured(NamedTuple):
    """A metric, and its value for each conversation."""

    metric: Metric | None
    """None: a label that no conversation carries."""
    values: FloatArray


def measure_relations(relations: Sequence[Relation], corpus: Corpus, *, where: str) -> dict[str, Measured]:
    """Measure what each relation names, by the relation's name; each metric once.

    Raises:
        InputError: A relation names a metric that is neither known nor a label of these conversations.
    """
    known: dict[str, Metric] = {**METRICS, **RELATION_METRICS, **corpus.metrics}
    for relation in relations:
        if isinstance(relation.metric, str) and relation.metric not in known.keys() | _label_names():
            raise InputError(_unknown(relation, known, where))
    chosen = {
        relation.name: known.get(relation.metric) if isinstance(relation.metric, str) else relation.metric
        for relation in relations
    }
    undefined = np.full(len(corpus), np.nan)
    columns: dict[int, FloatArray] = {}
    flat: Columns | None = None
    for metric in chosen.values():
        if metric is None or id(metric) in columns:
            continue
        if corpus.metrics.get(metric.name) is metric:
            columns[id(metric)] = np.asarray(corpus.table[metric.name], np.float64)
        else:
            flat = flat or Columns.of(corpus.conversations)
            columns[id(metric)] = np.asarray(metric.measure(flat), np.float64)
    return {
        name: Measured(metric, undefined if metric is None else columns[id(metric)])
        for name, metric in chosen.items()
    }


def _label_names() -> set[str]:
    """Name the labels that people are known to react by; a file need not carry them."""
    labels = expectations().keys() - METRICS.keys()
    return {name for label in labels for name in (label, f"{label}_by_turn")}


def _unknown(relation: Relation, known: Mapping[str, Metric], where: str) -> str:
    asked = relation.metric_name
    everything = sorted(known.keys() | _label_names())
    close = get_close_matches(asked, everything, n=5, cutoff=0.6)
    ordered = [*close, *(name for name in everything if name not in close)]
    return (
        f"{where}: relation {relation.name!r}: no metric is called {asked!r}, and no label of these conversations is; "
        f"known metrics: {', '.join(ordered)}"
    )
