"""What people's messages and a shopper's do, as one annotator labels both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convsim._async import run_to_its_end
from convsim.annotation import aannotate
from convsim.evaluation.probing.deciding import Answers
from convsim.evaluation.probing.places import Place
from convsim.metrics import ACTS
from convsim.schema import Annotator
from convsim.schema.conversation import Conversation, Message


def acts_of(
    asked: Sequence[Place], answers: Answers, annotator: Annotator, *, concurrency: int
) -> tuple[dict[str, frozenset[str]], list[str]]:
    """Label each message at its place in the conversation; return the acts by place and speaker, and why some lack.

    Raises:
        InputError: The annotator does not read the language, or lacks what it needs.
    """
    said = list(_said(asked, answers))
    done = run_to_its_end(
        lambda: aannotate([conversation for _, conversation in said], annotator, concurrency=concurrency)
    )
    found = {
        key: acts
        for (key, _), labelled in zip(said, done.conversations, strict=True)
        if (acts := _acts(labelled, done.source)) is not None
    }
    return found, [reason for reason, _ in done.reasons.most_common(1)]


def _said(asked: Sequence[Place], answers: Answers) -> Iterator[tuple[str, Conversation]]:
    """Yield each message in its conversation, which it ends."""
    for place in asked:
        prefix = place.prefix
        texts = {f"{answer.draw} {place.key}": answer.text for answer in answers.get(place.key, ())}
        texts[f"person {place.key}"] = place.message.content if place.message else ""
        for key, text in texts.items():
            if text.strip():
                message = Message(role="user", content=text)
                yield key, prefix.but(id=key, messages=(*prefix.messages, message))


def _acts(conversation: Conversation, source: str) -> frozenset[str] | None:
    labels = conversation.messages[-1].labels.get(ACTS, ())
    value = next((label.value for label in labels if label.source == source), None)
    if isinstance(value, str):
        return frozenset([value])
    return frozenset(map(str, value)) if isinstance(value, list) else None
