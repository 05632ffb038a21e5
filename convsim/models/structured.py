"""Checks an answer against a schema on this side, and asks once more for one that does not fit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from convsim._text import one_line
from convsim.errors import ModelError
from convsim.models.choices import Chosen, as_json
from convsim.models.wording import repair_prompt, schema_prompt
from convsim.schema.protocols import ChatMessage, Completion
from convsim.seeds import child_seed

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
    """Ask, check the answer, and ask once more if it does not fit.

    Returns:
        The completion, its text the JSON that the schema accepted and its cost that of both tries; the value.

    Raises:
        ModelError: Neither answer fits the schema.
    """
    first = await ask()
    try:
        text, value = accepted(first.text, schema, who=who)
        return first.but(text=text), value
    except MisfitError as error:
        misfit = error
    second = await ask_again(misfit)
    text, value = accepted(second.text, schema, who=f"{who}, asked twice,")
    return _both(first, second).but(text=text), value


async def complete_as(
    schema: type[BaseModel],
    messages: Sequence[ChatMessage],
    *,
    ask: Callable[[Sequence[ChatMessage], int], Awaitable[Completion]],
    seed: int,
    who: str,
) -> Completion:
    """Answer ``messages`` with JSON of ``schema``; the model is told once what is wrong with its answer.

    Raises:
        ModelError: Neither answer fits the schema.
    """
    prompt = schema_prompt(messages, schema)

    async def ask_again(misfit: MisfitError) -> Completion:
        return await ask(repair_prompt(prompt, misfit.answer, misfit.problem), child_seed(seed, "repair"))

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
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        problem = one_line(f"{place}: {first['msg']}" if place else first["msg"])
        begins = one_line(text[:80])
        raise MisfitError(
            f"{who} gave an answer that does not fit the schema {schema.__name__}: {problem}; it begins {begins!r}",
            answer=text,
            problem=problem,
        ) from None


def _both(first: Completion, second: Completion) -> Completion:
    costs = (first.cost_usd, second.cost_usd)
    return second.but(
        input_tokens=first.input_tokens + second.input_tokens,
        output_tokens=first.output_tokens + second.output_tokens,
        seconds=first.seconds + second.seconds,
        cost_usd=None if None in costs else sum(cost for cost in costs if cost is not None),
    )
