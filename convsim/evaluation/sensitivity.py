"""How often does each verdict hold if what does not matter is chosen otherwise: seeds, settings, tasks, metrics?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

from pydantic import JsonValue

from convsim._progress import step
from convsim.errors import InputError
from convsim.evaluation.layout import SECTIONS
from convsim.evaluation.scorecard import Scorecard
from convsim.evaluation.sides import Side
from convsim.metrics import METRICS, Metrics
from convsim.metrics.registry import BUILT_IN
from convsim.schema import Finding, Validator, Verdict
from convsim.seeds import child_seed, generator

Kind = Literal["seed", "settings", "task", "metrics"]
N_SEEDS = 4
N_SUBSETS = 4
MIN_METRICS = 4
"""Fewer habits are not halved."""
MAX_TASKS = 8
"""The largest ones, which are left out one at a time."""
ALPHAS = (0.025, 0.1)
MARGINS = (0.8, 1.25)
"""Factors; of an AUC of its distance from one half."""
NO_DISCRIMINATION = 0.5
KEY = "sensitivity"
Judge = Callable[[Side, Side, Sequence[Validator], int, Metrics], Sequence[Finding]]
"""Judges two sides by validators, with a seed and metrics."""


@dataclass(frozen=True)
class Variation:
    """One way in which the same question might have been asked."""

    kind: Kind
    name: str
    sides: tuple[Side, Side]
    validators: Sequence[Validator]
    seed: int
    metrics: Metrics
    moved: frozenset[str] | None = None
    """The validators that are asked otherwise, whose findings alone are counted; None for all."""


def variations(
    sides: tuple[Side, Side],
    validators: Sequence[Validator],
    findings: Sequence[Finding],
    *,
    seed: int,
    metrics: Metrics,
) -> Iterator[Variation]:
    """Yield other seeds (and so other folds and resamples), other settings, tasks left out, halves of the metrics.

    Args:
        sides: People and the simulator.
        validators: What was asked.
        findings: What was found: the habits that were judged are halved at random.
        seed: The one that was used.
        metrics: What was measured.
    """
    as_it_was = Variation("seed", "", sides, validators, seed, metrics)
    for number in range(1, N_SEEDS + 1):
        yield replace(as_it_was, name=f"seed {number}", seed=child_seed(seed, KEY, str(number)))
    for name, change in (
        *((f"alpha {alpha:g}", _with_alpha(alpha)) for alpha in ALPHAS),
        *((f"margins x {factor:g}", _with_margins(factor)) for factor in MARGINS),
    ):
        changed = [_changed(validator, change) for validator in validators]
        moved = frozenset(new.name for old, new in zip(validators, changed, strict=True) if new is not old)
        if moved:
            yield replace(as_it_was, kind="settings", name=name, validators=changed, moved=moved)
    tasks = Counter(c.task for side in sides for c in side.conversations if c.task is not None)
    there = [task for task, _ in tasks.most_common(MAX_TASKS)]
    for task in there:
        kept = tuple(side.keep(lambda c, left_out=task: c.task != left_out) for side in sides)  # type: ignore[misc]
        if all(side.conversations for side in kept):
            yield replace(as_it_was, kind="task", name=f"without {task}", sides=(kept[0], kept[1]))
    judged = [f.metric for f in findings if f.validator == SECTIONS["habits"] and f.metric != "all_metrics"]
    if len(judged) >= MIN_METRICS:
        rng = generator(seed, KEY, "metrics")
        for number in range(1, N_SUBSETS + 1):
            half = sorted(rng.permutation(judged)[: len(judged) // 2].tolist(), key=judged.index)
            yield replace(
                as_it_was, kind="metrics", name=f"half {number}", metrics=_those(half, metrics),
                moved=frozenset({SECTIONS["habits"]}),
            )  # fmt: skip


def with_sensitivity(
    card: Scorecard,
    varied: Sequence[Variation],
    judge: Judge,
    *,
    on_variation: Callable[[Variation], None] | None = None,
) -> Scorecard:
    """Judge every variation, and let each finding say how often its verdict held, and what it was else.

    A finding that a variation does not have (a metric left out) is not counted in it.

    Args:
        card: As it was judged.
        varied: What else is judged.
        judge: How.
        on_variation: Told of each before it is judged.
    """
    verdicts: dict[tuple[str, str], list[tuple[Kind, Verdict]]] = defaultdict(list)
    with step("judging again", len(varied), unit="variations") as at:
        for each in varied:
            at.at(now=each.name)
            if on_variation is not None:
                on_variation(each)
            for finding in judge(*each.sides, each.validators, each.seed, each.metrics):
                if each.moved is None or finding.validator in each.moved:
                    verdicts[finding.validator, finding.metric].append((each.kind, finding.verdict))
            at.advance()
    return card.but(findings=tuple(_told(f, verdicts[f.validator, f.metric]) for f in card.findings))


def _told(finding: Finding, verdicts: Sequence[tuple[Kind, Verdict]]) -> Finding:
    if not verdicts:
        return finding
    by: dict[str, JsonValue] = {}
    for kind in dict.fromkeys(kind for kind, _ in verdicts):
        of_kind = [verdict for other, verdict in verdicts if other == kind]
        by[kind] = [of_kind.count(finding.verdict), len(of_kind)]
    otherwise = Counter(verdict for _, verdict in verdicts if verdict != finding.verdict)
    held = sum(verdict == finding.verdict for _, verdict in verdicts)
    parts = ", ".join(f"{kind} {n} of {of}" for kind, (n, of) in by.items())  # type: ignore[misc,str-unpack]
    others: dict[str, JsonValue] = {str(verdict): n for verdict, n in otherwise.items()}
    sensitivity: JsonValue = {"held": held, "of": len(verdicts), "by": by, "otherwise": others}
    return finding.but(
        reason=f"{finding.reason}; held in {held} of {len(verdicts)} variations ({parts})",
        details={**finding.details, KEY: sensitivity},
    )


def _those(names: Sequence[str], metrics: Metrics) -> Metrics:
    known = {**METRICS, **metrics.further}
    return replace(
        metrics, default=False, further={name: known[name] for name in names if name in known},
        labels=tuple(name for name in names if name not in known and name not in BUILT_IN),
    )  # fmt: skip


def _with_alpha(alpha: float) -> Callable[[str, Any], Any]:
    return lambda name, value: alpha if name == "alpha" else value


def _with_margins(factor: float) -> Callable[[str, Any], Any]:
    def change(name: str, value: Any) -> Any:
        if not name.endswith("margin") or not isinstance(value, float):
            return value
        if value > NO_DISCRIMINATION:
            return NO_DISCRIMINATION + (value - NO_DISCRIMINATION) * factor
        return value * factor

    return change


def _changed(validator: Validator, change: Callable[[str, Any], Any]) -> Validator:
    """Return a validator with other settings; itself where it has none of these, or refuses them."""
    if not is_dataclass(validator) or isinstance(validator, type):
        return validator
    now = {each.name: getattr(validator, each.name) for each in fields(validator) if each.init}
    changed = {name: change(name, value) for name, value in now.items()}
    if changed == now:
        return validator
    try:
        made: Validator = replace(validator, **changed)
    except InputError:
        return validator
    return made
