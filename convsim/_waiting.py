"""Runs a coroutine to its end from ordinary code, and tells where an event loop is running already (a notebook)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from convsim.errors import InputError

T = TypeVar("T")


def refuse_in_a_loop(called: str, instead: str) -> None:
    """Refuse to block a loop that is running already: what it has to do meanwhile would stand still.

    Raises:
        InputError: A loop is running; it says what to call instead.
    """
    if _in_a_loop():
        raise InputError(
            f"{called} cannot be called where an event loop is running already, as in a notebook or an async function; "
            f"write {instead}"
        )


def run_to_its_end(start: Callable[[], Coroutine[None, None, T]]) -> T:
    """Run what ``start`` begins, and return its result; in a thread of its own where a loop is running already."""
    if not _in_a_loop():
        return asyncio.run(start())
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: asyncio.run(start())).result()


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
