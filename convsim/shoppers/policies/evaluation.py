"""How good a policy is for users whom it did not learn from, beside forecasts that look at nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from convsim.errors import InputError
from convsim.schema import Estimate
from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.schema.record import Count, Flag, Name, Number, Record
from convsim.seeds import generator
from convsim.shoppers.policies.choosing import choice_at, item_features
from convsim.shoppers.policies.features import breaks, fit, items_shown_last
from convsim.shoppers.policies.logistic import FOLDS, folds_of
from convsim.shoppers.policies.model import TAU, Kind, Model, fit_model
from convsim.shoppers.policies.points import Point
from convsim.shoppers.policies.recurrent import Recurrence
from convsim.shoppers.policies.table import ACCEPT, END, GO_ON, LEAVE, Table
from convsim.stats.calibration_curve import recalibrate, roc_auc
from convsim.stats.forecasts import Drawn, Forecasts, UnitMean, base_rates, estimate_of

if TYPE_CHECKING:
    from numpy.random import Generator

N_RESAMPLES = 499
POLICY, BASE_RATE, BY_TURN, FIRST_FIT, RANDOM = (
    "policy",
    "base rate",
    "base rate by turn",
    "accept the first that fits",
    "random",
)
MAX_TURN = 8
"""Turns from here on have one rate."""


class Score(Record):
    """How good one forecast is; lower is better. Intervals are of users drawn anew."""

    of: Name
    log_loss: Estimate
    """Of a decision, in nats."""
    brier: Estimate
    """Half the squared distance from what happened."""


class Bin(Record):
    """Points with about the same probability of ending: what was told, and what happened."""

    n: Count
    told: Number
    happened: Estimate


class Ranked(Record):
    """How high the accepted item stands among those shown, as the mean of 1 / rank (MRR)."""

    n: Count
    """Items accepted among several that were shown last."""
    policy: Estimate = Estimate()
    random: Estimate = Estimate()
    first_that_fits: Estimate = Estimate()


class Evaluation(Record):
    """Every number is of users, or conversations where no user is known, that the policy did not learn from."""

    n_points: Count
    n_users: Count
    n_endings: Count
    decisions: tuple[Score, ...] = ()
    """Go on, accept or leave; of the policy first. Empty where how some conversation ended is not known: to leave that
    one out would change how often people end."""
    endings: tuple[Score, ...]
    """Go on or end."""
    accepting: tuple[Score, ...] = ()
    """Accept or leave, of those who end and of whom that is known; empty where only one of both is."""
    accept_against: Name | None = None
    accept_difference: Estimate = Estimate()
    """As ``against`` and ``difference``, of accepting given the end."""
    against: Name
    """The base rate, or that by turn, whichever has the lower log loss."""
    difference: Estimate
    """Of log losses: the policy's less that of the base rate; of decisions where these are known, else of endings."""
    better: Flag
    """Whether the interval of the difference lies below 0."""
    auc: Estimate
    """Of ending; .5 where its probability says nothing."""
    calibration_intercept: Estimate
    calibration_slope: Estimate
    """Of the log odds of ending; 0 and 1 are best."""
    accept_slope: Estimate = Estimate()
    """The same of accepting, given the end."""
    bins: tuple[Bin, ...]
    items: Ranked
    acts: tuple[Score, ...] = ()
    """The next dialogue act; empty where none was learned."""
    recurrence: Recurrence | None = None
    """Of the kind ``ssm``: its states, and what was cut."""

    def lines(self) -> list[str]:
        """Say it in plain lines."""
        scores = self.decisions or self.endings
        what = "go on, accept or leave" if self.decisions else "go on or end"
        found = [
            f"held-out users: {self.n_points} decisions, {self.n_endings} endings, {self.n_users} users",
            f"{what}, log loss: " + ", ".join(f"{s.of} {_told(s.log_loss)}" for s in scores),
            f"{what}, Brier score: " + ", ".join(f"{s.of} {_told(s.brier)}" for s in scores),
            "accept or leave, given the end, log loss: "
            + (
                ", ".join(f"{s.of} {_told(s.log_loss)}" for s in self.accepting)
                or "only one of both is there"
            ),
            f"ending: ROC AUC {_told(self.auc)}; calibration intercept {_told(self.calibration_intercept)} (best 0), "
            f"slope {_told(self.calibration_slope)} (best 1)",
        ]
        if self.items.n:
            found.append(
                f"accepted items, mean reciprocal rank of {self.items.n}: policy {_told(self.items.policy)}, random "
                f"{_told(self.items.random)}, the first that fits {_told(self.items.first_that_fits)}"
            )
        if self.acts:
            found.append("next act, log loss: " + ", ".join(f"{s.of} {_told(s.log_loss)}" for s in self.acts))
        if self.recurrence is not None:
            found.append(self.recurrence.line())
        if self.accept_against and not _is_below_0(self.accept_difference):
            found.append(
                f"whether who ends accepts is told no better than by the {self.accept_against}: the difference of log "
                f"losses is {_told(self.accept_difference)}"
            )
        off = f"the difference of log losses is {_told(self.difference)}"
        if self.better:
            found.append(f"better than the {self.against}: {off}")
        else:
            found.append(
                f"this policy is no better than the {self.against}: {off}; what people see does not tell it more"
            )
        return found


def _is_below_0(difference: Estimate) -> bool:
    return difference.interval is not None and difference.interval[1] < 0


def _told(estimate: Estimate) -> str:
    if estimate.estimate is None:
        return "not defined"
    if estimate.interval is None:
        return f"{estimate.estimate:.3f}"
    low, high = estimate.interval
    return f"{estimate.estimate:.3f} [{low:.3f}, {high:.3f}]"


@dataclass(frozen=True)
class CrossFitted:
    """What models that did not learn from a user forecast of that user."""

    moves: FloatArray
    """Shape (points, 3)."""
    items: Mapping[int, FloatArray]
    """By the row of a point at which one of several items was accepted: how likely each of those shown was."""
    acts: Mapping[int, Mapping[str, float]]
    """By the row of a point at which somebody went on: how likely each act was; of those where acts were learned."""


def cross_fit(kind: Kind, table: Table, *, language: str | None, seed: int, tau: float = TAU) -> CrossFitted:
    """Forecast each user by a model that learned from four fifths of the users, that one not among them.

    Raises:
        InputError: A fifth without which nothing can be learned.
    """
    moves = np.full((len(table.points), 3), math.nan)
    items: dict[int, FloatArray] = {}
    acts: dict[int, Mapping[str, float]] = {}
    for out in folds_of(table.units, generator(seed, "held out")):
        rows = np.flatnonzero(out)
        try:
            model = fit_model(kind, table.take(np.flatnonzero(~out)), language=language, seed=seed, tau=tau)
        except InputError as error:
            raise InputError(
                "each user is forecast without them and about a fifth of the others, and without some of these "
                f"{error}, and of more users"
            ) from None
        held = table.take(rows)
        moves[rows] = model.forecast(held.features, held.histories)
        for row in rows[table.moves[rows] == ACCEPT]:
            if choice_at(table.points[row], language) is not None:
                items[int(row)] = item_probabilities(model, table.points[row], language)
        went_on = rows[table.moves[rows] == GO_ON]
        if (told := model.next_act(table.features[went_on])) is not None:
            for row, each in zip(went_on, told, strict=True):
                acts[int(row)] = dict(zip(model.act_names, each.tolist(), strict=True))
    return CrossFitted(moves, items, acts)


def item_probabilities(model: Model, point: Point, language: str | None) -> FloatArray:
    """Return how likely each item shown last is to be the one, given that one is taken; shape (items,)."""
    items = items_shown_last(point.seen)
    if model.items is None or not items:
        return np.full(len(items), 1 / max(1, len(items)))
    return model.items.probabilities(item_features(items, point.seen, point.persona, language))


def evaluate(table: Table, told: CrossFitted, *, language: str | None, seed: int) -> Evaluation:
    """Score forecasts of users who were held out.

    Args:
        table: The points.
        told: What was forecast of them.
        language: ISO 639 code of the word lists that are looked at.
        seed: Draws users anew.
    """
    rng = generator(seed, "evaluation")
    units = np.unique(table.units, return_inverse=True)[1].ravel()
    turns = np.minimum(table.turns, MAX_TURN)
    fits = np.asarray([_fits_now(point) for point in table.points], np.int64)
    ended = table.ended
    of_end = np.stack([told.moves[:, 0], 1 - told.moves[:, 0]], axis=1)
    drawn = Drawn.of(units, rng, N_RESAMPLES)
    endings = _scores(of_end, ended.astype(np.int64), turns=turns, fits=fits, drawn=drawn)
    decisions: tuple[Score, ...] = ()
    scored = (of_end, ended.astype(np.int64), turns, units)
    if not (table.moves == END).any():
        scored = (told.moves, table.moves, turns, units)
        decisions = _scores(told.moves, table.moves, turns=turns, fits=fits, drawn=drawn)
    accepting = _accepting(table, told, turns=turns, fits=fits, rng=rng)
    against, difference = _beside_rates(*scored)
    line = recalibrate(of_end[:, 1], ended, units, drawn.weights)
    return Evaluation(
        n_points=len(table.points),
        n_users=int(units.max(initial=-1)) + 1,
        n_endings=int(ended.sum()),
        decisions=decisions,
        endings=endings,
        against=against,
        difference=difference,
        better=_is_below_0(difference),
        auc=estimate_of(roc_auc(of_end[:, 1], ended, units, drawn.weights)),
        calibration_intercept=estimate_of(line.intercept),
        calibration_slope=estimate_of(line.slope),
        accepting=accepting.scores,
        accept_against=accepting.against,
        accept_difference=accepting.difference,
        accept_slope=accepting.slope,
        bins=_bins(of_end, ended, drawn),
        items=_ranked(table, told, rng),
        acts=_acts(table, told, rng),
    )


def _fits_now(point: Point) -> bool:
    """Tell whether the first item shown now that fits would be taken: nothing known of it is against it."""
    last = point.seen.messages[-1]
    return bool(last.items) and any(_fits(item, point) for item in items_shown_last(point.seen))


def _fits(item: object, point: Point) -> bool:
    held, broken = fit(item, point.persona), breaks(item, point.persona)  # type: ignore[arg-type]
    return (math.isnan(held) or held >= 1) and not broken > 0


def _scores(
    told: FloatArray, moves: IntArray, *, turns: IntArray, fits: IntArray, drawn: Drawn
) -> tuple[Score, ...]:
    n_kinds = told.shape[1]
    by_name = {
        POLICY: told,
        BASE_RATE: base_rates(np.zeros_like(turns), moves, drawn.units, n_kinds).shares,
        BY_TURN: base_rates(turns, moves, drawn.units, n_kinds).shares,
        FIRST_FIT: base_rates(fits, moves, drawn.units, n_kinds).shares,
    }
    everywhere = np.ones(len(moves), bool)
    return tuple(
        Score(
            of=name,
            log_loss=estimate_of(drawn.mean(_losses(shares, moves), everywhere)),
            brier=estimate_of(drawn.mean(Forecasts.stated(shares).brier(moves), everywhere)),
        )
        for name, shares in by_name.items()
    )


class _Accepting(NamedTuple):
    scores: tuple[Score, ...] = ()
    against: str | None = None
    difference: Estimate = Estimate()
    slope: Estimate = Estimate()


def _accepting(
    table: Table, told: CrossFitted, *, turns: IntArray, fits: IntArray, rng: Generator
) -> _Accepting:
    """Score P(accept given the end) where people ended and it is known how."""
    rows = np.flatnonzero((table.moves == ACCEPT) | (table.moves == LEAVE))
    accepted = table.moves[rows] == ACCEPT
    units = np.unique(table.units[rows], return_inverse=True)[1].ravel()
    if len(np.unique(accepted)) < 2 or len(np.unique(units)) < 2:
        return _Accepting()
    given = told.moves[rows, 1] / np.maximum(1 - told.moves[rows, 0], 1e-12)
    drawn = Drawn.of(units, rng, N_RESAMPLES)
    shares, moves = np.stack([1 - given, given], axis=1), accepted.astype(np.int64)
    # A rate that does not depend on what is seen differs between folds alone, and against what happens in each.
    varies = len(np.unique(given.round(9))) > FOLDS
    return _Accepting(
        _scores(shares, moves, turns=turns[rows], fits=fits[rows], drawn=drawn),
        *_beside_rates(shares, moves, turns[rows], units),
        estimate_of(recalibrate(given, accepted, units, drawn.weights).slope) if varies else Estimate(),
    )


def _losses(told: FloatArray, moves: IntArray) -> FloatArray:
    return np.asarray(-np.log(told[np.arange(len(moves)), moves].clip(1e-12)))


def _beside_rates(
    told: FloatArray, moves: IntArray, turns: IntArray, units: IntArray
) -> tuple[str, Estimate]:
    """Return the better of both base rates, and how far the log loss of the policy is from that one's."""
    rates = {
        name: _losses(base_rates(at, moves, units, told.shape[1]).shares, moves)
        for name, at in ((BASE_RATE, np.zeros_like(turns)), (BY_TURN, turns))
    }
    against = min(rates, key=lambda name: float(rates[name].mean()))
    found = UnitMean.of(_losses(told, moves) - rates[against], units)
    if found.n_units < 2:
        return against, Estimate(estimate=found.estimate)
    half = found.half_width(0.95)
    return against, Estimate(estimate=found.estimate, interval=(found.estimate - half, found.estimate + half))


def _bins(of_end: FloatArray, ended: BoolArray, drawn: Drawn) -> tuple[Bin, ...]:
    bins, told, rows = Forecasts.stated(of_end).binned(1)
    found = []
    for number in range(int(bins.max(initial=-1)) + 1):
        inside = np.zeros(len(ended), bool)
        inside[rows[bins == number]] = True
        found.append(
            Bin(
                n=int(inside.sum()),
                told=float(told[bins == number].mean()),
                happened=estimate_of(drawn.mean(ended.astype(np.float64), inside)),
            )
        )
    return tuple(found)


def _ranked(table: Table, told: CrossFitted, rng: Generator) -> Ranked:
    rows = sorted(told.items)
    if not rows:
        return Ranked(n=0)
    policy, chance, first = [], [], []
    for row in rows:
        point = table.points[row]
        items = items_shown_last(point.seen)
        taken = np.asarray([item.id in point.taken for item in items])
        fits = np.asarray([_fits(item, point) for item in items], np.float64)
        policy.append(reciprocal_rank(told.items[row], taken))
        chance.append(reciprocal_rank(np.zeros(len(items)), taken))
        first.append(reciprocal_rank(2.0 * len(items) * fits - np.arange(len(items)), taken))
    units = np.unique(table.units[rows], return_inverse=True)[1].ravel()
    drawn = Drawn.of(units, rng, N_RESAMPLES)
    everywhere = np.ones(len(rows), bool)
    means = [estimate_of(drawn.mean(np.asarray(each), everywhere)) for each in (policy, chance, first)]
    return Ranked(n=len(rows), policy=means[0], random=means[1], first_that_fits=means[2])


def reciprocal_rank(scores: FloatArray, taken: BoolArray) -> float:
    """Return the expected 1 / rank of the best of ``taken``, those of equal score standing in any order.

    Args:
        scores: Shape (items,): the higher, the better.
        taken: Shape (items,): some are True.
    """
    best = scores[taken].max()
    above = int((scores > best).sum())
    level, right = int((scores == best).sum()), int((taken & (scores == best)).sum())
    total = math.comb(level, right)
    return sum(
        math.comb(level - place, right - 1) / total / (above + place) for place in range(1, level - right + 2)
    )


def _acts(table: Table, told: CrossFitted, rng: Generator) -> tuple[Score, ...]:
    found: list[tuple[int, FloatArray, FloatArray]] = []
    names = sorted({name for each in told.acts.values() for name in each})
    counts: Counter[str] = Counter()
    for row, each in told.acts.items():
        acts = [act for act in table.points[row].acts if act in each]
        if acts:
            happened = np.asarray([(name in acts) / len(acts) for name in names])
            found.append((row, np.asarray([each.get(name, 0.0) for name in names]), happened))
            counts.update(acts)
    rows = np.asarray([row for row, _, _ in found], np.int64)
    units = np.unique(table.units[rows], return_inverse=True)[1].ravel()
    if len(np.unique(units)) < 2:
        return ()
    drawn = Drawn.of(units, rng, N_RESAMPLES)
    happened = np.asarray([each for _, _, each in found])
    by_unit = np.zeros((int(units.max()) + 1, len(names)))
    np.add.at(by_unit, units, happened)
    others = happened.sum(axis=0) - by_unit[units] + 1
    rates = others / others.sum(axis=1, keepdims=True)
    return tuple(
        Score(of=name, log_loss=_mean_of(drawn, losses), brier=_mean_of(drawn, off))
        for name, shares in ((POLICY, np.asarray([each for _, each, _ in found])), (BASE_RATE, rates))
        for losses in [-(happened * np.log(shares.clip(1e-12))).sum(axis=1)]
        for off in [((shares - happened) ** 2).sum(axis=1) / 2]
    )


def _mean_of(drawn: Drawn, values: FloatArray) -> Estimate:
    return estimate_of(drawn.mean(values, np.ones(len(values), bool)))
