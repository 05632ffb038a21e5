"""The mapping that all details are, and the records that several of them have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    PrivateAttr,
    TypeAdapter,
    model_serializer,
    model_validator,
)

from convsim.schema.record import Count, Number, Record

Interval = tuple[Number, Number]
Probability = Annotated[Number, Field(ge=0, le=1)]
BySide = dict[str, JsonValue]
"""Counts by side, and in these by arm."""
_JSON: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


class Estimate(Record):
    """A number with its interval; undefined is null."""

    estimate: Number | None = None
    interval: Interval | None = None


class ExplainedEstimate(Estimate):
    """A number with its 95 % interval; ``reason`` says why either is missing."""

    reason: str | None = None


class Part(Record):
    """A part of some details; what later versions add to it is let be."""

    @classmethod
    def _with_unknown_keys(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in data.items() if key in cls.known_keys}


class Needs(Part):
    """How much more would decide in four of five cases if nothing differs, and of which side.

    People are dear and simulated conversations nearly free: it is the simulated side wherever more of that suffices,
    and people where no number of simulated conversations would.
    """

    side: Literal["simulated", "people"]
    more: Count
    """Conversations, beyond those that were judged."""

    @property
    def words(self) -> str:
        """Such as "about 340 more simulated"; empty if it is nothing."""
        return f"about {self.more:,} more {self.side}" if self.more else ""


class Measured(Part, Estimate):
    """An estimate among details."""


class Details(Part, Mapping[str, JsonValue]):
    """Further values of a finding: a read-only mapping of JSON, exactly as it was stated."""

    shape: ClassVar[frozenset[str]] = frozenset()
    """The keys that tell details of this model from others."""
    _stated: dict[str, JsonValue] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_what_was_stated(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, Details):
            return handler(data)
        if not isinstance(data, Mapping):
            return handler(data)
        stated = _JSON.validate_python({key: _plain(value) for key, value in data.items()})
        made = handler(dict(data))
        made._stated = stated
        return made

    @model_serializer(mode="plain")
    def _as_stated(self) -> dict[str, JsonValue]:
        return self._stated

    def __getitem__(self, key: str) -> JsonValue:
        """Return one value, as JSON has it."""
        return self._stated[key]

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]  # a mapping yields its keys
        """Yield the keys in their order."""
        return iter(self._stated)

    def __len__(self) -> int:
        """Count the keys."""
        return len(self._stated)

    def __eq__(self, other: object) -> bool:
        """Tell whether ``other`` is a mapping that states the same."""
        return isinstance(other, Mapping) and self._stated == dict(other)

    __hash__ = None  # type: ignore[assignment]  # like a dict

    def __repr__(self) -> str:
        """Write what was stated."""
        return f"{type(self).__name__}({self._stated!r})"


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
