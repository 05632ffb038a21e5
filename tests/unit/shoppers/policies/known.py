"""Logs of people whose policy is known: what they see is drawn, and what they do follows from it alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from convsim.schema.conversation import Conversation, Item, Message
from convsim.schema.persona import Persona

MAX_TURNS = 12
COLORS = ("red", "green", "blue", "black")
KINDS = ("boots", "sandals", "loafers", "clogs", "heels", "sneakers")
FITS = 0.4
"""How likely the color of an item is made to be the one that is wanted, and so its kind."""


@dataclass(frozen=True)
class Truth:
    """How likely an end is, and an accept given the end, by what the items shown now are like."""

    end: Callable[[int, float], float]
    """Log odds, by the turn from 1 and the best fit."""
    accept: Callable[[float], float]
    """Log odds, by the best fit."""
    by_fit: float
    """How much likelier, in log odds, an item is taken that fits wholly than one that does not at all."""


DEPENDS = Truth(
    end=lambda turn, best: -3.0 + 2.6 * best + 0.7 * math.log(turn), accept=lambda best: -2.5 + 4.5 * best, by_fit=2.5
)  # fmt: skip
NULL = Truth(end=lambda turn, best: -1.2 + 0.25 * turn, accept=lambda best: 0.3, by_fit=0.0)


@dataclass
class World:
    """Conversations, and what was likely at each decision of theirs."""

    conversations: list[Conversation] = field(default_factory=list)
    told: list[tuple[float, float, float]] = field(default_factory=list)
    moves: list[int] = field(default_factory=list)


def simulated_world(
    truth: Truth, *, n_users: int, seed: int, each: int = 2, fits: float = FITS, **more: object
) -> World:
    """Let users shop for something of one color and kind; an agent shows three items a turn."""
    rng = np.random.default_rng(seed)
    world = World()
    for number in range(n_users * each):
        world.conversations.append(
            _conversation(truth, number, f"u{number // each}", rng, world, fits=fits, **more)
        )
    return world


def _conversation(
    truth: Truth,
    number: int,
    user: str,
    rng: np.random.Generator,
    world: World,
    *,
    fits: float,
    **more: object,
) -> Conversation:
    color, kind = str(rng.choice(COLORS)), str(rng.choice(KINDS))
    wishes = [
        {"attribute": "color", "op": "=", "value": color},
        {"attribute": "kind", "op": "=", "value": kind},
    ]
    persona = Persona.model_validate(
        {"id": f"p{number}", "task": "shoes", "need": f"{color} {kind}", "constraints": wishes, "budget": 90}
    )
    messages = [Message(role="user", content=f"I am looking for {color} {kind}")]
    for turn in range(1, MAX_TURNS + 1):
        items = [item_like(f"i{number}-{turn}-{rank}", color, kind, rng, fits=fits) for rank in range(3)]
        messages.append(Message(role="assistant", content="These may suit.", items=tuple(items)))
        how_well = np.asarray(
            [(i.attributes["color"] == color) / 2 + (i.attributes["kind"] == kind) / 2 for i in items]
        )
        end, accept = (
            1 / (1 + math.exp(-odds))
            for odds in (truth.end(turn, how_well.max()), truth.accept(how_well.max()))
        )
        told = (1 - end, end * accept, end * (1 - accept))
        move = int(rng.choice(3, p=told))
        world.told.append(told)
        world.moves.append(move)
        if move == 1:
            scores = np.exp(truth.by_fit * how_well)
            taken = items[int(rng.choice(3, p=scores / scores.sum()))]
            messages.append(Message(role="user", content="That one.", action="accept", accepted=(taken.id,)))
        elif move == 2:
            messages.append(Message(role="user", content="I am off.", action="leave"))
        else:
            messages.append(Message(role="user", content="What else is there?", action="say"))
            continue
        break
    ending = ("turn_limit", "accepted", "left")[move]
    return Conversation.model_validate(
        {"id": f"c{number}", "task": "shoes", "arm": "good", "user": user, "persona": persona, "ending": ending,
         "messages": messages, **more}
    )  # fmt: skip


def item_like(name: str, color: str, kind: str, rng: np.random.Generator, *, fits: float = FITS) -> Item:
    """Draw an item whose color, and whose kind, is the wanted one with that probability, and else any."""
    has = {
        "color": color if rng.random() < fits else str(rng.choice(COLORS)),
        "kind": kind if rng.random() < fits else str(rng.choice(KINDS)),
    }
    return Item(
        id=name, title=f"{has['color']} {has['kind']}", price=float(rng.integers(20, 80)), attributes=has
    )


MOOD = {"Splendid.": 1.0, "Hm.": -1.0}
"""What an agent says beside its items, in words of no list, and what it does to the user's mood."""
MEMORY = 0.8
"""Of a mood, that is left at the next turn."""
DEAF = 0.0
"""How much a mood moves decisions where it moves none."""


def moody_world(by_mood: float, *, n_users: int, seed: int, each: int = 2) -> World:
    """Let users decide by a mood that what the agent said before has left, and by nothing that is seen now.

    The log odds of ending are -1.2 - ``by_mood`` * mood, those of accepting given the end ``by_mood`` * mood.
    """
    rng = np.random.default_rng(seed)
    world = World()
    for number in range(n_users * each):
        mood, messages, move = 0.0, [Message(role="user", content="I am looking for boots")], 0
        while len(messages) < 2 * MAX_TURNS:
            said = str(rng.choice([*MOOD]))
            mood = MEMORY * mood + MOOD[said]
            messages.append(Message(role="assistant", content=f"{said} Here you are."))
            end, accept = (1 / (1 + math.exp(-odds)) for odds in (-1.2 - by_mood * mood, by_mood * mood))
            told = (1 - end, end * accept, end * (1 - accept))
            move = int(rng.choice(3, p=told))
            world.told.append(told)
            world.moves.append(move)
            if move:
                messages.append(Message(role="user", content="Done.", action=("accept", "leave")[move - 1]))
                break
            messages.append(Message(role="user", content="What else is there?", action="say"))
        world.conversations.append(
            Conversation.model_validate(
                {"id": f"m{number}", "task": "shoes", "user": f"u{number // each}", "messages": messages,
                 "persona": {"id": f"p{number}", "task": "shoes", "need": "boots"},
                 "ending": ("turn_limit", "accepted", "left")[move]}
            )
        )  # fmt: skip
    return world
