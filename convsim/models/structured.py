"""Answers as JSON of a schema: worded in the request, checked on this side, asked for once more."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from functools import cache, lru_cache
from importlib import resources
from string import Template
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError, create_model

from convsim._inputs import read_toml
from convsim._text import MAX_LENGTH, complaint, one_line
from convsim.errors import EmptyAnswerError, ModelError
from convsim.schema.chat_model import ChatMessage, Completion, NothingSaidError
from convsim.schema.conversation import Usage
from convsim.seeds import child_seed

FOLDER = resources.files("convsim.models").joinpath("prompts")
N_SCHEMAS = 256
"""Lists of options whose schema is kept: what is asked again and again is made once."""


class _Example(BaseModel):
    question: str
    options: tuple[str, ...]
    answer: str


class _Examples(BaseModel):
    example: tuple[_Example, ...]


def schema_prompt(messages: Sequence[ChatMessage], schema: type[BaseModel]) -> list[ChatMessage]:
    """Ask, after ``messages``, for JSON of ``schema``."""
    return with_request(messages, _filled("schema", schema=json.dumps(schema.model_json_schema())))


def choice_prompt(messages: Sequence[ChatMessage], options: Sequence[str]) -> list[ChatMessage]:
    """Ask, after ``messages``, for one of ``options``; worked examples come first, after what the system says."""
    system = [message for message in messages if message.role == "system"]
    chat = [message for message in messages if message.role != "system"]
    return [*system, *_examples(), *with_request(chat, _choice_request(options))]


def repair_prompt(prompt: Sequence[ChatMessage], answer: str, problem: str) -> list[ChatMessage]:
    """Tell the model, after ``prompt`` and its ``answer``, what the problem is."""
    shown = ChatMessage(role="assistant", content=answer[: 10 * MAX_LENGTH])
    return [*prompt, shown, ChatMessage(role="user", content=_filled("repair", problem=problem))]


def with_request(messages: Sequence[ChatMessage], request: str) -> list[ChatMessage]:
    """Add ``request`` to a last message of the user, or else after the messages."""
    if not messages or messages[-1].role != "user":
        return [*messages, ChatMessage(role="user", content=request)]
    *before, last = messages
    return [*before, ChatMessage(role="user", content=f"{last.content}\n\n{request}")]


def _choice_request(options: Sequence[str]) -> str:
    return _filled("choice", lines="\n".join(as_json(option) for option in options))


@cache
def _examples() -> tuple[ChatMessage, ...]:
    worked = _Examples.model_validate(read_toml(FOLDER.joinpath("choice_examples.toml"))).example
    return tuple(
        message
        for one in worked
        for message in (
            ChatMessage(role="user", content=f"{one.question}\n\n{_choice_request(one.options)}"),
            ChatMessage(role="assistant", content=as_json(one.answer)),
        )
    )


def _filled(name: str, **values: str) -> str:
    return _template(name).substitute(values)


@cache
def _template(name: str) -> Template:
    return Template(_file(f"{name}.txt").strip())


def _file(name: str) -> str:
    return FOLDER.joinpath(name).read_text("utf-8")


class Chosen(BaseModel):
    """One of the stated options, word for word."""

    choice: str


def check_options(options: Sequence[str]) -> None:
    """Check what is to be chosen among.

    Raises:
        ValueError: No options, or two that are the same.
    """
    if not options or len(set(options)) < len(options):
        raise ValueError(f"options must be distinct and at least one, but are {list(options)}")


def choice_of(options: Sequence[str]) -> type[Chosen]:
    """Return the schema whose one field is one of ``options``."""
    return _choice_of(tuple(options))


@lru_cache(N_SCHEMAS)
def _choice_of(options: tuple[str, ...]) -> type[Chosen]:
    named = Field(json_schema_extra={"enum": list(options)})
    return create_model(
        "Choice", __base__=Chosen, choice=(Annotated[str, AfterValidator(_one_of(options)), named], ...)
    )


def as_json(option: str) -> str:
    """Return the JSON that chooses ``option``."""
    return json.dumps({"choice": option}, ensure_ascii=False)


def _one_of(options: Sequence[str]) -> Callable[[str], str]:
    def check(choice: str) -> str:
        if choice not in options:
            raise ValueError(f"the choice must be one of {list(options)}")
        return choice

    return check


Schema = TypeVar("Schema", bound=BaseModel)


class MisfitError(ModelError):
    """An answer that the schema refuses, and what is wrong with it, to be told to the model."""

    def __init__(self, message: str, *, answer: str, problem: str):
        super().__init__(message)
        self.answer, self.problem = answer, problem


async def ask_for(
    schema: type[Schema],
    *,
    ask: Callable[[], Awaitable[Completion]],
    ask_again: Callable[[MisfitError], Awaitable[Completion]],
    who: str,
) -> tuple[Completion, Schema]:
    """Ask, check the answer, and ask once more if it does not fit or is empty.

    Returns:
        The completion, its text the JSON that the schema accepted and its cost that of both tries; the value.

    Raises:
        ModelError: Neither answer fits the schema.
    """
    first: Completion | None = None
    try:
        first = await ask()
        text, value = accepted(first.text, schema, who=who)
        return first.but(text=text), value
    except MisfitError as error:
        misfit = error
    except EmptyAnswerError as error:
        first = error.completion if isinstance(error, NothingSaidError) else None
        misfit = MisfitError(str(error), answer="", problem="it is empty")
    second = await ask_again(misfit)
    text, value = accepted(second.text, schema, who=f"{who}, asked twice,")
    return (second if first is None else _both(first, second)).but(text=text), value


async def complete_as(
    schema: type[BaseModel],
    messages: Sequence[ChatMessage],
    *,
    ask: Callable[[Sequence[ChatMessage], int], Awaitable[Completion]],
    seed: int,
    who: str,
) -> Completion:
    """Answer ``messages`` with JSON of ``schema``; the model is told once what is wrong with its answer,
    or asked again where it was empty.

    Raises:
        ModelError: Neither answer fits the schema.
    """
    prompt = schema_prompt(messages, schema)

    async def ask_again(misfit: MisfitError) -> Completion:
        again = repair_prompt(prompt, misfit.answer, misfit.problem) if misfit.answer else prompt
        return await ask(again, child_seed(seed, "repair"))

    completion, _ = await ask_for(schema, ask=lambda: ask(prompt, seed), ask_again=ask_again, who=who)
    return completion


def accepted(text: str, schema: type[Schema], *, who: str) -> tuple[str, Schema]:
    """Return the JSON object in ``text`` and its value; a code fence or words around it are left away.

    An answer that is, as a whole, one of a choice's options is taken as that choice.

    Raises:
        ModelError: There is no such object, or the schema refuses it.
    """
    if issubclass(schema, Chosen) and "{" not in text:
        found = as_json(text.strip().strip("\"'`"))
    else:
        found = text[text.find("{") : text.rfind("}") + 1]
    try:
        return found, schema.model_validate_json(found)
    except ValidationError as error:
        problem = complaint(error)
        begins = one_line(text)[:80]
        raise MisfitError(
            f"{who} gave an answer that does not fit the schema {schema.__name__}: {problem}; it begins {begins!r}",
            answer=text,
            problem=problem,
        ) from None


def _both(first: Completion, second: Completion) -> Completion:
    costs = (first.cost_usd, second.cost_usd)
    both = Usage.sum((first, second))
    return second.but(
        input_tokens=both.input_tokens,
        output_tokens=both.output_tokens,
        reasoning_characters=both.reasoning_characters,
        seconds=both.seconds,
        cost_usd=None if None in costs else sum(cost for cost in costs if cost is not None),
    )
