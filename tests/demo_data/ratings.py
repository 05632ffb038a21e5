"""Stand-in ratings: ranked so that each arm's proportion of "yes" is the level that was reported for people.

The order comes from how well the recommender served and how the shopper felt, plus each person's leaning and
chance; the number that says yes is set. Nothing can be learned from these levels: they were put in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from tests.demo_data.draws import Draws
from tests.demo_data.talk import Exchange, Talk


class Levels(BaseModel):
    """Each arm's proportion of "yes" a question, from 0 to 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    good: dict[str, float]
    bad: dict[str, float]


@dataclass(frozen=True)
class Rated:
    """What one stand-in person says of the session, and of each turn, by question."""

    session: Mapping[str, bool]
    turns: Sequence[Mapping[str, bool]]


def rate(talks: Sequence[Talk], levels: Levels, *, seed: int) -> list[Rated]:
    """Rate every talk; naturalness is asked of the session alone."""
    draws = Draws(seed, "ratings")
    leaning = {name: [draws.noise() for _ in talks] for name in levels.good}
    turns: list[list[dict[str, bool]]] = [[{} for _ in talk.exchanges] for talk in talks]
    session: list[dict[str, bool]] = [{} for _ in talks]
    for arm, shares in (("good", levels.good), ("bad", levels.bad)):
        rated = [number for number, talk in enumerate(talks) if talk.arm == arm]
        for name, share in shares.items():
            scored = [
                [
                    _score(name, each) + 0.5 * leaning[name][number] + 0.6 * draws.noise()
                    for each in talks[number].exchanges
                ]
                for number in rated
            ]
            whole = [sum(scores) / len(scores) + 0.3 * draws.noise() for scores in scored]
            for number, yes in zip(rated, _highest(whole, share), strict=True):
                session[number][name] = yes
            if name == "naturalness":
                continue
            places = [(number, turn) for number in rated for turn in range(len(talks[number].exchanges))]
            flat = [score for scores in scored for score in scores]
            for (number, turn), yes in zip(places, _highest(flat, share), strict=True):
                turns[number][turn][name] = yes
    return [Rated(*pair) for pair in zip(session, turns, strict=True)]


def _score(name: str, exchange: Exchange) -> float:
    fit, mood = exchange.reply.fit, exchange.annoyance
    accepted, left = exchange.move.action == "accept", exchange.move.action == "leave"
    return {
        "satisfaction": fit - 0.5 * mood + 0.5 * accepted - 0.4 * left,
        "frustration": mood + 0.6 * (1 - fit) + 0.5 * left,
        "confusion": exchange.reply.confusing + 0.4 * (1 - fit),
        "purchase_intent": fit - 0.3 * mood + 0.8 * accepted - 0.5 * left,
        "naturalness": fit - 0.6 * mood - 0.5 * exchange.reply.confusing,
    }[name]


def _highest(scores: Sequence[float], share: float) -> list[bool]:
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    chosen = set(order[: round(share * len(scores))])
    return [place in chosen for place in range(len(scores))]
