"""Holds many conversations at once; one that fails touches no other, and what has ended is on disk."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Literal, Protocol

from convsim._aside import aside
from convsim._loggers import logger_of
from convsim._progress import Step, step
from convsim.errors import InputError
from convsim.io.run_folder import fallback_messages
from convsim.models.crowd import AUTO, Concurrency, Crowd, Elsewhere
from convsim.models.fallback import FALLBACK
from convsim.models.gates import Taken
from convsim.models.hearing import Calls, hearing
from convsim.models.pace import MOST
from convsim.schema.conversation import Conversation, used_tokens
from convsim.simulation.failing import Watch, kind_of_failure
from convsim.simulation.loop import AGENT_REASONING, SLIPS, UNREAD, Planned, hold

if TYPE_CHECKING:
    from convsim.simulation.holding import Held

LOG = logger_of(__name__)
COLLECT_AFTER, COLLECT_AFTER_EACH = 10_000, 500
"""Objects that pile up before the garbage collector looks, and more for each of up to ``MOST`` conversations at a time.

A prompt of 50 messages, its body and its conversation are some 500 objects that live for a turn or longer. With many
conversations at a time the collector would walk them all, again and again, and find nothing: at 256 a time and a
threshold of 10,000 it took a third of all processor time.
"""

Stop = Literal["finished", "interrupted", "budget", "uncounted", "refused", "failing"]
"""Uncounted: there is a budget, and a server that does not say what is used of it. Refused: a part lacks what every
conversation needs. Failing: nothing but the same failure has happened."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of a run; ``budget_usd`` counts what this call spends, not what an earlier one has spent."""

    max_turns: int
    concurrency: Concurrency
    most: int = MOST
    """Conversations at a time where endpoints say how many."""
    budget_usd: float | None = None
    fail_fast: bool = True
    """Whether a run stops in which the same failure happens five times, and no conversation succeeds."""


@dataclass
class Progress:
    """Where a run stands."""

    ended: int = 0
    failed: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    """Conversations that used a model whose price is unknown."""
    uncounted: int = 0
    """Conversations in which a server did not count its tokens, so that their cost is unknown."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why conversations failed."""
    actors: dict[str, str | None] = field(default_factory=dict)
    """Whose failure each reason was last."""
    slips: Counter[str] = field(default_factory=Counter)
    """Role slips, empty and truncated answers, also those that a second try made good."""
    unread: Counter[str] = field(default_factory=Counter)
    """What agents' answers held that was not read, and in how many answers."""
    fallbacks: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Messages for which another model than the first answered, by shopper or agent and the model."""
    agent_reasoning: int = 0
    """Answers of agents out of which thinking was taken."""
    stop: Stop = "finished"
    taken: Mapping[str, Taken] = field(default_factory=dict)
    """How many requests each endpoint took at a time, by its address, where no number of conversations was stated."""
    on_change: Callable[[Progress], None] = field(default=lambda progress: None, repr=False)

    def add(self, conversation: Conversation) -> None:
        """Count one conversation that has ended."""
        self.ended += 1
        if conversation.failure is not None:
            self.failed += 1
            self.reasons[conversation.failure.reason] += 1
            self.actors[conversation.failure.reason] = conversation.failure.actor
        usage = conversation.usage
        if usage and usage.cost_usd is not None:
            self.cost_usd += usage.cost_usd
        elif usage and used_tokens(usage):
            self.unpriced += 1
            self.uncounted += None in (usage.input_tokens, usage.output_tokens)
        for name in SLIPS:
            if isinstance(count := conversation.metadata.get(name), int):
                self.slips[name] += count
        if isinstance(count := conversation.metadata.get(AGENT_REASONING), int):
            self.agent_reasoning += count
        self.fallbacks.update(fallback_messages(conversation.metadata.get(FALLBACK)))
        if isinstance(unread := conversation.metadata.get(UNREAD), dict):
            self.unread.update({what: count for what, count in unread.items() if isinstance(count, int)})
        self.on_change(self)


Keep = Callable[[Conversation, bytes | None], None]
"""Writes a conversation down; what else it is given is its line, where another process has made that: then the
conversation comes without its messages."""


class Workforce(Elsewhere, Protocol):
    """Other processes that hold conversations."""

    async def hold(self, planned: Planned) -> Held:
        """Hold one to its end."""
        ...


async def hold_all(
    planned: Iterable[Planned],
    *,
    limits: Limits,
    keep: Keep,
    progress: Progress,
    own_loop: bool = True,
    record: Callable[[Calls], None] | None = None,
    total: int | None = None,
    pool: Workforce | None = None,
) -> None:
    """Hold every planned conversation, ``limits.concurrency`` at a time, and ``keep`` each as it ends.

    Where the loop is our own, the first interrupt (Ctrl-C) starts nothing new and finishes what is in flight; a second
    one stops at once, whatever shoppers and agents do meanwhile: their coroutines run in another thread. Somebody
    else's loop keeps its own signals and garbage collector, and runs them itself: there a cancellation stops at once,
    after everything in flight has been cancelled. Nothing that has ended is held in memory. What models that are
    ``heard`` were asked for a conversation goes to ``record`` before the conversation is kept. ``total`` is how many
    are planned, where that is known. With a ``pool`` other processes hold them.

    Raises:
        InputError: A part lacks what every conversation needs; what is in flight has been finished.
    """
    waiting: Iterator[Planned] = iter(planned)
    watch = Watch()

    async def one_more() -> bool:
        if progress.stop != "finished":
            return False
        if limits.budget_usd is not None and progress.cost_usd >= limits.budget_usd:
            progress.stop = "budget"
            return False
        if limits.budget_usd is not None and progress.uncounted:
            progress.stop = "uncounted"
            return False
        following = next(waiting, None)
        if following is None:
            return False
        if not await watch.may_begin(lambda: progress.stop != "finished"):
            if progress.stop == "finished":
                progress.stop = "failing"
            return False
        try:
            line: bytes | None = None
            if pool is not None:
                held = await pool.hold(following)
                conversation, calls, line, n = held.conversation, held.calls, held.line, held.n_messages
            else:
                conversation, calls = await _here(following, limits, noting=record is not None)
                n = len(conversation.messages)
            if record and calls is not None:
                record(calls)
            keep(conversation, line)
            progress.add(conversation)
            _show(conversation, n, progress, at)
            if limits.fail_fast:
                watch.count(conversation.failure)
        except InputError:
            progress.stop = "refused"
            raise
        finally:
            watch.left()
        return True

    at_a_time = limits.most if limits.concurrency == AUTO else limits.concurrency
    crowd = Crowd(one_more, limits.concurrency, most=limits.most, elsewhere=pool)
    async with aside() if own_loop else contextlib.nullcontext():
        with (
            step("running conversations", total, unit="conversations") as at,
            _as_our_own(crowd.tasks, progress, at_a_time) if own_loop else contextlib.nullcontext(),
        ):
            try:
                failures = await crowd.run()
            finally:
                progress.taken = crowd.taken
    LOG.info(
        "ran %d conversations in %.1f s, %d failed: %s",
        progress.ended,
        at.seconds,
        progress.failed,
        progress.stop,
    )
    for failure in failures:
        raise failure


async def _here(planned: Planned, limits: Limits, *, noting: bool) -> tuple[Conversation, Calls | None]:
    with hearing() if noting else contextlib.nullcontext() as heard:
        conversation = await hold(planned, max_turns=limits.max_turns)
    return conversation, None if heard is None else Calls(id=conversation.id, calls=tuple(heard.calls))


def _show(conversation: Conversation, n_messages: int, progress: Progress, at: Step) -> None:
    """Say that one more has ended, and log how."""
    at.done, at.cost_usd, at.unpriced = progress.ended, progress.cost_usd, bool(progress.unpriced)
    if (failure := conversation.failure) is not None:
        at.fail(
            f"a conversation failed: {failure.actor}: {failure.reason}", LOG, kind=kind_of_failure(failure),
            conversation=conversation.id, actor=failure.actor,
        )  # fmt: skip
        return
    at.tell()
    if LOG.isEnabledFor(logging.DEBUG):
        LOG.debug(
            "the conversation %s ended with %s after %d messages", conversation.id, conversation.ending,
            n_messages, extra={"fields": {"conversation": conversation.id, "arm": conversation.arm}},
        )  # fmt: skip


@contextlib.contextmanager
def _as_our_own(tasks: set[asyncio.Task[None]], progress: Progress, at_a_time: int) -> Iterator[None]:
    with _interruptible(tasks, progress), rarely_collecting(at_a_time):
        yield


@contextlib.contextmanager
def rarely_collecting(at_a_time: int) -> Iterator[None]:
    """Let more objects pile up before the garbage collector looks, for so many conversations at a time."""
    before, enough = gc.get_threshold(), COLLECT_AFTER + COLLECT_AFTER_EACH * min(at_a_time, MOST)
    # 0 means that the collector has been switched off: that is left so.
    gc.set_threshold(before[0] and max(before[0], enough), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextlib.contextmanager
def _interruptible(tasks: set[asyncio.Task[None]], progress: Progress) -> Iterator[None]:
    """Count interrupts: the first asks to end, the second cancels; one that the loop cannot hear is raised here."""
    loop = asyncio.get_running_loop()
    is_heard, is_cancelled = False, False

    def hear() -> None:
        nonlocal is_heard
        is_heard = True
        progress.on_change(progress)

    def cancel() -> None:
        for task in tasks:
            task.cancel()

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal is_cancelled
        if progress.stop != "interrupted":
            # Not in the loop: what never waits for anything would hear of it too late.
            progress.stop = "interrupted"
            loop.call_soon_threadsafe(hear)
        elif is_heard and not is_cancelled:
            is_cancelled = True
            loop.call_soon_threadsafe(cancel)
        else:
            raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGINT, interrupt)
    except ValueError:  # not in the main thread, which alone is interrupted
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
