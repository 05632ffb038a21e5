"""A choice among stated options, as a schema that names them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, create_model


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
