"""Which conversations are learned from, which stop the training, and which must not be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convsim.errors import InputError
from convsim.io import split
from convsim.schema.conversation import Conversation
from convsim.shoppers.learnable import find_learnable


@dataclass(frozen=True)
class Chosen:
    """What is learned from, and the users held out of it, with what was left out and why."""

    learned: tuple[Conversation, ...]
    held_out: tuple[Conversation, ...]
    excluded: tuple[str, ...] = ()
    """Fingerprints of the conversations that were left out since they stand among those to exclude."""
    n_excluded_users: int = 0
    """Further conversations that were left out, of users who stand there."""
    warnings: tuple[str, ...] = ()

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        """All that the shopper will have learned from: those that only stopped it moved it too."""
        return (*self.learned, *self.held_out)


def choose(
    conversations: Sequence[Conversation],
    *,
    learn_arm: str | None,
    exclude: Sequence[Conversation],
    held_out: float,
    seed: int,
) -> Chosen:
    """Keep what may be learned from, and hold out a proportion of the users (or conversations) of each task and arm.

    Conversations of ``exclude`` are refused by what was said in them, whatever they are called, and so is whatever
    else their users said.

    Raises:
        InputError: Too few are left, no user spoke, no such arm, or a control is known only afterwards.
    """
    found = find_learnable(conversations, learn_arm=learn_arm, exclude=exclude)
    try:
        halves = split(found.conversations, by="user", fraction=1 - held_out, seed=seed)
    except InputError as error:
        raise InputError(f"no users can be held out for early stopping: {error}") from error
    return Chosen(halves.a, halves.b, found.excluded, found.n_excluded_users, halves.warnings)
