"""Whether a constraint holds of an item."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from pydantic import JsonValue

from convsim.schema.conversation import Item
from convsim.schema.persona import Constraint

PRICE = "price"


def holds_of(item: Item, constraint: Constraint) -> bool | None:
    """Tell whether ``attribute op value`` holds of an item; None where the item does not say.

    The attribute is ``price`` or, spelled the same, a key of the item's attributes; of a list, any value may meet
    ``=``, ``<``, ``>`` and ``in``, and none may be the one of ``!=``. Numbers, also those written as text, compare as
    numbers, all else as text whatever its case. None also where ``<`` or ``>`` meets something else than numbers.
    """
    offered = _values(item, constraint.attribute)
    wanted = constraint.value if isinstance(constraint.value, tuple) else (constraint.value,)
    if not offered:
        return None
    if constraint.op in ("<", ">"):
        return _compare(offered, constraint.op, wanted)
    found = not {_plain(value) for value in offered}.isdisjoint(map(_plain, wanted))
    return not found if constraint.op == "!=" else found


def number(value: object) -> float | None:
    """Return a finite number, or one written as text; None for anything else, yes and no included."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if isfinite(read) else None


def _values(item: Item, attribute: str) -> list[JsonValue]:
    value = item.attributes.get(attribute)
    if attribute == PRICE and item.price is not None:
        value = item.price
    values = value if isinstance(value, list) else [value]
    return [part for part in values if isinstance(part, str | int | float)]


def _compare(offered: Sequence[object], op: str, wanted: Sequence[object]) -> bool | None:
    limits = [limit for limit in map(number, wanted) if limit is not None]
    numbers = [value for value in map(number, offered) if value is not None]
    if not numbers or len(limits) != 1:
        return None
    return min(numbers) < limits[0] if op == "<" else max(numbers) > limits[0]


def _plain(value: object) -> float | str:
    """Return what compares equal to every other way of writing the same value."""
    as_number = number(value)
    return " ".join(str(value).casefold().split()) if as_number is None else as_number
