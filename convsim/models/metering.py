"""What models were asked and how they answered, by endpoint: requests, failures, retries, tokens, money, latency."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from pydantic import Field, model_validator

from convsim.errors import ConvsimError
from convsim.models.energy import Energy
from convsim.models.prices import Usd
from convsim.schema.chat_model import Completion
from convsim.schema.conversation import Usage
from convsim.schema.record import Count, Name, Record, Text
from convsim.stats.sketch import Sketch, Sketching

MEASURED = "measured"
"""The key of a run's manifest."""
IN_PROCESS = "this process"
"""The address of a model that is no server's."""
Speaker = Literal["shopper", "agent"]


class EndpointMeter(Record):
    """What one model, or an agent that is asked as one, at one address was asked in a run; null is not known, never 0.

    A call is what a shopper or agent wanted; its requests are the first and those that were tried again.
    """

    model: Name
    address: Text
    calls: Count = 0
    requests: Count = 0
    retries: Count = 0
    """Requests after the first of a call."""
    failures: dict[Name, Count] = Field(default_factory=dict)
    """Requests without an answer, by kind: ``HTTP 429``, ``timed out``, ``unreachable``, ``cancelled``, ``other``."""
    latency_s: Sketch = Sketch()
    """Seconds of each request that was answered, from when it was sent."""
    failed_s: Sketch = Sketch()
    """Seconds of each request that was sent and not answered."""
    waiting_s: Sketch = Sketch()
    """Seconds that each request waited on this side for its place, before it was sent."""
    completions: Count = 0
    """Answers whose tokens were asked for."""
    uncounted: Count = 0
    """Completions that did not come with a count of their tokens."""
    unpriced: Count = 0
    """Completions of which the price is unknown."""
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cost_usd: Usd | None = None

    @property
    def key(self) -> str:
        """What it is called where several stand together."""
        return f"{self.model} at {self.address}"

    @property
    def answered(self) -> int:
        """Requests that were answered."""
        return self.requests - sum(self.failures.values())

    def merge(self, other: EndpointMeter) -> EndpointMeter:
        """Return both together; raises ValueError where they are of two endpoints."""
        if other.key != self.key:
            raise ValueError(f"{self.key} and {other.key} are two endpoints")
        return EndpointMeter(
            model=self.model,
            address=self.address,
            calls=self.calls + other.calls,
            requests=self.requests + other.requests,
            retries=self.retries + other.retries,
            failures=dict(sorted((Counter(self.failures) + Counter(other.failures)).items())),
            latency_s=Sketch.merged((self.latency_s, other.latency_s)),
            failed_s=Sketch.merged((self.failed_s, other.failed_s)),
            waiting_s=Sketch.merged((self.waiting_s, other.waiting_s)),
            completions=self.completions + other.completions,
            uncounted=self.uncounted + other.uncounted,
            unpriced=self.unpriced + other.unpriced,
            input_tokens=_sum(self.input_tokens, other.input_tokens),
            output_tokens=_sum(self.output_tokens, other.output_tokens),
            cost_usd=_sum(self.cost_usd, other.cost_usd),
        )


Amount = TypeVar("Amount", int, float)


def _sum(one: Amount | None, other: Amount | None) -> Amount | None:
    """Add up what is known; None where nothing is."""
    if one is None or other is None:
        return other if one is None else one
    return one + other


class Measured(Record):
    """What a run, or a part of one, asked of models, and how long each message of either side took.

    Those of several processes, and those of an earlier call, are put together with ``merge``: nothing depends on their
    order.
    """

    conversations: Count = 0
    """How many ended meanwhile; fewer than a run has where a call of it was killed, or an earlier version made it."""
    endpoints: dict[Name, EndpointMeter] = Field(default_factory=dict)
    """By ``EndpointMeter.key``."""
    message_s: dict[Speaker, Sketch] = Field(default_factory=dict)
    """Seconds that a message took to be made, waits and tries included, by who said it."""
    energy: Energy | None = None
    """Of the machine while the run lasted; null where nobody looked."""

    def merge(self, other: Measured) -> Measured:
        """Return both together."""
        endpoints = dict(self.endpoints)
        for key, meter in other.endpoints.items():
            endpoints[key] = endpoints[key].merge(meter) if key in endpoints else meter
        speakers = sorted({*self.message_s, *other.message_s})
        message_s = {
            who: Sketch.merged(each.message_s[who] for each in (self, other) if who in each.message_s)
            for who in speakers
        }
        return Measured(
            conversations=self.conversations + other.conversations,
            endpoints=dict(sorted(endpoints.items())),
            message_s=message_s,
            energy=_both(self.energy, other.energy),
        )

    @model_validator(mode="after")
    def _by_their_keys(self) -> Measured:
        if wrong := next((key for key, meter in self.endpoints.items() if meter.key != key), None):
            raise ValueError(f"what stands under {wrong!r} is of another endpoint")
        return self

    @classmethod
    def merged(cls, parts: Iterable[Measured]) -> Measured:
        """Return all together."""
        whole = cls()
        for part in parts:
            whole = whole.merge(part)
        return whole


def _both(one: Energy | None, other: Energy | None) -> Energy | None:
    if one is None or other is None:
        return other if one is None else one
    return one.merge(other)


@dataclass
class _Counting:
    """One endpoint's meter in the making."""

    calls: int = 0
    requests: int = 0
    retries: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    latency: Sketching = field(default_factory=Sketching)
    failed: Sketching = field(default_factory=Sketching)
    waiting: Sketching = field(default_factory=Sketching)
    completions: int = 0
    uncounted: int = 0
    unpriced: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None

    def so_far(self, model: str, address: str) -> EndpointMeter:
        return EndpointMeter(
            model=model,
            address=address,
            calls=self.calls,
            requests=self.requests,
            retries=self.retries,
            failures=dict(sorted(self.failures.items())),
            latency_s=self.latency.so_far,
            failed_s=self.failed.so_far,
            waiting_s=self.waiting.so_far,
            completions=self.completions,
            uncounted=self.uncounted,
            unpriced=self.unpriced,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cost_usd=self.cost_usd,
        )


class Measuring:
    """What has been measured since it began; from whichever thread of its run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._endpoints: dict[tuple[str, str], _Counting] = {}
        self._messages: dict[Speaker, Sketching] = {}

    @property
    def so_far(self) -> Measured:
        """What has been measured so far."""
        with self._lock:
            meters = [counting.so_far(*where) for where, counting in self._endpoints.items()]
            said = {who: sketching.so_far for who, sketching in sorted(self._messages.items())}
        return Measured(endpoints={m.key: m for m in sorted(meters, key=lambda m: m.key)}, message_s=said)

    @contextmanager
    def counting(self, model: str, address: str) -> Iterator[_Counting]:
        """Let one endpoint's numbers be changed, by nobody else meanwhile."""
        with self._lock:
            yield self._endpoints.setdefault((model, address), _Counting())

    def said(self, who: Speaker, seconds: float) -> None:
        """Count how long a message took."""
        with self._lock:
            self._messages.setdefault(who, Sketching()).add(seconds)


_measuring: ContextVar[Measuring | None] = ContextVar("what the calls of a run are measured by", default=None)


@contextmanager
def measuring() -> Iterator[Measuring]:
    """Measure what is asked of models within it, also in tasks and threads that begin there; and nothing else's."""
    made = Measuring()
    token = _measuring.set(made)
    try:
        yield made
    finally:
        _measuring.reset(token)


@contextmanager
def timed_message(who: Speaker) -> Iterator[None]:
    """Measure how long a message takes; one that fails is not counted."""
    begun = time.perf_counter()
    yield
    if (at := _measuring.get()) is not None:
        at.said(who, time.perf_counter() - begun)


def used(
    model: str, address: str, *, input_tokens: int | None, output_tokens: int | None, cost_usd: float | None
) -> None:
    """Count what a completion used; None is not known."""
    if (at := _measuring.get()) is None:
        return
    with at.counting(model, address) as counting:
        counting.completions += 1
        counting.uncounted += None in (input_tokens, output_tokens)
        counting.unpriced += cost_usd is None
        counting.input_tokens = _sum(counting.input_tokens, input_tokens)
        counting.output_tokens = _sum(counting.output_tokens, output_tokens)
        counting.cost_usd = _sum(counting.cost_usd, cost_usd)


def used_as_told(model: str, address: str, said: Completion | Usage) -> None:
    """Count what an answer says that it used; what it does not state is not known, whatever its default is."""
    stated = said.model_fields_set
    used(
        model, address, input_tokens=said.input_tokens if "input_tokens" in stated else None,
        output_tokens=said.output_tokens if "output_tokens" in stated else None, cost_usd=said.cost_usd,
    )  # fmt: skip


class Call:
    """One thing that is wanted of a model, and its tries."""

    def __init__(self, model: str, address: str):
        self._where, self._at, self._tries = (model, address), _measuring.get(), 0
        self._wanted = self._sent_at = 0.0
        if self._at is not None:
            with self._at.counting(*self._where) as counting:
                counting.calls += 1

    def waits(self) -> None:
        """Say that a try begins to wait for its turn."""
        self._wanted = time.perf_counter()

    def sent(self) -> None:
        """Say that a try has its place and is on its way; what went before was waiting."""
        self._sent_at = time.perf_counter()

    @contextmanager
    def attempt(self) -> Iterator[Call]:
        """Measure one try, to its answer or its failure."""
        if self._at is None:
            yield self
            return
        self._tries += 1
        self._wanted, self._sent_at = self._wanted or time.perf_counter(), 0.0
        failed: str | None = None
        try:
            yield self
        except BaseException as error:
            failed = kind_of_error(error)
            raise
        finally:
            self._count(self._at, failed)

    def _count(self, at: Measuring, failed: str | None) -> None:
        ended, wanted, self._wanted = time.perf_counter(), self._wanted, 0.0
        with at.counting(*self._where) as counting:
            counting.requests += 1
            counting.retries += self._tries > 1
            counting.waiting.add((self._sent_at or ended) - wanted)
            if failed is not None:
                counting.failures[failed] += 1
            if self._sent_at:
                (counting.latency if failed is None else counting.failed).add(ended - self._sent_at)


@contextmanager
def measured_call(model: str, address: str) -> Iterator[None]:
    """Measure a call of one try that waits for nothing on this side."""
    call = Call(model, address)
    with call.attempt():
        call.sent()
        yield


def kind_of_error(error: BaseException) -> str:
    """Name the kind of a failure, as meters count it."""
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    return (isinstance(error, ConvsimError) and error.kind) or "other"


def measured_in(manifest: Mapping[str, object]) -> Measured | None:
    """Read what a run's manifest says was measured; None where it says nothing that this version reads."""
    try:
        return Measured.model_validate(manifest[MEASURED]) if MEASURED in manifest else None
    except ValueError:
        return None
