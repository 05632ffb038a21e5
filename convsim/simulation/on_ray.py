"""Workers that are actors of a Ray cluster: they end with the process that asked for them."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import Any

from convsim._text import described, one_line
from convsim.simulation.holding import Broken, Holder, LostError

FULL = (
    "Ray's object store is full, and the disk of its temporary folder, too: free space there and run the same command "
    "again; what has ended is kept"
)
BESIDE = 8
"""Calls of an actor beside those that hold conversations."""


class RayWorker:
    """One actor, on whichever node has a processor for it."""

    def __init__(self, ray: ModuleType, share: int):
        self._ray = ray
        made = ray.remote(Holder).options(
            num_cpus=1, max_restarts=0, max_task_retries=0, max_concurrency=share + BESIDE,
            scheduling_strategy="SPREAD",
        )  # fmt: skip
        self._actor = made.remote()

    async def ask(self, what: str, argument: object) -> Any:
        """Let the actor do something; raises LostError where it is lost before it answers."""
        errors = self._ray.exceptions
        try:
            return await getattr(self._actor, what).remote(argument)
        except errors.RayTaskError as error:
            if isinstance(error.cause, errors.OutOfDiskError | errors.ObjectStoreFullError):
                return Broken(FULL)
            return Broken(described(error.cause if isinstance(error.cause, Exception) else error))
        except errors.RayError as error:
            raise LostError(one_line(error)[:300]) from error

    def kill(self) -> None:
        """End it at once."""
        self._ray.kill(self._actor)

    async def gone(self, within_s: float) -> bool:
        """End it: its cluster sees to the rest."""
        await asyncio.to_thread(self.kill)
        return True
