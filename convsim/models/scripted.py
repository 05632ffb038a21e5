"""A model that says what it is told to say: a public test double."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from convsim.errors import ModelError
from convsim.models.answer import cut_at
from convsim.models.asked import Asked
from convsim.models.choices import check_options
from convsim.models.structured import accepted
from convsim.schema.protocols import ChatMessage, Choice, Completion

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
            raise ModelError(f"{self.name} was to choose among {list(options)}, but has {said.text!r}")
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
            raise ModelError(f"{self.name} has no answer left: it was asked {self.calls + 1} times")
        return self.answers[self.calls]
