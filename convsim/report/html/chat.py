"""A conversation as the page shows it: bubbles with marked words, the agent's items, how it ended."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convsim._text import plain, readable
from convsim.report.html.giveaways import Segment, marked
from convsim.report.html.text import name
from convsim.report.tables import number
from convsim.schema.conversation import Conversation, Item, Message

MAX_MESSAGES = 60
MAX_MESSAGE_CHARACTERS = 4_000
MAX_CONVERSATION_CHARACTERS = 16_000
"""Of one conversation, so that a dozen of them stay a small page whatever was said."""
MAX_ITEMS = 8


@dataclass(frozen=True)
class Bubble:
    """One message."""

    role: str
    segments: Sequence[Segment]
    n_cut: int
    """Characters that are not shown."""
    action: str
    items: Sequence[tuple[str, str]]
    """Title and price."""
    n_more_items: int
    faults: Sequence[str]


@dataclass(frozen=True)
class Chat:
    """One conversation; ``score`` is the probability that the discriminator gave to a human author, if it did."""

    id: str
    key: str
    """The id as it stands in the transcripts."""
    score: float | None
    task: str
    arm: str
    agent: str
    need: str
    bubbles: Sequence[Bubble]
    n_more: int
    ending: str

    @property
    def anchor(self) -> str:
        """The conversation's place in the page; made of its id, whatever characters that has."""
        return anchor(self.key)

    @property
    def facts(self) -> Sequence[str]:
        """Task, arm and agent, as far as they are known."""
        named = (("task", self.task), ("arm", self.arm), ("agent", self.agent))
        return [f"{what} {value}" for what, value in named if value]

    @property
    def human_likeness(self) -> str:
        """The score in per cent."""
        if self.score is None:
            return "–"
        return "< 0.1 %" if self.score < 0.001 else f"{100 * self.score:.1f} %"

    @property
    def opening(self) -> str:
        """The shopper's first words, for the closed line."""
        first = next((b for b in self.bubbles if b.role == "user"), None)
        return name("".join(s.text for s in first.segments) if first else None, limit=110)


def anchor(conversation_id: str) -> str:
    """Return the name of the place in the page where a simulated conversation is shown."""
    digest = hashlib.sha256(conversation_id.encode(errors="surrogatepass")).hexdigest()
    return f"conversation-{digest[:16]}"


def chat(conversation: Conversation, *, score: float | None, features: Mapping[str, str]) -> Chat:
    """Prepare a conversation; ``features`` says for which side each marked word speaks."""
    left = MAX_CONVERSATION_CHARACTERS
    bubbles = []
    for message in conversation.messages[:MAX_MESSAGES]:
        limit = min(left, MAX_MESSAGE_CHARACTERS)
        bubbles.append(bubble(message, limit, features))
        left -= min(len(message.content), limit)
    return Chat(
        id=name(conversation.id),
        key=conversation.id,
        score=score,
        task=_named(conversation.task),
        arm=_named(conversation.arm),
        agent=_named(conversation.agent),
        need=readable(conversation.persona.need[:500]) if conversation.persona else "",
        bubbles=bubbles,
        n_more=max(0, len(conversation.messages) - MAX_MESSAGES),
        ending=conversation.ending.replace("_", " "),
    )


def _named(value: str | None) -> str:
    return name(value, limit=40) if value else ""


def bubble(
    message: Message, limit: int, features: Mapping[str, str], *, max_items: int = MAX_ITEMS
) -> Bubble:
    """Prepare a message, of which ``limit`` characters are shown; ``features`` are marked in what users say."""
    text = readable(message.content[:limit])
    accepted = ", ".join(name(item, limit=30) for item in message.accepted[:max_items])
    said = {"accept": f"accepts {accepted}".strip(), "leave": "leaves"}
    return Bubble(
        role=message.role,
        segments=marked(text, features if message.role == "user" else {}),
        n_cut=max(0, len(message.content) - limit),
        action=said.get(message.action or "", ""),
        items=[_item(item) for item in message.items[:max_items]],
        n_more_items=max(0, len(message.items) - max_items),
        faults=[
            f"{plain(fault.name, limit=40)} at {number(fault.severity)}{'' if fault.acted else ', could not act'}"
            for fault in message.faults[:max_items]
        ],
    )


def _item(item: Item) -> tuple[str, str]:
    return name(item.title or item.id, limit=60), number(item.price) if item.price is not None else ""
