"""Prices as shops write them."""

from __future__ import annotations

import pytest

from convsim.text.money import amount_in


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("39", 39.0),
        ("39.00", 39.0),
        ("39.9900", 39.99),
        ("1.299", 1.299),  # as JSON has it: a machine wrote it
        ("$39.00", 39.0),
        ("US$39", 39.0),
        ("39,00 €", 39.0),
        ("39,00\u00a0€", 39.0),
        ("€39,5", 39.5),
        ("EUR 39.00", 39.0),
        ("39.00 USD", 39.0),
        ("39.95 dollars", 39.95),
        ("1.299,00 EUR", 1299.0),
        ("1,299.00", 1299.0),
        ("1,299", 1299.0),
        ("1.299 €", 1299.0),
        ("$1,234,567.89", 1234567.89),
        ("1\u202f299,00 €", 1299.0),
        ("1'299.00 CHF", 1299.0),
        ("CHF 39.-", 39.0),
        ("39,- €", 39.0),
        ("0,999 €", 0.999),
        ("₹1,29,900.00", 129900.0),
        ("Rs. 500", 500.0),
        ("R$ 1.299,00", 1299.0),
        ("￥3,900", 3900.0),
        ("3900円", 3900.0),
        ("399 kr.", 399.0),
        ("39,00 zł", 39.0),
        ("KWD 1.250", 1.25),
        ("£0.99", 0.99),
    ],
)
def test_a_price_is_read_with_either_decimal_mark(text: str, amount: float) -> None:
    assert amount_in(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        "", "on request", "from $39", "$39 - $49", "-5", "39%", "2 for $30", "1.2.3", "1,29,9", "39 49 59", "$", "NaN",
        "12.50.1 €", "9" * 100, "1,299.00,00",
    ],
)  # fmt: skip
def test_what_is_no_single_price_is_none(text: str) -> None:
    assert amount_in(text) is None
