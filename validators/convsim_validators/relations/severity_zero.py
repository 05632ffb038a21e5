"""Does the wrapped agent at severity 0 answer as the bare agent does, byte for byte, where both heard the same?"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from convsim.schema.conversation import Conversation, Message

Key = tuple[str, str, str, bytes]
"""Persona, simulator, study, and the digest of what was said before a reply."""


class Reply(NamedTuple):
    """One reply of an agent, and where it stands."""

    digest: bytes
    conversation: str
    message: int


Replies = dict[Key, list[Reply]]


@dataclass(frozen=True)
class Sameness:
    """How many replies to identical histories were compared, and which was the first to differ."""

    n_personas: int
    n_replies: int
    n_identical: int
    first_difference: Reply | None


def compare_replies(conversations: Sequence[Conversation]) -> Sameness:
    """Compare replies at severity 0 of each wrapped agent with those of the bare agent to the same history.

    Conversations of one persona share their random numbers, repeat by repeat, so that to each history the wrapped
    agent must have given the very replies of the bare agent, as often. What a wrapper notes of itself
    (``faults``) is not part of a reply.
    """
    bare = _replies(c for c in conversations if c.fault is None and not c.severity)
    wrapped: dict[str, list[Conversation]] = {}
    for conversation in conversations:
        if conversation.fault is not None and conversation.severity == 0:
            wrapped.setdefault(conversation.fault, []).append(conversation)
    parts = [_compare(bare, _replies(held)) for held in wrapped.values()]
    firsts = [part.first_difference for part in parts if part.first_difference is not None]
    return Sameness(
        len({who for part in parts for who in part.personas}),
        sum(part.n_replies for part in parts),
        sum(part.n_identical for part in parts),
        firsts[0] if firsts else None,
    )


class _Compared(NamedTuple):
    """The replies of one wrapped agent, held against the bare agent's."""

    personas: frozenset[str]
    n_replies: int
    n_identical: int
    first_difference: Reply | None


def _compare(bare: Replies, wrapped: Replies) -> _Compared:
    n_replies = n_identical = 0
    first: Reply | None = None
    shared = [key for key in wrapped if key in bare]
    for key in shared:
        there = Counter(reply.digest for reply in bare[key])
        spare = len(bare[key])
        different: list[Reply] = []
        for reply in wrapped[key]:
            if there[reply.digest]:
                there[reply.digest] -= 1
                spare -= 1
                n_identical += 1
            else:
                different.append(reply)
        n_replies += len(wrapped[key]) - len(different)
        # A history that the bare agent met less often has nothing to be compared with.
        n_replies += min(spare, len(different))
        if spare and different and first is None:
            first = different[0]
    return _Compared(frozenset(key[0] for key in shared), n_replies, n_identical, first)


def _replies(conversations: Iterable[Conversation]) -> Replies:
    found: Replies = {}
    for conversation in conversations:
        if conversation.persona is None:
            continue
        who = (conversation.persona.id, conversation.simulator or "", conversation.source or "")
        for history, reply in _said(conversation):
            found.setdefault((*who, history), []).append(reply)
    return found


def _said(conversation: Conversation) -> Iterator[tuple[bytes, Reply]]:
    """Yield the digest of the history and the reply, for each message of the agent."""
    history = hashlib.blake2b(digest_size=16)
    for number, message in enumerate(conversation.messages):
        content = _bytes(message)
        if message.role == "assistant":
            digest = hashlib.blake2b(content, digest_size=16).digest()
            yield history.digest(), Reply(digest, conversation.id, number)
        history.update(len(content).to_bytes(8, "big") + content)


def _bytes(message: Message) -> bytes:
    said = message.model_dump(mode="json", include={"role", "content", "items", "action", "accepted"})
    return json.dumps(said, sort_keys=True).encode()
