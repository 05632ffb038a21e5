"""The points of real conversations at which a person decided: to go on, to take something, or to leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic import JsonValue

from convsim.errors import InputError
from convsim.schema.conversation import Conversation, Ending, Message
from convsim.schema.persona import Persona
from convsim.schema.units import independent_unit
from convsim.shoppers.contexts import CUT_SHORT
from convsim.shoppers.needs import Needs
from convsim.text.endings import read_ending, reads_endings
from convsim.text.lexicons import Lexicon

Move = Literal["say", "accept", "leave", "end"]
"""What a person did: ``end`` where the conversation is over and nothing says how."""
SPOKEN = ("user", "assistant")
ACTS = "acts"
"""The label of a user's message that names its dialogue acts, as ``convsim annotate`` gives it."""
FEWEST_VOTES = 2
"""Of people who saw an act in a message, where a label counts them, from which on the message has it."""
MOVE_OF: Mapping[str, Literal["accept", "leave"]] = {"accepted": "accept", "left": "leave"}
"""By the ending of a log, the decision that it is."""
FEWEST_READ = 20
"""Conversations with an ending of their own by which the error of endings that are read is told."""


@dataclass(frozen=True)
class Point:
    """Where a person stood after a reply of the agent, and what they did next."""

    seen: Conversation
    """All that had been said by then; nothing after it is looked at."""
    persona: Persona
    turn: int
    """Runs of the person's messages before it, 1 at least."""
    move: Move
    taken: tuple[str, ...]
    """Ids of the items that were accepted with the move."""
    acts: tuple[str, ...]
    """Dialogue acts of what was said with the move; empty where no label names them."""
    unit: str


@dataclass(frozen=True)
class ReadEndings:
    """Endings that were read from the last words, as the log does not state them, and how far they may be wrong."""

    accepted: int
    left: int
    untold: int
    """Conversations whose last words tell neither: they end, and how stays unknown."""
    checked: int
    """Conversations of the same log with an ending of their own, by which the error is told."""
    told: int
    """Of these, whose last words tell an ending."""
    wrong: int
    """Of those, where it is another than stated."""

    def __str__(self) -> str:
        read = (
            f"endings read from the last words: {self.accepted} accepted, {self.left} left, {self.untold} not told "
            "(these end, and nobody says how)"
        )
        if self.checked < FEWEST_READ:
            return (
                f"{read}; their error is unknown: {self.checked} conversations of these logs state an ending"
            )
        return (
            f"{read}; of {self.checked} conversations that state their ending it is told of {self.told}, and wrong of "
            f"{self.wrong}"
        )


class _End(NamedTuple):
    ending: Ending | None
    words: Message | None
    """The message by which an ending was read, which is where it was decided; None where the log states it."""


@dataclass(frozen=True)
class Points:
    """All decision points of a log."""

    points: tuple[Point, ...]
    read: ReadEndings | None
    """None where every ending is as the log states it."""
    censored: int
    """Conversations that were cut short, or whose end nobody tells: they go on as far as they are known."""
    labelled: int
    """Messages of users whose label names dialogue acts."""


def find_points(
    conversations: Sequence[Conversation],
    *,
    language: str | None,
    infer_endings: bool,
    acts_label: str = ACTS,
) -> Points:
    """Find what people did after each reply of the agent, once they had spoken themselves.

    With the first accept or leave a conversation is over. One that was cut short (``CUT_SHORT``), or that just stops,
    says nothing of what its user would have done next.

    Args:
        conversations: Those without a failure.
        language: ISO 639 code of what the users write in; None where it cannot be told.
        infer_endings: Read how the user left from their last words, where the log does not say.
        acts_label: The label of users' messages that names their dialogue acts, as ``acts_named`` reads it.

    Raises:
        InputError: No message has an action and no conversation an ending, and none is to be read, or none can be.
    """
    stated = {c.id: _stated_ending(c) for c in conversations}
    if not infer_endings and not any(stated.values()):
        raise InputError(
            "the logs record no decision: no message has an action accept or leave, and no conversation the ending "
            "accepted or left; --infer-endings reads endings from the last words"
        )
    ends = {key: _End(ending, None) for key, ending in stated.items()}
    read = None
    if infer_endings:
        read_as, read = _read_endings(conversations, stated, language)
        ends |= read_as
    needs = Needs(frozenset({"en", language or "en"}))
    by_source = Counter(
        label.source
        for c in conversations
        for m in c.user_messages
        for label in m.labels.get(acts_label, ())
        if acts_named(label.value)
    )
    # Who labelled most.
    source = min(by_source, key=lambda who: (-by_source[who], who)) if by_source else None
    points: list[Point] = []
    censored = 0
    for conversation in conversations:
        found = [
            *_points(
                conversation,
                ends[conversation.id],
                read_ends=infer_endings,
                needs=needs,
                acts_by=(acts_label, source),
            )
        ]
        censored += not found or found[-1].move == "say"
        points += found
    return Points(tuple(points), read, censored, by_source[source] if source is not None else 0)


def with_read_endings(conversations: Sequence[Conversation], language: str | None) -> list[Conversation]:
    """Return conversations whose words by which ``find_points`` reads an ending have the action that they are."""
    stated = {c.id: _stated_ending(c) for c in conversations}
    read, _ = _read_endings(conversations, stated, language)
    return [_with_action(c, read.get(c.id, _End(None, None))) for c in conversations]


def _with_action(conversation: Conversation, end: _End) -> Conversation:
    if end.words is None:
        return conversation
    action = MOVE_OF[end.ending or ""]
    return conversation.but(
        messages=[m.but(action=action) if m is end.words else m for m in conversation.messages]
    )


def _stated_ending(conversation: Conversation) -> Ending | None:
    """Return how a log says that a user ended a conversation; None where it does not."""
    if any(m.action in ("accept", "leave") for m in conversation.user_messages):
        action = next(m.action for m in conversation.user_messages if m.action in ("accept", "leave"))
        return "accepted" if action == "accept" else "left"
    return conversation.ending if conversation.ending in ("accepted", "left") else None


def _read_endings(
    conversations: Sequence[Conversation], stated: Mapping[str, Ending | None], language: str | None
) -> tuple[dict[str, _End], ReadEndings]:
    lexicon = Lexicon()
    if language is None or not reads_endings(language, lexicon):
        raise InputError(
            f"--infer-endings: there are no phrases of taking or giving up in {language or 'their language'}, "
            "by which an ending could be read"
        )
    read: dict[str, _End] = {}
    counts: Counter[str] = Counter()
    checked = n_told = n_wrong = 0
    for conversation in conversations:
        if conversation.ending in CUT_SHORT:
            continue
        said = [m for m in conversation.user_messages if m.content.strip()]
        ending = read_ending([m.content for m in said], language, lexicon)
        if (known := stated[conversation.id]) is None:
            told = None
            if ending != "unknown":
                by_last = read_ending([said[-1].content], language, lexicon) != "unknown"
                told = said[-1] if by_last else said[-2]
            read[conversation.id] = _End(ending, told)
            counts[ending] += 1
        else:
            checked += 1
            n_told += ending != "unknown"
            n_wrong += ending not in ("unknown", known)
    return read, ReadEndings(counts["accepted"], counts["left"], counts["unknown"], checked, n_told, n_wrong)


def _points(
    conversation: Conversation,
    ended: _End,
    *,
    read_ends: bool,
    needs: Needs,
    acts_by: tuple[str, str | None],
) -> Iterator[Point]:
    spoken = [m for m in conversation.messages if m.role in SPOKEN]
    unit = independent_unit(conversation)
    may_end = conversation.ending not in CUT_SHORT
    over: Move | None = MOVE_OF.get(ended.ending or "")
    if over is None and read_ends and may_end:
        over = "end"
    turn = at = 0
    while at <= len(spoken):
        end = at
        while end < len(spoken) and spoken[end].role == "user":
            end += 1
        run = spoken[at:end]
        acted = next((m for m in run if m.action in ("accept", "leave")), None)
        move: Move | None = "say" if run else None
        if acted is not None and acted.action is not None:
            move = acted.action
        elif ended.words is not None and any(m is ended.words for m in run):
            acted, move = ended.words, over
        elif end == len(spoken) and may_end:
            # Where nobody tells how a log ends, its last words may have been meant to end it, or not.
            move = over
        after_reply = at > 0 and spoken[at - 1].role == "assistant"
        if move is not None and turn > 0 and after_reply:
            seen = prefix(conversation, spoken[:at])
            persona = conversation.persona or _stated_persona(seen, needs)
            taken = tuple(dict.fromkeys(item for m in run for item in m.accepted))
            yield Point(seen, persona, turn, move, taken, _acts(run, *acts_by) if move == "say" else (), unit)
        if acted is not None or end >= len(spoken):
            return
        turn += bool(run)
        at = end
        while at < len(spoken) and spoken[at].role == "assistant":
            at += 1


def prefix(conversation: Conversation, spoken: Sequence[Message]) -> Conversation:
    """Return a conversation as far as some of its messages go: without labels, notes and how it ended."""
    return Conversation(
        id=conversation.id,
        task=conversation.task,
        messages=tuple(
            Message(
                role=m.role, content=m.content, action=m.action or ("say" if m.role == "user" else None),
                items=m.items,
            )
            for m in spoken
        ),
    )  # fmt: skip


def _stated_persona(seen: Conversation, needs: Needs) -> Persona:
    """Return whom a log shows that has no personas: who wants what they have stated by now."""
    return Persona(id=seen.id, task=seen.task, need=needs.stated(seen))


def _acts(run: Sequence[Message], name: str, source: str | None) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for message in run:
        for label in message.labels.get(name, ()):
            if label.source == source:
                found |= dict.fromkeys(acts_named(label.value))
    return tuple(found)


def acts_named(value: JsonValue) -> tuple[str, ...]:
    """Read a label's value as dialogue acts: a text, texts, or how many people saw each, of which two must have.

    What is something else names none.
    """
    if isinstance(value, dict):
        named: list[JsonValue] = [
            name for name, n in value.items() if isinstance(n, int | float) and n >= FEWEST_VOTES
        ]
    else:
        named = value if isinstance(value, list) else [value]
    return tuple(act for act in named if isinstance(act, str) and act.strip())
