"""Finds what the messages of a conversation are ordered by: numbers of turns, times, or the file alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from convsim.errors import InputError
from convsim.io.problems import shown
from convsim.io.table.profile import ALIKE, NAMED, Column
from convsim.io.table.refusing import quoted, two_readings
from convsim.io.table.structure import Groups, is_turn_number
from convsim.io.table.times import CLOCKS_ALONE, NUMBER, forms_of, key_of

BROKEN = 0.5
"""The share of a column's values that may be no times where the others show that it tells times."""
RISING = 0.9
"""The share of neighbours in a conversation that numbers must order as the file does where nothing else shows it."""


def ordered(
    path: Path, columns: Sequence[Column], groups: Groups, stated: str | None
) -> tuple[Column | None, str | None, str]:
    """Choose what messages are ordered by.

    Args:
        path: As errors call the file.
        columns: Those that mean nothing else.
        groups: The conversations.
        stated: The form of times that a mapping states.

    Returns:
        The column, or None; the form of its cells; and why.

    Raises:
        InputError: Two columns, or two forms, order otherwise; or too many cells of a column of times are none.
    """
    found: list[tuple[float, Column, str, str]] = []
    clock = ""
    for column in columns:
        if column.filled < 0.9 or groups.constant(column) > 0.5:
            continue
        hint = column.hints.get("order", 0.0)
        if stated is not None:
            if (
                column.n_filled
                and sum(key_of(stated)(cell) is not None for cell in column.cells) >= RISING * column.n_filled
            ):
                found.append((2 + hint, column, stated, "times"))
        elif column.forms and all(form in CLOCKS_ALONE for form in column.forms):
            if groups.rises([key_of(column.forms[0])(cell) for cell in column.cells]) >= RISING:
                clock = (
                    f"{shown(column.name)} has no date; the order of the file, which it agrees with, is kept"
                )
            else:
                found.append((hint, column, "", "times without a date"))
        elif groups.counts_turns(column):
            found.append((3 + hint, column, NUMBER, "numbers the messages of each conversation"))
        elif column.forms:
            found.append((2 + hint, column, "", "times"))
        elif column.numbers and (hint >= NAMED or is_turn_number(column)):
            rising = groups.rises([key_of(NUMBER)(cell) for cell in column.cells])
            if rising >= RISING:
                found.append((1 + hint, column, NUMBER, "numbers that rise in each conversation"))
    if not found and stated is not None:
        raise InputError(f"{path}: order.form = {quoted(stated)} of the mapping fits the cells of no column")
    if not found:
        for column in columns:
            if not column.forms and groups.constant(column) <= 0.5:
                _refuse_broken_times(path, column)
        return (
            None,
            None,
            clock or "nothing orders the messages of a conversation but the file, whose order is kept",
        )
    found.sort(key=lambda choice: (-choice[0], choice[1].place))
    _, column, form, why = found[0]
    form = form or form_of(path, column, groups)
    _check(path, found, form, groups)
    return column, form, why if form == NUMBER and why != "times" else f"{why} ({form})"


def form_of(path: Path, column: Column, groups: Groups | None) -> str:
    """Return the form of a column's times; raises InputError where two order its messages differently."""
    if column.numbers:
        return NUMBER
    if not column.forms:
        _refuse_broken_times(path, column)
        raise InputError(
            f"{path}: column {shown(column.name)} is to order messages; {shown(column.example)} is neither "
            'a number nor a known time; state its form in a file for --map: order.form = "%d.%m.%Y %H:%M"'
        )
    keys = {form: [key_of(form)(cell) for cell in column.cells] for form in column.forms}
    rising = {form: groups.rises(keys[form]) if groups is not None else 1.0 for form in column.forms}
    best = max(column.forms, key=lambda form: rising[form])
    for other in column.forms:
        if other == best or (rising[best] >= RISING and rising[best] - rising[other] > 0.02):
            continue
        for rows in groups.rows if groups is not None else ():
            a, b = keys[best], keys[other]
            if sorted(rows, key=lambda at: (a[at] or math.inf, at)) != sorted(
                rows, key=lambda at: (b[at] or math.inf, at)
            ):
                raise InputError(
                    f"{path}: {shown(column.example)} in column {shown(column.name)} can be read as {best} or "
                    f"as {other}; state which in a file for --map, one line: order.form = {quoted(best)}"
                )
    return best


def _refuse_broken_times(path: Path, column: Column) -> None:
    """Raise InputError where most values of a column are times of one form, and the others none."""
    for form in () if column.numbers else forms_of(list(column.counts), BROKEN)[:1]:
        bad = {value: n for value, n in column.counts.items() if key_of(form)(value) is None}
        raise InputError(
            f"{path}: {shown(next(iter(bad)))} in column {shown(column.name)} is no time, as most of its cells are "
            f"({form}); {sum(bad.values()):,} of {column.n_filled:,} are none: correct them, or state columns.order = "
            f"{quoted(column.name)} and order.form = {quoted(form)} in a file for --map, which leaves their rows where "
            "they stand"
        )


def _check(path: Path, found: list[tuple[float, Column, str, str]], form: str, groups: Groups) -> None:
    """Check that a column that orders as well does not order otherwise; raises InputError."""
    best = found[0]
    for score, other, other_form, _ in found[1:]:
        if best[0] - score >= ALIKE:
            continue
        keys, others = key_of(form), key_of(other_form or form_of(path, other, groups))
        a, b = [keys(cell) for cell in best[1].cells], [others(cell) for cell in other.cells]
        for rows in groups.rows:
            if sorted(rows, key=lambda at: (a[at] or 0, at)) != sorted(rows, key=lambda at: (b[at] or 0, at)):
                raise two_readings(path, "order", [best[1], other])
