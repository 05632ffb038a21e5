"""What a relation measures, and each fault that it is asked of with the change that was found there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np

from convsim.errors import InputError
from convsim.metrics import METRICS, RELATION_METRICS
from convsim.metrics.expectations import expectations
from convsim.schema import Columns, Corpus, Metric
from convsim.schema.arrays import FloatArray
from convsim.seeds import generator
from convsim.stats.severity_levels import Ladder, describe_recorded, recorded, rows_on
from convsim_validators.relations.paired_change import PairedChange
from convsim_validators.relations.relation import ANY, Relation
from convsim_validators.relations.verdict import Tested


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


class Case(NamedTuple):
    """A relation at one fault: tested, or why it could not be."""

    name: str
    relation: Relation
    fault: str
    measured: Measured
    severity: float | None = None
    """The highest that was recorded."""
    n_conversations: int = 0
    """On the fault's ladder, with the metric defined."""
    tested: Tested | None = None
    refusal: str = ""


def cases_of(
    relation: Relation, corpus: Corpus, measured: Measured, *, n_resamples: int, seed: int
) -> Iterator[Case]:
    """Yield the cases of a relation; one asked of any fault is named ``relation@fault`` at each recorded one."""
    faults = list(recorded(corpus.conversations)) if relation.fault == ANY else [relation.fault]
    if not faults:
        refusal = f"no fault is recorded ({_to_do(ANY)})"
        yield Case(relation.name, relation, ANY, measured, refusal=refusal)
    for fault in faults:
        name = f"{relation.name}@{fault}" if relation.fault == ANY else relation.name
        severity = rows_on(corpus.conversations, fault)
        on_it = ~np.isnan(severity)
        found = np.unique(severity[on_it])
        case = Case(
            name, relation, fault, measured, n_conversations=int((~np.isnan(measured.values[on_it])).sum())
        )
        if len(found) and found[-1] > 0:
            case = case._replace(severity=float(found[-1]))
        refusal = _refusal(case, corpus, found.tolist())
        if refusal or measured.metric is None:
            yield case._replace(refusal=refusal)
            continue
        change = PairedChange.of(
            Ladder.of(corpus, measured.values[:, None], fault),
            measured.metric,
            measured.values,
            compare=relation.compare,
            n_resamples=n_resamples,
            rng=generator(seed, "relations", relation.name, fault),
        )
        if change is None:
            refusal = (
                f"no persona has {relation.metric_name} with the bare agent and with the degraded one: it is undefined "
                "in these conversations, or other personas met the degraded agent"
            )
            yield case._replace(refusal=refusal)
        else:
            yield case._replace(tested=Tested(relation, change))


def _refusal(case: Case, corpus: Corpus, severities: list[float]) -> str:
    fault = case.fault[:60]
    if not any(severity > 0 for severity in severities):
        return f"{fault!r} is not recorded; {describe_recorded(corpus.conversations)} ({_to_do(fault)})"
    if 0 not in severities:
        return f"{fault!r} is recorded, but the same personas with the bare agent are not ({_to_do(fault)})"
    if case.measured.metric is None:
        label = case.relation.metric_name
        return f"no conversation has the label {label!r}; label them first with convsim annotate"
    return ""


def _to_do(fault: str) -> str:
    name = "NAME" if fault == ANY else fault
    return f"run the same personas with the bare agent and with convsim simulate --fault {name}=1"
