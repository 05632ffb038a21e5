"""Gathers requests that wait at the same time into batches for a worker thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

GATHER_S = 0.01
"""How long a batch waits for company: conversations that were answered together ask again together."""

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(eq=False)
class Ticket(Generic[Job, Result]):
    """One waiting request; ``is_abandoned`` once nobody awaits its result any more."""

    job: Job
    result: Future[Result] = field(default_factory=Future)
    is_abandoned: bool = False


class Batcher(Generic[Job, Result]):
    """Runs the jobs that wait together on ``worker``, the oldest first, ``max_batch`` at most.

    It belongs to no event loop: any number of them may submit. ``run`` returns one result a ticket; what it
    raises is the result of every ticket of the batch.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Ticket[Job, Result]]], Sequence[Result]],
        *,
        max_batch: int,
        worker: Executor,
    ):
        self._run, self._max_batch, self._worker = run, max_batch, worker
        self._waiting: list[Ticket[Job, Result]] = []
        self._lock = threading.Lock()

    async def submit(self, job: Job) -> Result:
        """Wait for the result of ``job``; cancelling takes it out of the queue, or abandons it as it runs."""
        ticket: Ticket[Job, Result] = Ticket(job)
        with self._lock:
            self._waiting.append(ticket)
        # One drain a ticket: however they are batched, the last drain finds nothing left to do.
        self._worker.submit(self._drain)
        try:
            return await asyncio.wrap_future(ticket.result)
        except asyncio.CancelledError:
            ticket.is_abandoned = True
            raise

    def _drain(self) -> None:
        if not self._waiting:
            return
        time.sleep(GATHER_S)
        batch = [ticket for ticket in self._take() if ticket.result.set_running_or_notify_cancel()]
        if not batch:
            return
        try:
            results = self._run(batch)
        except Exception as error:
            for ticket in batch:
                ticket.result.set_exception(error)
        else:
            for ticket, result in zip(batch, results, strict=True):
                ticket.result.set_result(result)

    def _take(self) -> list[Ticket[Job, Result]]:
        with self._lock:
            batch = self._waiting[: self._max_batch]
            del self._waiting[: self._max_batch]
        return batch
