"""A model behind a server that speaks the OpenAI protocol: OpenAI, vLLM, Ollama, llama.cpp and others."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeVar, cast

from pydantic import BaseModel, Field, JsonValue, ValidationError

from convsim._settings import Positive, Seconds, Temperature, check_settings
from convsim._text import MAX_READ, complaint, one_line
from convsim.errors import EmptyAnswerError, ModelError
from convsim.models.chat import cut_at
from convsim.models.prices import price_of
from convsim.models.structured import (
    ask_for,
    check_options,
    choice_of,
    choice_prompt,
    complete_as,
)
from convsim.models.transport import OPENAI_HOST, BadRequestError, Endpoint
from convsim.schema.chat_model import ChatMessage, Choice, Completion
from convsim.schema.record import MOST
from convsim.text.reasoning import split_reasoning

FinishReason = Literal["stop", "length", "content_filter", "other"]
Tokens = Annotated[int, Field(ge=0, le=MOST)]


class Usage(BaseModel):
    """Tokens of the prompt and of the answer, as the server counts them."""

    prompt_tokens: Tokens
    completion_tokens: Tokens


class _ChatMessage(BaseModel):
    # Thinking that comes apart, as `reasoning_content` or `reasoning`, is one of the keys that are ignored.
    content: str | None = None
    refusal: str | None = None


class _ChatChoice(BaseModel):
    message: _ChatMessage
    finish_reason: str | None = None


class _TextChoice(BaseModel):
    text: str
    finish_reason: str | None = None


class ChatAnswer(BaseModel):
    """The body of ``/chat/completions``."""

    choices: Annotated[list[_ChatChoice], Field(min_length=1)]
    usage: Usage | None = None


class TextAnswer(BaseModel):
    """The body of ``/completions``."""

    choices: Annotated[list[_TextChoice], Field(min_length=1)]
    usage: Usage | None = None


Answer = TypeVar("Answer", ChatAnswer, TextAnswer)


def read_answer(body: bytes, kind: type[Answer], *, who: str) -> Answer:
    """Read a body.

    Raises:
        ModelError: It is not JSON, or not a completion; the reason quotes how it begins.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        begins = one_line(body[:MAX_READ].decode("utf-8", "replace"))[:80]
        raise ModelError(
            f"{who} did not answer with a completion: {complaint(error)}; it begins {begins!r}"
        ) from None


def finish_reason(stated: str | None) -> FinishReason:
    """Map what a server calls the end of an answer to the four reasons that are recorded."""
    match stated:
        case "stop" | "length" | "content_filter":
            return stated
        case _:
            return "other"


SEEDS = 2**31
"""Seeds are sent modulo this: some servers keep them in 32 bits."""

CHOICE_TOKENS = 32
"""Room for the JSON around a chosen option; an option has at most one token a byte."""

Body = dict[str, JsonValue]


@dataclass(kw_only=True)
class OpenAICompatible:
    """Asks a server over ``/chat/completions`` and ``/completions``.

    ``base_url`` ends before the path, as in ``http://127.0.0.1:8000/v1``. ``api_key_env`` names the
    environment variable that holds the key, read for each call; it may be left out for OpenAI's own server,
    which has ``OPENAI_API_KEY``, and for a server on this machine. ``timeout_s`` bounds one try as a whole.
    ``temperature`` replaces what is asked for, for models that accept only one. ``thinking_tokens`` is room
    beyond each limit, for models that think before they answer. ``extra_body`` is sent along, such as
    ``{"reasoning_effort": "low"}``. ``prices`` is a table of the user's own, see ``prices.toml``.

    The seed is sent, but a server need not heed it. A completion's seconds include the tries before it.
    """

    model: Annotated[str, Field(min_length=1)]
    base_url: str = f"https://{OPENAI_HOST}/v1"
    api_key_env: str = ""
    timeout_s: Seconds = 120.0
    max_retries: Annotated[int, Field(ge=0)] = 4
    max_connections: Positive = 64
    temperature: Temperature | None = None
    thinking_tokens: Annotated[int, Field(ge=0)] = 0
    extra_body: Mapping[str, JsonValue] = field(default_factory=dict)
    prices: Path | str | None = None
    name: str = ""

    def __post_init__(self) -> None:
        check_settings(self)
        self.name = self.name or self.model
        self._endpoint = Endpoint(
            base_url=self.base_url,
            api_key_env=self.api_key_env,
            timeout_s=self.timeout_s,
            max_retries=self.max_retries,
            max_connections=self.max_connections,
        )
        self._who = f"the model {self.model!r} at {self.base_url}"
        table = Path(self.prices) if self.prices else None
        self._price = price_of(self.model, self._endpoint.host, table=table)

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
        """Answer a chat; an empty answer is an error.

        Raises:
            InputError: There is no key in the environment.
            ModelError: The server or its answer fails, or the schema refuses two answers; one line why.
        """

        async def ask(prompt: Sequence[ChatMessage], seed: int) -> Completion:
            body = self._body(max_tokens, temperature, seed, stop)
            return await self._chat(body, prompt, schema=schema, seed=seed, stop=stop)

        if schema is None:
            return await ask(messages, seed)
        return await complete_as(schema, messages, ask=ask, seed=seed, who=self._who)

    async def continue_text(
        self, text: str, *, max_tokens: int, temperature: float, seed: int, stop: Sequence[str] = ()
    ) -> Completion:
        """Continue a text over ``/completions``; a continuation may be empty. Raises as ``complete`` does."""
        body: Body = {**self._body(max_tokens, temperature, seed, stop), "prompt": text}
        start = time.perf_counter()
        received = await self._endpoint.post("/completions", body, who=self._who, seed=seed)
        answer = read_answer(received, TextAnswer, who=self._who)
        first = answer.choices[0]
        return self._completion(first.text, first.finish_reason, answer.usage, stop=stop, start=start)

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
            body = self._body(max_tokens, temperature, seed, ())
            return await self._chat(body, prompt, schema=schema, seed=seed, stop=())

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

    def _body(self, max_tokens: int, temperature: float, seed: int, stop: Sequence[str]) -> Body:
        # OpenAI's newer models refuse `max_tokens`, and many other servers know nothing else.
        limit = "max_completion_tokens" if self._endpoint.host == OPENAI_HOST else "max_tokens"
        body: Body = {
            **self.extra_body,
            "model": self.model,
            limit: max_tokens + self.thinking_tokens,
            "temperature": temperature if self.temperature is None else self.temperature,
            "seed": seed % SEEDS,
        }
        return {**body, "stop": list(stop)} if stop else body

    async def _chat(
        self,
        body: Body,
        messages: Sequence[ChatMessage],
        *,
        schema: type[BaseModel] | None,
        seed: int,
        stop: Sequence[str],
    ) -> Completion:
        start = time.perf_counter()
        said: list[JsonValue] = [{"role": message.role, "content": message.content} for message in messages]
        body = {**body, "messages": said}
        asked = body if schema is None else {**body, "response_format": _response_format(schema)}
        try:
            received = await self._endpoint.post("/chat/completions", asked, who=self._who, seed=seed)
        except BadRequestError:
            if schema is None:
                raise
            # Some servers refuse `response_format`; the words of the request say the same.
            received = await self._endpoint.post("/chat/completions", body, who=self._who, seed=seed)
        answer = read_answer(received, ChatAnswer, who=self._who)
        message, reason = answer.choices[0].message, answer.choices[0].finish_reason
        completion = self._completion(message.content or "", reason, answer.usage, stop=stop, start=start)
        if text := completion.text.strip():
            return completion.but(text=text)
        if message.refusal:
            raise ModelError(f"{self._who} refused to answer: {one_line(message.refusal)}")
        cut = completion.finish_reason == "length"
        advice = "; a reasoning model needs thinking_tokens" if cut else ""
        raise EmptyAnswerError(
            f"{self._who} gave an empty answer (finish reason {one_line(reason)!r}){advice}"
        )

    def _completion(
        self, raw: str, reason: str | None, usage: Usage | None, *, stop: Sequence[str], start: float
    ) -> Completion:
        text, stopped = cut_at(split_reasoning(raw).said, stop)
        spent = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
        return Completion(
            text=text,
            finish_reason="stop" if stopped else finish_reason(reason),
            input_tokens=spent[0],
            output_tokens=spent[1],
            seconds=time.perf_counter() - start,
            cost_usd=self._price.of(*spent) if self._price and usage else None,
        )


def _response_format(schema: type[BaseModel]) -> Body:
    """Return OpenAI's strict form of ``schema``, in which every key is required and no other is allowed."""
    import openai

    function = openai.pydantic_function_tool(schema)["function"]
    form = {"name": function["name"], "schema": function["parameters"], "strict": True}
    return {"type": "json_schema", "json_schema": cast(Body, form)}
