"""Whether a constraint holds of an item, and when nobody can tell."""

from typing import Literal

import pytest
from pydantic import JsonValue

from convsim.metrics.items import holds_of, number
from convsim.schema.conversation import Item
from convsim.schema.persona import Constraint, Scalar

Op = Literal["=", "!=", "<", ">", "in"]


@pytest.mark.parametrize(
    ("offered", "op", "value", "expected"),
    [
        ("Wool", "=", "wool", True),
        ("wool blend", "=", "wool", False),
        (" light  blue", "=", "Light Blue", True),
        (["Red", "blue"], "=", "BLUE", True),
        (["red", "blue"], "!=", "blue", False),
        (["red", "blue"], "!=", "green", True),
        ("red", "in", ("Red", "blue"), True),
        ("green", "in", ("red", "blue"), False),
        (["green", "blue"], "in", ("red", "blue"), True),
        ("red", "in", "red", True),
        ("red", "=", ("red", "blue"), True),
        ("red", "!=", ("red", "blue"), False),
        (42, "=", "42.0", True),
        ("42", "=", 42.0, True),
        (42, "!=", 42.0, False),
        (10, ">", 9.0, True),
        ("10", ">", "9", True),
        (9, ">", 9.0, False),
        (9, "<", 9.0, False),
        ([36, 45], ">", 44.0, True),
        ([36, 45], "<", 37.0, True),
        ([36, 45], "<", 36.0, False),
        (True, "=", True, True),
        ("TRUE", "=", True, True),
        (True, "=", 1.0, False),
        ("large", ">", 9.0, None),
        (10, ">", "large", None),
        (10, ">", (1.0, 2.0), None),
        (10**400, ">", 9.0, None),
        ("inf", ">", 9.0, None),
        (None, "=", "none", None),
        ([], "=", "red", None),
        ([], "!=", "red", None),
        ({"cut": "slim"}, "=", "slim", None),
    ],
)
def test_a_constraint_holds_or_does_not_or_cannot_be_told(
    offered: JsonValue, op: Op, value: Scalar | tuple[Scalar, ...], expected: bool | None
) -> None:
    item = Item(id="1", attributes={"detail": offered})
    assert holds_of(item, Constraint(attribute="detail", op=op, value=value)) is expected


@pytest.mark.parametrize("op", ["=", "!=", "<", ">", "in"])
def test_of_an_attribute_that_is_missing_nothing_can_be_told(op: Op) -> None:
    item = Item(id="1", attributes={"Color": "red"})
    assert holds_of(item, Constraint(attribute="color", op=op, value="red")) is None


def test_the_price_is_the_items_own_and_else_an_attribute() -> None:
    dear = Constraint(attribute="price", op=">", value=50.0)
    assert holds_of(Item(id="1", price=60.0, attributes={"price": 40}), dear) is True
    assert holds_of(Item(id="1", attributes={"price": 40}), dear) is False
    assert holds_of(Item(id="1"), dear) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3.0),
        ("2.5", 2.5),
        (" 7 ", 7.0),
        ("nan", None),
        ("$5", None),
        (True, None),
        (None, None),
        (10**400, None),
    ],
)
def test_a_number_is_a_number_however_it_is_written(value: object, expected: float | None) -> None:
    assert number(value) == expected
