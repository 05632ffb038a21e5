"""Text of strangers made safe to print, and the lines that refuse what they wrote."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from convsim._secrets import redact

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

MAX_LENGTH = 200
MAX_LISTED = 12
MAX_READ = 4096
"""Characters of a long text that a line is made of: a secret among them must not be cut before it is found."""
NO_UTF_8 = re.compile(rb"\\x([89a-f][0-9a-f])")
"""How ``path_text`` writes a byte that is no UTF-8."""
HIDDEN = ("Cc", "Cf", "Cs")
SELDOM = re.compile(r"[^\n\t\x20-\x7e]")
KEPT_FORMATS = "\n\t\u00ad\u061c\u200c\u200d\u200e\u200f"
"""Invisible characters that spelling, emoji and scripts need; none of them turns the text around it."""
JOINERS = re.compile("(?<=[^\x00-\x7f\u200c\u200d])[\u200c\u200d](?=[^\x00-\x7f\u200c\u200d])")
"""What joins letters of Persian and Hindi, and emoji, or parts them: kept where it does, and hidden nowhere else."""
NO_VALUE = ("missing", "extra_forbidden")
"""Pydantic's names for complaints that are about a key, not about its value."""
WANTED = {
    "string_type": "text",
    "string_unicode": "text of whole Unicode characters",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    "int_parsing_size": "a shorter whole number",
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    "finite_number": "a finite number",
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("tuple_type", "list_type", "set_type", "frozen_set_type"), "a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "an object"),
}
"""Pydantic's names for a wrong type, and what we call the right one."""
LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("below", "lt"),
}
SIZES = {
    "too_short": ("have at least", "min_length", "entries", "entry", ""),
    "too_long": ("have at most", "max_length", "entries", "entry", ""),
    "string_too_short": ("be at least", "min_length", "characters", "character", " long"),
    "string_too_long": ("be at most", "max_length", "characters", "character", " long"),
}
"""Pydantic's names for what is too short or long, and our words around its bound."""


def described(error: BaseException) -> str:
    """Say in one line what was raised; of pydantic's complaints the record, the place and the first one."""
    from pydantic import ValidationError

    try:
        said = " ".join(redact(str(error)).split())
    except Exception:  # somebody's __str__ may raise anything
        said = ""
    if isinstance(error, ValidationError):
        said = f"{error.title}: {complaint(error)}"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def complaint(error: ValidationError, *, with_value: bool = False) -> str:
    """Say in one line the place and the first of what pydantic complains of, and with ``with_value`` what stood there.

    Where a key is not known, or missing, no value is said: what stands there is not what is wrong.
    """
    first = error.errors(include_url=False, include_input=with_value)[0]
    place = ".".join(str(step) for step in first["loc"])
    said = one_line(f"{place}: {wrong(first)}" if place else wrong(first))
    if not with_value or not place or first["type"] in NO_VALUE:
        return said
    return f"{said}, but is {shown(first['input'])}"


def wrong(complaint: ErrorDetails) -> str:
    """Say one of pydantic's complaints in plain words: ``must be a whole number``, ``is missing``."""
    kind, context = complaint["type"], complaint.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "string_too_short" and context["min_length"] == 1:
        return "must not be empty"
    if kind in WANTED:
        return f"must be {WANTED[kind]}"
    if kind in LIMITS:
        word, key = LIMITS[kind]
        limit = context[key]
        if isinstance(limit, int | float):
            limit = f"{limit:,}".removesuffix(".0")
        return f"must be {word} {limit}"
    if kind in SIZES:
        word, key, many, one, rest = SIZES[kind]
        n = context[key]
        return f"must {word} {n:,} {one if n == 1 else many}{rest}"
    if kind == "string_pattern_mismatch":
        return f"must be text of the form {context['pattern']}"
    if kind in ("literal_error", "enum"):
        return f"must be {context['expected']}"
    said = complaint["msg"].removeprefix("Value error, ")
    return said.replace("Extra inputs are not permitted", "is not known").replace("Input should ", "must ")


def path_text(path: object) -> str:
    r"""Write a path or an argument as text that any file can hold: bytes that are no UTF-8 as ``\xe9``."""
    return os.fsencode(str(path)).decode("utf-8", "backslashreplace")


def path_of(text: str) -> Path:
    """Return the path that ``path_text`` wrote so; where the text is a path itself, that may be another."""
    return Path(os.fsdecode(NO_UTF_8.sub(lambda byte: bytes.fromhex(byte[1].decode()), os.fsencode(text))))


def shown(value: object) -> str:
    """Say a value in one short line."""
    try:
        return f"{one_line(repr(value)):.80}"
    except Exception:  # somebody's repr may raise anything
        return "something that cannot be printed"


def plain(text: str, *, limit: int = 500) -> str:
    """Replace control and formatting characters and secrets, and cut what is longer than ``limit`` characters.

    What joins or parts letters of scripts that need it, and emoji, stays.
    """
    text = redact(text)
    shown = text[:limit]
    kept = set() if shown.isascii() else {match.start() for match in JOINERS.finditer(shown)}
    seen = _visible(shown, "\n\t", kept)
    return seen if len(text) <= limit else seen + "…"


def visible_json(text: str) -> str:
    """Write a document of JSON without control and formatting characters: as its escapes, so that it says the same."""
    return SELDOM.sub(_escaped_if_hidden, text)


def _escaped_if_hidden(found: re.Match[str]) -> str:
    character = found[0]
    if unicodedata.category(character) not in HIDDEN:
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def readable(text: str) -> str:
    """Replace control characters, halves of characters, what turns text around, and secrets; a line break stays one.

    For pages: what spelling, emoji and right-to-left scripts need is kept.
    """
    return _visible(redact(text).replace("\r\n", "\n"), KEPT_FORMATS)


def _visible(text: str, kept: str, places: Collection[int] = ()) -> str:
    if SELDOM.search(text) is None:
        return text
    return "".join(
        c if c in kept or unicodedata.category(c) not in HIDDEN or at in places else "\ufffd"
        for at, c in enumerate(text)
    )


def one_line(text: object) -> str:
    """Join the words of ``text`` without control characters and secrets; 200 characters."""
    said = redact(str(text)[: 2 * MAX_READ])[:MAX_READ]
    printable = "".join(character if character.isprintable() else " " for character in said)
    line = " ".join(printable.split())
    return line if len(line) <= MAX_LENGTH else line[: MAX_LENGTH - 1] + "…"


def listed(parts: Sequence[str], most: int, *, separator: str = ", ") -> str:
    """Name the first ``most`` parts of a list, and how many more there are."""
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return separator.join(parts[:most]) + more


def nearest(key: object, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known key that ``key`` is a misspelling of; None where none is near."""
    found = get_close_matches(str(key)[:80], list(known), n=1, cutoff=cutoff)
    return found[0] if found else None


def refusal(key: object, known: Iterable[str]) -> str:
    """Say that there is no such key, and which is meant: the nearest one, or else those that there are."""
    names = list(known)
    if (meant := nearest(key, names)) is not None:
        return f"no such key; did you mean {meant!r}?"
    known_keys = ", ".join(names[:MAX_LISTED]) + (", …" if len(names) > MAX_LISTED else "")
    return f"no such key; known keys: {known_keys or 'none'}"
