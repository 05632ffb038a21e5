"""What models say of themselves: before the first call that they lack something, after the last what they learned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
    for part in {id(part): part for part in with_parts_of(parts)}.values():
        if isinstance(part, Checkable):
            await part.check_ready()


@runtime_checkable
class Learns(Protocol):
    """A model that learns how its server is to be asked."""

    @property
    def name(self) -> str:
        """What it is called in records."""
        ...

    @property
    def learned(self) -> Mapping[str, str]:
        """What is done otherwise than usual, by what."""
        ...


def learned_by(parts: Iterable[object]) -> dict[str, dict[str, str]]:
    """Return what the models behind shoppers, agents and annotators have learned of their servers, by model."""
    found: dict[str, dict[str, str]] = {}
    for part in {id(part): part for part in with_parts_of(parts)}.values():
        if isinstance(part, Learns) and part.learned:
            found.setdefault(part.name, {}).update(part.learned)
    return found


def with_parts_of(parts: Iterable[object]) -> Iterator[object]:
    """Yield parts, the agent and model that each of them asks, and the models that stand in for one another."""
    for part in parts:
        yield part
        in_order = getattr(part, "in_order", None)
        if isinstance(in_order, list | tuple):
            yield from with_parts_of(in_order)
            continue
        within = (getattr(part, name, None) for name in ("agent", "model"))
        yield from with_parts_of(each for each in within if each is not None and not isinstance(each, str))
