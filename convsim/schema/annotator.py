"""What an annotator does: it reads a conversation and labels the user's side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Protocol, runtime_checkable

from pydantic import Field

from convsim.schema.conversation import Conversation, Label, Usage
from convsim.schema.record import Name, Record

Place = Annotated[int, Field(ge=0)]
"""Not strict: as the key of a JSON object it is written as text."""


class Annotation(Record):
    """The labels that one annotator gave to one conversation, by name; each carries the annotator's ``source``."""

    messages: Mapping[Place, Mapping[Name, Label]] = Field(default_factory=dict)
    """By the index of a user message among all messages of the conversation."""
    conversation: Mapping[Name, Label] = Field(default_factory=dict)
    """Of the conversation as a whole."""
    usage: Usage = Field(default_factory=Usage)


@runtime_checkable
class Annotator(Protocol):
    """Labels what users did (acts) and felt (experience); raises ModelError where it cannot, and never guesses."""

    @property
    def name(self) -> Name:
        """What the annotator is called."""
        ...

    @property
    def source(self) -> Name:
        """Who gives the labels, version or model included: ``rules:1``, ``classifier:…`` or ``judge:…``."""
        ...

    async def annotate(self, conversation: Conversation) -> Annotation:
        """Label every user message, each from the conversation up to it alone, and the whole conversation."""
        ...


@runtime_checkable
class BatchAnnotator(Annotator, Protocol):
    """An annotator that is asked for many conversations at once, because that is faster."""

    def annotate_many(self, conversations: Sequence[Conversation]) -> Sequence[Annotation]:
        """Label conversations, in their order; where it raises, each is asked for by itself."""
        ...
