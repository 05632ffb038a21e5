"""Who is asked about which conversation: a shopper never learned from the people that it is asked about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from convsim.errors import InputError
from convsim.schema import Shopper
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.schema.units import independent_unit
from convsim.seeds import generator
from convsim.stats.units import Key, linked

FOLDS = 5
LEARNED = "conversations that the shopper learned from, or other conversations of their users"
Making = Callable[[Sequence[Conversation]], tuple[Shopper, bool]]
"""Makes a shopper that may learn from conversations, and says whether it asks for any."""


@dataclass(frozen=True)
class Learners:
    """The shoppers that are asked, by the id of a conversation; one without may not be asked about."""

    by_conversation: Mapping[str, Shopper]
    said: str
    """What they learned from, in words."""

    @property
    def shoppers(self) -> list[Shopper]:
        """Each shopper once."""
        return list({id(each): each for each in self.by_conversation.values()}.values())


def find_learners(
    make: Making,
    conversations: Sequence[Conversation],
    *,
    learned: Sequence[Conversation] | None,
    sha256: str | None,
    allow_overlap: bool,
    seed: int,
) -> Learners:
    """Make the shoppers that may be asked.

    One that asks for conversations to learn from, where none are named, is made five times: each learns from four
    fifths of the people and is asked about the rest. Of one that has learned already, or from other conversations, what
    it learned from is left out, with all that these users said.

    Args:
        make: Makes a shopper.
        conversations: Those that are asked about.
        learned: What it may learn from; None takes ``conversations``.
        sha256: Of the file of ``conversations``.
        allow_overlap: Ask about what it learned from all the same.
        seed: Deals people to parts.

    Raises:
        InputError: It learned from all of these, or there is one person alone.
    """
    shopper, learns = make(conversations if learned is None else learned)
    everybody = {c.id: shopper for c in conversations}
    if learns and learned is None:
        if allow_overlap:
            return Learners(everybody, "these very conversations (--allow-overlap)")
        return _cross_fitted(make, conversations, seed)
    if allow_overlap:
        return Learners(everybody, _said(shopper.learned_from, "asked about all the same"))
    users = {c.user for c in learned or () if c.user is not None} if learns else set()
    kept = {
        c.id: shopper
        for c in conversations
        if not has_learned(shopper.learned_from, c, sha256) and c.user not in users
    }
    kept = _of_strangers(kept, conversations, shopper.name)
    return Learners(kept, _said(shopper.learned_from, "none of those that are asked about"))


def _of_strangers(
    kept: Mapping[str, Shopper], conversations: Sequence[Conversation], name: str
) -> dict[str, Shopper]:
    """Leave out each person as a whole of whom a conversation is not kept: a trained shopper names these alone."""
    met = {c.user for c in conversations if c.id not in kept and c.user is not None}
    strangers = {c.id: kept[c.id] for c in conversations if c.id in kept and c.user not in met}
    if not strangers:
        raise InputError(
            f"the shopper {name} learned from all of these people: give conversations of others (convsim data split), "
            "or --allow-overlap"
        )
    return strangers


def _said(learned: LearnedFrom | None, how: str) -> str:
    if learned is None:
        return "nothing"
    return f"{len(learned.conversations):,} conversations, {how}"


def has_learned(learned: LearnedFrom | None, conversation: Conversation, sha256: str | None) -> bool:
    """Tell whether something learned from a conversation, which is of the file with this SHA-256."""
    if learned is None:
        return False
    by_file_alone = not learned.conversations and learned.sha256 is not None and learned.sha256 == sha256
    return by_file_alone or conversation.fingerprint in learned.conversations


def _cross_fitted(make: Making, conversations: Sequence[Conversation], seed: int) -> Learners:
    """Deal people to five parts, and make for each a shopper that learned from the others."""
    keys = [(Key("unit", independent_unit(c)), Key("text", c.fingerprint)) for c in conversations]
    groups = linked(keys)
    n_groups = int(groups.max(initial=-1)) + 1
    if n_groups < 2:
        raise InputError(
            "there is one person alone, and a shopper must not learn from whom it is asked about: name what it learns "
            "from with --real FILE"
        )
    n_folds = min(FOLDS, n_groups)
    fold_of = np.empty(n_groups, np.int64)
    fold_of[generator(seed, "probe", "folds").permutation(n_groups)] = np.arange(n_groups) % n_folds
    asked: dict[str, Shopper] = {}
    for fold in range(n_folds):
        inside = fold_of[groups] == fold
        shopper, _ = make([c for c, is_in in zip(conversations, inside, strict=True) if not is_in])
        # What it has learned before it was made here, such as a policy, it may have learned from these people.
        asked |= {
            c.id: shopper
            for c, is_in in zip(conversations, inside, strict=True)
            if is_in and not has_learned(shopper.learned_from, c, None)
        }
    return Learners(
        _of_strangers(asked, conversations, shopper.name),
        f"these conversations, for each person from those of other people alone ({n_folds} parts)",
    )
