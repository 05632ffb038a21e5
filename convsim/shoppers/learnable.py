"""Which conversations of a log a shopper may learn from: one arm of it, and nobody who must not be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convsim.errors import InputError
from convsim.schema.conversation import Conversation
from convsim.schema.persona import LOOK_AHEAD

MIN_CONVERSATIONS = 20
"""Fewer teach a model some people's words by heart, and leave nobody to stop it by."""


@dataclass(frozen=True)
class Learnable:
    """What may be learned from, and what was left out of it."""

    conversations: tuple[Conversation, ...]
    excluded: tuple[str, ...] = ()
    """Fingerprints of the conversations that were left out since they stand among those to exclude."""
    n_excluded_users: int = 0
    """Further conversations that were left out, of users who stand there."""


def find_learnable(
    conversations: Sequence[Conversation], *, learn_arm: str | None, exclude: Sequence[Conversation]
) -> Learnable:
    """Keep what did not fail, where a user spoke, of one arm if that is asked, and of nobody in ``exclude``.

    Conversations of ``exclude`` are refused by what was said in them, whatever they are called, and so is whatever
    else their users said.

    Raises:
        InputError: Too few are left, no user spoke, no such arm, or a control is known only afterwards.
    """
    kept = [c for c in conversations if c.failure is None]
    if learn_arm is not None:
        known = ", ".join(sorted({c.arm or "-" for c in kept})) or "none"
        kept = [c for c in kept if c.arm == learn_arm]
        if not kept:
            raise InputError(
                f"--learn-arm {learn_arm!r}: the conversations do not have this arm; they have: {known}"
            )
    kept = [c for c in kept if c.first_words]
    if not kept:
        raise InputError("there is nothing to learn from: no conversation has a user message with text")
    _refuse_look_ahead(kept)
    seen = {c.fingerprint for c in exclude}
    users = {c.user for c in exclude if c.user is not None}
    excluded = tuple(c.fingerprint for c in kept if c.fingerprint in seen)
    rest = [c for c in kept if c.fingerprint not in seen]
    left = tuple(c for c in rest if c.user not in users)
    if len(left) < MIN_CONVERSATIONS:
        gone = len(kept) - len(left)
        raise InputError(
            f"training needs at least {MIN_CONVERSATIONS} conversations, but there are {len(left)}"
            + (f" ({gone} more are left out by --exclude)" if gone else "")
        )
    return Learnable(left, excluded, len(rest) - len(left))


def _refuse_look_ahead(conversations: Sequence[Conversation]) -> None:
    for conversation in conversations:
        if conversation.persona and (late := conversation.persona.known_afterwards()):
            raise InputError(f"conversation {conversation.id}: its persona's {late[0]} {LOOK_AHEAD}")
