"""Workers that hold a study's conversations: what one had in flight when it was lost is given to the others."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from convsim._loggers import logger_of
from convsim._progress import step
from convsim._text import one_line
from convsim.errors import ConvsimError, InputError
from convsim.models.crowd import AUTO
from convsim.models.metering import Measured
from convsim.models.pace import START
from convsim.schema.conversation import Failure
from convsim.simulation.config import StudyConfig
from convsim.simulation.holding import Broken, Held, Learnt, LostError, Refused
from convsim.simulation.loop import Planned, opened
from convsim.simulation.sending import Orders, sent

if TYPE_CHECKING:
    from convsim.simulation.study import Study

LOG = logger_of(__name__)
MOST_LOSSES = 3
"""A conversation whose worker was lost so often is a failure, and so many workers in a row that do not begin end it."""
NONE_WITHIN_S = 120.0
"""How long a run goes on without any worker, while one is being started."""
OTHERS_WITHIN_S = 10.0
"""How long a run on a cluster waits for further workers when one is ready."""
FEWEST = 2
"""Conversations at a time of a worker that has not asked an endpoint yet, at least."""
LOOK_EVERY_S = 5.0
"""How often it is looked whether there is a worker, where nothing says so."""
END_WITHIN_S = 10.0
"""How long a worker may take to end."""


class Worker(Protocol):
    """A process, here or elsewhere, that does what a ``Holder`` does."""

    async def ask(self, what: str, argument: object) -> Any:
        """Let it do something; raises LostError where it is lost before it answers."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    async def gone(self, within_s: float) -> bool:
        """Wait until it has ended; say whether it has."""
        ...


@dataclass(frozen=True, kw_only=True)
class Workers:
    """Where conversations are held: in ``processes`` of this machine, or of a Ray cluster.

    What is held, and what becomes of it, does not depend on that.

    Args:
        processes: How many; on a cluster as many as it has processors where it is None.
        engine: ``local``, or ``ray``, which needs the extra ``ray``.
        address: ``HOST:PORT`` of a Ray cluster that this machine has joined; without one it is started here.
        config: What the study is made from, in each worker anew; without it the study itself is sent, which must be
            possible.

    Raises:
        InputError: One of them cannot be used.
    """

    processes: int | None = None
    engine: Literal["local", "ray"] = "local"
    address: str | None = None
    config: StudyConfig | None = None

    def __post_init__(self) -> None:
        if self.engine not in ("local", "ray"):
            raise InputError(f"--engine must be local or ray, but is {one_line(self.engine)!r}")
        if self.address is not None and self.engine != "ray":
            raise InputError("--address: is of a Ray cluster; add --engine ray")
        if self.processes is not None and (isinstance(self.processes, bool) or self.processes < 1):
            raise InputError(f"--processes must be at least 1, but is {self.processes}")

    @property
    def are_here(self) -> bool:
        """Whether this process holds everything itself."""
        return self.engine == "local" and self.processes in (None, 1)


@dataclass(eq=False)
class _Member:
    """A worker of a pool, and how much it has in flight."""

    worker: Worker
    share: int
    """How much it may have in flight."""
    is_ready: bool = False
    n: int = 0
    measured: Measured = field(default_factory=Measured)
    """What it has told of its measures."""

    def take(self, measured: Measured | None) -> None:
        """Take what it tells; answers may come in another order than they were given in."""
        if measured is not None and measured.conversations >= self.measured.conversations:
            self.measured = measured


@dataclass
class Pool:
    """The workers of one study, of which each that is lost is replaced."""

    orders: Orders
    whole: object
    """The study as it is sent."""
    size: int
    share: int
    start: Callable[[], Worker]
    is_here: bool
    """Whether the workers are on this machine."""
    adapts: bool = False
    """Whether workers say how much they take at a time, as their endpoints do."""
    known: list[Learnt] = field(default_factory=list)
    """What workers have learned in the end."""
    _members: list[_Member] = field(default_factory=list)
    _gone: list[_Member] = field(default_factory=list)
    _starting: set[asyncio.Task[None]] = field(default_factory=set)
    _on_change: Callable[[], None] | None = None
    _not_begun: int = 0
    _why: str = ""
    _refused: InputError | None = None
    _change: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def wanted(self) -> int:
        """How many conversations the workers take at a time, all together."""
        return sum(member.share for member in self._members)

    @property
    def measured(self) -> Measured:
        """What the workers have measured, as far as they have told; those that are lost, too."""
        return Measured.merged(member.measured for member in [*self._gone, *self._members])

    def listen(self, on_change: Callable[[], None]) -> None:
        """Have a function called when they may take more."""
        self._on_change = on_change

    async def begin(self) -> None:
        """Start all workers, and wait until each has made the study; on a cluster, those that find a processor.

        The others begin as soon as they find one, too.

        Raises:
            InputError: One lacks what every conversation needs.
            ConvsimError: One cannot be started.
        """
        members = [self._new() for _ in range(self.size)]
        try:
            if self.is_here:
                await asyncio.gather(*map(self._begin, members))
            else:
                await self._begin_some(members)
        except LostError as error:
            raise ConvsimError(
                f"a worker ended before it was ready: {error}; in a script of your own, call it below "
                'if __name__ == "__main__":'
            ) from error

    async def hold(self, planned: Planned) -> Held:
        """Hold one conversation on whichever worker has room; where it is lost, on another one.

        Raises:
            InputError: A part lacks what every conversation needs.
            ConvsimError: No worker is left, or convsim itself failed in one.
        """
        order = self.orders.of(planned)
        for _ in range(MOST_LOSSES):
            member = await self._with_room()
            try:
                held: Held = _checked(await member.worker.ask("hold", order))
                member.share = held.wanted or member.share
                member.take(held.measured)
                return held
            except LostError as error:
                self._replace(member, str(error))
            finally:
                member.n -= 1
                self._tell()
        why = f"the worker process that held it was lost {MOST_LOSSES} times ({self._why})"
        failed = opened(planned).but(ending="agent_failed", failure=Failure(reason=one_line(why)[:500]))
        return Held(failed, None)

    async def end(self) -> None:
        """Let all workers end, and learn what they know."""
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*map(self._end, self._members))
        self._gone, self._members = [*self._gone, *self._members], []

    def kill(self) -> None:
        """End all workers at once."""
        for task in self._starting:
            task.cancel()
        for member in self._members:
            member.worker.kill()

    def _new(self) -> _Member:
        first = max(FEWEST, START // self.size) if self.adapts else self.share
        member = _Member(self.start(), min(first, self.share))
        self._members.append(member)
        return member

    async def _begin_some(self, members: list[_Member]) -> None:
        """Wait for the first worker that is ready, and a while for the others: a cluster may have room for few."""
        beginning = {asyncio.create_task(self._begin(member)): member for member in members}
        try:
            await asyncio.wait(beginning, return_when=asyncio.FIRST_COMPLETED)
            done, late = await asyncio.wait(
                beginning, timeout=OTHERS_WITHIN_S, return_when=asyncio.FIRST_EXCEPTION
            )
            for task in done:
                task.result()
        except BaseException:
            for task in beginning:
                task.cancel()
            raise
        for task in late:
            self._start(self._begin_late(beginning[task], task))
        if late:
            LOG.warning(
                "%d of %d workers have begun; the cluster has no free processor for the others yet",
                len(done),
                len(members),
            )

    async def _begin_late(self, member: _Member, beginning: asyncio.Task[None]) -> None:
        try:
            await beginning
        except LostError as error:
            self._replace(member, str(error))
        except ConvsimError as error:
            self._refused = error if isinstance(error, InputError) else InputError(str(error))
            self._members.remove(member)
            member.worker.kill()
            self._tell()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _begin(self, member: _Member) -> None:
        _checked(await member.worker.ask("begin", self.whole))
        member.is_ready, self._not_begun = True, 0
        self._tell()

    def _replace(self, member: _Member, why: str) -> None:
        """Start another worker in place of one that is lost; the first who sees the loss does so."""
        if member not in self._members:
            return
        self._why = why
        LOG.warning("a worker was lost: %s; what it held is given to others, and another one is started", why)
        self._members.remove(member)
        self._gone.append(member)
        member.worker.kill()
        self._start(self._begin_anew())

    async def _begin_anew(self) -> None:
        while self._not_begun < MOST_LOSSES:
            member = self._new()
            try:
                await self._begin(member)
                return
            except LostError as error:
                self._not_begun += 1
                self._why = str(error)
            except InputError as error:
                self._refused = error
            except ConvsimError as error:
                self._refused = InputError(str(error))
            self._members.remove(member)
            member.worker.kill()
            if self._refused:
                break
        self._tell()

    async def _with_room(self) -> _Member:
        """Wait for a worker that has room, and count one more in."""
        loop = asyncio.get_running_loop()
        since = loop.time()
        while True:
            ready = [member for member in self._members if member.is_ready]
            with_room = [member for member in ready if member.n < member.share]
            if with_room:
                member = min(with_room, key=lambda each: each.n)
                member.n += 1
                return member
            if ready:
                since = loop.time()
            elif self._refused is not None:
                raise self._refused
            elif loop.time() - since > NONE_WITHIN_S or self._not_begun >= MOST_LOSSES:
                raise ConvsimError(
                    f"no worker is left, and none could be started ({self._why}); what has ended is kept: run the same "
                    "command again to continue"
                )
            change = self._change
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await change.wait()

    def _tell(self) -> None:
        self._change.set()
        self._change = asyncio.Event()
        if self._on_change is not None:
            self._on_change()

    async def _end(self, member: _Member) -> None:
        if member.is_ready:
            try:
                async with asyncio.timeout(END_WITHIN_S):
                    known = await member.worker.ask("end", None)
                    if isinstance(known, Learnt):
                        self.known.append(known)
                        member.take(known.measured)
                    if await member.worker.gone(END_WITHIN_S):
                        return
            except (LostError, TimeoutError):
                pass
        member.worker.kill()
        await member.worker.gone(END_WITHIN_S)


def _checked(answer: Any) -> Any:
    if isinstance(answer, Refused):
        raise InputError(answer.why)
    if isinstance(answer, Broken):
        raise ConvsimError(f"a worker failed: {answer.why}")
    return answer


class Opened:
    """A pool for as long as a study is held: no process that it has started outlives it."""

    def __init__(self, study: Study, workers: Workers, *, most: int, record: bool):
        """Take at most ``most`` workers: so many conversations are held at a time."""
        self._study, self._workers, self._most, self._record = study, workers, max(most, 1), record
        self._stack = ExitStack()
        self._pool: Pool | None = None

    async def __aenter__(self) -> Pool:
        opening = asyncio.ensure_future(self._open())
        try:
            with step("starting workers"):
                self._pool = await asyncio.shield(opening)
                await self._pool.begin()
        except BaseException:
            if (
                not opening.done()
            ):  # a cluster is being started in a thread, and stopped as soon as it is there
                await asyncio.wait({opening})
            await self._close()
            raise
        return self._pool

    async def __aexit__(self, *raised: object) -> None:
        await self._close()

    async def _open(self) -> Pool:
        workers = self._workers
        if workers.engine == "ray":
            from convsim._cluster import cluster
            from convsim.simulation.on_ray import RayWorker

            ray = await self._entered(cluster(workers.address, cpus=workers.processes))
            size = min(workers.processes or int(ray.cluster_resources().get("CPU", 1)), self._most)
            share = math.ceil(self._most / size)
            whole = sent(
                self._study, workers.config, share=share, workers=size, record=self._record,
                by_value=ray.cloudpickle,
            )  # fmt: skip
            reference = ray.put(whole)
            return Pool(
                Orders(self._study),
                reference,
                size,
                share,
                lambda: RayWorker(ray, share),
                workers.address is None,
                self._study.concurrency == AUTO,
            )
        from convsim.simulation.processes import ProcessWorker

        size = min(workers.processes or 1, self._most)
        share = math.ceil(self._most / size)
        whole = sent(self._study, workers.config, share=share, workers=size, record=self._record)
        return Pool(
            Orders(self._study), whole, size, share, ProcessWorker, True, self._study.concurrency == AUTO
        )

    async def _entered(self, manager: AbstractContextManager[Any]) -> Any:
        return await asyncio.to_thread(self._stack.enter_context, manager)

    async def _close(self) -> None:
        if self._pool is not None:
            self._pool.kill()
        await asyncio.to_thread(self._stack.close)
