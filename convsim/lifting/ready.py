"""What every call of a part needs is looked at before the first one: keys, models, recordings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable


@runtime_checkable
class Checkable(Protocol):
    """A model, or what asks one, that can say beforehand that it lacks something."""

    async def check_ready(self) -> None:
        """Load, or look at, what each call needs; raises InputError."""
        ...


async def check_ready(parts: Iterable[object]) -> None:
    """Ask shoppers, agents and annotators, and the models behind them, each once, whether they lack something.

    Raises:
        InputError: A key is missing, or a model or a recording cannot be read.
    """
    for part in {id(part): part for part in _with_parts_of(parts)}.values():
        if isinstance(part, Checkable):
            await part.check_ready()


def _with_parts_of(parts: Iterable[object]) -> Iterator[object]:
    """Yield parts, and the agent and model that each of them asks."""
    for part in parts:
        yield part
        within = (getattr(part, name, None) for name in ("agent", "model"))
        yield from _with_parts_of(each for each in within if each is not None and not isinstance(each, str))
