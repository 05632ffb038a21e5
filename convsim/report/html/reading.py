"""Every conversation of both sides as data in the page, which its script lists, searches and shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convsim.evaluation import Scorecard
from convsim.report.html.chat import Bubble, chat
from convsim.report.html.conversation_scores import scores_of
from convsim.report.html.nearest import Nearest, nearest
from convsim.schema.conversation import Conversation

if TYPE_CHECKING:
    from markupsafe import Markup

MAX_BYTES = 12_000_000
"""Of all conversations in the page, as JSON."""
NEAR_BYTES = 32
"""For the place of the nearest conversation, and how near it is."""
NOT_IN_SCRIPTS = re.compile("[<>&\u2028\u2029]")
"""What could end a script element, or a line of one: written as JSON's own escapes."""
SIDES = ("simulated", "people")


@dataclass(frozen=True)
class Reading:
    """The conversations that a page holds."""

    data: Markup
    """JSON for a script element: no text in it can end the element."""
    shown: Sequence[int]
    """How many of the simulator's and of people's are in the page."""
    of: Sequence[int]
    """How many there are."""

    @property
    def is_whole(self) -> bool:
        """Whether all are there."""
        return list(self.shown) == list(self.of)


def reading(
    card: Scorecard,
    people: Sequence[Conversation],
    shoppers: Sequence[Conversation],
    features: Mapping[str, str],
) -> Reading | None:
    """Write both sides for the page's script; None where there is no conversation.

    Where not all have room, half of it is the simulator's, in the order of the file; the people who are nearest to
    those shoppers come before the others.

    Args:
        card: What was found.
        people: The people's conversations, as far as they are at hand.
        shoppers: The simulated ones.
        features: For which side each marked word speaks.
    """
    from markupsafe import Markup

    if not people and not shoppers:
        return None
    scores = (scores_of(card.findings, "simulated"), scores_of(card.findings, "real"))
    room = MAX_BYTES // 2 if people else MAX_BYTES
    first, used = _written(shoppers, range(len(shoppers)), scores[0], features, room)
    near_shoppers = nearest([shoppers[place] for place in first], people)
    order = dict.fromkeys([*(each.place for each in near_shoppers if each), *range(len(people))])
    second, _ = _written(people, order, scores[1], features, MAX_BYTES - used)
    near_people = nearest([people[place] for place in second], [shoppers[place] for place in first])
    rows = {place: row for row, place in enumerate(second)}
    same = {row: row for row in range(len(first))}
    entries = (
        [{**e, **_near(n, rows)} for e, n in zip(first.values(), near_shoppers, strict=True)],
        [{**e, **_near(n, same)} for e, n in zip(second.values(), near_people, strict=True)],
    )
    text = _as_json(dict(zip(SIDES, entries, strict=True)))
    return Reading(Markup(text), (len(first), len(second)), (len(shoppers), len(people)))


def _as_json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return NOT_IN_SCRIPTS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _near(found: Nearest | None, row_of: Mapping[int, int]) -> dict[str, object]:
    """Say which row of the other side is nearest; nothing where none is, or is not in the page."""
    if found is None or found.place not in row_of:
        return {}
    return {"near": row_of[found.place], "alike": round(found.similarity, 2)}


def _written(
    conversations: Sequence[Conversation],
    order: Iterable[int],
    scores: Mapping[str, float],
    features: Mapping[str, str],
    room: int,
) -> tuple[dict[int, dict[str, object]], int]:
    """Return entries by place, in the order of the file, as long as there is room; and how much they took."""
    made: dict[int, dict[str, object]] = {}
    used = 0
    for place in order:
        entry = _entry(conversations[place], scores, features)
        size = len(_as_json(entry).encode()) + NEAR_BYTES
        if used + size > room:
            break
        made[place] = entry
        used += size
    return {place: made[place] for place in sorted(made)}, used


def _entry(
    conversation: Conversation, scores: Mapping[str, float], features: Mapping[str, str]
) -> dict[str, object]:
    score = scores.get(conversation.id)
    shown = chat(conversation, score=score, features=features)
    entry: dict[str, object] = {"id": shown.id, "end": shown.ending, "said": [*map(_said, shown.bubbles)]}
    named = {
        "arm": shown.arm,
        "task": shown.task,
        "agent": shown.agent,
        "need": shown.need,
        "more": shown.n_more,
    }
    entry |= {key: value for key, value in named.items() if value}
    return entry if score is None else {**entry, "score": round(score, 4)}


def _said(bubble: Bubble) -> dict[str, object]:
    """Write a message: its text, or its pieces, of which those that are lists are marked, and what else it has."""
    pieces = [s.text if s.side is None else [s.text, s.side] for s in bubble.segments]
    whole = "".join(s.text for s in bubble.segments)
    text = pieces if any(s.side for s in bubble.segments) else whole
    more: dict[str, object] = {
        "cut": bubble.n_cut,
        "did": bubble.action,
        "items": [title if not price else f"{title} {price}" for title, price in bubble.items],
        "others": bubble.n_more_items,
        "faults": [*bubble.faults],
    }
    return {"by": bubble.role, "text": text, **{key: value for key, value in more.items() if value}}
