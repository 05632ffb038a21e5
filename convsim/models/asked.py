"""One request to a model, as the test doubles see it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, JsonValue

from convsim.schema.protocols import ChatMessage
from convsim.schema.record import Count, Number, Record, Text


class Asked(Record):
    """What was asked: a chat, a text to continue, or a choice among options."""

    kind: Literal["complete", "continue_text", "choose"]
    messages: tuple[ChatMessage, ...] = ()
    text: Text = ""
    options: tuple[Text, ...] = ()
    max_tokens: Count | None = None
    temperature: Number
    seed: int
    stop: tuple[Text, ...] = ()
    json_schema: dict[str, JsonValue] | None = None

    @classmethod
    def to_complete(
        cls,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Sequence[str],
        schema: type[BaseModel] | None,
    ) -> Asked:
        """Record the arguments of ``ChatModel.complete``."""
        return cls(
            kind="complete",
            messages=tuple(messages),
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            stop=tuple(stop),
            json_schema=schema.model_json_schema() if schema else None,
        )

    @classmethod
    def to_continue(
        cls, text: str, *, max_tokens: int, temperature: float, seed: int, stop: Sequence[str]
    ) -> Asked:
        """Record the arguments of ``ChatModel.continue_text``."""
        return cls(
            kind="continue_text",
            text=text,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            stop=tuple(stop),
        )

    @classmethod
    def to_choose(
        cls, messages: Sequence[ChatMessage], options: Sequence[str], *, temperature: float, seed: int
    ) -> Asked:
        """Record the arguments of ``ChatModel.choose``."""
        return cls(
            kind="choose",
            messages=tuple(messages),
            options=tuple(options),
            temperature=temperature,
            seed=seed,
        )

    @property
    def key(self) -> str:
        """Sixteen bytes, in hexadecimal, that identify the request."""
        # The empty ``metadata`` that every record once had is part of the keys that stores hold.
        stated = {**self.model_dump(mode="json"), "metadata": {}}
        fields = json.dumps(stated, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(fields.encode()).hexdigest()[:32]

    @property
    def words(self) -> str:
        """All that the model is given to read."""
        return "\n".join(message.content for message in self.messages) or self.text
