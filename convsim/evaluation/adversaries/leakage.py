"""Users who know from the beginning what they cannot know yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from convsim.evaluation.adversaries.definition import adversary
from convsim.evaluation.adversaries.phrases import phrases_for
from convsim.evaluation.adversaries.talk import drawn, joined, users_of, with_texts
from convsim.schema.conversation import Conversation

if TYPE_CHECKING:
    from numpy.random import Generator


@adversary(caught_by=("leakage",), least_changed=0.1)
def buyers_know_it_at_once(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Half of those who accept in the end say at once what they say last."""
    if len({c.ending == "accepted" for c in people}) < 2:
        return []

    def told(conversation: Conversation) -> Conversation:
        texts = [m.content for m in users_of(conversation)]
        if conversation.ending != "accepted" or len(texts) < 2 or rng.random() < 0.5:
            return conversation
        return with_texts(conversation, [joined(texts[0], texts[-1]), *texts[1:]])

    return [told(c) for c in people]


@adversary(caught_by=("leakage",), least_changed=0.05)
def the_arm_is_known_at_once(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Three in four users of one arm deflect in their first message, before the agent has said anything."""
    arms = Counter(c.arm for c in people if c.arm is not None).most_common()
    phrases = phrases_for(people)
    if len(arms) < 2 or phrases is None:
        return []
    phrase = drawn(phrases.deflecting, rng)

    def told(conversation: Conversation) -> Conversation:
        texts = [m.content for m in users_of(conversation)]
        if conversation.arm != arms[-1][0] or not texts or rng.random() < 0.25:
            return conversation
        return with_texts(conversation, [joined(texts[0], phrase), *texts[1:]])

    return [told(c) for c in people]
