"""A directional relation at each fault that it is asked of, with the change that was found there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from convsim.schema import Corpus
from convsim.seeds import generator
from convsim.stats.severity_levels import Ladder, describe_recorded, recorded, rows_on
from convsim_validators.relations.paired_change import PairedChange
from convsim_validators.relations.relation import ANY, Relation
from convsim_validators.relations.relation_metrics import Measured
from convsim_validators.relations.relation_verdict import Tested


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
        return f"no conversation carries the label {label!r}; label them first with convsim annotate"
    return ""


def _to_do(fault: str) -> str:
    name = "NAME" if fault == ANY else fault
    return f"hold the same personas with the bare agent and with convsim simulate --fault {name}=1"
