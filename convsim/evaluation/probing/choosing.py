"""Which item, and which act: a shopper's choices held against people's, against chance and against other people."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from convsim.evaluation.probing.asking import Answer
from convsim.evaluation.probing.deciding import FAILED, Answers
from convsim.evaluation.probing.document import SHOPPER, Part, Question, Score, Split
from convsim.evaluation.probing.judging import Judged, judge_skill, too_few
from convsim.evaluation.probing.places import Place, shown_at
from convsim.schema import Estimate
from convsim.stats.forecasts import Drawn, UnitMean, estimate_of

if TYPE_CHECKING:
    from numpy.random import Generator

    from convsim.schema.arrays import BoolArray, FloatArray, IntArray

CHANCE, FIRST_SHOWN, OTHERS = "chance", "the first that was shown", "another person at the same turn"
NO_ITEM = "people accepted, and nobody says what"
NOT_SHOWN = "what people accepted was not among the items shown last"
ONE_SHOWN = "one item was shown"
TOOK_NONE = "the shopper took no item in any draw"
SAID_NOTHING = "the person said nothing with the move"
NO_WORDS = "the shopper said nothing with the move"
Acts = Mapping[str, frozenset[str]]
"""By the key of a place and who spoke there."""


def ask_about_items(asked: Sequence[Place], answers: Answers, *, rng: Generator) -> Question:
    """Answer whether a shopper takes the item that people took, where they accepted one of several."""
    left_out: Counter[str] = Counter()
    places, found, chance, first = list[Place](), list[float](), list[float](), list[float]()
    for place in asked:
        if place.move != "accept":
            continue
        taken = set(place.message.accepted) if place.message else set()
        shown = shown_at(place)
        right = _taken(answers.get(place.key, ()), taken)
        why = (
            NO_ITEM if not taken else NOT_SHOWN if not taken.intersection(shown) else ONE_SHOWN if len(shown) < 2
            else FAILED if not answers.get(place.key) else TOOK_NONE if right is None else ""
        )  # fmt: skip
        if why or right is None:
            left_out[why] += 1
            continue
        places.append(place)
        found.append(right)
        chance.append(sum(item in taken for item in shown) / len(shown))
        first.append(float(shown[0] in taken))
    baselines = {CHANCE: np.asarray(chance), FIRST_SHOWN: np.asarray(first)}
    return _question(
        places, np.asarray(found), baselines, name="item", question="Does the shopper take the item that people took?",
        score="accuracy", what="an item accepted among several", rng=rng, left_out=left_out,
    )  # fmt: skip


def _taken(answers: Sequence[Answer], taken: set[str]) -> float | None:
    """Return how likely the shopper is to take one of ``taken``, given that it takes one; None where it took none."""
    stated = next((a.items for a in answers if a.items is not None), None)
    if stated is not None:
        total = sum(stated.values())
        return sum(p for item, p in stated.items() if item in taken) / total if total else None
    drawn = [a.item for a in answers if a.item is not None]
    return sum(item in taken for item in drawn) / len(drawn) if drawn else None


def ask_about_acts(
    asked: Sequence[Place],
    answers: Answers,
    acts: Acts,
    *,
    source: str,
    rng: Generator,
) -> Question:
    """Answer whether a shopper's messages do what people's did at the same places.

    The overlap of two sets of acts is their Jaccard index. The baseline is the overlap with messages of other people at
    the same turn: what a shopper reaches that knows how people talk and not what was said to it.
    """
    left_out: Counter[str] = Counter()
    places, own, theirs = list[Place](), list[frozenset[str]](), list[list[frozenset[str]]]()
    for place in asked:
        person = acts.get(f"person {place.key}")
        said = [acts[key] for a in answers.get(place.key, ()) if (key := f"{a.draw} {place.key}") in acts]
        why = (
            SAID_NOTHING
            if person is None
            else FAILED
            if not answers.get(place.key)
            else NO_WORDS
            if not said
            else ""
        )
        if why or person is None:
            left_out[why] += 1
            continue
        places.append(place)
        own.append(person)
        theirs.append(said)
    found = np.asarray(
        [np.mean([_overlap(mine, one) for one in said]) for mine, said in zip(own, theirs, strict=True)]
    )
    question = _question(
        places, found, {OTHERS: _of_others(places, own)}, name="act",
        question=f"Do the shopper's messages do what people's did ({source})?", score="overlap",
        what="a message on both sides", rng=rng, left_out=left_out,
    )  # fmt: skip
    if question.n_units < 2:
        return question
    return question.but(
        **_mixes(places, own, theirs, rng), parts=_with_mixes(question.parts, places, own, theirs)
    )


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 1.0


def _of_others(places: Sequence[Place], own: Sequence[frozenset[str]]) -> FloatArray:
    """Return the mean overlap of each message with those of other units at the same turn; NaN where there are none."""
    sets = list(dict.fromkeys(own))
    number = {each: place for place, each in enumerate(sets)}
    overlaps = np.asarray([[_overlap(one, other) for other in sets] for one in sets]).reshape(
        len(sets), len(sets)
    )
    by_turn: dict[int, Counter[int]] = defaultdict(Counter)
    of_both: dict[tuple[int, str], Counter[int]] = defaultdict(Counter)
    for place, acts in zip(places, own, strict=True):
        by_turn[place.turn][number[acts]] += 1
        of_both[place.turn, place.unit][number[acts]] += 1
    found = np.full(len(places), math.nan)
    for row, (place, acts) in enumerate(zip(places, own, strict=True)):
        others = by_turn[place.turn] - of_both[place.turn, place.unit]
        if total := others.total():
            found[row] = sum(overlaps[number[acts], each] * n for each, n in others.items()) / total
    return found


def _shares(sets: Sequence[frozenset[str]], names: Sequence[str]) -> FloatArray:
    """Return how the acts of messages are shared out, each message counting once; shape (messages, acts)."""
    return np.asarray([[(name in acts) / len(acts) if acts else 0.0 for name in names] for acts in sets])


def _mixes(
    places: Sequence[Place],
    own: Sequence[frozenset[str]],
    theirs: Sequence[Sequence[frozenset[str]]],
    rng: Generator,
) -> dict[str, object]:
    """Return the total variation between both distributions of acts, with its interval."""
    names = sorted({act for acts in (*own, *(one for said in theirs for one in said)) for act in acts})
    units = _units(places)
    drawn = Drawn.of(units, rng)
    person = _shares(own, names)
    shopper = np.asarray([_shares(said, names).mean(0) for said in theirs])
    everywhere = np.ones(len(places), bool)
    gaps = [drawn.mean(person[:, at] - shopper[:, at], everywhere) for at in range(len(names))]
    return {"total_variation": estimate_of(np.abs(gaps).sum(0) / 2)} if names else {}


def _with_mixes(
    parts: Sequence[Part],
    places: Sequence[Place],
    own: Sequence[frozenset[str]],
    theirs: Sequence[Sequence[frozenset[str]]],
) -> tuple[Part, ...]:
    """Say in each part how often each act is done on both sides."""
    names = sorted({act for acts in (*own, *(one for said in theirs for one in said)) for act in acts})
    found = []
    for part in parts:
        rows = [row for row, place in enumerate(places) if _belongs(place, part)]
        person = _shares([own[row] for row in rows], names).mean(0)
        shopper = np.asarray([_shares(theirs[row], names).mean(0) for row in rows]).mean(0)
        found.append(
            part.but(
                people=dict(zip(names, person.tolist(), strict=True)),
                shopper=dict(zip(names, shopper.tolist(), strict=True)),
            )
        )
    return tuple(found)


def _belongs(place: Place, part: Part) -> bool:
    return part.split == "all" or (part.split == "outcome" and place.outcome == part.value)


def _units(places: Sequence[Place]) -> IntArray:
    number: dict[str, int] = {}
    return np.asarray([number.setdefault(p.unit, len(number)) for p in places], np.int64)


def _question(
    places: Sequence[Place],
    found: FloatArray,
    baselines: Mapping[str, FloatArray],
    *,
    name: str,
    question: str,
    score: str,
    what: str,
    rng: Generator,
    left_out: Counter[str],
) -> Question:
    """Judge one accuracy against the best of its baselines; the verdict must hold against each."""
    units = _units(places)
    n_units = int(units.max(initial=-1)) + 1
    known: dict[str, object] = {"against": next(iter(baselines))}
    judged: Judged | None = too_few(n_units, what)
    if not len(places):
        why = (
            f" ({'; '.join(f'{n} places: {reason}' for reason, n in left_out.most_common(3))})"
            if left_out
            else ""
        )
        judged = Judged("undecided", f"there is no place with {what}{why}")
    elif n_units > 1:
        drawn = Drawn.of(units, rng)
        means = {
            of: float(np.nanmean(values)) for of, values in baselines.items() if not np.isnan(values).all()
        }
        if means:
            against = max(means, key=lambda of: means[of])
            scored = ~np.isnan(baselines[against])
            gains = UnitMean.of((found - baselines[against])[scored], units[scored])
            half = gains.half_width(0.95) if gains.n_units > 1 else math.nan
            known = {
                "against": against, "baseline": means[against], "estimate": float(found[scored].mean()),
                "difference": Estimate(
                    estimate=gains.estimate,
                    interval=None if math.isnan(half) else (gains.estimate - half, gains.estimate + half),
                ),
            }  # fmt: skip
            judged = judged or too_few(gains.n_units, what) or judge_skill(gains, against=against)
        known |= {
            "parts": tuple(
                _part(split, value, where, places=places, drawn=drawn, scores={SHOPPER: found, **baselines})
                for split, value, where in _splits(places)
            ),
        }
    judged = judged or Judged("undecided", "nobody else spoke at these turns, so that there is no baseline")
    return Question.model_validate(
        {
            "name": name, "question": question, "score": score, "verdict": judged.verdict, "reason": judged.reason,
            "p_better": judged.p_better, "p_value": judged.p_different, "more_units": judged.more_units,
            "n": len(places), "n_units": n_units, "left_out": +left_out, **known,
        }
    )  # fmt: skip


def _splits(places: Sequence[Place]) -> list[tuple[Split, str, BoolArray]]:
    outcomes = np.asarray([place.outcome for place in places], object)
    found: list[tuple[Split, str, BoolArray]] = [("all", "all", np.ones(len(places), bool))]
    for outcome in ("accepted", "left", "neither"):
        if (where := outcomes == outcome).any():
            found.append(("outcome", outcome, where))
    return found


def _part(
    split: Split,
    value: str,
    where: BoolArray,
    *,
    places: Sequence[Place],
    drawn: Drawn,
    scores: Mapping[str, FloatArray],
) -> Part:
    return Part(
        split=split,
        value=value,
        n=int(where.sum()),
        n_units=len({place.unit for place, inside in zip(places, where, strict=True) if inside}),
        people={},
        shopper={},
        scores=tuple(
            Score(
                of=name,
                accuracy=estimate_of(drawn.mean(np.nan_to_num(values), where & ~np.isnan(values))),
            )
            for name, values in scores.items()
        ),
    )
