"""What the listener knows of English: ``words.toml``, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from convsim._inputs import read_toml


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Negating(_Table):
    """Words that say that what follows, or precedes, is unwanted."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    listing: tuple[str, ...]
    harmless: tuple[str, ...]
    closing: tuple[str, ...]
    pointing: tuple[str, ...]


class Money(_Table):
    """Patterns of amounts; ``around_factor`` is how far above "around 50" still passes."""

    below: tuple[str, ...]
    at_most: tuple[str, ...]
    around: tuple[str, ...]
    at_least: tuple[str, ...]
    between: tuple[str, ...]
    around_factor: float
    units: tuple[str, ...]
    cheaper: tuple[str, ...]


class Sizes(_Table):
    """What stands before a size, and the words that name one."""

    before: tuple[str, ...]
    unmistakable: tuple[str, ...]
    counted: tuple[str, ...]
    names: dict[str, str]


class Asides(_Table):
    """Patterns of messages after which what was shown is set aside."""

    any: tuple[str, ...]


class Forgetting(_Table):
    """Patterns after which a wish no longer counts."""

    any: tuple[str, ...]
    facets: dict[str, str]


class English(_Table):
    """All of ``words.toml``."""

    ignored: frozenset[str]
    unfolded: frozenset[str]
    vague: frozenset[str]
    possessive: frozenset[str]
    correcting: tuple[str, ...]
    adding: tuple[str, ...]
    same: dict[str, str]
    categories: dict[str, str]
    narrower: dict[str, tuple[str, ...]]
    negating: Negating
    money: Money
    sizes: Sizes
    asides: Asides
    forgetting: Forgetting


@cache
def english() -> English:
    """Return the words, from the file beside this module."""
    return English.model_validate(read_toml(Path(__file__).parent / "lexicon" / "en" / "requests.toml"))
