"""What of a conversation reaches the agent: its messages, some left out or put otherwise."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from convsim.schema.conversation import Conversation


@dataclass(frozen=True)
class Heard:
    """A conversation as the agent hears it, and the place of each message in the one that was held."""

    conversation: Conversation
    places: tuple[int, ...]

    @classmethod
    def whole(cls, conversation: Conversation) -> Heard:
        """Hear everything."""
        return cls(conversation, tuple(range(len(conversation.messages))))

    def said(self) -> Iterator[tuple[int, str]]:
        """Yield place and text of each user message."""
        for place, message in zip(self.places, self.conversation.messages, strict=True):
            if message.role == "user":
                yield place, message.content

    def rewritten(self, texts: Mapping[int, str]) -> Heard:
        """Hear these texts at these places; ids, roles and items stay."""
        messages = tuple(
            message.model_copy(update={"content": texts[place]}) if place in texts else message
            for place, message in zip(self.places, self.conversation.messages, strict=True)
        )
        return Heard(self.conversation.model_copy(update={"messages": messages}), self.places)

    def without(self, places: Collection[int]) -> Heard:
        """Do not hear the messages at these places."""
        kept = [
            (place, message)
            for place, message in zip(self.places, self.conversation.messages, strict=True)
            if place not in places
        ]
        messages = tuple(message for _, message in kept)
        return Heard(
            self.conversation.model_copy(update={"messages": messages}), tuple(place for place, _ in kept)
        )
