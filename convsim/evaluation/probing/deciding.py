"""Go on, accept or leave: a shopper's decisions held against people's, and against the base rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convsim.evaluation.probing.asking import Answer
from convsim.evaluation.probing.document import SHOPPER, Bin, Part, Question, QuestionName, Score, Split
from convsim.evaluation.probing.judging import Judged, judge_forecasts, too_few
from convsim.evaluation.probing.places import Place
from convsim.schema import Estimate
from convsim.stats.forecasts import FEWEST, Drawn, Forecasts, UnitMean, base_rates, estimate_of

if TYPE_CHECKING:
    from numpy.random import Generator

    from convsim.schema.arrays import BoolArray, FloatArray, IntArray

BASE_RATE, MAJORITY, ALWAYS = "base rate by turn", "majority by turn", "as before: go on"
MAX_TURN = 8
"""Turns from here on are told together."""
FAILED, UNKNOWN_END = "every answer failed", "nobody says how the conversation ended"
Answers = Mapping[str, Sequence[Answer]]
"""Those of a place that are moves, by its key."""


@dataclass(frozen=True)
class Kinds:
    """Into which kinds moves are put: each move of people, and each action of a shopper, has one."""

    name: QuestionName
    question: str
    kinds: tuple[str, ...]
    of: Mapping[str, int]


ENDING = Kinds(
    "ending",
    "Does the shopper go on, or end the conversation, where people do?",
    ("go on", "end"),
    {"say": 0, "accept": 1, "leave": 1, "stop": 1},
)
DECISION = Kinds(
    "decision",
    "Does the shopper go on, accept or leave where people do?",
    ("go on", "accept", "leave"),
    {"say": 0, "accept": 1, "leave": 2},
)


def ask_about(
    kinds: Kinds,
    places: Sequence[Place],
    asked: Sequence[Place],
    answers: Answers,
    *,
    margin: float,
    rng: Generator,
) -> Question:
    """Answer one question about decisions.

    Args:
        kinds: The kinds of move that are told apart.
        places: All places, from which base rates are told.
        asked: Those at which the shopper was asked.
        answers: What it answered.
        margin: Which calibration error is still none.
        rng: Draws units anew.
    """
    unknown = (
        {p.conversation.id for p in places if p.move == "stop"} if "stop" not in kinds.of else frozenset()
    )
    known = [p for p in places if p.conversation.id not in unknown]
    left_out: Counter[str] = Counter()
    left_out[UNKNOWN_END] = sum(p.conversation.id in unknown for p in asked)
    kept = [p for p in asked if p.conversation.id not in unknown and answers.get(p.key)]
    left_out[FAILED] = len(asked) - left_out[UNKNOWN_END] - len(kept)
    return _Decisions(kinds, known, kept, answers, margin=margin, rng=rng).question(+left_out)


class _Decisions:
    def __init__(
        self,
        kinds: Kinds,
        places: Sequence[Place],
        asked: Sequence[Place],
        answers: Answers,
        *,
        margin: float,
        rng: Generator,
    ) -> None:
        self.kinds, self.asked, self.margin, self.rng = kinds, asked, margin, rng
        number: dict[str, int] = {}
        all_units = np.asarray([number.setdefault(p.unit, len(number)) for p in places], np.int64)
        all_turns = np.asarray([p.turn for p in places], np.int64)
        all_moves = np.asarray([kinds.of[p.move] for p in places], np.int64)
        row_of = {p.key: row for row, p in enumerate(places)}
        rows = np.asarray([row_of[p.key] for p in asked], np.int64)
        base = base_rates(all_turns, all_moves, all_units, len(kinds.kinds)).take(rows)
        self.moves, self.turns = all_moves[rows], all_turns[rows]
        self.units = np.unique(all_units[rows], return_inverse=True)[1].ravel()
        self.n_units = int(self.units.max(initial=-1)) + 1
        majority = np.eye(len(kinds.kinds))[base.shares.argmax(1)]
        always = np.eye(len(kinds.kinds))[np.zeros(len(rows), np.int64)]
        self.shopper = Forecasts.of([self._draws(answers[p.key]) for p in asked], len(kinds.kinds))
        self.baselines = {
            BASE_RATE: base, MAJORITY: Forecasts.stated(majority), ALWAYS: Forecasts.stated(always),
        }  # fmt: skip
        self.outcomes = np.asarray([p.outcome for p in asked], object)

    def _draws(self, answers: Sequence[Answer]) -> FloatArray | IntArray:
        """Return the probabilities that were stated, or the kinds that were drawn."""
        stated = next((a.probabilities for a in answers if a.probabilities is not None), None)
        if stated is None:
            return np.asarray([self.kinds.of[str(a.action)] for a in answers], np.int64)
        found = np.zeros(len(self.kinds.kinds))
        for action, probability in stated.items():
            found[self.kinds.of[action]] += probability
        shares: FloatArray = found / found.sum()
        return shares

    def question(self, left_out: Mapping[str, int]) -> Question:
        """Judge, and tell all parts."""
        judged = self._undecidable()
        known: dict[str, object] = {}
        if self.n_units > 1:
            drawn = Drawn.of(self.units, self.rng)
            known = {"parts": tuple(self._parts(drawn)), "confusion": self._confusion()}
            error = drawn.calibration_error(self.shopper, self.moves)
            scores = self.shopper.brier(self.moves)
            scored = ~np.isnan(scores)
            if error is not None and scored.any():
                base = self.baselines[BASE_RATE].brier(self.moves)
                excess = UnitMean.of((scores - base)[scored], self.units[scored])
                known |= {
                    "estimate": float(scores[scored].mean()), "baseline": float(base[scored].mean()),
                    "calibration_error": Estimate(estimate=error.estimate, interval=error.interval()),
                    "bins": tuple(self._bins()),
                }  # fmt: skip
                judged = (
                    judged or too_few(excess.n_units, "an answer") or self._too_few_places(int(scored.sum()))
                )
                if excess.n_units > 1:
                    half = excess.half_width(0.95)
                    known["difference"] = Estimate(
                        estimate=excess.estimate, interval=(excess.estimate - half, excess.estimate + half)
                    )
                judged = judged or judge_forecasts(
                    excess, error, margin=self.margin, against=f"the {BASE_RATE}"
                )
            else:
                judged = judged or Judged(
                    "undecided",
                    "one draw a place tells no probability: ask for two or more (--samples 5), or for a shopper that "
                    "says how likely each move is",
                )
        judged = judged or Judged("undecided", "nothing was answered")
        return Question.model_validate(
            {
                "name": self.kinds.name, "question": self.kinds.question, "score": "Brier score", "against": BASE_RATE,
                "verdict": judged.verdict, "reason": judged.reason, "p_better": judged.p_better,
                "p_value": judged.p_different, "more_units": judged.more_units, "margin": self.margin,
                "n": len(self.moves), "n_units": self.n_units, "left_out": left_out, **known,
            }
        )  # fmt: skip

    def _undecidable(self) -> Judged | None:
        """Say why nothing can be decided, where that is so."""
        if not len(self.moves):
            why = (
                "no place at which a person moved is left"
                if self.kinds is ENDING
                else "no conversation says whether it was accepted or left: state its ending"
            )
            return Judged("undecided", why)
        if few := too_few(self.n_units, "an answer"):
            return few
        there = np.unique(self.moves)
        if len(there) < 2:
            only = self.kinds.kinds[int(there[0])]
            return Judged(
                "undecided",
                f"people always do the same here ({only}), so that nothing can be told apart; give whole conversations",
            )
        return None

    def _too_few_places(self, n: int) -> Judged | None:
        """Return that nothing is decided where chance alone may look like probabilities that are off by the margin."""
        if n >= FEWEST:
            return None
        return Judged(
            "undecided",
            f"{n} places are too few to tell whether the shopper is calibrated: {FEWEST} are needed",
        )

    def _parts(self, drawn: Drawn) -> Iterator[Part]:
        everywhere = np.ones(len(self.moves), bool)
        yield self._part(drawn, "all", "all", everywhere)
        for outcome in ("accepted", "left", "neither"):
            if (where := self.outcomes == outcome).any():
                yield self._part(drawn, "outcome", outcome, where)
        for turn in range(1, MAX_TURN + 1):
            where = self.turns == turn if turn < MAX_TURN else self.turns >= turn
            if where.any():
                yield self._part(drawn, "turn", f"{turn}{'+' if turn == MAX_TURN else ''}", where)

    def _part(self, drawn: Drawn, split: Split, value: str, where: BoolArray) -> Part:
        kinds = self.kinds.kinds
        happened = np.bincount(self.moves[where], minlength=len(kinds)) / where.sum()
        forecast = self.shopper.shares[where].mean(0)
        told = {SHOPPER: self.shopper, **self.baselines}
        return Part(
            split=split,
            value=value,
            n=int(where.sum()),
            n_units=len(np.unique(self.units[where])),
            people=dict(zip(kinds, happened.tolist(), strict=True)),
            shopper=dict(zip(kinds, forecast.tolist(), strict=True)),
            scores=tuple(self._score(drawn, name, each, where) for name, each in told.items()),
        )

    def _score(self, drawn: Drawn, name: str, forecasts: Forecasts, where: BoolArray) -> Score:
        accuracy, brier = forecasts.accuracy(self.moves), forecasts.brier(self.moves)
        return Score(
            of=name,
            accuracy=estimate_of(drawn.mean(accuracy, where)),
            balanced=estimate_of(drawn.balanced(accuracy, self.moves, where)),
            brier=estimate_of(drawn.mean(np.nan_to_num(brier), where & ~np.isnan(brier))),
        )

    def _confusion(self) -> dict[str, dict[str, float]]:
        kinds = self.kinds.kinds
        return {
            kinds[kind]: dict(
                zip(kinds, self.shopper.shares[self.moves == kind].mean(0).tolist(), strict=True)
            )
            for kind in np.unique(self.moves).tolist()
        }

    def _bins(self) -> Iterator[Bin]:
        kinds = self.kinds.kinds
        for kind in range(len(kinds)) if len(kinds) > 2 else [1]:
            bins, told, rows = self.shopper.binned(kind)
            for number in range(int(bins.max(initial=-1)) + 1):
                inside = bins == number
                yield Bin(
                    kind=kinds[kind],
                    n=len(np.unique(rows[inside])),
                    forecast=float(told[inside].mean()),
                    happened=float((self.moves[rows[inside]] == kind).mean()),
                )
