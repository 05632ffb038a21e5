"""Times are told by their form, whatever country wrote them, and read as what orders."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from convsim.io.table.times import forms_of, key_of, number_of

AT = datetime(2026, 3, 25, 16, 5, 9, tzinfo=UTC).timestamp()
MINUTE = AT - 9


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("2026-03-25T16:05:09Z", AT),
        ("2026-03-25 16:05:09", AT),
        ("2026-03-25 16:05:09 UTC", AT),
        ("2026-03-25T18:05:09+02:00", AT),
        ("2026-03-25 16:05:09.250", AT + 0.25),
        ("25.03.2026 16:05:09", AT),
        ("25.03.2026, 16:05", MINUTE),
        ("25/03/2026 16:05", MINUTE),
        ("03/25/2026 04:05:09 PM", AT),
        ("3/25/26 4:05 PM", MINUTE),
        ("2026/03/25 16:05:09", AT),
        ("2026年3月25日 16:05:09", AT),
        ("Mar 25, 2026 16:05:09", AT),
        ("25 Mar 2026 16:05", MINUTE),
        ("Wed, 25 Mar 2026 16:05:09 +0000", AT),
        ("Wed Mar 25 16:05:09 2026", AT),
        ("25-Mar-2026 16:05:09", AT),
    ],
)
def test_a_time_is_told_and_read(cell: str, seconds: float) -> None:
    forms = forms_of([cell] * 3)
    assert forms
    assert key_of(forms[0])(cell) == seconds


@pytest.mark.parametrize("cell", ["1774454709", "1774454709.5", "1774454709000", "1774454709000000"])
def test_seconds_since_1970_are_told_in_any_unit(cell: str) -> None:
    assert forms_of([cell]) == ("number",)


@pytest.mark.parametrize(
    "cell", ["7", "hello there", "c-0012", "4f2a-11", "39,00", "42 boots for 2 people", "2.4", ""]
)
def test_what_is_no_time_is_none(cell: str) -> None:
    assert forms_of([cell]) == ()


def test_times_are_told_where_the_first_of_many_is_none() -> None:
    assert forms_of(["n/a", *(f"25.03.2026 10:{minute:02}" for minute in range(60))]) == ("%d.%m.%Y %H:%M",)


def test_a_day_above_twelve_tells_days_from_months() -> None:
    assert forms_of(["03/04/2026 10:00", "13/04/2026 10:00"]) == ("%d/%m/%Y %H:%M",)
    assert forms_of(["03/04/2026 10:00", "03/14/2026 10:00"]) == ("%m/%d/%Y %H:%M",)
    assert set(forms_of(["03/04/2026 10:00"])) == {"%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"}


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1,5", 1.5), (" 12 ", 12), ("-3e2", -300), ("1.000,5", None), ("٣", 3), ("inf", None), ("nan", None)],
)
def test_numbers_are_read_with_either_decimal_mark(cell: str, number: float | None) -> None:
    assert number_of(cell) == number
