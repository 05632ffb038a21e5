"""When a message was sent, however a table writes it, as a number that orders: ISO, seconds since 1970, local forms."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from convsim.errors import InputError

Key = Callable[[str], float | None]
"""Gives the number that a cell orders by; None where it cannot be read."""

NUMBER = "number"
ISO = "iso"
MAIL = "rfc2822"
MOST_UNREAD = 0.02
"""Cells of a sample that a form may leave unread."""
GLANCE = 20
"""Cells of which half must look like times before any form is tried."""
DATES = {
    "dmy": r"%d{0}%m{0}%Y",
    "mdy": r"%m{0}%d{0}%Y",
    "ymd": r"%Y{0}%m{0}%d",
    "dmy2": r"%d{0}%m{0}%y",
    "mdy2": r"%m{0}%d{0}%y",
}
CLOCKS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H:%M:%S.%f", "%H.%M")
JOINTS = (" ", ", ", "T", " - ")
NAMED = (
    "%b %d, %Y {0}", "%b %d %Y {0}", "%B %d, %Y {0}", "%d %b %Y {0}", "%d %B %Y {0}",
    "%a %b %d {0} %Y", "%Y年%m月%d日 {0}", "%d-%b-%Y {0}",
)  # fmt: skip
CLOCKS_ALONE = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
DIGIT = re.compile(r"\d")
TIMELY = re.compile(
    r"(?=.*\d\d)(?=.*\d\D{1,4}\d)(?:[^\W\d_]{1,10}[.,]?\s*){0,2}[\d:.,/+()年月日-].{0,40}", re.DOTALL
)
"""What a time looks like at a glance: two digits, and something that parts numbers; at most two words before."""
ZONE = re.compile(r"\s*(?:UTC|GMT|Z)$")
PLAIN_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d+)?")
MAX_CHARACTERS = 64


def number_of(text: str) -> float | None:
    """Return the number that a cell is, with either decimal mark; None where it is none."""
    if len(text) > MAX_CHARACTERS or not PLAIN_NUMBER.fullmatch(text := text.strip()):
        return None
    return float(text.replace(",", "."))


def _iso(text: str) -> float | None:
    try:
        found = datetime.fromisoformat(ZONE.sub("+00:00", text.strip()))
    except ValueError:
        return None
    return _seconds(found)


def _mail(text: str) -> float | None:
    try:
        return _seconds(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError):
        return None


def _seconds(found: datetime) -> float | None:
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, ValueError):
        return None


@lru_cache(maxsize=512)
def key_of(form: str) -> Key:
    """Return what reads cells of a form: ``number``, ``iso``, ``rfc2822`` or ``strptime``'s; raises InputError."""
    if form == NUMBER:
        return number_of
    if form in (ISO, MAIL):
        reads = _iso if form == ISO else _mail
        return lambda text: reads(text) if len(text) <= MAX_CHARACTERS else None
    if "%" not in form:
        raise InputError(
            f'order.form = "{form}": must be number, iso, rfc2822 or a form such as "%d.%m.%Y %H:%M"'
        )
    try:
        datetime.strptime("", form)
    except ValueError as problem:
        if "does not match" not in str(problem) and "unconverted" not in str(problem):
            raise InputError(f'order.form = "{form}": {problem}') from None

    def reads_form(text: str) -> float | None:
        try:
            return _seconds(datetime.strptime(ZONE.sub("", text.strip()[:MAX_CHARACTERS]), form))
        except ValueError:
            return None

    return reads_form


def forms_of(cells: Sequence[str], most_unread: float = MOST_UNREAD) -> tuple[str, ...]:
    """Return the forms of time that cells of one column can have, the usual ones first; none where they are no times.

    Whole numbers are times only where they are seconds, milliseconds, micro- or nanoseconds of the years 1990 to 2100.
    Of the cells, a proportion of ``most_unread`` may be no times.
    """
    cells = [cell for cell in cells if cell.strip()]
    if not cells:
        return ()
    if _fits(lambda text: _epoch(number_of(text)), cells, most_unread):
        return (NUMBER,)
    glance = cells[:GLANCE]
    timely = [cell for cell in glance if len(cell) <= MAX_CHARACTERS and TIMELY.fullmatch(cell)]
    if 2 * len(timely) < len(glance):
        return ()
    forms = (ISO, *_local_forms(DIGIT.sub("1", timely[0].strip())), MAIL)
    return tuple(form for form in forms if _fits(key_of(form), cells, most_unread))


def _epoch(number: float | None) -> bool | None:
    """Tell whether a number is a time since 1970 in one of the usual units."""
    if number is None:
        return None
    return any(631e6 <= number / unit <= 4.1e9 for unit in (1, 1e3, 1e6, 1e9)) or None


def _fits(reads: Callable[[str], object], cells: Sequence[str], most_unread: float) -> bool:
    unread, most = 0, most_unread * len(cells)
    for cell in cells:
        unread += reads(cell) is None
        if unread > most:
            return False
    return True


@lru_cache(maxsize=512)
def _local_forms(example: str) -> list[str]:
    """Return the forms that a cell can have, all of whose digits are 1, of those that are usual in some country."""
    found = re.search(r"\d(\D)\d", example)
    joint = found[1] if found and found[1] in "./-" else "."
    dates = [date.format(joint) for date in DATES.values()]
    forms = [f"{date}{join}{clock}" for date in dates for join in JOINTS for clock in CLOCKS]
    forms += [named.format(clock) for named in NAMED for clock in CLOCKS]
    return [form for form in (*forms, *dates, *CLOCKS_ALONE) if key_of(form)(example) is not None]
