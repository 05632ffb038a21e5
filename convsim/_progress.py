"""How far the work is: what does it says so in steps, and the command line or a callback listens."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from inspect import iscoroutinefunction

from convsim._loggers import logger_of
from convsim._text import described, one_line, shown
from convsim.errors import InputError

LOG = logger_of("convsim.progress")

VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|\b[0-9a-f]{8,}\b|\b(?=\w*\d)[\w-]{12,}\b|\d+(?:[.,]\d+)*")
"""Of a reason: what is quoted, ids and numbers."""
MAX_KINDS = 20
"""Kinds of failures that are told apart in a step; what comes after them is only counted."""
OTHERS = "others"
RATE_AFTER_S = 1.0
"""Seconds after which a rate says something."""
FEW = 5
"""Parts below which the time of some says little about that of the others."""
MINUTE_S, HOUR_S = 60, 3600


def kind_of(reason: str) -> str:
    """Return a reason without quotations, ids and numbers: equal for equal failures."""
    return VARIES.sub("#", reason)


Show = Callable[["Step"], None]


class _Listener:
    """Tells somebody's function of steps until it fails: the work is not for it to end."""

    def __init__(self, show: Show):
        self._show: Show | None = show
        self._lock = threading.RLock()

    def tell(self, step: Step) -> None:
        """Tell it, from whichever thread."""
        show = self._show
        if show is None:
            return
        try:
            show(step)
        except Exception as error:
            with self._lock:
                is_first, self._show = self._show is not None, None
            if is_first:
                LOG.warning(
                    "progress_to: the function that was told of progress failed and is told no more: %s",
                    described(error),
                )


_listener: ContextVar[Show | None] = ContextVar("is told of every change of a step", default=None)
_step: ContextVar[Step | None] = ContextVar("the innermost step of this thread or task", default=None)


@dataclass(eq=False)
class Step:
    """A part of the work, and how far it is; ``str`` of it is a line for people.

    ``what`` and ``now`` are plain text of one line each. A step that is a part of another has it as ``outer``.
    """

    what: str
    """What is done, such as "running conversations"."""
    total: int | None = None
    """How many parts it has; None where that is not known."""
    unit: str = ""
    """What the parts are called where they take about the same time each; only then is there a rate."""
    done: int = 0
    outer: Step | None = None
    now: str = ""
    """The part that is being done, such as the name of a validator."""
    cost_usd: float = 0.0
    unpriced: bool = False
    """Whether anything cost an unknown price."""
    failures: Counter[str] = field(default_factory=Counter)
    """How often each kind of failure has happened."""
    retries: Counter[str] = field(default_factory=Counter)
    """How often a request was tried again, by the kind of what had gone wrong."""
    is_over: bool = False
    _show: Show | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._begun_with = self.done
        self._begun_s = self._finished_s = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._begun_s

    @property
    def rate_per_s(self) -> float | None:
        """Parts a second up to the last that is done; None where they are not alike, or none is done yet."""
        done, seconds = self.done - self._begun_with, self._finished_s - self._begun_s
        return done / seconds if self.unit and done > 0 and seconds >= RATE_AFTER_S else None

    @property
    def seconds_left(self) -> float | None:
        """How long it will take at this rate.

        None where that is not known: there are few parts, or those at hand take longer than all that are left would.
        """
        rate, total = self.rate_per_s, self.total
        if rate is None or total is None or total < FEW:
            return None
        if self.done >= total:
            return 0.0
        left = (total - self.done) / rate - (time.monotonic() - self._finished_s)
        return left if left > 0 else None

    @property
    def path(self) -> list[Step]:
        """The steps from the outermost to this one."""
        return [*(self.outer.path if self.outer else ()), self]

    def advance(self, n: int = 1, *, now: str | None = None) -> None:
        """Count parts that are done."""
        with self._lock:
            self.done += n
            self._finished_s = time.monotonic() if n else self._finished_s
        self.at(now=now)

    def at(self, done: int | None = None, *, now: str | None = None, total: int | None = None) -> None:
        """Say how many parts are done, and which one is being done."""
        if done is not None and done != self.done:
            self.done, self._finished_s = done, time.monotonic()
        if now is not None:
            self.now = one_line(now)
        if total is not None:
            self.total = total
        self.tell()

    def fail(self, said: str, log: logging.Logger, *, kind: str | None = None, **fields: object) -> None:
        """Count a failure, and log it: the first of its kind as a warning, others as information.

        Args:
            said: A sentence: what failed, and why.
            log: Whose logger.
            kind: What equal failures have in common; by default the sentence without quotations, ids and numbers.
            fields: What stands beside the sentence in the log.
        """
        self._count(self.failures, said, log, kind, fields)
        self.tell()

    def retry(self, said: str, log: logging.Logger, *, kind: str | None = None, **fields: object) -> None:
        """Count a request that is tried again, and log it as ``fail`` does."""
        self._count(self.retries, said, log, kind, fields)
        self.tell()

    def _count(
        self,
        counts: Counter[str],
        said: str,
        log: logging.Logger,
        kind: str | None,
        fields: dict[str, object],
    ) -> None:
        kind = kind_of(said) if kind is None else kind
        with self._lock:
            is_first = kind not in counts and len(counts) < MAX_KINDS
            counts[kind if is_first or kind in counts else OTHERS] += 1
        level = logging.WARNING if is_first else logging.INFO
        if log.isEnabledFor(level):
            log.log(level, "%s", said, extra={"fields": {**fields, "first_of_its_kind": is_first}})

    def tell(self) -> None:
        """Tell who listens that something has changed."""
        if self._show is not None:
            self._show(self)

    def __str__(self) -> str:
        return "; ".join(filter(None, (_line(each) for each in self.path)))

    def record(self) -> dict[str, object]:
        """Return it as fields of JSON; numbers that are not known are None."""
        rate, left = self.rate_per_s, self.seconds_left
        return {
            "what": self.what,
            "now": self.now or None,
            "within": [each.what for each in self.path[:-1]],
            "done": self.done,
            "total": self.total,
            "unit": self.unit or None,
            "failed": self.failures.total(),
            "retries": self.retries.total(),
            "rate_per_s": None if rate is None else round(rate, 3),
            "cost_usd": None if self.unpriced else round(self.cost_usd, 6),
            "seconds": round(self.seconds, 1),
            "seconds_left": None if left is None else round(left, 1),
        }


def _line(step: Step) -> str:
    parts = [f"{step.what}: {step.now}" if step.now else step.what]
    if step.total:
        parts.append(f"{step.done:,} of {step.total:,}")
    elif step.done:
        parts.append(f"{step.done:,} {step.unit}".strip())
    if failed := step.failures.total():
        parts.append(f"{failed:,} failed")
    if retries := step.retries.total():
        parts.append(f"{retries:,} {'retry' if retries == 1 else 'retries'}")
    if (rate := step.rate_per_s) is not None:
        parts.append(f"{rate:,.1f}/s" if rate >= 1 else f"{rate * MINUTE_S:.1f} a minute")
    if step.cost_usd:
        parts.append(f"${step.cost_usd:.2f}")
    if step.unpriced:
        parts.append("price unknown")
    if (left := step.seconds_left) is not None and step.done < (step.total or 0):
        parts.append(f"{duration(left)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Say how long in a short way: 12 s, 3 min 5 s, 2 h 7 min."""
    whole = round(seconds)
    if whole < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} min {whole % MINUTE_S} s"
    return f"{whole // HOUR_S} h {whole % HOUR_S // MINUTE_S} min"


def progress_to(show: Show) -> AbstractContextManager[None]:
    """Tell ``show`` of the progress of whatever convsim does within.

    It is given the step that has begun, moved on or ended, in whichever thread that happens, and must return soon. Once
    it raises an exception, that is logged as a warning and it is told no more; the work goes on. ``print`` will do: a
    step prints as a line.

    Raises:
        InputError: ``show`` is no function.

    Example:
        >>> with convsim.progress_to(print):                               # doctest: +SKIP
        ...     card = convsim.validate("real.jsonl", "simulated.jsonl", seed=7)
    """
    if not callable(show) or iscoroutinefunction(show):
        raise InputError(f"progress_to: expected a function that is not async, but it is {shown(show)}")
    return _told(_Listener(show).tell)


@contextmanager
def _told(show: Show) -> Iterator[None]:
    token = _listener.set(show)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def step(what: str, total: int | None = None, *, unit: str = "", done: int = 0) -> Iterator[Step]:
    """Do a part of the work: within, it is the innermost step.

    Args:
        what: What is done.
        total: How many parts it has.
        unit: What these are called where they take about the same time each.
        done: How many were done before.
    """
    begun = Step(one_line(what), total, unit, done, outer=_step.get(), _show=_listener.get())
    token = _step.set(begun)
    try:
        begun.tell()
        yield begun
    finally:
        begun.is_over = True
        _step.reset(token)
        begun.tell()


def innermost() -> Step | None:
    """Return the step that the caller's thread or task is a part of."""
    return _step.get()
