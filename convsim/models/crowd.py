"""Does many pieces of work at a time: a stated number, or as many as the endpoints take that are asked for it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Literal, Protocol, cast

from convsim.models.gates import Supply, Taken, adapting

Concurrency = int | Literal["auto"]
"""How many at a time: a number, or what endpoints take."""
AUTO: Literal["auto"] = "auto"


def checked_concurrency(stated: object) -> Concurrency:
    """Return how many at a time, as text has it too; raises ValueError where it is no number from 1, and not "auto"."""
    number = int(stated) if isinstance(stated, str) and stated.isdecimal() else stated
    if number == AUTO:
        return AUTO
    if isinstance(number, int) and not isinstance(number, bool) and number >= 1:
        return number
    raise ValueError('must be a whole number from 1 or "auto"')


class Elsewhere(Protocol):
    """Workers that say how much of the work they take."""

    @property
    def wanted(self) -> int:
        """How much they take at a time, all together."""
        ...

    def listen(self, on_change: Callable[[], None]) -> None:
        """Have a function called when they may take more."""
        ...


class Crowd:
    """Members that each do one piece after another until there is none left.

    Args:
        work: Does one piece; False where there is none left for whoever asked.
        concurrency: How many members.
        most: As many at most where endpoints say how many.
        elsewhere: Who does the work, and so hears from endpoints, if not this process.
    """

    def __init__(
        self, work: Callable[[], Awaitable[bool]], concurrency: Concurrency, *, most: int,
        elsewhere: Elsewhere | None = None,
    ):  # fmt: skip
        self._work, self._concurrency, self._most = work, concurrency, most
        adapts = concurrency == AUTO
        self._elsewhere = elsewhere if adapts else None
        self._supply = Supply(most, on_change=self._may_grow) if adapts and elsewhere is None else None
        if self._elsewhere is not None:
            self._elsewhere.listen(self._may_grow)
        self.tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []
        self._grows = True

    @property
    def taken(self) -> dict[str, Taken]:
        """What endpoints took at a time; nothing where a number was stated."""
        return self._supply.taken if self._supply else {}

    async def run(self, *, ends_together: bool = False) -> list[BaseException]:
        """Run to the end, and return what members have raised; ``ends_together`` cancels the others at the first.

        Raises:
            asyncio.CancelledError: Whoever waits was cancelled; all members have been, too.
        """
        self._ends_together, self._loop = ends_together, asyncio.get_running_loop()
        with self._adapting():
            # Not of whatever makes it grow: that is in the middle of something.
            self._context = contextvars.copy_context()
            self._fill()
            try:
                while self.tasks:
                    await asyncio.wait(self.tasks)
            except asyncio.CancelledError:
                self._grows = False
                for task in self.tasks:
                    task.cancel()
                while self.tasks:
                    await asyncio.wait(self.tasks)
                raise
            finally:
                self._grows = False
        return self._failures

    @contextmanager
    def _adapting(self) -> Iterator[None]:
        with adapting(self._supply) if self._supply else contextlib.nullcontext():
            yield

    @property
    def _wanted(self) -> int:
        if self._elsewhere is not None:
            return min(self._most, self._elsewhere.wanted)
        return self._supply.wanted if self._supply else int(self._concurrency)

    def _fill(self) -> None:
        while self._grows and len(self.tasks) < self._wanted:
            task = self._loop.create_task(self._member(), context=self._context.copy())
            self.tasks.add(task)
            task.add_done_callback(self._ended)

    async def _member(self) -> None:
        while await self._work():
            if len(self.tasks) > self._wanted:
                # At once, so that of those that end in the same moment only so many leave.
                self.tasks.discard(cast("asyncio.Task[None]", asyncio.current_task()))
                return
        self._grows = False

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if task.cancelled() or (failure := task.exception()) is None:
            return
        self._grows = False
        self._failures.append(failure)
        if self._ends_together:
            for other in self.tasks:
                other.cancel()

    def _may_grow(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._fill)
