"""Labels conversations with a classifier that was trained before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from convsim.annotation.classifier.features import conversation_unit, message_units
from convsim.annotation.classifier.file import Card, load
from convsim.annotation.classifier.model import Learned
from convsim.schema import Annotation
from convsim.schema.conversation import Conversation, Label


@dataclass(frozen=True)
class Classifier:
    """Word and character n-grams with context, and linear models: fast, offline, as good as its ``card`` says."""

    path: str | Path
    """A ``.npz`` file that ``convsim annotator train`` wrote."""
    card: Card = field(init=False, repr=False)
    name: str = field(default="classifier", init=False)
    _learned: Learned = field(init=False, repr=False)

    def __post_init__(self) -> None:
        card, learned = load(self.path)
        object.__setattr__(self, "card", card)
        object.__setattr__(self, "_learned", learned)

    @property
    def source(self) -> str:
        """Who gives the labels: ``classifier:`` and twelve digits of what was learned."""
        return f"classifier:{self.card.version}"

    async def annotate(self, conversation: Conversation) -> Annotation:
        """Label one conversation, in a thread."""
        (annotation,) = await asyncio.to_thread(self.annotate_many, [conversation])
        return annotation

    def annotate_many(self, conversations: Sequence[Conversation]) -> list[Annotation]:
        """Label many conversations at once, in their order; much faster than one by one.

        A conversation in which no user speaks gets no label.
        """
        messages: list[dict[int, dict[str, Label]]] = [{} for _ in conversations]
        whole: list[dict[str, Label]] = [{} for _ in conversations]
        if "message" in self._learned.models:
            units = [message_units(conversation) for conversation in conversations]
            places = [(number, *place) for number, of_one in enumerate(units) for place in of_one]
            said = self._learned.label("message", [unit for _, _, unit in places], self.source)
            for (number, index, _), labels in zip(places, said, strict=True):
                messages[number][index] = labels
        if "conversation" in self._learned.models:
            heard = [number for number, one in enumerate(conversations) if one.user_messages]
            whole_units = [conversation_unit(conversations[number]) for number in heard]
            for number, labels in zip(
                heard, self._learned.label("conversation", whole_units, self.source), strict=True
            ):
                whole[number] = labels
        return [Annotation(messages=m, conversation=w) for m, w in zip(messages, whole, strict=True)]
