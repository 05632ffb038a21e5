"""Did a new version of a simulator get better or worse? Headlines and metrics, one family of tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt

from convsim.evaluation.headline import STANDS_ON
from convsim.evaluation.layout import ALL_METRICS, SECTIONS
from convsim.schema import Corpus, Finding, HeadlineName
from convsim.schema.details import DistanceDetails, ManyMetricsDetails
from convsim.schema.versions import Course, Versions
from convsim.schema.versions import Moved as MovedRecord
from convsim.stats.change import Moved, change_between
from convsim.stats.multiplicity import across_families

ALPHA = 0.05
Z = 1.959964
MIN_UNITS = 30
"""Of people and of each simulator, as for the average over metrics."""
UNIT = "root mean square of Cliff's delta and spread score"
HEADLINES: Mapping[HeadlineName, str] = {
    "words": "human-likeness score below or above 50 %",
    "coherence": "distance in listening beyond the human baseline",
    "diversity": "similarity beyond people's",
    "reactions": "reaction ratio below or above 1",
}


def versions_between(
    before: tuple[str, Sequence[Finding], tuple[Corpus, Corpus]],
    after: tuple[str, Sequence[Finding], tuple[Corpus, Corpus]],
) -> Versions:
    """Compare two versions whose conversations are at hand.

    Args:
        before: The earlier version's name, its findings, and people and itself as they were measured together.
        after: The same of the later version; the people are the same conversation by conversation.
    """
    names = [name for name in judged_metrics(before[1]) if name in judged_metrics(after[1])]
    squares: dict[str, Moved] = {}
    whole, n_paired, note = None, 0, ""
    if names:
        change, n_units, n_paired = change_between(before[2], after[2], names)
        if min(n_units) < MIN_UNITS:
            note = (
                f"{n_units[0]} people, {n_units[1]} and {n_units[2]} simulated users or conversations: a change of "
                f"habits is judged from {MIN_UNITS} each"
            )
        else:
            whole, squares = change.joint, dict(change.by_metric)
    return Versions(
        before=before[0],
        after=after[0],
        by="conversations",
        n_paired=n_paired,
        note=note,
        moved=moved_together(before[1], after[1], whole, squares),
    )


def judged_metrics(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Name the metrics that the average over metrics stands on; empty where there is none."""
    details = together(findings)
    return tuple(details.weights or ()) if details else ()


def together(findings: Iterable[Finding]) -> ManyMetricsDetails | None:
    """Return the details of the finding on all metrics together."""
    found = next((f for f in findings if (f.validator, f.metric) == ALL_METRICS), None)
    return found.details if found and isinstance(found.details, ManyMetricsDetails) else None


def moved_together(
    before: Sequence[Finding],
    after: Sequence[Finding],
    whole: Moved | None,
    metrics: Mapping[str, Moved],
) -> tuple[MovedRecord, ...]:
    """Judge headlines and metrics together: with 5 % error, either way, anything is said to have changed that did not.

    Half of it is the headlines', half the metrics' (Holm within each; what one does not need goes to the other).

    Args:
        before: The earlier version's findings.
        after: The later one's.
        whole: The change over all metrics; None where it could not be measured.
        metrics: The change of each metric.
    """
    headlines = dict(_headlines(before, after))
    p_values = {name: each.p_value for name, each in headlines.items()}
    if whole is not None:
        p_values = {"habits": whole.p_value, **p_values}
    adjusted = _adjusted(
        {f"headline {name}": p for name, p in p_values.items()},
        {f"metric {name}": each.p_value for name, each in metrics.items()},
    )
    records = []
    if whole is not None:
        records.append(
            _record("headline", "habits", whole, adjusted["headline habits"], squared=True, unit=UNIT)
        )
    records += [
        _record("headline", name, each, adjusted[f"headline {name}"], squared=False, unit=HEADLINES[name])
        for name, each in headlines.items()
    ]  # fmt: skip
    levels = _levels(before, after)
    ordered = sorted(metrics.items(), key=lambda item: -abs(item[1].estimate))
    records += [
        _record("metric", name, each, adjusted[f"metric {name}"], squared=True, unit=UNIT).but(
            **levels.get(name, {})
        )
        for name, each in ordered
    ]
    return tuple(records)


def _adjusted(*families: Mapping[str, float]) -> dict[str, float]:
    """Correct each family by Holm's procedure, and then for the number of families."""
    within = [across_families({name: [p] for name, p in family.items()}) for family in families]
    listed = {str(n): [values[0] for values in each.values()] for n, each in enumerate(within)}
    both = across_families(listed)
    return {
        name: p for n, each in enumerate(within) for name, p in zip(each, both.get(str(n), []), strict=True)
    }


def _record(
    kind: str, name: str, moved: Moved, p_adjusted: float, *, squared: bool, unit: str
) -> MovedRecord:
    course: Course = "no_change"
    if p_adjusted <= ALPHA:
        course = "worse" if moved.estimate > 0 else "better"
    ends = (moved.before, moved.after)
    shown = [sqrt(max(0.0, each)) for each in ends] if squared else [*ends]
    return MovedRecord.model_validate(
        {
            "kind": kind,
            "name": name,
            "course": course,
            "before": shown[0],
            "after": shown[1],
            "unit": unit,
            "change": moved.estimate,
            "interval": moved.interval(Z),
            "p_value": moved.p_value,
            "p_adjusted": p_adjusted,
        }
    )


def _headlines(before: Iterable[Finding], after: Iterable[Finding]) -> Iterator[tuple[HeadlineName, Moved]]:
    """Yield the headlines beyond habits that both versions have an interval of.

    Their errors are added up, since people are the same: the largest that the difference may have.
    """
    found = [{(f.validator, f.metric): f for f in findings} for findings in (before, after)]
    for name in HEADLINES:
        ends = [_distance(name, findings.get(STANDS_ON[name])) for findings in found]
        if None not in ends:
            (first, error), (second, error_after) = (end for end in ends if end is not None)
            yield name, Moved(first, second, error + error_after)


def _distance(name: HeadlineName, finding: Finding | None) -> tuple[float, float] | None:
    """Return how far from people a headline's finding says a simulator is, and its standard error."""
    if finding is None or finding.estimate is None or finding.interval is None:
        return None
    estimate, low, high = finding.estimate, *finding.interval
    error = (high - low) / (2 * Z)
    if name == "words":
        return abs(estimate - 0.5), error
    if name == "reactions":
        return abs(estimate - 1), error
    baseline = finding.noise_floor.mean if finding.noise_floor else 0.0
    return max(0.0, estimate - baseline), error


def _levels(before: Iterable[Finding], after: Iterable[Finding]) -> dict[str, dict[str, object]]:
    """Return each metric's means before, after and among people, with their unit."""
    sides: list[dict[str, DistanceDetails]] = [
        {
            f.metric: f.details
            for f in findings
            if f.validator == SECTIONS["habits"] and isinstance(f.details, DistanceDetails)
        }
        for findings in (before, after)
    ]
    return {
        name: {
            "levels": (sides[0][name].simulated.mean, details.simulated.mean, details.real.mean),
            "levels_unit": details.metric_unit,
        }
        for name, details in sides[1].items()
        if name in sides[0]
    }
