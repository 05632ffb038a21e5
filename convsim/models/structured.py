"""Asks for JSON of a schema, checks it on this side, and tells the model its error once."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from importlib import resources
from string import Template
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError, create_model

from convsim.contracts.model import ChatMessage, Completion
from convsim.errors import ModelError
from convsim.models.one_line import MAX_LENGTH, one_line
from convsim.seeds import child_seed

Ask = Callable[[Sequence[ChatMessage], int], Awaitable[Completion]]
"""Asks the model for a completion of these messages with this seed."""


Schema = TypeVar("Schema", bound=BaseModel)


class MisfitError(ModelError):
    """An answer that the schema refuses, and what is wrong with it, to be told to the model."""

    def __init__(self, message: str, *, problem: str):
        super().__init__(message)
        self.problem = problem


class Chosen(BaseModel):
    """One of the stated options, word for word."""

    choice: str


def check_options(options: Sequence[str]) -> None:
    """Check what is to be chosen among.

    Raises:
        ValueError: No options, or two that are the same.
    """
    if not options or len(set(options)) < len(options):
        raise ValueError(f"the options must be at least one and distinct, but are {list(options)}")


def choice_of(options: Sequence[str]) -> type[Chosen]:
    """Return the schema whose one field is one of ``options``."""
    choice = Annotated[
        str, AfterValidator(_one_of(options)), Field(json_schema_extra={"enum": list(options)})
    ]
    return create_model("Choice", __base__=Chosen, choice=(choice, ...))


def schema_request(schema: type[BaseModel]) -> str:
    """Word the request for JSON of ``schema``."""
    return _prompt("schema").substitute(schema=json.dumps(schema.model_json_schema()))


def choice_request(options: Sequence[str]) -> str:
    """Word the request to choose one of ``options``, as the JSON lines to choose from."""
    return _prompt("choice").substitute(lines="\n".join(_as_json(option) for option in options))


async def ask_for(
    schema: type[Schema], messages: Sequence[ChatMessage], *, request: str, ask: Ask, seed: int, who: str
) -> tuple[Completion, Schema]:
    """Ask with ``request`` added, check the answer, and try once more with the error told.

    Returns:
        The completion, its text the JSON that the schema accepted and its cost that of both tries; the value.

    Raises:
        ModelError: Neither answer fits the schema.
    """
    prompt = with_request(messages, request)
    first = await ask(prompt, seed)
    try:
        text, value = accepted(first.text, schema, who=who)
        return first.but(text=text), value
    except MisfitError as error:
        told = ChatMessage(role="user", content=_prompt("repair").substitute(problem=error.problem))
    shown = ChatMessage(role="assistant", content=first.text[: 10 * MAX_LENGTH])
    second = await ask([*prompt, shown, told], child_seed(seed, "repair"))
    text, value = accepted(second.text, schema, who=who)
    return _both(first, second).but(text=text), value


def accepted(text: str, schema: type[Schema], *, who: str) -> tuple[str, Schema]:
    """Return the JSON object in ``text`` and its value; a code fence or words around it are left away.

    An answer that is, as a whole, one of a choice's options is taken as that choice.

    Raises:
        ModelError: There is no such object, or the schema refuses it.
    """
    if issubclass(schema, Chosen) and "{" not in text:
        found = _as_json(text.strip().strip("\"'`"))
    else:
        found = text[text.find("{") : text.rfind("}") + 1]
    try:
        return found, schema.model_validate_json(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        problem = f"{place}: {first['msg']}" if place else first["msg"]
        begins = one_line(text[:80])
        reason = f"{one_line(problem)}; it begins {begins!r}"
        raise MisfitError(
            f"{who} gave an answer that does not fit the schema {schema.__name__}: {reason}",
            problem=one_line(problem),
        ) from None


def with_request(messages: Sequence[ChatMessage], request: str) -> list[ChatMessage]:
    """Add ``request`` to the last message of the user, or after the last of another role."""
    *before, last = messages
    if last.role != "user":
        return [*messages, ChatMessage(role="user", content=request)]
    return [*before, ChatMessage(role="user", content=f"{last.content}\n\n{request}")]


def _both(first: Completion, second: Completion) -> Completion:
    costs = (first.cost_usd, second.cost_usd)
    return second.but(
        input_tokens=first.input_tokens + second.input_tokens,
        output_tokens=first.output_tokens + second.output_tokens,
        seconds=first.seconds + second.seconds,
        cost_usd=None if None in costs else sum(cost for cost in costs if cost is not None),
    )


def _one_of(options: Sequence[str]) -> Callable[[str], str]:
    def check(choice: str) -> str:
        if choice not in options:
            raise ValueError(f"the choice must be one of {list(options)}")
        return choice

    return check


def _as_json(option: str) -> str:
    return json.dumps({"choice": option}, ensure_ascii=False)


def _prompt(name: str) -> Template:
    file = resources.files("convsim.models").joinpath("prompts", f"{name}.txt")
    return Template(file.read_text("utf-8").strip())
