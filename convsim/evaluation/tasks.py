"""Computations in pieces, which somebody may do elsewhere: each piece carries its own seed, so that none sees where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

Shared = TypeVar("Shared")
Piece = TypeVar("Piece")
Result = TypeVar("Result")


class Spread(Protocol):
    """Does pieces wherever it likes: in other processes, on other machines."""

    def __call__(
        self, function: Callable[[Any, Any], Any], pieces: Sequence[Any], shared: Any
    ) -> Iterator[tuple[int, Any]]:
        """Yield the place of each piece and ``function(shared, piece)``, in the order in which they end.

        Raises:
            Exception: What the function raises.
        """
        ...


_spread: ContextVar[Spread | None] = ContextVar("who does pieces; None: whoever asks", default=None)


@contextmanager
def spreading(spread: Spread) -> Iterator[None]:
    """Let ``spread`` do the pieces of all that is computed within."""
    token = _spread.set(spread)
    try:
        yield
    finally:
        _spread.reset(token)


def as_they_end(
    function: Callable[[Shared, Piece], Result], pieces: Sequence[Piece], *, shared: Shared
) -> Iterator[tuple[int, Result]]:
    """Yield the place of each piece and ``function(shared, piece)`` as they end: here, one after the other.

    Within ``spreading`` they end in any order, and what is not to be copied to each of them stands in ``shared``.
    """
    spread = _spread.get()
    if spread is not None:
        yield from spread(function, pieces, shared)
        return
    for place, piece in enumerate(pieces):
        yield place, function(shared, piece)
