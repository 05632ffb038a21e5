"""A model behind a server, however that is reached: asked as the server takes it, read in whatever form it answers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field, JsonValue

from convsim._settings import Seconds, Temperature, check_settings
from convsim._text import one_line
from convsim.errors import ModelError
from convsim.models.answers import Answer
from convsim.models.chat import cut_at
from convsim.models.exchange import Exchange, Posts
from convsim.models.failures import DeclinedError
from convsim.models.learned import Learned, Lesson, stated_ways
from convsim.models.metering import used
from convsim.models.prices import Price
from convsim.models.requests import Api, Request, limit_name
from convsim.models.structured import (
    ask_for,
    check_options,
    choice_of,
    choice_prompt,
    complete_as,
)
from convsim.schema.chat_model import ChatMessage, Choice, Completion, NothingSaidError

CHOICE_TOKENS = 32
"""Room for the JSON around a chosen option; an option has at most one token a byte."""
MOST_CHARACTERS = 16
"""Of an answer, for each token that was asked for: four times what a token of English has."""


@dataclass(kw_only=True)
class Served:
    """What models behind servers have in common; ``_start`` is called with how each of them is reached."""

    has_own_meter: ClassVar[bool] = True

    model: Annotated[str, Field(min_length=1)]
    timeout_s: Seconds = 120.0
    max_retries: Annotated[int, Field(ge=0)] = 4
    max_wait_s: Seconds = 120.0
    temperature: Temperature | None = None
    thinking_tokens: Annotated[int, Field(ge=0)] | None = None
    omit: Sequence[str] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    stream: bool = False
    extra_body: Mapping[str, JsonValue] = field(default_factory=dict)
    prices: Path | str | None = None
    name: str = ""

    def _start(
        self, posts: Posts, *, who: str, api: Api, price: Price | None, renamed: Mapping[str, str]
    ) -> None:
        """Take how the server is reached.

        Args:
            posts: Takes requests there.
            who: What errors call the model.
            api: Which API it speaks.
            price: What it costs, where that is known.
            renamed: What is known to be sent under another name, without having been refused.
        """
        check_settings(self)
        self.name = self.name or self.model
        self._endpoint, self._who, self._api, self._price = posts, who, api, price
        ways, notes = stated_ways(
            self.omit, self.rename, api=api, extra=self.extra_body, who=type(self).__name__
        )
        usual = tuple((name, new) for name, new in renamed.items() if name not in self.rename)
        ways = replace(
            ways, rename=(*ways.rename, *usual), streams=self.stream, room=self.thinking_tokens or 0
        )
        if api == "responses":
            notes = {
                "seed": "left out: the Responses API has none; runs cannot be repeated by their seed",
                **notes,
            }
        self._learned = Learned(ways, who=who, notes=notes)
        given = {
            "temperature": self.temperature,
            "thinking_tokens": self.thinking_tokens,
            "stream": self.stream or None,
        }
        explicit = {*self.extra_body, *(name for name, value in given.items() if value is not None)}
        self._exchange = Exchange(
            posts=posts,
            learned=self._learned,
            who=who,
            model=self.model,
            api=api,
            extra=self.extra_body,
            explicit=explicit,
        )

    @property
    def price(self) -> Price | None:
        """What it costs; None where that is not known."""
        return self._price

    @property
    def learned(self) -> Mapping[str, str]:
        """What is done otherwise than usual, by a parameter's name, ``system``, ``roles``, ``stream`` or
        ``thinking_tokens``: what settings say, and what the server's refusals have taught so far.
        """
        return self._learned.notes

    async def complete(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Sequence[str] = (),
        schema: type[BaseModel] | None = None,
        top_p: float | None = None,
    ) -> Completion:
        """Answer a chat; an empty answer is an error. ``top_p`` is sent where ``extra_body`` has none.

        Raises:
            InputError: There is no key in the environment.
            ModelError: The server or its answer fails, or the schema refuses two answers; one line why.
        """

        async def ask(prompt: Sequence[ChatMessage], seed: int) -> Completion:
            request = self._request(
                max_tokens, temperature, seed, messages=prompt, stop=stop, schema=schema, top_p=top_p
            )
            return await self._said(request)

        if schema is None:
            return await ask(messages, seed)
        return await complete_as(schema, messages, ask=ask, seed=seed, who=self._who)

    async def continue_text(
        self,
        text: str,
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Sequence[str] = (),
        top_p: float | None = None,
    ) -> Completion:
        """Continue a text over ``/completions``; a continuation may be empty. Raises as ``complete`` does."""
        if self._api == "responses":
            raise ModelError(
                f'{self._who} continues no text over the Responses API: set shopper.style to "chat", or api to "chat"'
            )
        request = self._request(max_tokens, temperature, seed, text=text, stop=stop, top_p=top_p)
        return await self._said(request, may_be_empty=True)

    async def choose(
        self, messages: Sequence[ChatMessage], options: Sequence[str], *, temperature: float, seed: int
    ) -> Choice:
        """Choose one of ``options`` by a schema, which the server may ignore; the answer is checked.

        An answer that names no option is asked for again at temperature 0: that keeps a small model to the form
        more often than being told its error does.

        Raises:
            ModelError: As ``complete`` does; or two answers name none of the options.
            ValueError: No options, or two that are the same.
        """
        check_options(options)
        schema, prompt = choice_of(options), choice_prompt(messages, options)
        max_tokens = CHOICE_TOKENS + max(len(option.encode()) for option in options)

        async def ask(temperature: float) -> Completion:
            return await self._said(
                self._request(max_tokens, temperature, seed, messages=prompt, schema=schema)
            )

        completion, chosen = await ask_for(
            schema, ask=lambda: ask(temperature), ask_again=lambda _: ask(0.0), who=self._who
        )
        return Choice(index=options.index(chosen.choice), completion=completion)

    async def check_ready(self) -> None:
        """Look for the key; raises InputError where there is none."""
        await self._endpoint.key()

    async def aclose(self) -> None:
        """Close the connections; a loop that ends closes them by itself."""
        await self._endpoint.aclose()

    def _request(
        self,
        max_tokens: int,
        temperature: float,
        seed: int,
        *,
        messages: Sequence[ChatMessage] = (),
        text: str = "",
        stop: Sequence[str] = (),
        schema: type[BaseModel] | None = None,
        top_p: float | None = None,
    ) -> Request:
        return Request(
            messages=messages,
            text=text,
            max_tokens=max_tokens,
            temperature=temperature if self.temperature is None else self.temperature,
            seed=seed,
            stop=stop,
            schema=schema,
            top_p=top_p,
        )

    async def _said(self, request: Request, *, may_be_empty: bool = False) -> Completion:
        """Ask, and ask again with more room while the answer shows that thinking has used it up."""
        start = time.perf_counter()
        answer, ways = await self._exchange.ask(request)
        spent = [answer]
        if not may_be_empty and self._may_be_thought(answer):
            looked = await self._exchange.look_for_thought(request, ways)
            if looked is None and self._learned.ways.room > ways.room:
                looked, ways = await self._exchange.ask(request)
            if looked is not None:
                spent.append(looked)
                answer = looked if looked.thought and looked.has_words else answer
        while self._ran_out(answer, may_be_empty=may_be_empty) and self._learned.give_room(ways):
            answer, ways = await self._exchange.ask(request)
            spent.append(answer)
            if answer.finish != "length" and not answer.has_words:
                break
        completion = self._completion(answer, spent, request, seconds=time.perf_counter() - start)
        if may_be_empty:
            return completion
        if text := completion.text.strip():
            return completion if text == completion.text else completion.but(text=text)
        if len(spent) > 1 and not any(one.thought or one.thought_tokens for one in spent):
            self._learned.take_back_room()
        raise self._nothing_said(answer, completion.but(text=""))

    @property
    def _makes_room(self) -> bool:
        """Whether room may be made: the user has set none, and the server is told a limit at all."""
        limit = limit_name(self._learned.ways, self._api, self.extra_body)
        return self.thinking_tokens is None and limit is not None

    def _may_be_thought(self, answer: Answer) -> bool:
        """Tell whether an answer was cut off that may be the beginning of a thought whose mark has not come yet."""
        return self._makes_room and answer.has_words and answer.finish == "length" and not answer.thought

    def _ran_out(self, answer: Answer, *, may_be_empty: bool) -> bool:
        """Tell whether an answer is nothing but thought, or was cut off after it."""
        if not self._makes_room:
            return False
        thought = bool(answer.thought or answer.thought_tokens)
        if answer.has_words:
            return thought and answer.finish == "length"
        refused = answer.refusal or answer.calls_tools or answer.finish == "content_filter"
        return not refused and (thought or (answer.finish == "length" and not may_be_empty))

    def _nothing_said(self, answer: Answer, spent: Completion) -> ModelError:
        if answer.refusal:
            return DeclinedError(f"{self._who} refused to answer: {one_line(answer.refusal)}")
        room, why = self._learned.ways.room, ""
        if answer.calls_tools:
            why = ": it called a tool, and was given none"
        elif answer.thought or answer.thought_tokens:
            tried = f"thinking_tokens = {room} was not enough, set more" if room else "set thinking_tokens"
            why = f": it only thought; {tried}"
        elif answer.finish == "length":
            why = "; a reasoning model needs thinking_tokens"
        return NothingSaidError(
            f"{self._who} gave an empty answer (finish reason {one_line(answer.stated_finish)!r}){why}",
            completion=spent,
        )

    def _completion(
        self, answer: Answer, spent: Sequence[Answer], request: Request, *, seconds: float
    ) -> Completion:
        text, stopped = cut_at(answer.text, request.stop)
        finish = "stop" if stopped else answer.finish
        most = MOST_CHARACTERS * request.max_tokens
        if len(text) > most:
            note = (
                f"ignored by the server; what is longer than {MOST_CHARACTERS} characters a token is cut off"
            )
            self._learned.take(Lesson({}, {"length of answers": note}))
            text, finish = text[:most], "length"
        read, written = _sum([one.input_tokens for one in spent]), _sum([one.output_tokens for one in spent])
        is_priced = self._price is not None and read is not None and written is not None
        cost = self._price.of(read, written) if is_priced else None  # type: ignore[union-attr,arg-type]
        used(self.model, self._endpoint.address, input_tokens=read, output_tokens=written, cost_usd=cost)
        return Completion(
            text=text,
            finish_reason=finish,
            input_tokens=read,
            output_tokens=written,
            reasoning_characters=sum(one.thought for one in spent),
            seconds=seconds,
            cost_usd=cost,
        )


def _sum(counts: Sequence[int | None]) -> int | None:
    """Add up numbers of tokens; one that is unknown makes the sum unknown."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
