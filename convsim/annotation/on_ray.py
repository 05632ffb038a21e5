"""An annotator that works on a Ray cluster: what a machine was labelling when it was lost is asked again of another."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from convsim._async import run_to_its_end
from convsim._cluster import cluster, free_processors
from convsim._sending import pickled
from convsim._text import described, one_line
from convsim.annotation.labels import labelled_by
from convsim.errors import ConvsimError, InputError, ModelError
from convsim.lifting import check_ready
from convsim.schema import Annotation, Annotator, BatchAnnotator
from convsim.schema.conversation import Conversation

MOST_LOSSES = 3
"""A conversation whose machine was lost so often stays unlabelled."""
AT_A_TIME = 256
"""Conversations that one machine may be asked for at a time."""


@dataclass(frozen=True)
class _Failed:
    """Why there is no answer, as the annotator raised it there."""

    why: str
    is_input: bool


class Labeller:
    """Labels with an annotator that it is sent, in a process of its own."""

    def __init__(self, whole: bytes):
        self._annotator: Any = pickle.loads(whole)  # noqa: S301  (from the process that asked for this one)

    async def ready(self) -> _Failed | None:
        """Say what is missing here."""
        try:
            await check_ready([self._annotator])
        except InputError as error:
            return _Failed(str(error), is_input=True)
        return None

    async def one(self, conversation: Conversation) -> Annotation | _Failed:
        """Label one conversation."""
        try:
            annotation: Annotation = await labelled_by(self._annotator, conversation)
            return annotation
        except ConvsimError as error:
            return _Failed(str(error), is_input=False)
        except Exception as error:
            return _Failed(f"the annotator raised {described(error)}", is_input=False)

    async def many(self, conversations: Sequence[Conversation]) -> list[Annotation] | _Failed:
        """Label several at once."""
        try:
            return list(await asyncio.to_thread(self._annotator.annotate_many, conversations))
        except Exception as error:
            return _Failed(described(error), is_input=False)


class Spread:
    """Asks as many labellers as the cluster has free processors, each in its turn."""

    def __init__(self, ray: ModuleType, annotator: Annotator):
        self._ray, self.name, self.source = ray, annotator.name, annotator.source
        self._whole = ray.put(pickled(annotator, ray.cloudpickle.Pickler, f"the annotator {annotator.name}"))
        self._made = ray.remote(Labeller).options(
            num_cpus=1, max_concurrency=AT_A_TIME, scheduling_strategy="SPREAD"
        )
        n = max(1, free_processors(ray))
        self._labellers = [self._made.remote(self._whole) for _ in range(n)]
        self._turn, self._lock = 0, threading.Lock()
        for said in ("languages", "any_language"):
            if hasattr(annotator, said):
                setattr(self, said, getattr(annotator, said))

    async def check_ready(self) -> None:
        """Ask every labeller whether it lacks something; raises InputError."""
        for labeller in list(self._labellers):
            _checked(await self._asked("ready", labeller=labeller))

    async def annotate(self, conversation: Conversation) -> Annotation:
        """Label one conversation on some machine."""
        answer: Annotation = _checked(await self._asked("one", conversation))
        return answer

    async def _asked(self, what: str, *arguments: object, labeller: Any = None) -> Any:
        why = ""
        for _ in range(MOST_LOSSES):
            labeller = labeller or self._next()
            try:
                return await getattr(labeller, what).remote(*arguments)
            except self._ray.exceptions.RayTaskError as error:
                raise ModelError(f"a labeller failed: {described(error)[:300]}") from error
            except self._ray.exceptions.RayError as error:
                why = one_line(error)[:200]
                self._replace(labeller)
                labeller = None
        raise ModelError(f"the process that labelled it was lost {MOST_LOSSES} times ({why})")

    def _next(self) -> Any:
        with self._lock:
            self._turn += 1
            return self._labellers[self._turn % len(self._labellers)]

    def _replace(self, labeller: Any) -> None:
        """Leave out one that is lost; another is made only where none is left: its processor may have gone, too."""
        with self._lock:
            if labeller in self._labellers:
                self._labellers.remove(labeller)
            if not self._labellers:
                self._labellers.append(self._made.remote(self._whole))


class SpreadInBatches(Spread):
    """Asks for many at once, each labeller for its part of them."""

    def annotate_many(self, conversations: Sequence[Conversation]) -> Sequence[Annotation]:
        """Label several, in their order."""
        return run_to_its_end(lambda: self._parts(conversations))

    async def _parts(self, conversations: Sequence[Conversation]) -> list[Annotation]:
        each = -(-len(conversations) // len(self._labellers))
        parts = [conversations[start : start + each] for start in range(0, len(conversations), each)]
        answers = await asyncio.gather(*(self._asked("many", part) for part in parts))
        return [annotation for answer in answers for annotation in _checked(answer)]


def _checked(answer: Any) -> Any:
    if isinstance(answer, _Failed):
        raise (InputError if answer.is_input else ModelError)(answer.why)
    return answer


@contextmanager
def spread(annotator: Annotator, address: str | None) -> Iterator[Annotator]:
    """Yield an annotator that asks ``annotator`` on the machines of a Ray cluster; its labels are the same.

    Raises:
        InputError: It cannot be sent, or Ray is not installed.
        ConvsimError: The cluster cannot be used.
    """
    with cluster(address) as ray:
        yield (SpreadInBatches if isinstance(annotator, BatchAnnotator) else Spread)(ray, annotator)
