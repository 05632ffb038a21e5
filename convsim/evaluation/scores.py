"""Where simulators stand among one another, by every validator that has something to say on several at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from convsim._text import described
from convsim.errors import ConvsimError
from convsim.evaluation.sides import Side
from convsim.metrics import Metrics, measure_both
from convsim.schema import Comparer, Corpus, Standing, Validator


@dataclass(frozen=True)
class Standings:
    """What validators said of all simulators, and which of them raised."""

    all: tuple[Standing, ...] = ()
    failed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def standings_of(
    validators: Iterable[Validator],
    people: Side,
    simulators: Mapping[str, Side],
    *,
    seed: int,
    metrics: Metrics,
) -> Standings:
    """Ask every validator that compares; one that raises is a warning, and loses no other's work.

    Labels are read by the same source on all sides: all simulators are measured at once, and then told apart.
    """
    comparers = [validator for validator in validators if isinstance(validator, Comparer)]
    if not comparers or not simulators:
        return Standings()
    real, corpora = _measured(people, simulators, metrics)
    found: list[Standing] = []
    failed: list[str] = []
    warnings: list[str] = []
    for comparer in comparers:
        try:
            found += comparer.compare(real, corpora, seed=seed)
        except ConvsimError:
            raise
        except Exception as error:  # somebody else's validator: whatever it raises is a warning
            failed.append(comparer.name)
            warnings.append(f"{comparer.name} could not compare: {described(error)}")
    return Standings(tuple(found), tuple(failed), tuple(warnings))


def _measured(
    people: Side, simulators: Mapping[str, Side], metrics: Metrics
) -> tuple[Corpus, dict[str, Corpus]]:
    everybody = [c for side in simulators.values() for c in side.conversations]
    real, pooled = measure_both(people.conversations, everybody, metrics=metrics)
    corpora: dict[str, Corpus] = {}
    start = 0
    for name, side in simulators.items():
        rows: Sequence[int] = range(start, start + len(side.conversations))
        corpora[name] = pooled.take(rows)
        start += len(side.conversations)
    return real, corpora
