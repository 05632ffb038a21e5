"""Are people of an earlier time still a valid reference? Each later period against the first, and sums over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from convsim._async import in_a_thread, outside_loops
from convsim._progress import step
from convsim._text import plain
from convsim.evaluation.drifting.periods import Dated, dates_of, periods_of
from convsim.evaluation.drifting.record import Change, Differing, Drift, DriftVerdict, Period
from convsim.evaluation.headline import PASSING
from convsim.evaluation.scorecard import MadeBy, Scorecard, SideSummary
from convsim.evaluation.sides import Selection, Side
from convsim.evaluation.validation import default_validators, find_validators, judge
from convsim.io import Source
from convsim.io.provenance import own_version
from convsim.lifting import AnnotatorLike, ValidatorLike
from convsim.metrics import measure
from convsim.schema import Validator, mix_differs
from convsim.schema.arrays import FloatArray, IntArray
from convsim.schema.conversation import Conversation
from convsim.seeds import generator
from convsim.stats.change_point import change_point, orders_of_time
from convsim.stats.multiplicity import max_t

ALPHA = 0.05
NOT_ASKED = frozenset({"copies"})
"""Validators that ask nothing of two groups of people: a user who comes back copies nobody."""
N_RESAMPLES = 999
MIN_DATED = 20
"""Users or conversations with a date, below which nothing is looked for along time."""
NULL = "conversations of all periods are exchangeable by user; units are exchangeable in time"
SOURCE = "convsim; Page (1954) and Pettitt (1979) for cumulative sums"


@outside_loops
def drift(
    files: Sequence[Source],
    *,
    seed: int,
    by: str | None = None,
    date: str | None = None,
    validators: str | ValidatorLike | Collection[str | ValidatorLike] | None = None,
    tasks: Collection[str] = (),
    arms: Collection[str] = (),
    annotator: str | AnnotatorLike | None = None,
    on_period: Callable[[str], None] | None = None,
) -> Drift:
    """Ask whether later conversations of people are like the earlier ones, which simulators are held against.

    Every later period takes the place of the simulator in the suite; habits are also summed up along time. All is
    corrected together: of k families (later periods, and the sums where there are dates) each has a k-th of the level.

    Args:
        files: Conversations of people: one file with dates, or several, the oldest first.
        seed: Random seed.
        by: ``file``, ``month``, ``year`` or a field; by default files where there are several, else months.
        date: The field that states when a conversation was held; by default one of the usual names.
        validators: As in ``validate``; by default all but ``copies``.
        tasks: Keep only these tasks; all by default.
        arms: Keep only these arms; all by default.
        annotator: Labels all conversations first, so that acts and experience are compared too.
        on_period: Told of each later period before it is judged.

    Raises:
        InputError: A file cannot be read, or there are fewer than two periods of 8 users or conversations.
        PluginError: No such validator.
    """
    selection = Selection(tasks=tasks, arms=arms)
    sides = [Side.of(source, "real", selection).labelled_by(annotator, "real") for source in files]
    conversations = [c for side in sides for c in side.conversations]
    dated = dates_of(conversations, date)
    periods = periods_of(sides, by, dated)
    by_default = [name for name in default_validators() if name not in NOT_ASKED]
    asked = find_validators(by_default if validators is None else validators)
    changes, why_not = _changes(conversations, dated, seed)
    names = list(periods.of)
    n_families = len(names) - 1 + bool(changes)
    reference = _side(periods.of[names[0]])
    found = []
    with step("judging periods", len(names) - 1) as at:
        for name in names[1:]:
            at.at(now=name)
            if on_period is not None:
                on_period(name)
            found.append(
                _period(name, reference, _side(periods.of[name]), asked, alpha=ALPHA / n_families, seed=seed)
            )
            at.advance()
    verdict, reason = _whole(found, changes, alpha=ALPHA / n_families, reference=names[0])
    warnings = [warning for side in sides for warning in side.warnings]
    warnings += [f"nothing is summed up along time: {why_not}"] if why_not else []
    warnings += (
        [f"{periods.n_undated} conversations state no period and are left out"] if periods.n_undated else []
    )
    warnings += [
        f"{plain(name, limit=60)} has {n} users or conversations and is left out"
        for name, n in periods.left_out.items()
    ]
    return Drift(
        by=periods.by, date=dated.field, reference=names[0], real=reference.summary, alpha=ALPHA, n_families=n_families,
        seed=seed, made_by=MadeBy(convsim=own_version()), verdict=verdict, reason=reason, null_hypothesis=NULL,
        source=SOURCE, warnings=tuple(warnings), periods=tuple(found), left_out=dict(periods.left_out),
        changes=tuple(changes),
    )  # fmt: skip


adrift = in_a_thread(drift)


def _side(conversations: Sequence[Conversation]) -> Side:
    return Side(conversations, SideSummary.of(conversations, path=None, sha256=None), ())


def _period(
    name: str, reference: Side, later: Side, validators: Sequence[Validator], *, alpha: float, seed: int
) -> Period:
    card = judge(reference, later, validators, seed=seed, allow_overlap=True)
    shown = [
        f for f in card.findings
        if f.verdict == "different" and f.p_adjusted is not None and f.p_adjusted <= alpha and not f.is_control
    ]  # fmt: skip
    shown.sort(key=lambda f: (f.p_adjusted or 0.0, f.validator, f.metric))
    least = [f.p_adjusted for f in card.findings if f.p_adjusted is not None and not f.is_control]
    failed = tuple(f"{f.validator}: {f.reason}" for f in card.failed)
    verdict, reason = _verdict(card, len(shown), alpha)
    return Period(
        name=name, side=later.summary, verdict=verdict, reason=reason, least_p=min(least, default=None),
        warnings=tuple(_mixes(reference.conversations, later.conversations)), failed=failed,
        headlines=card.headlines,
        differing=tuple(
            Differing(
                validator=f.validator, metric=f.metric, estimate=f.estimate, unit=f.unit, p_adjusted=f.p_adjusted,
                reason=f.reason,
            )
            for f in shown
        ),
    )  # fmt: skip


def _mixes(reference: Sequence[Conversation], later: Sequence[Conversation]) -> Iterator[str]:
    """Yield what people did in other proportions than before, which counts as a difference."""
    for name in ("task", "arm"):
        before, after = (Counter(getattr(c, name) or "-" for c in part) for part in (reference, later))
        if mix_differs(before, after):
            yield f"the mix of {name}s is another one, which counts as a difference; --{name} compares one of them"


def _verdict(card: Scorecard, n_shown: int, alpha: float) -> tuple[DriftVerdict, str]:
    families = [each for each in card.headlines if each.name != "all"]
    if n_shown:
        return "different", f"{n_shown} of {len(card.findings)} findings differ at {alpha:.2g}"
    if card.failed:
        return "undecided", f"not shown to differ at {alpha:.2g}; {card.failed[0].validator} failed"
    if families and all(each.verdict in PASSING for each in families):
        return "aligned", f"alike in {', '.join(each.name for each in families)}"
    waiting = [each.name for each in families if each.verdict not in PASSING]
    return (
        "undecided",
        f"not shown to differ at {alpha:.2g}, nor to be alike in {', '.join(waiting) or 'anything'}",
    )


def _changes(
    conversations: Sequence[Conversation], dated: Dated, seed: int
) -> tuple[list[Change], str | None]:
    """Return every habit along time, the clearest first; or why none can be told."""
    if dated.field is None:
        return [], "no conversation states when it was held"
    kept = [n for n, date in enumerate(dated.of_each) if date is not None]
    side = measure([conversations[n] for n in kept])
    units, unit_of = np.unique(side.units, return_inverse=True)
    if len(units) < MIN_DATED:
        return [], f"{len(units)} users or conversations state when it was; at least {MIN_DATED} are needed"
    seconds = np.asarray([date.timestamp() for n in kept if (date := dated.of_each[n]) is not None])
    when = np.full(len(units), np.inf)
    np.minimum.at(when, unit_of, seconds)
    time_of = np.unique(when, return_inverse=True)[1].astype(np.int64)
    orders = orders_of_time(time_of, N_RESAMPLES, generator(seed, "drift", "orders"))
    series = {
        name: _means(np.asarray(side.table[name], np.float64), unit_of, len(units))
        for name, metric in side.metrics.items()
        if metric.role == "metric"
    }
    found = {
        name: point for name, values in series.items() if (point := change_point(values, time_of, orders))
    }
    if not found:
        return [], "all users come at one time, or no habit varies"
    adjusted = max_t({name: point.statistics for name, point in found.items()})
    dates = {
        second: date
        for n, second in zip(kept, seconds, strict=True)
        if (date := dated.of_each[n]) is not None
    }
    changes = []
    for name, point in found.items():
        ordered = series[name][orders[0]]
        before, after = (part[~np.isnan(part)] for part in (ordered[: point.at], ordered[point.at :]))
        if len(before) and len(after):
            first = float(when[orders[0]][point.at])
            changes.append(
                Change(
                    metric=name, unit=side.metrics[name].unit, statistic=float(point.statistics[0]),
                    p_adjusted=adjusted[name], at=dates[first].date().isoformat(), before=float(before.mean()),
                    after=float(after.mean()),
                )
            )  # fmt: skip
    return sorted(changes, key=lambda change: (change.p_adjusted, -change.statistic, change.metric)), None


def _means(values: FloatArray, unit_of: IntArray, n_units: int) -> FloatArray:
    """Return the mean of each unit's values; NaN where it has none."""
    known = ~np.isnan(values)
    n = np.bincount(unit_of[known], minlength=n_units)
    sums = np.bincount(unit_of[known], values[known], minlength=n_units)
    return np.asarray(np.divide(sums, n, out=np.full(n_units, np.nan), where=n > 0), np.float64)


def _whole(
    periods: Sequence[Period], changes: Sequence[Change], *, alpha: float, reference: str
) -> tuple[DriftVerdict, str]:
    """Sum up: different if any family rejects at its part of the level."""
    name = plain(reference, limit=60)
    parts = []
    if differing := [plain(each.name, limit=60) for each in periods if each.verdict == "different"]:
        parts.append(
            f"{', '.join(differing[:3])}{' and more' if len(differing) > 3 else ''} differ from {name}"
        )
    if moved := [change for change in changes if change.p_adjusted <= alpha]:
        first = moved[0]
        parts.append(
            f"{len(moved)} habits change along time, {first.metric} most, on {first.at}: {first.before:.3g} before, "
            f"{first.after:.3g} after"
        )
    if parts:
        return "different", f"{'; '.join(parts)}: hold simulators against people of the time that you mean"
    if all(each.verdict == "aligned" for each in periods):
        return "aligned", f"all later periods are alike with {name}: it is still a valid reference"
    waiting = [plain(each.name, limit=60) for each in periods if each.verdict == "undecided"]
    return "undecided", (
        f"no drift is shown since {name}, but {', '.join(waiting[:3])}{' and more' if len(waiting) > 3 else ''} "
        "are not shown to be alike: more conversations, or longer periods, would decide"
    )
