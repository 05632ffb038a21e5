"""Computations in pieces, which somebody may do elsewhere: each piece carries its own seed, so that none sees where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Protocol, TypeVar

NUMBERS_OF_A_TASK = 100_000
"""Numbers, of which a model is fitted or a thousand replicates are summed, that are worth sending: tens of ms."""

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


def in_tasks(
    function: Callable[[Shared, Piece], Result],
    pieces: Sequence[Piece],
    *,
    shared: Shared,
    n_numbers: int,
    threads: int = 1,
) -> list[Result]:
    """Return ``function(shared, piece)`` of each piece, in their order, however many do them.

    What a piece returns hangs on nothing but the two: it draws from a seed of its own, if at all.

    Args:
        function: Of a module, so that another process finds it.
        pieces: What differs from piece to piece; small.
        shared: What all of them need; sent once.
        n_numbers: How many numbers a piece computes with: with few it would take longer to send it than to do it, so
            that it is done here.
        threads: How many are done at a time here.
    """
    if _spread.get() is not None and len(pieces) > 1 and n_numbers >= NUMBERS_OF_A_TASK:
        done = dict(as_they_end(function, pieces, shared=shared))
        return [done[place] for place in range(len(pieces))]
    if threads == 1:
        return [function(shared, piece) for piece in pieces]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(partial(function, shared), pieces))
