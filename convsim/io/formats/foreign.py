"""What schemas of other systems' JSON have in common: unknown keys are kept, and a null may stand for nothing."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue

from convsim.schema.record import Name

T = TypeVar("T")


class ForeignPart(BaseModel):
    """A frozen model that keeps the keys it does not name."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    @property
    def others(self) -> dict[str, JsonValue]:
        """The keys that the model does not name and whose value is not null."""
        return {key: value for key, value in self.__pydantic_extra__.items() if value is not None}


def _empty_list(value: object) -> object:
    return () if value is None else value


def _empty_object(value: object) -> object:
    return {} if value is None else value


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


ListOrNull = Annotated[tuple[T, ...], BeforeValidator(_empty_list)]
ObjectOrNull = Annotated[dict[str, JsonValue], BeforeValidator(_empty_object)]
Id = Annotated[Name, BeforeValidator(_text)]
"""A name that some files write as a number."""
