"""A model that says what it is told to say: a public test double."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import BaseModel, JsonValue

from convsim.errors import ModelError
from convsim.models.chat import cut_at
from convsim.models.structured import accepted, check_options
from convsim.schema.chat_model import ChatMessage, Choice, Completion
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


Line = str | Exception
"""What to say, or an error to raise."""


@dataclass(kw_only=True)
class Scripted:
    """Gives ``answers`` in the order of the requests, or what the function ``answers`` makes of each.

    An answer that is an exception is raised. A choice is answered with the option, word for word. ``seconds``
    is how long each answer takes. Tokens are counted as words. ``calls`` counts the requests, ``last`` is the
    last of them.

    >>> import asyncio
    >>> model = Scripted(answers=["boots, size 9"])
    >>> message = ChatMessage(role="user", content="What do you want?")
    >>> asyncio.run(model.complete([message], max_tokens=9, temperature=0, seed=1)).text
    'boots, size 9'
    """

    has_own_meter: ClassVar[bool] = True

    answers: Sequence[Line] | Callable[[Asked], Line]
    seconds: float = 0.0
    name: str = "scripted"
    calls: int = field(init=False, default=0)
    last: Asked | None = field(init=False, default=None)

    async def complete(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Sequence[str] = (),
        schema: type[BaseModel] | None = None,
    ) -> Completion:
        """Answer a chat; raises ModelError when the answers are used up or the schema refuses one."""
        asked = Asked.to_complete(
            messages, max_tokens=max_tokens, temperature=temperature, seed=seed, stop=stop, schema=schema
        )
        said = await self._answer(asked)
        return said if schema is None else said.but(text=accepted(said.text, schema, who=self.name)[0])

    async def continue_text(
        self, text: str, *, max_tokens: int, temperature: float, seed: int, stop: Sequence[str] = ()
    ) -> Completion:
        """Continue a text; raises ModelError when the answers are used up."""
        return await self._answer(
            Asked.to_continue(text, max_tokens=max_tokens, temperature=temperature, seed=seed, stop=stop)
        )

    async def choose(
        self, messages: Sequence[ChatMessage], options: Sequence[str], *, temperature: float, seed: int
    ) -> Choice:
        """Choose an option; ModelError when the answer is none, ValueError without distinct options."""
        check_options(options)
        said = await self._answer(Asked.to_choose(messages, options, temperature=temperature, seed=seed))
        if said.text not in options:
            raise ModelError(
                f"{self.name} must choose among {list(options)}, but its script says {said.text!r}"
            )
        return Choice(index=options.index(said.text), completion=said)

    async def _answer(self, asked: Asked) -> Completion:
        line = self._line(asked)
        self.calls, self.last = self.calls + 1, asked
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if isinstance(line, Exception):
            raise line
        text, _ = cut_at(line, asked.stop)
        return Completion(
            text=text,
            finish_reason="stop",
            input_tokens=len(asked.words.split()),
            output_tokens=len(text.split()),
            seconds=self.seconds,
        )

    def _line(self, asked: Asked) -> Line:
        if callable(self.answers):
            return self.answers(asked)
        if self.calls >= len(self.answers):
            raise ModelError(f"{self.name} has no scripted answer left: it was called {self.calls + 1} times")
        return self.answers[self.calls]
