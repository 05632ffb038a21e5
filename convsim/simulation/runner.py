"""Holds many conversations at once; one that fails touches no other, and what has ended is on disk."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from convsim.schema.conversation import Conversation
from convsim.simulation.loop import SLIPS, Planned, hold

COLLECT_AFTER = 10_000
"""Objects that pile up before the garbage collector looks, instead of Python's 700 to 2,000.

A prompt of 40 messages is some 150 objects that live as long as its request. With many requests in flight the collector
would walk them all, again and again, and find nothing: at 256 a time it took a fifth of all processor time.
"""

Stop = Literal["finished", "interrupted", "budget"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of a run; ``budget_usd`` counts what this call spends, not what an earlier one has spent."""

    max_turns: int
    concurrency: int
    budget_usd: float | None = None


@dataclass
class Progress:
    """Where a run stands."""

    ended: int = 0
    failed: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    """Conversations that used a model whose price is unknown."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why conversations failed."""
    slips: Counter[str] = field(default_factory=Counter)
    """Role slips, empty and truncated answers, also those that a second try made good."""
    stop: Stop = "finished"
    on_change: Callable[[Progress], None] = field(default=lambda progress: None, repr=False)

    def add(self, conversation: Conversation) -> None:
        """Count one conversation that has ended."""
        self.ended += 1
        if conversation.failure is not None:
            self.failed += 1
            self.reasons[conversation.failure.reason] += 1
        usage = conversation.usage
        if usage and usage.cost_usd is not None:
            self.cost_usd += usage.cost_usd
        elif usage and (usage.input_tokens or usage.output_tokens):
            self.unpriced += 1
        for name in SLIPS:
            if isinstance(count := conversation.metadata.get(name), int):
                self.slips[name] += count
        self.on_change(self)


async def hold_all(
    planned: Iterable[Planned],
    *,
    limits: Limits,
    keep: Callable[[Conversation], None],
    progress: Progress,
    own_loop: bool = True,
) -> None:
    """Hold every planned conversation, at most ``limits.concurrency`` at a time, and ``keep`` each as it ends.

    Where the loop is our own, the first interrupt (Ctrl-C) starts nothing new and finishes what is in flight; a second
    one stops at once. Somebody else's loop keeps its own signals and garbage collector: there a cancellation stops at
    once, after everything in flight has been cancelled. Nothing that has ended is held in memory.
    """
    waiting: Iterator[Planned] = iter(planned)

    async def worker() -> None:
        while progress.stop == "finished":
            if limits.budget_usd is not None and progress.cost_usd >= limits.budget_usd:
                progress.stop = "budget"
                return
            following = next(waiting, None)
            if following is None:
                return
            conversation = await hold(following, max_turns=limits.max_turns)
            keep(conversation)
            progress.add(conversation)

    tasks = [asyncio.create_task(worker()) for _ in range(limits.concurrency)]
    with _as_our_own(tasks, progress) if own_loop else contextlib.nullcontext():
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result


@contextlib.contextmanager
def _as_our_own(tasks: list[asyncio.Task[None]], progress: Progress) -> Iterator[None]:
    with _interruptible(tasks, progress), _rarely_collecting():
        yield


@contextlib.contextmanager
def _rarely_collecting() -> Iterator[None]:
    before = gc.get_threshold()
    # 0 means that the collector has been switched off: that is left so.
    gc.set_threshold(before[0] and max(before[0], COLLECT_AFTER), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextlib.contextmanager
def _interruptible(tasks: list[asyncio.Task[None]], progress: Progress) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if progress.stop == "interrupted":
            for task in tasks:
                task.cancel()
        progress.stop = "interrupted"
        progress.on_change(progress)

    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    except (NotImplementedError, RuntimeError, ValueError):
        # Not in the main thread, or no such signals on this system: Ctrl-C then stops at once.
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
