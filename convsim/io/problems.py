"""What is wrong with a value that was read, said in one line that is safe to print."""

from __future__ import annotations

import re

from pydantic import ValidationError

from convsim._text import wrong
from convsim.schema.record import MOST, UNKNOWN_KEY

MAX_SHOWN = 60
PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")

TOO_MUCH = f"its tokens, seconds or dollars must be at least 0 and add up to at most {MOST:,}"


class MalformedError(Exception):
    """A value that cannot be read; ``field`` is its place in its document, None for the whole of it.

    ``line`` is where the document itself stands, for whoever reads several; ``placed`` says that the place is whole.
    """

    def __init__(
        self, problem: str, *, field: str | None = None, line: int | None = None, placed: bool = False
    ):
        super().__init__(problem)
        self.problem, self.field, self.line, self.placed = problem, field, line, placed

    def inside(self, place: str) -> MalformedError:
        """Return the same problem, one step deeper: ``place`` is where the document itself lies."""
        step = "" if self.field is None else self.field if self.field.startswith("[") else f".{self.field}"
        return MalformedError(self.problem, field=f"{place}{step}", line=self.line)


def shown(value: object, *, limit: int = MAX_SHOWN) -> str:
    """Show a value from a file: short, on one line, control characters escaped."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, str):
        return repr(value) if len(value) <= limit else f"{value[:limit]!r}… ({len(value):,} characters)"
    return repr(value)[:limit]


def first_problem(error: ValidationError, document: object) -> MalformedError:
    """Turn pydantic's complaint about ``document`` into its first problem, at its place in the file."""
    first = error.errors(include_url=False)[0]
    kind, steps = first["type"], first["loc"]
    if kind == "missing":
        place, _ = _place(document, steps[:-1])
        return MalformedError("is required, but is missing", field=f"{place or ''}{_step(steps[-1], place)}")
    place, found = _place(document, steps)
    if kind == UNKNOWN_KEY:
        return MalformedError(first["msg"], field=place)
    if kind in ("value_error", "string_too_short"):
        return MalformedError(wrong(first)[:200], field=place)
    if kind == "literal_error":
        expected = str(first["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
        return MalformedError(f"must be one of {expected}, but is {shown(found)}", field=place)
    return MalformedError(f"{wrong(first)[:200]}, but is {shown(found)}", field=place)


def _place(document: object, steps: tuple[int | str, ...]) -> tuple[str | None, object]:
    """Follow pydantic's steps through the document, and return the place with what is found there.

    Steps that are not in the document are the model's own, such as the members of a union.
    """
    place, at = "", document
    for step in steps:
        if isinstance(step, int) and isinstance(at, list | tuple) and step < len(at):
            place, at = f"{place}[{step}]", at[step]
        elif isinstance(step, str) and isinstance(at, dict) and step in at:
            place, at = place + _step(step, place), at[step]
    return place or None, at


def _step(key: int | str, place: str | None) -> str:
    if not PLAIN_KEY.fullmatch(str(key)):
        return f"[{shown(key)}]"
    return f".{key}" if place else str(key)
