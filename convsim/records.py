"""What every public record is: frozen, with unknown keys kept in ``metadata``."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

Text = StrictStr
Name = Annotated[StrictStr, Field(min_length=1)]
Flag = StrictBool
Count = Annotated[StrictInt, Field(ge=0)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Metadata = dict[str, JsonValue]


class Record(BaseModel):
    """A frozen pydantic model that keeps what it does not know in ``metadata``."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null", allow_inf_nan=False)
    known_keys: ClassVar[frozenset[str]] = frozenset()
    metadata: Metadata = Field(default_factory=dict)

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

    @model_validator(mode="before")
    @classmethod
    def _keep_unknown_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.keys() <= cls.known_keys:
            return data
        unknown = {key: value for key, value in data.items() if key not in cls.known_keys}
        stated = data.get("metadata") or {}
        if not isinstance(stated, dict):
            return data
        if clash := unknown.keys() & stated.keys():
            raise ValueError(f"{sorted(clash)[0]!r} stands both beside and inside 'metadata'")
        known = {key: value for key, value in data.items() if key in cls.known_keys}
        return {**known, "metadata": {**stated, **unknown}}

    def but(self, **changes: object) -> Self:
        """Return a validated copy with ``changes`` made."""
        fields = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self).model_validate({**fields, **changes})
