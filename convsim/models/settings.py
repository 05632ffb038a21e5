"""Checks a model's settings against the annotations of its fields, before anything is loaded or sent."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, get_type_hints

from pydantic import TypeAdapter, ValidationError

from convsim.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def check_settings(model: DataclassInstance) -> None:
    """Compare each field that a caller may set with its annotation.

    Raises:
        InputError: Names the setting, what was found and what was expected.
    """
    hints = get_type_hints(type(model), include_extras=True)
    for field in fields(model):
        if not field.init:
            continue
        value = getattr(model, field.name)
        try:
            TypeAdapter(hints[field.name]).validate_python(value, strict=True)
        except ValidationError as error:
            expected = error.errors()[0]["msg"]
            kind = type(model).__name__
            raise InputError(f"{kind}: {field.name} = {value!r} cannot be used: {expected}") from None
