"""What every public record is: frozen, and strict about its keys unless it was read from a log."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from convsim._text import refusal

Text = StrictStr
Name = Annotated[StrictStr, Field(min_length=1)]
Flag = StrictBool
Count = Annotated[StrictInt, Field(ge=0)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
MOST = 10**15
"""Tokens, seconds or dollars of one answer or conversation: more is a mistake, and would not add up any more."""
Tokens = Annotated[StrictInt, Field(ge=0, le=MOST)]
Spending = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=MOST)]
Metadata = dict[str, JsonValue]

UNKNOWN_KEY = "extra_forbidden"
"""The type of the error that an unknown key raises: pydantic's own name for it."""


class Record(BaseModel):
    """A frozen pydantic model that refuses an unknown key, and names the nearest one that it has."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null", allow_inf_nan=False)
    known_keys: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        fields = cls.model_fields.values()
        aliases = {field.alias for field in fields if field.alias}
        choices = {
            choice
            for field in fields
            if isinstance(field.validation_alias, AliasChoices)
            for choice in field.validation_alias.choices
            if isinstance(choice, str)
        }
        cls.known_keys = frozenset(cls.model_fields) | aliases | choices
        # Python makes room for the fields that compact records share as long as a kind has few objects.
        first = cls.__new__(cls)
        for name in cls.model_fields:
            object.__setattr__(first, name, None)

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.keys() <= cls.known_keys:
            return data
        return cls._with_unknown_keys(data)

    @classmethod
    def _with_unknown_keys(cls, data: dict[str, Any]) -> dict[str, Any]:
        # Earlier versions wrote an empty ``metadata`` into every record.
        unknown = [key for key in data if key not in cls.known_keys and (key, data[key]) != ("metadata", {})]
        if not unknown:
            return {key: value for key, value in data.items() if key in cls.known_keys}
        known = [field.alias or name for name, field in cls.model_fields.items() if name != "metadata"]
        lines = [
            InitErrorDetails(
                type=PydanticCustomError(UNKNOWN_KEY, refusal(key, known)), loc=(str(key),), input=data[key]
            )
            for key in unknown
        ]
        raise ValidationError.from_exception_data(cls.__name__, lines)

    def but(self, **changes: object) -> Self:
        """Return a validated copy with ``changes`` made."""
        fields = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self).model_validate({**fields, **changes})

    def compact(self) -> Self:
        """Return an equal record that takes a quarter of the memory, for whoever holds a million.

        Python keeps the fields of an object that were set one by one in an array beside it, and pydantic gives each a
        dictionary of its own; which fields were stated is one set for all records that state the same, and one
        dictionary, which takes nothing in, stands for all that are empty.
        """
        kind = type(self)
        made = kind.__new__(kind)
        put = object.__setattr__
        for name, value in self.__dict__.items():
            put(made, name, NOTHING if not value and isinstance(value, dict) else value)
        stated = frozenset(self.__pydantic_fields_set__)
        if stated not in STATED:
            STATED[stated] = set(stated)
        put(made, "__pydantic_fields_set__", STATED[stated])
        put(made, "__pydantic_extra__", None)
        put(made, "__pydantic_private__", None)
        return made


class _Nothing(dict[str, Any]):
    """The empty dictionary of many records: a copy may be changed, itself it refuses."""

    def _refuse(self, *_: object, **__: object) -> Any:
        raise TypeError("a record that was read cannot be changed; make a changed copy of it with but(...)")

    __setitem__ = setdefault = update = __ior__ = _refuse

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return dict, ()


NOTHING = _Nothing()

STATED: dict[frozenset[str], set[str]] = {}
"""Sets of fields that records state, which nobody changes: pydantic copies them before it does."""


class NotedRecord(Record):
    """A record with a place for what its format does not name: ``metadata``."""

    metadata: Metadata = Field(default_factory=dict)


class LoggedRecord(NotedRecord):
    """A record that is read from logs: what it does not know is kept in ``metadata``."""

    @classmethod
    def _with_unknown_keys(cls, data: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = keep_unknown(cls, data)
        return kept


def keep_unknown(kind: type[NotedRecord], data: Any) -> Any:
    """Move the keys of an object that ``kind`` does not know into its ``metadata``; anything else is left as it is.

    Raises:
        ValueError: A key stands both beside and inside ``metadata``.
    """
    if not isinstance(data, dict) or data.keys() <= kind.known_keys:
        return data
    unknown = {key: value for key, value in data.items() if key not in kind.known_keys}
    stated = data.get("metadata") or {}
    if not isinstance(stated, dict):
        return data
    if clash := unknown.keys() & stated.keys():
        raise ValueError(f"{sorted(clash)[0]!r} is given both outside and inside 'metadata'")
    known = {key: value for key, value in data.items() if key in kind.known_keys}
    return {**known, "metadata": {**stated, **unknown}}


def from_log(kind: type[NotedRecord]) -> BeforeValidator:
    """Mark a field of a log: a record there keeps what it does not know, though ``kind`` by itself refuses it."""
    return BeforeValidator(lambda data: keep_unknown(kind, data))
