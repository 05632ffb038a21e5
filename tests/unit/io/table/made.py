"""Tables of made-up chats: the same conversations under any names of columns, in any order, with any separator."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

ASKED = (
    "rain boots",
    "a red scarf",
    "trail shoes",
    "a linen shirt",
    "a warm coat",
    "gloves for cycling",
    "a blue hat",
)
SAID = (
    "hi, do you have {} in my size?", "something cheaper maybe", "no, not that one", "is it waterproof?", "ok",
    "I walk a lot, so {} should last", "the second one looks good", "can I return {} later?", "hm, {} is too dear",
    "thanks, I take it", "what about another colour of {}?", "it is for my sister {}", "does {} run small?",
)  # fmt: skip
ANSWERED = (
    "Here are three that fit: {} from 39 to 59 dollars, all of them in stock.", "What size do you usually wear?",
    "We have {} in navy, green and black; which colour do you like best?", "Sure! Returns are free within thirty days.",
    "Our most popular choice is {}, customers rate it four and a half stars.", "Is there anything else that you need?",
)  # fmt: skip
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Said(NamedTuple):
    """One message of a made-up chat."""

    conversation: int
    turn: int
    side: str
    text: str
    at: datetime
    user: int
    rating: int
    accepted: bool


def chats(n: int = 40, *, seed: int = 1, agent_first: bool = False) -> list[Said]:
    """Make conversations of 2 to 10 messages in which sides mostly take turns; some users have several."""
    draw = Random(seed)
    found: list[Said] = []
    for number in range(1, n + 1):
        at = START + timedelta(hours=3 * number, seconds=draw.randrange(600))
        user, rating, accepted = draw.randrange(n // 2), draw.randint(1, 5), draw.random() < 0.5
        thing = draw.choice(ASKED)
        for turn in range(draw.randrange(2, 11)):
            side = "user" if (turn % 2 == 0) != agent_first else "agent"
            text = draw.choice(SAID if side == "user" else ANSWERED).format(thing)
            if side == "user" and draw.random() < 0.7:
                text += f" {draw.choice(ASKED)}{draw.choice(('', '!', '...'))}"
            at += timedelta(seconds=draw.randrange(5, 90))
            found.append(Said(number, turn, side, text, at, user, rating, accepted))
    return found


Cell = Callable[[Said], object]


def table(path: Path, said: Iterable[Said], columns: Mapping[str, Cell], *, separator: str = ",") -> Path:
    """Write a file of separated values."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(columns)
        writer.writerows([[cell(one) for cell in columns.values()] for one in said])
    return path


def conversation(one: Said) -> str:
    return f"c-{one.conversation:04d}"


def order(one: Said) -> str:
    return one.at.isoformat()


def speaker(one: Said) -> str:
    return {"user": "customer", "agent": "bot"}[one.side]


def text(one: Said) -> str:
    return one.text


def wanted(said: Sequence[Said]) -> dict[str, list[tuple[str, str]]]:
    """Return the role and text of each conversation's messages, as they must be read."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in said:
        role = {"user": "user", "agent": "assistant"}[one.side]
        found.setdefault(conversation(one), []).append((role, one.text))
    return found
