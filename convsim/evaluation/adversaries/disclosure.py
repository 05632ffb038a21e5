"""Users who say at the wrong time what they want."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convsim.evaluation.adversaries.definition import adversary
from convsim.evaluation.adversaries.phrases import phrases_for
from convsim.evaluation.adversaries.talk import (
    asks,
    drawn,
    followed,
    joined,
    pieces,
    rewritten,
    users_of,
    with_texts,
)
from convsim.schema.conversation import Conversation

if TYPE_CHECKING:
    from numpy.random import Generator

KEPT_BACK = 0.6
HEDGED = 0.5
TARGET_WORDS = 2


@adversary(caught_by=("disclosure",))
def says_all_at_once(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """The first message holds all that the user said before the last message; between them others' shortest words."""
    between = sorted((m.content for c in people for m in users_of(c)[1:-1] if m.content.strip()), key=len)
    short = between[: max(1, len(between) // 4)]

    def told(conversation: Conversation) -> list[str]:
        texts = [m.content for m in users_of(conversation)]
        if len(texts) < 3 or not short:
            return texts
        return [joined(*texts[:-1]), *(drawn(short, rng) for _ in texts[1:-1]), texts[-1]]

    return [with_texts(c, told(c)) for c in people]


@adversary(caught_by=("disclosure",))
def says_nothing_until_asked(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """The end of the first message waits for the agent's first question."""

    def told(conversation: Conversation) -> list[str]:
        texts = [m.content for m in users_of(conversation)]
        if not texts:
            return texts
        cut = pieces(texts[0])
        n = max(1, round((1 - KEPT_BACK) * len(cut.parts)))
        answer = next((n for n, before in enumerate(followed(conversation)) if n and asks(before)), None)
        texts[0] = cut.text(cut.parts[:n])
        if answer is not None:
            texts[answer] = joined(cut.text(cut.parts[n:]), texts[answer])
        return texts

    return [with_texts(c, told(c)) for c in people]


@adversary(caught_by=("disclosure",))
def only_acknowledges(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """After the first message nothing but ok."""
    phrases = phrases_for(people)
    if phrases is None:
        return []

    def told(conversation: Conversation) -> list[str]:
        texts = [m.content for m in users_of(conversation)]
        return [*texts[:1], *(drawn(phrases.acknowledging, rng) for _ in texts[1:])]

    return [with_texts(c, told(c)) for c in people]


@adversary(caught_by=("disclosure",))
def hedges_always(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Every second message begins with a hedge."""
    phrases = phrases_for(people)
    if phrases is None:
        return []

    def hedged(text: str) -> str:
        return joined(drawn(phrases.hedging, rng), text) if rng.random() < HEDGED and text.strip() else text

    return rewritten(people, hedged)


@adversary(caught_by=("disclosure",))
def knows_the_answer(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """The first message names what the agent will show last: words that the user had not heard."""

    def told(conversation: Conversation) -> list[str]:
        texts = [m.content for m in users_of(conversation)]
        target = _target(conversation, " ".join(texts))
        return [joined(texts[0], target), *texts[1:]] if texts and target else texts

    return [with_texts(c, told(c)) for c in people]


def _target(conversation: Conversation, said: str) -> str:
    """Return the first words of the last item that was shown, else the longest words of the agent's last message."""
    answers = [m for m in conversation.messages if m.role == "assistant"]
    shown = [item.title for m in answers for item in m.items[:1] if item.title.strip()]
    if shown:
        cut = pieces(shown[-1])
        return cut.text(cut.parts[:TARGET_WORDS])
    if not answers:
        return ""
    cut = pieces(answers[-1].content)
    new = [part for part in cut.parts if part not in said]
    return cut.text(sorted(new, key=len, reverse=True)[:TARGET_WORDS])
