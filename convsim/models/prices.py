"""What a completion costs: a small table that the user can extend; an unknown price is null, never 0."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationError

from convsim._inputs import read_toml
from convsim._text import complaint
from convsim.errors import InputError
from convsim.schema.record import Record

Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]
HIGHEST = 10**6
"""US dollars per million tokens; what costs more than a dollar a token is a slip of the pen."""
PerMillion = Annotated[float, Field(ge=0, le=HIGHEST, allow_inf_nan=False)]


class Price(Record):
    """What one model costs at one host (or anywhere), in US dollars per million tokens."""

    model_config = ConfigDict(strict=True)
    model: str
    host: str | None = None
    input: PerMillion
    output: PerMillion

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """Return the cost in US dollars of so many tokens."""
        return (input_tokens * self.input + output_tokens * self.output) / 1_000_000


class _Table(Record):
    price: tuple[Price, ...] = ()


def price_of(model: str, host: str, *, table: Path | None = None) -> Price | None:
    """Find the price of ``model`` at ``host``, in the user's ``table`` first; None where it is unknown.

    Raises:
        InputError: The user's table cannot be read.
    """
    rows = (*(_read(table) if table else ()), *_built_in())
    return next((row for row in rows if row.model == model and row.host in (None, host)), None)


@cache
def _built_in() -> tuple[Price, ...]:
    return _Table.model_validate(read_toml(resources.files("convsim.models").joinpath("prices.toml"))).price


def _read(path: Path) -> tuple[Price, ...]:
    content = read_toml(path, what="the price table")
    try:
        return _Table.model_validate(content).price
    except ValidationError as error:
        raise InputError(f"the price table {path}: {complaint(error)}") from None
