"""Reads a price that is written as a text: a number with either decimal mark, and perhaps a currency's sign or code."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files

from convsim._inputs import read_toml
from convsim.text.constraints import NAME

MAX_CHARACTERS = 60
NUMERAL = re.compile(r"\d(?:[\d.,'’ ]*\d)?")
AS_IN_JSON = re.compile(r"\d+(?:\.\d+)?")
NO_CENTS = re.compile(r"^\s?[.,][-–—]+")
"""As in “39,-”."""
PARTS = re.compile(r"[^\W\d_]+|\S")
GROUPED = re.compile(r"\d{1,3}(?P<mark>[.,'’ ])(?:\d{2,3}(?P=mark))*\d{3}|\d+")
"""Whole numbers with marks between the thousands, or as in India."""


def amount_in(text: str) -> float | None:
    """Return the amount that a text is, and nothing else; None where it is none, such as “from $39” or “on request”.

    The last of two different marks, and a lone one, is the decimal mark. A lone one before exactly three digits parts
    thousands, as in “1.299 €” and “1,299”; but a text that is a number as in JSON, such as “1.299”, is that number, and
    currencies of thousandths have three decimals.
    """
    text = unicodedata.normalize("NFKC", text[: 4 * MAX_CHARACTERS]).strip()
    if len(text) > MAX_CHARACTERS:
        return None
    if AS_IN_JSON.fullmatch(text):
        return float(text)
    found = NUMERAL.search(text)
    if found is None:
        return None
    beside = f"{text[: found.start()]} {NO_CENTS.sub(' ', text[found.end() :])}"
    if any(character.isdigit() for character in beside):
        return None
    parts = PARTS.findall(beside)
    return _number(found[0], parts) if all(map(_is_currency, parts)) else None


def _is_currency(part: str) -> bool:
    is_code = len(part) == 3 and part.isascii() and part.isupper()
    return (
        is_code
        or part == "."
        or unicodedata.category(part[0]) == "Sc"
        or part.lower() in _currencies()["words"]
        or re.fullmatch(NAME, part.lower()) is not None
    )


def _number(numeral: str, currency: list[str]) -> float | None:
    marks = [character for character in numeral if character in ".,"]
    whole, decimals = numeral, ""
    if marks and numeral.count(marks[-1]) == 1:
        before, after = numeral.rsplit(marks[-1], 1)
        is_thousands = len({*marks}) == 1 and len(after) == 3 and before.strip("0") != ""
        if not is_thousands or not _currencies()["thousandths"].isdisjoint(currency):
            whole, decimals = before, after
    if not GROUPED.fullmatch(whole) or (decimals and not decimals.isdigit()):
        return None
    return float(f"{re.sub('[^0-9]', '', unicodedata.normalize('NFKC', whole))}.{decimals or 0}")


@cache
def _currencies() -> dict[str, frozenset[str]]:
    content = read_toml(files("convsim.text").joinpath("currencies.toml"))
    return {name: frozenset(map(str, said)) for name, said in content.items() if isinstance(said, list)}
