"""The places of real conversations at which people moved, and what a shopper may know there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from convsim.schema.conversation import Conversation, Message
from convsim.schema.persona import Constraint, Control, Persona
from convsim.schema.units import independent_unit
from convsim.shoppers.contexts import CUT_SHORT, last_items
from convsim.shoppers.needs import Needs

Move = Literal["say", "accept", "leave", "stop"]
"""What a person did: ``stop`` where a conversation is over and nobody says how it ended."""
Outcome = Literal["accepted", "left", "neither"]
SPOKEN = ("user", "assistant")
NO_NEED = "conversations whose user states no need before the agent names anything"
NOTHING_AFTER = "conversations that are over once the need is stated"


@dataclass(frozen=True)
class Place:
    """Where a person stood, and what they did next."""

    conversation: Conversation
    persona: Persona
    turn: int
    """Runs of the person's messages before it, 1 at least."""
    after: int
    """Messages before it, of those that are spoken."""
    move: Move
    message: Message | None
    """What was said with the move, several in a row as one; None where nothing was."""
    outcome: Outcome
    unit: str

    @property
    def key(self) -> str:
        """What tells it from all other places."""
        return f"{self.conversation.id}:{self.after}"

    @property
    def prefix(self) -> Conversation:
        """The conversation so far, as a shopper meets one: without names, labels, notes and how it ended."""
        source = self.conversation
        spoken = [m for m in source.messages if m.role in SPOKEN][: self.after]
        return Conversation(
            id=f"probe of {self.persona.id} after {self.after}", task=source.task, agent=source.agent, arm=source.arm,
            persona=self.persona, messages=tuple(map(_bare, spoken)),
        )  # fmt: skip


def _bare(message: Message) -> Message:
    action = message.action or ("say" if message.role == "user" else None)
    return Message(
        role=message.role,
        content=message.content,
        action=action,
        accepted=message.accepted,
        items=message.items,
    )


@dataclass
class Found:
    """All places, and what was left out on the way, by why."""

    places: list[Place] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    late_controls: int = 0
    """Personas of the log with a control that is known only afterwards, which is withheld."""


def find_places(conversations: Sequence[Conversation]) -> Found:
    """Find every place at which a person moved who had spoken before, and whose need was known.

    A need is what the persona of the log says, or what the person stated first: what they did until then is no
    question, as the need would give it away. With the first accept or leave a conversation is over.
    """
    found = Found()
    needs = Needs.of(conversations)
    for conversation in conversations:
        persona, known_after, is_late = _persona(conversation, needs)
        found.late_controls += is_late
        if persona is None:
            found.left_out[NO_NEED] += 1
            continue
        places = [p for p in _places(conversation, persona) if p.turn > 0 and p.after >= known_after]
        if not places:
            found.left_out[NOTHING_AFTER] += 1
        found.places += places
    return found


def _persona(conversation: Conversation, needs: Needs) -> tuple[Persona | None, int, bool]:
    """Return whom a shopper is to play, and from which message on that gives nothing away."""
    drawn_from = {"drawn_from": conversation.id}
    if conversation.user is not None:
        drawn_from["drawn_from_user"] = conversation.user
    if conversation.persona is not None:
        told = _without_future(conversation.persona)
        return told.but(metadata=drawn_from), 0, told is not conversation.persona
    need, end = needs.stated_by(conversation)
    if not need:
        return None, 0, False
    spoken = sum(m.role in SPOKEN for m in conversation.messages[:end])
    return (
        Persona(id=conversation.id, task=conversation.task, need=need, metadata=drawn_from),
        spoken,
        False,
    )


def _without_future(persona: Persona) -> Persona:
    """Leave out what is known only once the conversation has ended."""
    if not persona.known_afterwards():
        return persona
    changes: dict[str, object] = {}
    for name in ("budget", "patience", "style"):
        control: Control | None = getattr(persona, name)
        if control is not None and control.known == "afterwards":
            changes[name] = None
    for name in ("constraints", "dealbreakers"):
        wishes: tuple[Constraint, ...] = getattr(persona, name)
        changes[name] = tuple(wish for wish in wishes if wish.known != "afterwards")
    return persona.but(**changes)


def _places(conversation: Conversation, persona: Persona) -> Iterator[Place]:
    spoken = [m for m in conversation.messages if m.role in SPOKEN]
    unit, outcome = independent_unit(conversation), _outcome(conversation)
    turn = at = 0
    while at < len(spoken):
        if spoken[at].role == "assistant":
            at += 1
            continue
        end = at
        while end < len(spoken) and spoken[end].role == "user":
            end += 1
        run = spoken[at:end]
        stated = next((m for m in run if m.action in ("accept", "leave")), None)
        move: Move = "say"
        if stated is not None and stated.action is not None:
            move = stated.action
        elif end == len(spoken):
            move = _end(conversation) or "say"
        yield Place(conversation, persona, turn, at, move, _joined(run), outcome, unit)
        if move != "say":
            return
        turn, at = turn + 1, end
    ended = _end(conversation)
    if spoken and spoken[-1].role == "assistant" and ended is not None:
        yield Place(conversation, persona, turn, len(spoken), ended, None, outcome, unit)


def _end(conversation: Conversation) -> Move | None:
    """Return how the person ended a conversation; None where somebody else did."""
    if conversation.ending in CUT_SHORT or conversation.failure is not None:
        return None
    if conversation.ending == "accepted":
        return "accept"
    return "leave" if conversation.ending == "left" else "stop"


def _outcome(conversation: Conversation) -> Outcome:
    actions = [m.action for m in conversation.user_messages if m.action in ("accept", "leave")]
    if conversation.ending == "accepted" or (conversation.ending == "unknown" and "accept" in actions):
        return "accepted"
    if conversation.ending == "left" or (conversation.ending == "unknown" and "leave" in actions):
        return "left"
    return "neither"


def _joined(run: Sequence[Message]) -> Message | None:
    """Return the messages of a run as one; None where nothing was said in it."""
    accepted = tuple(dict.fromkeys(item for m in run for item in m.accepted))
    text = "\n".join(m.content.strip() for m in run if m.content.strip())
    if not text and not accepted:
        return None
    return Message(role="user", content=text, accepted=accepted)


def shown_at(place: Place) -> tuple[str, ...]:
    """Return the items that the agent had shown last, each once: those that a shopper can accept."""
    return tuple(dict.fromkeys(item.id for item in last_items(place.prefix)))
