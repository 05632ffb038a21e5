"""A run in which nothing but the same failure happens: it is stopped, with the reason and the setting that helps."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib.resources import files

from pydantic import BaseModel

from convsim._inputs import read_toml
from convsim._progress import kind_of
from convsim.schema.conversation import Failure

EQUAL_FAILURES = 5
"""So many equal failures stop a run in which no conversation has succeeded."""
MAX_KINDS = 1_000


def kind_of_failure(failure: Failure) -> str:
    """Return whose failure it is and its reason without quotations, ids and numbers: equal for equal failures."""
    return f"{failure.actor}: {kind_of(failure.reason)}"


class _Remedy(BaseModel):
    says: str
    advice: str
    actor: str | None = None


@cache
def _remedies() -> tuple[_Remedy, ...]:
    table = read_toml(files("convsim.simulation").joinpath("remedies.toml"))["remedy"]
    return tuple(_Remedy.model_validate(row) for row in table) if isinstance(table, list) else ()


def remedy(reason: str, actor: str | None = None) -> str | None:
    """Return which setting helps against a failure; None where none is known."""
    for each in _remedies():
        if each.actor in (None, actor) and re.search(each.says, reason, re.IGNORECASE):
            return each.advice
    return None


class Watch:
    """Tells whether a run fails and nothing else, once what is in flight has shown it too.

    A conversation that fails ends earlier than one that succeeds. So nothing new begins after equal failures alone, but
    the run stops only where none of those that are running succeeds.
    """

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.succeeded = False
        self._running = 0
        self._change = asyncio.Event()

    @property
    def fails(self) -> bool:
        """Whether nothing has succeeded, and the same has failed often enough."""
        return not self.succeeded and max(self.kinds.values(), default=0) >= EQUAL_FAILURES

    async def may_begin(self, is_over: Callable[[], bool]) -> bool:
        """Say whether another conversation may begin, and count it in; ``is_over`` ends the waiting."""
        while self.fails and self._running and not is_over():
            await self._change.wait()
        if self.fails or is_over():
            return False
        self._running += 1
        return True

    def count(self, failure: Failure | None) -> None:
        """Count how a conversation has ended; without a failure it has succeeded."""
        if failure is None:
            self.succeeded = True
            self.kinds.clear()
        elif not self.succeeded and len(self.kinds) < MAX_KINDS:
            self.kinds[kind_of_failure(failure)] += 1

    def left(self) -> None:
        """Count out one that was counted in, however it has ended."""
        self._running -= 1
        self._change.set()
        self._change = asyncio.Event()
