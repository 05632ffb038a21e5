"""A run in which nothing but the same failure happens: it is stopped, with the reason and the setting that helps."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.resources import files

from pydantic import BaseModel

from convsim._inputs import read_toml
from convsim._progress import kind_of
from convsim.schema.conversation import Failure

EQUAL_FAILURES = 5
"""So many equal failures stop a run in which no conversation has succeeded."""
OUTAGE_S = 120.0
"""For how long equal failures alone may follow, once conversations have succeeded: what is out may come back."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 8.0
"""Between the conversations that meanwhile find out whether it has; the first doubles."""
LOOKS_S = 1.0
"""How often one that waits looks whether the run is over."""
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
    the run stops only where none of those that are running succeeds. Once conversations have succeeded, equal failures
    may be an outage that passes: for ``OUTAGE_S`` seconds single conversations try, and the first success ends it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.kinds: Counter[str] = Counter()
        """Of failures since the last success."""
        self.succeeded = False
        self._clock, self._out_since = clock, 0.0
        self._next_at, self._pause_s = 0.0, FIRST_PAUSE_S
        self._running = 0
        self._change = asyncio.Event()

    @property
    def fails(self) -> bool:
        """Whether the same has failed often enough, and nothing has succeeded: ever, or since an outage began."""
        return self._is_out and (not self.succeeded or self._clock() - self._out_since >= OUTAGE_S)

    @property
    def _is_out(self) -> bool:
        return max(self.kinds.values(), default=0) >= EQUAL_FAILURES

    async def may_begin(self, is_over: Callable[[], bool]) -> bool:
        """Say whether another conversation may begin, and count it in; ``is_over`` ends the waiting."""
        while not is_over():
            if self.fails:
                if not self._running:
                    break
                await self._change.wait()
            elif self._is_out and (left := self._next_at - self._clock()) > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._change.wait(), min(left, LOOKS_S))
            else:
                break
        if self.fails or is_over():
            return False
        if self._is_out:
            self._next_at = self._clock() + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._running += 1
        return True

    def count(self, failure: Failure | None) -> None:
        """Count how a conversation has ended; without a failure it has succeeded."""
        if failure is None:
            self.succeeded = True
            self.kinds.clear()
            return
        was_out, kind = self._is_out, kind_of_failure(failure)
        if kind in self.kinds or len(self.kinds) < MAX_KINDS:
            self.kinds[kind] += 1
        if self._is_out and not was_out:
            self._out_since = self._clock()
            self._next_at, self._pause_s = self._out_since, FIRST_PAUSE_S

    def left(self) -> None:
        """Count out one that was counted in, however it has ended."""
        self._running -= 1
        self._change.set()
        self._change = asyncio.Event()
