"""What gives a simulator's endings away: a sentence with both sides' numbers, and the conversations that show it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import JsonValue

from convsim.schema.arrays import FloatArray
from convsim_validators.endings.compared import ENDINGS, Measured, kinds_of
from convsim_validators.endings.followed import Followed

N_SIMULATED, N_PEOPLE = 3, 1
WORDS = {
    "accepted": "end with an item taken",
    "left": "end with the user leaving without an item",
    "otherwise": "end in neither way",
    "still_there": "go on to the limit of turns",
}
MANY_TURNS, MANY = 1.0, 0.1
"""Turns and proportions from which a difference is worth leading with."""
WAYS = {"accepting": ("accepted", "buy something"), "leaving": ("left", "buy nothing")}


def giveaway(measured: Measured, followed: Followed) -> str:
    """Say in a plain sentence how the sides differ."""
    details = measured.details
    if measured.name == "survival":
        return _stay(measured, followed)
    if measured.name == "hazard":
        return _turn(details)
    if measured.name == "mix_of_endings":
        name, of = _most(details)
        until = f" (as of turn {followed.follow_up})" if name == "still_there" else ""
        return f"{of[1]:.0%} of simulated conversations {WORDS[name]}, of people's {of[0]:.0%}{until}"
    return _so(measured)


def _stay(measured: Measured, followed: Followed) -> str:
    people, simulated = _both(measured.details["mean_turns"])
    there = _both(_turns(measured.details)[measured.at - 1]["there"])
    at = f"after turn {measured.at}, {there[1]:.0%} of simulated shoppers are still there, of people {there[0]:.0%}"
    mean = f"of the first {followed.follow_up} turns they stay {simulated:.1f}, people {people:.1f}"
    if abs(simulated - people) < MANY_TURNS:
        return f"{at}; {mean}"
    return f"simulated shoppers {_by(simulated - people)} than people: {mean}; {at}"


def _by(turns: float) -> str:
    return f"{'stay' if turns > 0 else 'stop'} {abs(turns):.1f} turns {'longer' if turns > 0 else 'sooner'}"


def _turn(details: Mapping[str, JsonValue]) -> str:
    first, last = (int(str(turn)) for turn in _listed(details["turns_that_differ_most"]))
    where = f"turn {first}" if first == last else f"turns {first} to {last}"
    each = "" if first == last else " in each"
    return (
        f"of the simulated shoppers who are there in {where}, {float(str(details['hazard_simulated'])):.0%} end the "
        f"conversation{each}, of people {float(str(details['hazard_real'])):.0%}"
    )


def _so(measured: Measured) -> str:
    """Lead with what differs most: how long they stay, how many they are, or how many of those still there do so."""
    _, doing = WAYS[measured.name]
    share = [float(str(measured.details[f"share_{side}"])) for side in ("real", "simulated")]
    many = f"{share[1]:.0%} of simulated shoppers {doing}, of people {share[0]:.0%}"
    turns = measured.details["mean_turns"]
    assert isinstance(turns, Mapping)
    if turns["real"] is None or turns["simulated"] is None:
        return many
    people, simulated = _both(turns)
    if abs(simulated - people) >= MANY_TURNS:
        by = _by(simulated - people)
        return f"simulated shoppers who {doing} {by} ({simulated:.1f}, people {people:.1f}); {many}"
    if abs(share[1] - share[0]) >= MANY:
        return many
    hazard = _both(_turns(measured.details)[measured.at - 1]["so_far"])
    return (
        f"of simulated shoppers who are still there, {hazard[1]:.0%} {doing} in each of turns 1 to {measured.at}, of "
        f"people {hazard[0]:.0%}; {many}"
    )


def examples(measured: Measured, followed: Followed) -> list[JsonValue]:
    """Return up to three conversations of the simulator that show it best, and one of people."""
    scores = _telling(measured, followed)
    found: list[JsonValue] = []
    for side, members, towards, n in (
        ("simulated", ~followed.is_real, 1, N_SIMULATED),
        ("people", followed.is_real, -1, N_PEOPLE),
    ):
        rows = np.flatnonzero(members & np.isfinite(scores))
        for row in rows[np.argsort(-towards * scores[rows], kind="stable")[:n]]:
            conversation = followed.conversations[int(row)]
            last = max((at for at, m in enumerate(conversation.messages) if m.role == "user"), default=None)
            found.append(
                {
                    "side": side, "conversation": conversation.id, "message": last,
                    "value": int(followed.turns[row]),
                }
            )  # fmt: skip
    return found


def _telling(measured: Measured, followed: Followed) -> FloatArray:
    """Return how much each conversation is as the simulator has too many, shape (n,); NaN where it shows nothing."""
    turns = followed.turns.astype(np.float64)
    more = 1.0 if measured.estimate > 0 else -1.0
    if measured.name == "survival":
        return more * turns
    if measured.name == "hazard":
        first, last = (int(str(turn)) for turn in _listed(measured.details["turns_that_differ_most"]))
        there = followed.stayed >= first
        ends = followed.ended("accepted", "left", "unknown") & (followed.turns <= last)
        return np.where(there, more * ends, np.nan)
    if measured.name == "mix_of_endings":
        name, of = _most(measured.details)
        towards = 1.0 if of[1] > of[0] else -1.0
        return np.where(kinds_of(followed) == ENDINGS.index(name), towards, -towards)
    way, _ = WAYS[measured.name]
    so = followed.ended("accepted" if way == "accepted" else "left")
    later = [
        float(turns[so & side].mean()) if (so & side).any() else 0
        for side in (followed.is_real, ~followed.is_real)
    ]
    return np.where(so, (1.0 if later[1] > later[0] else -1.0) * turns, np.nan)


def _most(details: Mapping[str, JsonValue]) -> tuple[str, tuple[float, float]]:
    """Return the ending in which the sides differ most, with the proportions of both; of equals the first."""
    mix = details["mix"]
    assert isinstance(mix, Mapping)
    both = {name: _both(of) for name, of in mix.items()}
    return max(both.items(), key=lambda each: round(abs(each[1][1] - each[1][0]), 6))


def _both(of: JsonValue) -> tuple[float, float]:
    assert isinstance(of, Mapping)
    return float(str(of["real"])), float(str(of["simulated"]))


def _listed(of: JsonValue) -> list[JsonValue]:
    assert isinstance(of, list)
    return of


def _turns(details: Mapping[str, JsonValue]) -> list[Mapping[str, JsonValue]]:
    return [turn for turn in _listed(details["curves"]) if isinstance(turn, Mapping)]
